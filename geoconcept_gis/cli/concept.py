"""`geoconcept concept`: concepts of the user's own."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .common import (
    BackendOption,
    ModelOption,
    OverwriteOption,
    TowerOption,
    WeightsOption,
    check_free,
    load,
    progress_bar,
    say,
    short_warnings,
)

if TYPE_CHECKING:
    import geopandas as gpd

    from ..concepts import Concept

app = typer.Typer(help="Make concepts of your own.", no_args_is_help=True)
_LABEL_WIDTH, _TEXT_WIDTH = 11, 100


@app.command()
def fit(
    source: Annotated[
        Path,
        typer.Argument(
            help="Places that have it: CSV, GeoPackage, GeoJSON, Shapefile or GeoParquet, any geometries, any CRS.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File for the concept: NAME.concept", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="What to call it.", show_default="the file's name")] = None,
    description: Annotated[str, typer.Option("--description", help="What it means, in one sentence.")] = "",
    background: Annotated[
        Path | None,
        typer.Option(
            "--background",
            help="Places to tell it from: absences, or records of other species by the same observers.",
            show_default="10,000 places spread evenly over the land",
        ),
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", help="Layer of a file that has several.", show_default=False)
    ] = None,
    background_layer: Annotated[
        str | None, typer.Option("--background-layer", help="Layer of the background file.", show_default=False)
    ] = None,
    lon: Annotated[
        str | None, typer.Option("--lon", help="Column with longitudes (of a CSV).", show_default="found by name")
    ] = None,
    lat: Annotated[
        str | None, typer.Option("--lat", help="Column with latitudes (of a CSV).", show_default="found by name")
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Also draw its world map.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The full record as JSON.")] = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Fit a concept to places, test it on places held out, and say how far to trust it.

    Examples: geoconcept concept fit presence.gpkg -o orchid.concept;
    geoconcept concept fit presence.csv --background other_species.csv -o orchid.concept --png orchid.png
    """
    for path, suffix in ((out, ".concept"), (png, ".png")):
        if path is not None:
            if path.suffix.lower() != suffix:
                raise InputError(f"{path} must end in {suffix}")
            check_free(path, overwrite)
    from ..concept_files import write_concept
    from ..from_places import concept_from_places
    from ..maps import concept_map
    from ..plot import require_matplotlib, save_concept_map

    if png is not None:
        require_matplotlib()  # before minutes of work
    positive = _read(source, layer, lon, lat)
    # Two exports of one database have the same columns; files of two kinds have not.
    alike = background is not None and background.suffix == source.suffix
    negative = background and _read(background, background_layer, lon if alike else None, lat if alike else None)
    loaded = load(model, backend)
    with progress_bar("encoding") as progress, short_warnings():
        concept = concept_from_places(
            positive,
            negative,
            name=name or out.stem.replace("_", " "),
            description=description,
            model=loaded,
            progress=progress,
        )
    write_concept(concept, out, loaded)
    if png is not None:
        with progress_bar("mapping") as progress, short_warnings():
            world = concept_map(concept, resolution=0.5, model=loaded, kind="percentile", progress=progress)
            save_concept_map(world, png)
    typer.echo(json.dumps(concept.record(), indent=1, ensure_ascii=False) if as_json else _report(concept))
    say(f"{out}: written" if png is None else f"{out}, {png}: written")
    if png is None:
        say(f"next: geoconcept map {out} --kind percentile --png {out.with_suffix('.png')}")


@app.command()
def text(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="A word, a name or a phrase.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File for the concept: NAME.concept", show_default=False)
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Also draw its world map.", show_default=False)] = None,
    tower: TowerOption = "auto",
    weights: WeightsOption = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch CLIP's weights first if they are missing; asks before it does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The full record as JSON.")] = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Turn words into a concept, and say what speaks for it: concepts that read land alike, how sharp its map is.

    Examples: geoconcept concept text "olive groves by the sea" -o olives.concept --png olives.png;
    geoconcept concept text vineyard --tower clip --weights ViT-L-14.pt
    """
    for path, suffix in ((out, ".concept"), (png, ".png")):
        if path is not None:
            if path.suffix.lower() != suffix:
                raise InputError(f"{path} must end in {suffix}")
            check_free(path, overwrite)
    from ..concept_files import write_concept
    from ..maps import concept_map
    from ..plot import require_matplotlib, save_concept_map
    from ..text.concept import concept_from_text

    if png is not None:
        require_matplotlib()
    if download:
        from ..towers.clip import DOWNLOAD

        typer.confirm(f"{DOWNLOAD} Fetch it?", abort=True, err=True)
    loaded = load(model, backend)
    with short_warnings():
        concept = concept_from_text(words, tower=tower, model=loaded, weights=weights, download=download)
    if out is not None:
        write_concept(concept, out, loaded)
    if png is not None:
        with progress_bar("mapping") as progress, short_warnings():
            world = concept_map(concept, resolution=0.5, model=loaded, progress=progress)
            save_concept_map(world, png)
    typer.echo(json.dumps(concept.record(), indent=1, ensure_ascii=False) if as_json else _evidence(concept))
    if out is not None or png is not None:
        say(f"{', '.join(str(path) for path in (out, png) if path is not None)}: written")


_MEANING = {
    "B": "a tested concept of grade A or B reads much the same places",
    "C": "plausible, but no tested concept vouches for it: look at its map",
    "D": "about no place: its map means nothing",
}


def _evidence(concept: Concept) -> str:
    """Say in a few lines what a concept made of words rests on, the grade first."""
    evidence = concept.provenance
    rows = {
        "grade": f"{concept.grade}: {_MEANING.get(concept.grade or '', '')}",
        "reads like": evidence["nearest"].replace("; ", ", ") or "no tested concept",
        "peak": f"the top 1 % of land stands out by {evidence['peak']} standard deviations",
        "geographic": evidence.get("geographic", "not asked"),
        "unknown": evidence.get("unknown_words", ""),
        "two towers": evidence.get("towers_agree", ""),
        "tower": evidence["tower"],
    }
    return _card(concept.name, {label: value for label, value in rows.items() if value})


def _read(path: Path, layer: str | None, lon: str | None, lat: str | None) -> gpd.GeoDataFrame:
    from ..tables import read_places

    return read_places(path, layer=layer, lon=lon, lat=lat)


def _report(concept: Concept) -> str:
    """Say in a few lines what came out, the grade first."""
    from ..concepts.concept import GRADES

    validity, calibration = concept.validity, concept.calibration
    if validity is None or calibration is None or validity.interval is None or concept.grade is None:
        raise AssertionError("concept_from_places tests and calibrates every concept")
    low, high = validity.interval
    rows = {
        "grade": f"{concept.grade}: {GRADES[concept.grade]}",
        "places": concept.provenance["positive"],
        "told from": concept.provenance["negative"],
        "held-out": f"{validity.metric} {validity.value:.3f} (95 % interval {low:.3f} to {high:.3f}), {validity.folds}",
        "controls": ", ".join(f"{control} {value:.3f}" for control, value in validity.controls.items()),
        "calibrated": f"within {calibration.ece:.3f} on average; 0.5 is as typical of your places as of the others",
        "fails": concept.failure or "nowhere in particular",
    }
    return _card(concept.name, rows)


def _card(name: str, rows: dict[str, str]) -> str:
    lines = [typer.style(name, bold=True)]
    for label, text in rows.items():
        for k, line in enumerate(textwrap.wrap(text, _TEXT_WIDTH, break_long_words=False)):
            lines.append(f"  {label if k == 0 else '':{_LABEL_WIDTH}} {line}")
    return "\n".join(lines)
