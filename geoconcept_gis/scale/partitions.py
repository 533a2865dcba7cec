"""A table as a folder of GeoParquet files, one partition after the other, that a second run completes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..files import atomic_file
from ..provenance import MANIFEST
from .engine import compute_each, is_lazy, require_dask
from .frames import PARENT_COLUMN

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

    from ..progress import Progress

__all__ = ["finished", "write_partitions"]

_FORMAT, _VERSION = "geoconcept-partitions", 1
#: Folder of the records of finished partitions; the leading underscore hides it from readers of Parquet folders.
_DONE = "_done"
_SHOWN = 60


def write_partitions(frame: Any, folder: str | PathLike[str], *, progress: Progress | None = None) -> int:
    """Write a dask-geopandas frame as a folder of GeoParquet files, computing only partitions that are not there yet.

    Parameters
    ----------
    frame : dask_geopandas.GeoDataFrame
        For example what `embed` made of one. With a column ``h3_parent`` (`partition_by_h3`, `h3_partitions`) the
        files lie in one folder a cell, ``h3_parent=581...``, as Hive, DuckDB and Arrow read them.
    folder : path-like
        Made if it is not there. One that holds a part of this very job is completed: finished partitions are kept.
        That needs a frame that is made the same way again: of files (`scan_places`), or by `h3_partitions`. For a
        cluster the folder must lie where all workers can write.
    progress : callable, optional
        Called as ``progress(done, total)`` in partitions; return true to cancel. Finished partitions stay.

    Returns
    -------
    int
        Rows in the folder, all partitions together.

    Raises
    ------
    InputError
        This is no dask-geopandas frame, or the folder holds something else or a job with other settings.
    CoordinateError
        A row is no place on Earth (with ``invalid="raise"`` in `embed`).
    Cancelled
        `progress` asked to stop.
    MissingDependencyError
        dask is not installed.

    See Also
    --------
    geoconcept_gis.write_places : One file of a frame in memory.

    Notes
    -----
    The work runs on the current dask client, or on dask's threads where there is none. A file is written to a
    temporary name and moved into place, and a partition counts as finished once its record in ``_done`` is there, so
    a job can be killed at any time. Each file has GeoParquet 1.1 metadata, rows along a Hilbert curve, a ``bbox``
    column, zstd, and the provenance of its own partition; ``_geoconcept.json`` holds that of the job. One job a
    folder at a time.

    Examples
    --------
    >>> import dask_geopandas, geopandas, pathlib, tempfile
    >>> from geoconcept_gis import embed, world_places
    >>> places = dask_geopandas.from_geopandas(world_places().head(40), npartitions=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = write_partitions(embed(places, concepts="BWh"), folder)
    ...     rows, geopandas.read_parquet(folder).columns[-1]
    (40, 'concept_hot_desert_climate')
    """
    if not is_lazy(frame):
        raise InputError(f"write_partitions needs a dask-geopandas frame; got {type(frame).__name__}: use write_places")
    require_dask()
    import dask

    folder = Path(folder).resolve()
    _begin(folder, frame)
    for leftover in folder.rglob(".*.parquet.*"):  # of a run that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    done = finished(folder)
    parts = frame.to_delayed()
    # All provenance travels with the plan: dask drops a frame's attrs on the way.
    provenance = frame._meta.attrs.get("geoconcept")
    write = dask.delayed(_write_part)
    todo = [write(part, k, str(folder), provenance) for k, part in enumerate(parts) if k not in done]
    compute_each(todo, progress)
    return sum(record["rows"] for record in finished(folder).values())


def finished(folder: Path) -> dict[int, dict[str, Any]]:
    """Return the records of the partitions that are whole: their number, rows, bounds and files.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    dict of int to dict
        A partition one of whose files has gone, or has another size, is not among them.
    """
    records = {}
    for path in sorted((folder / _DONE).glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        sizes = {folder / name: size for name, size in record["files"].items()}
        if all(file.is_file() and file.stat().st_size == size for file, size in sizes.items()):
            records[int(record["partition"])] = record
    return records


def _begin(folder: Path, frame: Any) -> None:
    """Write the manifest, or check that the one there is of the same job."""
    from ..geoparquet import check_names

    check_names(frame._meta)
    if "bbox" in frame.columns:
        raise InputError("the table has a column 'bbox', the name of GeoParquet's boxes: rename it first")
    provenance = frame._meta.attrs.get("geoconcept") or {}
    settings = _settings(frame, provenance)
    path = folder / MANIFEST
    if path.is_file():
        _compare(folder, _read_manifest(path)["settings"], settings)
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} holds other files: give a folder that is empty or not there yet")
    (folder / _DONE).mkdir(parents=True, exist_ok=True)
    manifest = {"format": _FORMAT, "format_version": _VERSION, "settings": settings, "provenance": provenance}
    with atomic_file(path) as part:
        part.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _settings(frame: Any, provenance: dict[str, str]) -> dict[str, Any]:
    """Return what must be the same for a second run to complete the first."""
    import dask.base

    crs = getattr(frame._meta, "crs", None)
    return {
        "partitions": frame.npartitions,
        "columns": [str(name) for name in frame.columns],
        "crs": None if crs is None else crs.to_string(),
        **{key: value for key, value in provenance.items() if key != "backend"},  # may differ from worker to worker
        "plan": dask.base.tokenize(frame),
    }


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        known = manifest["format"] == _FORMAT and manifest["format_version"] == _VERSION
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise InputError(f"{path} is no manifest of format {_FORMAT} {_VERSION}: give another folder")
    return dict(manifest)


def _compare(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    differing = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if not differing:
        return
    named = [key for key in differing if key != "plan"]
    told = "; ".join(f"{key} was {_short(before.get(key))}, is {_short(now.get(key))}" for key in named)
    why = told or "the input has changed, or is a frame made in memory, which no second run knows again"
    raise InputError(f"{folder} holds a job with other settings ({why}): give another folder, or remove this one")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _write_part(part: pd.DataFrame, number: int, folder: str, provenance: dict[str, str] | None) -> int:
    """Write the files of one partition, then its record; return the number of its rows."""
    root = Path(folder)
    provenance = part.attrs.get("geoconcept") or provenance
    files: dict[str, int] = {}
    for name, piece in _pieces(part, f"part-{number:05d}.parquet"):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        _write_file(piece, path, provenance)
        files[name] = path.stat().st_size
    record = {"partition": number, "rows": len(part), "bounds": _bounds(part), "files": files}
    with atomic_file(root / _DONE / f"{number:05d}.json") as beside:
        beside.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return len(part)


def _pieces(part: pd.DataFrame, name: str) -> list[tuple[str, pd.DataFrame]]:
    """Return the files of a partition: one, or one for each parent cell, in whose folder's name the cell then is."""
    if not len(part):
        return []
    if PARENT_COLUMN not in part:
        return [(name, part)]
    parents = part[PARENT_COLUMN].to_numpy(dtype=np.uint64)
    plain = part.drop(columns=PARENT_COLUMN)
    return [(f"{PARENT_COLUMN}={parent}/{name}", plain[parents == parent]) for parent in np.unique(parents)]


def _write_file(piece: pd.DataFrame, path: Path, provenance: dict[str, str] | None) -> None:
    import geopandas as gpd

    from ..geoparquet import ParquetStream, frame_to_table, hilbert_order

    if isinstance(piece, gpd.GeoDataFrame):
        piece = piece.iloc[hilbert_order(np.asarray(piece.geometry.array))]
    piece.attrs = {} if provenance is None else {"geoconcept": provenance}
    with atomic_file(path) as beside, ParquetStream(beside) as stream:
        stream.write(frame_to_table(piece))


def _bounds(part: pd.DataFrame) -> list[float] | None:
    """Return xmin, ymin, xmax, ymax in the frame's CRS; None where there is no place."""
    import geopandas as gpd

    if not isinstance(part, gpd.GeoDataFrame):
        return None
    bounds = np.asarray(part.geometry.total_bounds, dtype=np.float64)
    return bounds.tolist() if np.isfinite(bounds).all() else None
