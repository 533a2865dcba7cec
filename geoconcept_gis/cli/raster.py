"""`geoconcept map`: concepts in, a raster and a picture out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import InputError
from .common import (
    KIND_HELP,
    BackendOption,
    BoundsOption,
    Kind,
    ModelOption,
    OverwriteOption,
    StacOption,
    TextOption,
    TowerOption,
    WeightsOption,
    check_free,
    find_concepts,
    load,
    progress_bar,
    say,
    short_warnings,
)

DEFAULT_RESOLUTION = 0.5


def map_(
    concepts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONCEPT...",
            help="Concepts by name, alias or .concept file; see `geoconcept concepts`.",
            show_default=False,
        ),
    ] = None,
    text: TextOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Cloud Optimized GeoTIFF, one band a concept.", show_default=False),
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", help="Picture of the first concept's map.", show_default=False)
    ] = None,
    bounds: BoundsOption = None,
    resolution: Annotated[
        float | None,
        typer.Option("--resolution", "-r", help="Cell size in units of the CRS.", show_default="0.5 degrees"),
    ] = None,
    crs: Annotated[str, typer.Option(help="CRS of the map; bounds and resolution are in its units.")] = "EPSG:4326",
    mask: Annotated[Literal["land", "none"], typer.Option(help="land: leave the sea empty.")] = "land",
    kind: Annotated[
        Kind | None,
        typer.Option("--kind", help=KIND_HELP, show_default="calibrated; percentile with --text; cosine with --given"),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given",
            metavar="CONCEPT",
            help="Take this concept away first and map what is left of the others; repeat for more.",
            show_default=False,
        ),
    ] = None,
    tower: TowerOption = "auto",
    weights: WeightsOption = None,
    stac: StacOption = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Map concepts over the world or an area.

    Examples: geoconcept map "hot desert climate" --bounds -20 0 60 40 -o map.tif --png map.png;
    geoconcept map --text "olive groves by the sea" --png olives.png;
    geoconcept map "tundra climate" --given "polar climate" --png left.png
    """
    if not concepts and not text:
        raise InputError("nothing to map: name a concept, or give --text with words of your own")
    if out is None and png is None:
        raise InputError("nothing to write: give -o map.tif, --png map.png or both")
    if stac and out is None:
        raise InputError("--stac describes a raster: give -o map.tif as well")
    for path, suffixes in ((out, (".tif", ".tiff")), (png, (".png",))):
        if path is not None:
            if path.suffix.lower() not in suffixes:
                raise InputError(f"{path} must end in {' or '.join(suffixes)}")
            check_free(path, overwrite)
    if resolution is None and crs.upper() not in ("EPSG:4326", "OGC:CRS84"):
        raise InputError(f"give --resolution in units of {crs}")
    from ..maps import concept_map
    from ..plot import require_matplotlib, save_concept_map
    from ..raster import write_raster

    if png is not None:
        require_matplotlib()  # before minutes of work
    loaded = load(model, backend)
    with progress_bar("mapping") as progress, short_warnings():
        dataset = concept_map(
            find_concepts(loaded, concepts, text, tower, weights),
            bounds,
            resolution=DEFAULT_RESOLUTION if resolution is None else resolution,
            crs=crs,
            mask=None if mask == "none" else "land",
            model=loaded,
            kind=kind,
            given=find_concepts(loaded, given),
            progress=progress,
        )
    if out is not None:
        write_raster(dataset, out)
        say(f"{out}: {len(dataset.data_vars)} band(s), styled for QGIS by {out.with_suffix('.qml').name}")
        if stac:
            from ..stac import write_stac

            say(f"{write_stac(out).name}: STAC item")
    if png is not None:
        save_concept_map(dataset, png)
        say(f"{png}: picture of {str(next(iter(dataset.data_vars))).replace('_', ' ')}")
