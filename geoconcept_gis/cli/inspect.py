"""`geoconcept concepts` and `geoconcept info`: what is there, and where a file came from."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .common import BackendOption, ModelOption, load

if TYPE_CHECKING:
    from ..concepts import Concept


def concepts(
    search: Annotated[
        str | None,
        typer.Argument(
            help="Only concepts whose name, alias, family or description has this text.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Full records as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A table for a document.")] = False,
    model: ModelOption = None,
) -> None:
    """List the concepts with how well each was found in places it was not fitted on.

    AUROC: how often a place with the label scores above one without, in 10-degree blocks the fit never saw (0.5 is
    chance). Control: the same measure for a model that sees only where on the globe a place is.
    """
    bank = load(model, "numpy").bank
    wanted = (search or "").lower()
    chosen = [c for c in bank if wanted in " ".join((c.name, c.family, c.description, *c.aliases)).lower()]
    if not chosen:
        raise InputError(f"no concept matches {search!r}; `geoconcept concepts` lists all {len(bank)}")
    if as_json:
        typer.echo(json.dumps([concept.record() for concept in chosen], indent=1, ensure_ascii=False))
    elif as_markdown:
        typer.echo(markdown_table(chosen))
    else:
        _print_table(chosen)


_HEADERS = ("concept", "alias", "held-out", "95 % interval", "control", "meaning")


def _cells(concept: Concept) -> tuple[str, ...]:
    validity = concept.validity
    alias = concept.aliases[0] if concept.aliases else ""
    if validity is None:
        return (concept.name, alias, "untested", "", "", concept.description)
    interval = "-".join(f"{value:.3f}" for value in validity.interval) if validity.interval else ""
    control = f"{next(iter(validity.controls.values())):.3f}" if validity.controls else ""
    return (concept.name, alias, f"{validity.metric} {validity.value:.3f}", interval, control, concept.description)


def markdown_table(concepts: list[Concept]) -> str:
    """Return the concepts as a Markdown table, one row each."""
    rows = [("family", *_HEADERS), ("---",) * (len(_HEADERS) + 1)]
    rows += [(concept.family, *_cells(concept)) for concept in concepts]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _print_table(concepts: list[Concept]) -> None:
    """Print one table a family, as wide as the window allows; pipes get every column in full."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console.width = 240
    columns = [0, 1, 2, 4] if console.width < 110 else range(len(_HEADERS))
    for family in dict.fromkeys(concept.family for concept in concepts):
        table = Table(title=family, title_justify="left", box=None, header_style="bold", pad_edge=False)
        for k in columns:
            table.add_column(_HEADERS[k], no_wrap=_HEADERS[k] != "meaning")
        for concept in concepts:
            if concept.family == family:
                table.add_row(*(_cells(concept)[k] for k in columns))
        console.print(table)
        console.print()


def info(
    file: Annotated[
        Path | None, typer.Argument(help="A file this package wrote: prints where it came from.", show_default=False)
    ] = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
) -> None:
    """Show the version, the model and the backends, or the provenance of a file."""
    record = _of_file(file) if file is not None else _of_installation(model, backend)
    width = max(map(len, record))
    for key, value in record.items():
        typer.echo(f"{key:{width}}  {value}")


def _of_file(file: Path) -> dict[str, str]:
    from ..provenance import read_provenance

    record = read_provenance(file)
    if not record:
        raise InputError(f"{file} carries no geoconcept provenance")
    return {
        key: value if len(value) <= 200 else f"{value[:60]}... ({len(value):,} characters)"
        for key, value in record.items()
    }


def _of_installation(model: str | None, backend: str) -> dict[str, str]:
    from .._version import __version__
    from ..backends import available

    loaded = load(model, backend)
    families = sorted({concept.family for concept in loaded.bank})
    return {
        "geoconcept": f"{__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})",
        "model": f"{loaded.name} in {loaded.folder}",
        "sha256": loaded.sha256,
        "space": loaded.space,
        "licence": str(loaded.config.get("licence", "unknown")),
        "scale": f"{loaded.scale_km[0]:g} to {loaded.scale_km[1]:g} km",
        "concepts": f"{len(loaded.bank)} in {len(families)} families: {', '.join(families)}",
        "backends": ", ".join(f"{name}{'' if usable else ' (not installed)'}" for name, usable in available().items()),
        "backend": f"{loaded.backend}"
        + (" for small jobs; the fastest exact-enough one for large" if backend == "auto" else ""),
    }
