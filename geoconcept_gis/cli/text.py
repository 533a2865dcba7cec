"""`geoconcept text`: the bundled text tower."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .common import ModelOption, OverwriteOption, load, progress_bar, say, short_warnings

app = typer.Typer(help="Work with the bundled text tower: words to places.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``build`` a subcommand, though it is the only one."""


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tower's three files.", show_default=False)],
    hold_out: Annotated[
        bool, typer.Option("--hold-out", help="Leave out the benchmark's phrases, to measure on them.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    model: ModelOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Train the text tower anew, from the data in the folder named by GEOCONCEPT_DATA. A quarter of an hour.

    The same machine writes the same bytes every time.

    Example: GEOCONCEPT_DATA=data geoconcept text build -o my_tower
    """
    from ..text.build import build_text
    from ..text.lookup import LOOKUP
    from ..text.tower import ADAPTER, ADAPTER_JSON

    for name in (ADAPTER, ADAPTER_JSON, LOOKUP.name):
        if (out / name).exists() and not overwrite:
            raise InputError(f"{out / name} exists already: add --overwrite to replace it")
    with progress_bar("training", "steps") as progress, short_warnings():
        built = build_text(load(model, "numpy"), hold_out=hold_out, seed=seed, progress=progress)
    built.save(out)
    say(f"{out}: {built.record['words']:,} words, {sum(built.record['texts'].values()):,} texts")
