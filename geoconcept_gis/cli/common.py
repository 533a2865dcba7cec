"""What several commands share: options, the progress bar, checks of the output's name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import InputError

if TYPE_CHECKING:
    from ..concepts import Concept
    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = [
    "KIND_HELP",
    "BackendOption",
    "BoundsOption",
    "ConceptOption",
    "Kind",
    "KindOption",
    "ModelOption",
    "OverwriteOption",
    "StacOption",
    "TextOption",
    "TowerOption",
    "WeightsOption",
    "check_free",
    "find_concepts",
    "load",
    "progress_bar",
    "say",
    "short_warnings",
]


Kind = Literal["calibrated", "percentile", "cosine"]
KIND_HELP = (
    "calibrated: 0..1, share of reference places with this score that carry the label; percentile: 0..100, "
    "share of reference places that score lower; cosine: -1..1, zero for the average place."
)
KindOption = Annotated[
    Kind | None, typer.Option("--kind", help=KIND_HELP, show_default="calibrated; percentile where words are asked for")
]
TextOption = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        "-t",
        metavar="WORDS",
        help='Words that become a concept of their own, such as "olive groves by the sea"; repeat for more.',
        show_default=False,
    ),
]
ConceptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--concept",
        "-c",
        help="A concept by name, alias or .concept file; repeat for more. All but grade D when left out.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="An installed model's name or a model folder.", show_default="geoclip")
]
BackendOption = Annotated[
    str, typer.Option("--backend", help="auto, numpy, torch, torch-bf16, torch-cuda, onnx or onnx-int8.")
]
BoundsOption = Annotated[
    tuple[float, float, float, float] | None,
    typer.Option(
        "--bounds",
        metavar="W S E N",
        help="Left, bottom, right, top; the whole world when left out.",
        show_default=False,
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
StacOption = Annotated[
    bool, typer.Option("--stac", help="Also write a STAC item beside the output, with the embeddings extension.")
]


TowerOption = Annotated[
    Literal["auto", "bundled", "clip"],
    typer.Option("--tower", help="What reads the words: bundled, offline; clip, whose weights must be at hand."),
]
WeightsOption = Annotated[
    Path | None, typer.Option("--weights", help="File with CLIP's weights, for words.", show_default=False)
]


def load(model: str | None, backend: str) -> GeoConceptModel:
    """Open the model that the options name."""
    from ..model import load_model

    return load_model(model, backend=backend)


def find_concepts(
    model: GeoConceptModel,
    words: list[str] | None,
    texts: list[str] | None = None,
    tower: str = "auto",
    weights: Path | None = None,
) -> list[Concept] | None:
    """Return the concepts that names, aliases and .concept files stand for, then those made of texts; None for none."""
    if not words and not texts:
        return None
    from ..concept_files import is_concept_file, read_concept

    found: list[Concept] = []
    if words:
        found = model.select([read_concept(word, model) if is_concept_file(word) else word for word in words])
    for text in texts or ():
        from ..text.concept import concept_from_text

        with short_warnings():
            concept = concept_from_text(text, tower=tower, model=model, weights=weights)
        say(f"{text!r}: grade {concept.grade}; reads land like {concept.provenance['nearest'] or 'no tested concept'}")
        found.append(concept)
    return model.select(found)


def check_free(path: Path, overwrite: bool) -> Path:
    """Refuse to replace a file unasked, and a folder that is not there, before any work is done."""
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already: add --overwrite to replace it")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: folder {path.parent} does not exist")
    return path


def say(message: str) -> None:
    """Tell the user something, away from data on standard output."""
    typer.echo(message, err=True)


@contextmanager
def progress_bar(label: str, unit: str = "points") -> Iterator[Progress]:
    """Show a bar on standard error when that is a terminal; yields the progress function."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(label, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


@contextmanager
def short_warnings() -> Iterator[None]:
    """Print the package's warnings as one line each, without source lines."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(f"geoconcept: note: {message}")
        yield
