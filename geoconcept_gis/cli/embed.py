"""`geoconcept embed` and `geoconcept h3`: tables in, tables with features out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import InputError
from .common import (
    BackendOption,
    BoundsOption,
    ConceptOption,
    KindOption,
    ModelOption,
    OverwriteOption,
    StacOption,
    TextOption,
    check_free,
    find_concepts,
    load,
    progress_bar,
    say,
    short_warnings,
)

if TYPE_CHECKING:
    from ..concepts import Concept
    from ..model import GeoConceptModel

Features = Literal["concepts", "embedding", "all"]
FeaturesOption = Annotated[
    Features, typer.Option("--features", "-f", help="concepts: named scores; embedding: 512 numbers; all: both.")
]
DaskOption = Annotated[
    bool,
    typer.Option(
        "--dask",
        help="Work partition by partition on many processes, into a folder of GeoParquet files. Run again after a "
        "stop to complete it.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="With --dask: a running scheduler, such as tcp://10.0.0.1:8786.", show_default=False
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, help="With --dask: processes to start on this machine.", show_default="one a core"),
]


def embed(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN...",
            help="CSV, GeoPackage, GeoJSON, Shapefile, Parquet or GeoParquet; several files with --dask.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="GeoParquet, GeoPackage, GeoJSON or CSV; a folder with --dask.", show_default=False
        ),
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
    dask: DaskOption = False,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    by_h3: Annotated[
        int | None,
        typer.Option(
            "--by-h3",
            min=0,
            max=15,
            metavar="RESOLUTION",
            help="With --dask: bring rows together by H3 cells of this resolution (1 or 2), one folder a cell.",
            show_default=False,
        ),
    ] = None,
    stac: StacOption = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Add concept scores (or embeddings) to a table of places.

    Examples: geoconcept embed cities.csv -o cities.parquet -c "hot desert climate";
    geoconcept embed big/*.parquet --dask --by-h3 1 -o scored/
    """
    if dask:
        _check_folder(out, overwrite)
        loaded = load(model, backend)
        chosen = find_concepts(loaded, concept, text)
        from ..scale.frames import partition_by_h3
        from ..scale.inputs import scan_places

        places = scan_places(sources, lon=lon, lat=lat, crs=crs, layer=layer, invalid=invalid)
        places = places if by_h3 is None else partition_by_h3(places, by_h3)
        options = {"features": features, "invalid": invalid, "kind": kind, "within": within}
        _embed_partitions(places, chosen, loaded, out, scheduler, workers, stac, **options)
        return
    for option, value in (("--scheduler", scheduler), ("--workers", workers), ("--by-h3", by_h3)):
        if value is not None:
            raise InputError(f"{option} goes with --dask")
    if len(sources) > 1:
        raise InputError(f"{len(sources)} files need --dask, and a folder for -o; without it give one file")
    from ..places import embed as embed_frame
    from ..tables import check_suffix, read_places, write_places

    check_suffix(out)
    _check_stac(out, stac)
    check_free(out, overwrite)
    loaded = load(model, backend)
    chosen = find_concepts(loaded, concept, text)  # unknown names should fail before a large file is read
    places = read_places(sources[0], lon=lon, lat=lat, crs=crs, layer=layer, invalid=invalid)
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
    _describe(out, stac)


def h3(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="GeoParquet file; a folder with --dask.", show_default=False)
    ],
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
        Literal["center", "boundary"] | None,
        typer.Option(help="Geometry to store with each cell.", show_default="boundary; center with --dask"),
    ] = None,
    dask: DaskOption = False,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    land: Annotated[bool, typer.Option("--land", help="With --dask: only cells whose centre is on land.")] = False,
    stac: StacOption = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Score every H3 cell of an area, or of the world, into a GeoParquet file.

    Examples: geoconcept h3 -r 4 --bounds -10 35 30 60 -o europe.parquet;
    geoconcept h3 -r 8 --land --dask -o planet/
    """
    if dask:
        if aggregate != "center" or geometry == "boundary":
            raise InputError("--dask scores and stores the centres of cells: leave --aggregate and --geometry out")
        _check_folder(out, overwrite)
        loaded = load(model, backend)
        chosen = find_concepts(loaded, concept, text)
        from ..scale.cells import h3_partitions

        cells = h3_partitions(bounds, resolution, mask="land" if land else None)
        _embed_partitions(cells, chosen, loaded, out, scheduler, workers, stac, features=features, kind=kind)
        return
    for option, value in (("--scheduler", scheduler), ("--workers", workers), ("--land", land or None)):
        if value is not None:
            raise InputError(f"{option} goes with --dask")
    from ..cells import write_h3

    _check_stac(out, stac)
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
            geometry=geometry or "boundary",
            progress=progress,
        )
    say(f"{out}: {rows:,} cells of resolution {resolution} (backend {loaded.backend})")
    _describe(out, stac)


def _embed_partitions(
    frame: Any,
    chosen: list[Concept] | None,
    model: GeoConceptModel,
    out: Path,
    scheduler: str | None,
    workers: int | None,
    stac: bool,
    **options: Any,
) -> None:
    """Embed a dask-geopandas frame into a folder, on workers of our own or of a scheduler."""
    from ..places import embed as embed_frame
    from ..scale.engine import workers as engine
    from ..scale.partitions import finished, write_partitions

    plan = embed_frame(frame, concepts=chosen, model=model, **options)
    before = len(finished(out.resolve()))
    if before:
        say(f"{out}: {before:,} of {plan.npartitions:,} partitions are there already")
    try:
        with engine(scheduler, workers), progress_bar("embedding", "partitions") as progress, short_warnings():
            rows = write_partitions(plan, out, progress=progress)
    except KeyboardInterrupt:
        kept = len(finished(out.resolve()))
        say(f"stopped; {kept:,} of {plan.npartitions:,} partitions are in {out}: run the same command to complete it")
        raise typer.Exit(1) from None
    say(f"{out}: {rows:,} rows in {plan.npartitions:,} partitions")
    _describe(out, stac)


def _check_folder(out: Path, overwrite: bool) -> None:
    if overwrite:
        raise InputError("--dask completes a folder or makes a new one: remove the old one instead of --overwrite")
    if out.is_file() or out.suffix:
        raise InputError(f"with --dask the output is a folder of files; {out} names a file")
    if not out.resolve().parent.is_dir():
        raise InputError(f"cannot write {out}: folder {out.resolve().parent} does not exist")


def _check_stac(out: Path, stac: bool) -> None:
    if stac and out.suffix.lower() not in (".parquet", ".geoparquet"):
        raise InputError(f"--stac describes GeoParquet; {out} must end in .parquet")


def _describe(out: Path, stac: bool) -> None:
    if stac:
        from ..stac import write_stac

        say(f"{write_stac(out).name}: STAC item")
