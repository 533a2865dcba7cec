"""`geoconcept locate`: where photos may have been taken."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from ..errors import GeoConceptError, InputError, MissingDependencyError, ModelFileError
from .common import ModelOption, OverwriteOption, check_free, load, progress_bar, say, short_warnings

if TYPE_CHECKING:
    import geopandas as gpd
    from rich.table import Table

    from ..locate.geolocation import Geolocation

    Results = list[Geolocation | GeoConceptError]

_VECTORS = (".npy", ".npz")
_RASTERS = (".tif", ".tiff", ".vrt", ".nc", ".img", ".asc")
_ESTIMATE = "An estimate, not evidence: do not act on it against anybody. See the documentation, docs/locate.md."


def locate(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT...",
            help="Photos, folders of photos, a text in quotes, or .npy or .npz files of CLIP ViT-L/14 vectors.",
            show_default=False,
        ),
    ],
    tower: Annotated[
        Literal["auto", "clip", "weak"],
        typer.Option("--tower", help="What reads photos: clip (auto is the same); weak, offline, for demonstrations."),
    ] = "auto",
    weights: Annotated[Path | None, typer.Option("--weights", help="CLIP's weights.", show_default=False)] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch CLIP's weights first if they are missing; asks before it does.")
    ] = False,
    prior: Annotated[
        str,
        typer.Option("--prior", help="photos, land, population, or a file: polygons (look nowhere else) or raster."),
    ] = "photos",
    precision_km: Annotated[
        float | None,
        typer.Option("--precision-km", help="Tell no more than cells this wide: 35 to 2,177.", show_default=False),
    ] = None,
    crops: Annotated[
        int,
        typer.Option("--crops", help="1: the middle of a photo; 10: its corners, too, and mirrored."),
    ] = 1,
    rerank: Annotated[float, typer.Option("--rerank", help="Weight of agreement in concepts; not known to help.")] = 0,
    array: Annotated[
        str | None, typer.Option("--array", help="Which array of an .npz file.", show_default="the only one that fits")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-n", min=1, max=10, help="How many places to show.")] = 5,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Heatmap of one photo, as GeoTIFF.", show_default=False)
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Picture of one photo's map.", show_default=False)] = None,
    points: Annotated[
        Path | None, typer.Option("--points", help="Likely places: .gpkg, .geojson, .parquet, .csv", show_default=False)
    ] = None,
    areas: Annotated[
        Path | None, typer.Option("--areas", help="50 % and 90 % areas: .gpkg, .geojson, .parquet", show_default=False)
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", help="One row for each photo: .csv, .parquet, .gpkg", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The full record as JSON.")] = False,
    model: ModelOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Say where photos may have been taken: likely places with their probability, areas, and the concepts behind them.

    A position in a photo's EXIF is reported and never used.

    Examples: geoconcept locate photo.jpg -o heat.tif --png heat.png --points top.gpkg;
    geoconcept locate holiday/ --table places.csv --precision-km 100
    """
    _check_outputs(out, png, [points, areas, table], overwrite)
    names, things, several = _inputs(what, array)
    if several and (out is not None or png is not None):
        raise InputError(
            f"-o and --png are for one photo; for these {len(things)} take --points, --areas or --table, which hold all"
        )
    from ..locate.locate import check_ready, geolocate, surface_of

    if download:
        from ..towers.clip import DOWNLOAD

        typer.confirm(f"{DOWNLOAD} Fetch it?", abort=True, err=True)
    loaded = load(model, "auto")
    chosen = _prior(prior)
    errors: Literal["raise", "return"] = "return" if several else "raise"
    try:
        with short_warnings():
            check_ready(things, loaded, tower=tower, weights=weights, download=download, errors=errors)
        with progress_bar("opening the galleries, the first time for minutes", "places") as progress, short_warnings():
            surface_of(loaded, progress)
        with progress_bar("locating", "photos") as progress, short_warnings():
            located = geolocate(
                things,
                tower=tower,
                model=loaded,
                weights=weights,
                download=download,
                prior=chosen,
                rerank=rerank,
                crops=crops,
                precision_km=precision_km,
                errors=errors,
                progress=progress,
            )
    except (ModelFileError, MissingDependencyError) as error:
        raise type(error)(_without_clip(str(error), tower, things)) from error
    if not isinstance(located, list):
        raise AssertionError("geolocate returns a list for a list")
    results = [_named(one, name, thing) for one, name, thing in zip(located, names, things, strict=True)]
    _show(results, names, several, top, as_json)
    _write(results, names, out=out, png=png, points=points, areas=areas, table=table)
    failed = sum(isinstance(one, GeoConceptError) for one in results)
    if failed:
        say(f"{failed} of {len(results)} could not be located; their rows say why")
        if failed == len(results):
            raise typer.Exit(1)


# ---------------------------------------------------------------- what goes in


def _check_outputs(out: Path | None, png: Path | None, tables: list[Path | None], overwrite: bool) -> None:
    """Refuse files that could not be written, before any work is done."""
    for path, suffixes in ((out, (".tif", ".tiff")), (png, (".png",))):
        if path is not None:
            if path.suffix.lower() not in suffixes:
                raise InputError(f"{path} must end in {' or '.join(suffixes)}")
            check_free(path, overwrite)
    for path in tables:
        if path is not None:
            from ..tables import check_suffix

            check_suffix(path)
            check_free(path, overwrite)
    if png is not None:
        from ..plot import require_matplotlib

        require_matplotlib()


def _inputs(what: list[str], array: str | None) -> tuple[list[str], list[Any], bool]:
    """Return names and things to locate, and whether they were meant as several."""
    from ..locate.photos import SUFFIXES, find_photos

    names: list[str] = []
    things: list[Any] = []
    several = len(what) > 1
    for word in what:
        path = Path(word)
        if path.suffix.lower() in _VECTORS:
            vectors = _vectors(path, array)
            names += [str(path)] if len(vectors) == 1 else [f"{path} {row}" for row in range(len(vectors))]
            things += list(vectors)
            several |= len(vectors) > 1
        elif path.is_dir():
            found = find_photos(path)
            names += map(str, found)
            things += found
            several = True
        elif path.is_file() or word.lower().endswith(SUFFIXES) or ("/" in word and " " not in word):
            names.append(word)
            things.append(path)
        else:
            names.append(word)
            things.append(word)
    return names, things, several


def _vectors(path: Path, name: str | None) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Read CLIP vectors, one a row; nothing in the file is run."""
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays = {"": loaded}
        else:
            with loaded:
                arrays = {key: loaded[key] for key in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as arrays of numpy: {error}") from None
    fits = {
        key: np.atleast_2d(value)
        for key, value in arrays.items()
        if value.dtype.kind == "f" and value.ndim in (1, 2) and value.shape[-1] in (512, 768) and value.size
    }
    if name is not None and name not in fits:
        listed = ", ".join(fits) or "none"
        raise InputError(f"{path} has no array {name!r} of shape (N, 768) or (N, 512); those that fit: {listed}")
    if name is None and len(fits) != 1:
        listed = ", ".join(f"{key or 'array'} {value.shape}" for key, value in arrays.items())
        raise InputError(
            f"{path} must hold one array of shape (N, 768) or (N, 512), or choose one with --array; it has {listed}"
        )
    return np.asarray(fits[name if name is not None else next(iter(fits))], dtype=np.float32)


def _prior(word: str) -> Any:
    """Return a named prior as it is, and a file with polygons as a table."""
    from ..locate.priors import PRIORS

    path = Path(word)
    if word in PRIORS or path.suffix.lower() in _RASTERS:
        return word
    if not path.is_file():
        raise InputError(f"--prior must be one of {', '.join(PRIORS)} or a file; there is no file {word!r}")
    from ..tables import read_places

    return read_places(path)


def _without_clip(message: str, tower: str, things: list[Any]) -> str:
    """Say how this command gets CLIP's weights, and what works without."""
    message = message.replace("weights=PATH", "--weights PATH").replace(
        "download=True, which", "--download, which asks, then"
    )
    if tower == "weak" or not all(isinstance(thing, Path) for thing in things):
        return message
    return f"{message}. To try the command without CLIP: --tower weak, which works offline and finds little"


# ---------------------------------------------------------------- what comes out


def _named(one: Geolocation | GeoConceptError, name: str, thing: Any) -> Geolocation | GeoConceptError:
    """Call what came from a file of vectors after its row; photos and texts have names of their own."""
    if isinstance(one, GeoConceptError) or not isinstance(thing, np.ndarray):
        return one
    return replace(one, name=Path(name).name)


def _write(
    results: Results,
    names: list[str],
    *,
    out: Path | None,
    png: Path | None,
    points: Path | None,
    areas: Path | None,
    table: Path | None,
) -> None:
    from ..locate.files import summarise
    from ..locate.geolocation import Geolocation
    from ..raster import write_raster
    from ..tables import write_places

    if out is not None and isinstance(results[0], Geolocation):
        say(f"{write_raster(results[0].heatmap, out)}: heatmap, styled for QGIS by {out.with_suffix('.qml').name}")
    if png is not None and isinstance(results[0], Geolocation):
        say(f"{results[0].save_picture(png)}: picture")
    for path, part in ((points, "points"), (areas, "areas")):
        if path is not None:
            say(f"{write_places(_stacked(results, names, part), path)}: {part}")
    if table is not None:
        say(f"{write_places(summarise(results, names), table)}: one row for each photo")


def _stacked(results: Results, names: list[str], part: str) -> gpd.GeoDataFrame:
    """Return the points or areas of all photos, with a column that says whose they are."""
    import pandas as pd

    from ..locate.files import common_provenance
    from ..locate.geolocation import Geolocation

    located = [(name, one) for name, one in zip(names, results, strict=True) if isinstance(one, Geolocation)]
    if not located:
        raise InputError(f"there are no {part} to write: nothing could be located")
    frames = []
    for name, one in located:
        frame = getattr(one, part).copy()
        frame.insert(0, "file", name)
        frame.attrs = {}
        frames.append(frame)
    stacked = pd.concat(frames, ignore_index=True)
    stacked.attrs["geoconcept"] = common_provenance([one for _, one in located])
    return stacked


def _show(results: Results, names: list[str], several: bool, top: int, as_json: bool) -> None:
    from ..locate.geolocation import Geolocation

    if as_json:
        records = [_record(one, name) for one, name in zip(results, names, strict=True)]
        typer.echo(json.dumps(records if several else records[0], indent=1, ensure_ascii=False))
    elif several:
        _print_many(results, names)
    elif isinstance(results[0], Geolocation):
        _print_one(results[0], top)


def _record(one: Geolocation | GeoConceptError, name: str) -> dict[str, Any]:
    if isinstance(one, GeoConceptError):
        return {"file": name, "status": "error", "error": str(one)}
    points = one.points
    return {
        "file": name,
        "status": "ok",
        "points": [
            {"rank": row.rank, "lon": row.geometry.x, "lat": row.geometry.y, "probability": row.probability}
            | {"within_km": row.within_km}
            for row in points.itertuples()
        ],
        "areas": one.areas[["level", "probability", "area_km2"]].to_dict("records"),
        "concepts": [] if one._reasons is None else one.concepts.to_dict("records"),
        "exif_lonlat": one.exif_lonlat,
        "provenance": one.provenance,
    }


def _print_one(one: Geolocation, top: int) -> None:
    console = _console()
    console.print(_bold(f"Where {one.name} may be from"))
    console.print()
    console.print(_places(one, top))
    console.print()
    half, most = one.areas["area_km2"]
    console.print(f"50 % of the probability lies in {_km2(half)}, 90 % in {_km2(most)}.", highlight=False)
    if one._reasons is not None:
        console.print()
        console.print(_concepts(one))
    console.print()
    for note in _notes(one):
        console.print(_dim(note))


def _places(one: Geolocation, top: int) -> Table:
    points = one.points.head(top)
    table = _new_table("", "probability", "longitude", "latitude", "largest town around", right=(1, 2, 3))
    digits = 2 if points["within_km"].iloc[0] <= 50 else 0
    for row, town in zip(points.itertuples(), _towns(points), strict=True):
        place = f"{row.geometry.x:.{digits}f}", f"{row.geometry.y:.{digits}f}"
        table.add_row(str(row.rank), _percent(row.probability), *place, town)
    return table


def _towns(points: gpd.GeoDataFrame) -> list[str]:
    """Name the nearest of the towns that the package knows, and how far off it is."""
    from ..datasets import world_places
    from ..evaluation.metrics import distance_km

    towns = world_places()
    known = np.column_stack([towns.geometry.x, towns.geometry.y])
    out = []
    for at in points.geometry:
        far = distance_km(np.broadcast_to([at.x, at.y], known.shape), known, method="haversine")
        nearest = int(np.argmin(far))
        name, country = towns["name"].iloc[nearest], towns["country"].iloc[nearest]
        out.append(f"{name}, {country} ({far[nearest]:,.0f} km off)")
    return out


def _concepts(one: Geolocation) -> Table:
    """Show which concepts moved the answer more than chance would, or say that none did."""
    found = one.concepts
    carried = found[found["moved"] > 2.0 * found["moved_by_chance"]].head(6)
    if carried.empty:
        carried = found.head(3)
    table = _new_table("what carried it", "family", "grade", "moves", "by chance", right=(3, 4))
    for row in carried.itertuples():
        table.add_row(row.concept, row.family, row.grade or "", _percent(row.moved), _percent(row.moved_by_chance))
    return table


def _notes(one: Geolocation) -> list[str]:
    record = one.provenance
    near = int(one.points["within_km"].iloc[0])
    notes = [f"Probability: that it was taken within {near} km. Tower: {record['tower'].split(', sha256')[0]}."]
    notes.append(f"Prior: {record['prior']}. Places less than {record['scale_km']} km apart are not told apart.")
    if "precision_km" in record:
        notes.append(f"Coarsened to cells at least {record['precision_km']} km wide.")
    if one._reasons is not None:
        notes.append(
            "Moves: share of the probability that goes elsewhere when the concept is taken out of the photo's vector. "
            "By chance: when a random direction of that length is."
        )
    if one.exif_lonlat is not None:
        from ..evaluation.metrics import distance_km

        best = one.points.geometry.iloc[0]
        far = float(distance_km(np.array([one.exif_lonlat]), np.array([[best.x, best.y]]))[0])
        lon, lat = one.exif_lonlat
        notes.append(f"EXIF says {lon:.4f}, {lat:.4f}, which is {far:,.0f} km from place 1. It was not used.")
    return [*notes, _ESTIMATE]


def _print_many(results: Results, names: list[str]) -> None:
    from ..locate.files import common_provenance, summarise
    from ..locate.geolocation import Geolocation

    console = _console()
    columns = ("file", "longitude", "latitude", "probability", "90 % area", "EXIF", "largest town around")
    table = _new_table(*columns, right=(1, 2, 3, 4, 5))
    summary = summarise(results, names)
    for row in summary.itertuples():
        if row.status == "error":
            table.add_row(_escape(row.file), "", "", "", "", "", f"[red]{_escape(row.error)}[/red]")
            continue
        exif = "" if np.isnan(row.exif_km) else f"{row.exif_km:,.0f} km off"
        place = f"{row.lon:.2f}", f"{row.lat:.2f}", _percent(row.probability)
        table.add_row(_escape(row.file), *place, _km2(row.area90_km2), exif, _towns(summary.loc[[row.Index]])[0])
    console.print(table)
    console.print()
    located = [one for one in results if isinstance(one, Geolocation)]
    if located:
        shared = common_provenance(located)
        about = [
            f"{key.capitalize()}: {shared[key].split(', sha256')[0]}." for key in ("tower", "prior") if key in shared
        ]
        console.print(_dim(" ".join(about)))
    console.print(_dim(_ESTIMATE))


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.005 else f"{100.0 * share:.0f} %"


def _km2(area: float) -> str:
    return f"{float(f'{area:.2g}'):,.0f} km2"


def _console() -> Any:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 240
    return console


def _bold(text: str) -> Any:
    from rich.text import Text

    return Text(text, style="bold")


def _dim(text: str) -> Any:
    from rich.text import Text

    return Text(text, style="dim")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _new_table(*columns: str, right: tuple[int, ...] = ()) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k in right else "left")
    return table
