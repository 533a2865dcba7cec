"""`geoconcept embed` and `geoconcept h3`: tables in, tables with features out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .common import (
    BackendOption,
    BoundsOption,
    ConceptOption,
    KindOption,
    ModelOption,
    OverwriteOption,
    TextOption,
    check_free,
    find_concepts,
    load,
    progress_bar,
    say,
    short_warnings,
)

Features = Literal["concepts", "embedding", "all"]
FeaturesOption = Annotated[
    Features, typer.Option("--features", "-f", help="concepts: named scores; embedding: 512 numbers; all: both.")
]


def embed(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="CSV, GeoPackage, GeoJSON, Shapefile, Parquet or GeoParquet.", show_default=False
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="GeoParquet, GeoPackage, GeoJSON or CSV.", show_default=False)
    ],
    features: FeaturesOption = "concepts",
    concept: ConceptOption = None,
    text: TextOption = None,
    kind: KindOption = None,
    invalid: Annotated[
        Literal["raise", "null"],
        typer.Option(help="raise: stop at rows without a valid place; null: keep them, empty, with a status."),
    ] = "raise",
    within: Annotated[
        Literal["point", "mean"],
        typer.Option(help="point: one representative point a feature; mean: mean over points spread inside."),
    ] = "point",
    lon: Annotated[str | None, typer.Option(help="Longitude column of a table.", show_default="detected")] = None,
    lat: Annotated[str | None, typer.Option(help="Latitude column of a table.", show_default="detected")] = None,
    crs: Annotated[
        str | None, typer.Option(help="CRS of the input, if the file does not say.", show_default=False)
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of a GeoPackage.", show_default=False)] = None,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Add concept scores (or embeddings) to a table of places.

    Example: geoconcept embed cities.csv -o cities.parquet -c "hot desert climate"
    """
    from ..places import embed as embed_frame
    from ..tables import check_suffix, read_places, write_places

    check_suffix(out)
    check_free(out, overwrite)
    loaded = load(model, backend)
    chosen = find_concepts(loaded, concept, text)  # unknown names should fail before a large file is read
    places = read_places(source, lon=lon, lat=lat, crs=crs, layer=layer, invalid=invalid)
    with progress_bar("embedding") as progress, short_warnings():
        result = embed_frame(
            places,
            features,
            chosen,
            loaded,
            invalid,
            kind=kind,
            within=within,
            progress=progress,
        )
        write_places(result, out)
    say(f"{out}: {len(result):,} rows, {result.shape[1] - places.shape[1]} new columns (backend {loaded.backend})")
    if "geoconcept_status" in result:
        counts = result["geoconcept_status"].value_counts()
        say("status: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))


def h3(
    out: Annotated[Path, typer.Option("--out", "-o", help="GeoParquet file.", show_default=False)],
    resolution: Annotated[int, typer.Option("--resolution", "-r", min=0, max=15, help="H3 resolution.")] = 5,
    bounds: BoundsOption = None,
    features: FeaturesOption = "concepts",
    concept: ConceptOption = None,
    text: TextOption = None,
    kind: KindOption = None,
    aggregate: Annotated[
        Literal["center", "children"],
        typer.Option(help="center: the cell's centre; children: mean over its resolution-5 children."),
    ] = "center",
    geometry: Annotated[
        Literal["center", "boundary"], typer.Option(help="Geometry to store with each cell.")
    ] = "boundary",
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Score every H3 cell of an area, or of the world, into a GeoParquet file.

    Example: geoconcept h3 -r 4 --bounds -10 35 30 60 -o europe.parquet
    """
    from ..cells import write_h3

    check_free(out, overwrite)
    loaded = load(model, backend)
    with progress_bar("embedding") as progress, short_warnings():
        rows = write_h3(
            out,
            bounds,
            resolution,
            find_concepts(loaded, concept, text),
            features=features,
            model=loaded,
            kind=kind,
            aggregate=aggregate,
            geometry=geometry,
            progress=progress,
        )
    say(f"{out}: {rows:,} cells of resolution {resolution} (backend {loaded.backend})")
