"""`geoconcept explain`, `compare` and `similar`: what places are associated with, and where else is like them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import InputError
from .common import (
    BackendOption,
    BoundsOption,
    ConceptOption,
    ModelOption,
    OverwriteOption,
    check_free,
    find_concepts,
    load,
    progress_bar,
    say,
    short_warnings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from rich.table import Table

    from ..comparison import Comparison
    from ..explanation import Explanation

#: Lets negative coordinates through: -60.0 would else be taken for an option.
NEGATIVE_NUMBERS = {"ignore_unknown_options": True}
_BAR = 12


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no number; a place is given as LON LAT in degrees, longitude first, such as 31.2 30.0"
        ) from None


TopOption = Annotated[int, typer.Option("--top", "-n", min=1, help="How many concepts to show.")]
PngOption = Annotated[Path | None, typer.Option("--png", help="Also draw it into this file.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="The full record as JSON.")]
LayerOption = Annotated[str | None, typer.Option(help="Layer of a GeoPackage.", show_default=False)]


def explain(
    lon: Annotated[
        float | None,
        typer.Argument(help="Longitude in degrees.", parser=_degrees, metavar="LON", show_default=False),
    ] = None,
    lat: Annotated[
        float | None,
        typer.Argument(help="Latitude in degrees.", parser=_degrees, metavar="LAT", show_default=False),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A table of places instead: all of it, or one --row.")
    ] = None,
    layer: LayerOption = None,
    row: Annotated[
        int | None, typer.Option(help="Only this row of the file, counted from 0.", show_default=False)
    ] = None,
    top: TopOption = 10,
    concept: ConceptOption = None,
    png: PngOption = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Say what a place is most strongly associated with, and how good the evidence is.

    Example: geoconcept explain 31.2 30.0
    """
    _check_picture(png, overwrite)
    if (file is None) == (lon is None or lat is None):
        raise InputError("give one place, LON LAT, or --file with places")
    place = (lon, lat) if file is None else _read(file, layer, row)
    from ..explanation import explain as explain_place

    loaded = load(model, "auto")
    with short_warnings():
        result = explain_place(place, model=loaded, concepts=find_concepts(loaded, concept), top=top)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1, ensure_ascii=False))
    else:
        _print(result.headline, _explained(result), result.notes())
    if png is not None:
        say(f"{result.save(png)}: picture")


def compare(
    places: Annotated[
        list[float] | None, typer.Argument(metavar="LON LAT LON LAT", help="Two places.", show_default=False)
    ] = None,
    a: Annotated[Path | None, typer.Option("--a", help="A file with the places of A.", show_default=False)] = None,
    b: Annotated[Path | None, typer.Option("--b", help="A file with the places of B.", show_default=False)] = None,
    top: TopOption = 10,
    concept: ConceptOption = None,
    png: PngOption = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Say what two places, or two groups of places, differ in.

    Example: geoconcept compare 31.2 30.0 -0.1 51.5
    """
    _check_picture(png, overwrite)
    numbers = places or []
    if not ((len(numbers) == 4 and a is b is None) or (not numbers and a is not None and b is not None)):
        raise InputError("give two places, LON LAT LON LAT, or two files, --a a.gpkg --b b.gpkg")
    pair: list[Any] = [numbers[:2], numbers[2:]] if numbers else [_read(path, None, None) for path in (a, b) if path]
    from ..comparison import compare as compare_places

    loaded = load(model, "auto")
    with short_warnings():
        result = compare_places(*pair, model=loaded, concepts=find_concepts(loaded, concept), top=top)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1, ensure_ascii=False))
    else:
        _print(f"A: {result.a}\nB: {result.b}", _compared(result), result.notes())
    if png is not None:
        say(f"{result.save(png)}: picture")


def similar(
    seeds: Annotated[
        list[float] | None,
        typer.Argument(metavar="LON LAT ...", help="Seed places, as many as you like.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A table with the seed places instead.", show_default=False)
    ] = None,
    layer: LayerOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Cloud Optimized GeoTIFF of the map.", show_default=False)
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Picture of the map.", show_default=False)] = None,
    bounds: BoundsOption = None,
    resolution: Annotated[float, typer.Option("--resolution", "-r", help="Cell size in degrees.")] = 0.5,
    mask: Annotated[Literal["land", "none"], typer.Option(help="land: leave the sea empty.")] = "land",
    concept: ConceptOption = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Map how much places are like some seed places, and say which concepts carry the likeness.

    Example: geoconcept similar 18.9 -33.9 -122.3 38.3 -r 1 --png like_these.png
    """
    if out is None and png is None:
        raise InputError("nothing to write: give -o map.tif, --png map.png or both")
    if out is not None:
        if out.suffix.lower() not in (".tif", ".tiff"):
            raise InputError(f"{out} must end in .tif or .tiff")
        check_free(out, overwrite)
    _check_picture(png, overwrite)
    numbers = seeds or []
    if (file is None) != bool(numbers) or len(numbers) % 2:
        raise InputError("give the seeds as LON LAT LON LAT ..., in pairs, or as --file")
    chosen = _read(file, layer, None) if file else list(zip(numbers[::2], numbers[1::2], strict=True))
    from ..plot import save_concept_map
    from ..raster import write_raster
    from ..similar import similar_places

    loaded = load(model, backend)
    with progress_bar("mapping") as progress, short_warnings():
        result = similar_places(
            chosen,
            bounds,
            resolution=resolution,
            mask=None if mask == "none" else "land",
            model=loaded,
            concepts=find_concepts(loaded, concept),
            progress=progress,
        )
    untold = f"These concepts leave {result.residual:.0%} of it untold. Associated with, not observed there."
    _print(f"What carries the likeness to {result.seeds}", _carriers(result.concepts), [untold])
    if out is not None:
        say(f"{write_raster(result.map, out)}: similarity, styled for QGIS by {out.with_suffix('.qml').name}")
    if png is not None:
        say(f"{save_concept_map(result.map, png)}: picture")


def _check_picture(png: Path | None, overwrite: bool) -> None:
    """Refuse a picture that could not be written, before any work is done."""
    if png is None:
        return
    if png.suffix.lower() != ".png":
        raise InputError(f"{png} must end in .png")
    check_free(png, overwrite)
    from ..plot import require_matplotlib

    require_matplotlib()


def _read(path: Path, layer: str | None, row: int | None) -> gpd.GeoDataFrame:
    from ..tables import read_places

    frame = read_places(path, layer=layer)
    if row is None:
        return frame
    if not 0 <= row < len(frame):
        raise InputError(f"{path} has rows 0 to {len(frame) - 1:,}; there is no row {row}")
    return frame.iloc[[row]]


def _print(title: str, table: Table, notes: Sequence[str]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console.width = 240
    console.print(Text(title, style="bold"))
    console.print()
    console.print(table)
    console.print()
    for note in notes:
        console.print(Text(note, style="dim"))


def _new_table(*columns: str, right: Sequence[str] = ()) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != "evidence", justify="right" if column in right else "left")
    return table


def _explained(result: Explanation) -> Table:
    columns = ("concept", "family", "calibrated", "percentile", "lift", "grade", "evidence")
    table = _new_table(*columns, right=("percentile", "lift"))
    for row in result.table.to_dict("records"):
        table.add_row(
            row["concept"],
            row["family"],
            _bar(row["calibrated"]),
            _figure(row["percentile"], "{:.1f}"),
            _figure(row["lift"], "{:,.1f}x"),
            row["grade"] or "",
            row["evidence"],
        )
    return table


def _compared(result: Comparison) -> Table:
    groups = "effect" in result.table
    columns = ["concept", "family", "A", "B", "difference", *(["A above B"] if groups else []), "carries", "grade"]
    table = _new_table(*columns, right=("A", "B", "difference", "carries"))
    for row in result.table.to_dict("records"):
        effect = f"{row['effect']:.2f} ({row['effect_low']:.2f}-{row['effect_high']:.2f})" if groups else None
        table.add_row(
            row["concept"],
            row["family"],
            _figure(row["a"], "{:.1f}"),
            _figure(row["b"], "{:.1f}"),
            _figure(row["difference"], "{:+.1f}"),
            *([effect] if effect else []),
            f"{row['carries']:+.0%}" if row["carries"] else "",
            row["grade"] or "",
        )
    return table


def _carriers(concepts: pd.DataFrame) -> Table:
    table = _new_table("concept", "family", "share of the likeness", "percentile", "grade", right=("percentile",))
    for row in concepts.to_dict("records"):
        share = f"{_bar(row['share'])} {row['share']:.0%}"
        table.add_row(row["concept"], row["family"], share, _figure(row["percentile"], "{:.1f}"), row["grade"] or "")
    return table


def _bar(share: float) -> str:
    """Draw 0 to 1 as a bar of blocks, to an eighth of a block; empty for NaN."""
    eighths = 0 if share != share else round(share * _BAR * 8)
    return "\u2588" * (eighths // 8) + " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"[eighths % 8].strip()


def _figure(value: float, pattern: str) -> str:
    return "" if value != value else pattern.format(value)
