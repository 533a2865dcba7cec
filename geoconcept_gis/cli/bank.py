"""`geoconcept bank`: concept banks as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .common import BackendOption, ModelOption, OverwriteOption, load, progress_bar, say, short_warnings

if TYPE_CHECKING:
    from ..concepts import ConceptBank

app = typer.Typer(help="Work with whole concept banks.", no_args_is_help=True)
_BANK = "A folder of a bank or a model, or an installed model's name."


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="A", help=_BANK, show_default=False)],
    new: Annotated[str, typer.Argument(metavar="B", help=_BANK, show_default=False)],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Leave with 1 if the banks differ.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The differences as JSON.")] = False,
) -> None:
    """Show what changed from bank A to bank B: concepts, grades, validity, directions, calibration, references.

    Example: geoconcept bank diff geoclip my_model
    """
    found = _open(old).diff(_open(new))
    typer.echo(json.dumps(found.record(), indent=1, ensure_ascii=False) if as_json else str(found))
    if exit_code and found:
        raise typer.Exit(1)


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the bank's two files.", show_default=False)],
    concept: Annotated[
        list[str] | None,
        typer.Option("--concept", "-c", help="Only this concept; repeat for more.", show_default=False),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many concepts at once.", show_default="one a core")
    ] = None,
    model: ModelOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Fit and test every concept anew, from the data in the folder named by GEOCONCEPT_DATA. An hour on two cores.

    The same machine writes the same bytes every time.

    Example: GEOCONCEPT_DATA=data geoconcept bank build -o my_bank && geoconcept bank diff geoclip my_bank
    """
    from ..bank.build import build_bank
    from ..bank.heads import fit_heads
    from ..storage import BANK_ARRAYS, BANK_JSON

    for name in (BANK_JSON, BANK_ARRAYS):
        if (out / name).exists() and not overwrite:
            raise InputError(f"{out / name} exists already: add --overwrite to replace it")

    encoder = load(model, "numpy")
    with progress_bar("fitting", "concepts") as progress, short_warnings():
        bank = build_bank(encoder, only=concept, processes=processes, progress=progress)
    with progress_bar("fitting heads", "concepts") as progress, short_warnings():
        bank = fit_heads(encoder, bank, processes=processes, progress=progress)
    bank.save(out)
    say(f"{out}: {len(bank)} concepts in {len(bank.families)} families, {sum(bool(c.head) for c in bank)} with a head")


@app.command()
def report(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pages and maps.", show_default=False)],
    model: ModelOption = None,
    backend: BackendOption = "auto",
) -> None:
    """Write the atlas: a Markdown page a family, with the test, the known failure and a small map of every concept."""
    from ..bank.report import write_report

    written = write_report(load(model, backend), out)
    say(f"{out}: {len(written)} files; start with {out / 'index.md'}")


def _open(name: str) -> ConceptBank:
    from ..concepts import ConceptBank
    from ..model import bundled_models, load_model

    return load_model(name, backend="numpy").bank if name in bundled_models() else ConceptBank.load(name)
