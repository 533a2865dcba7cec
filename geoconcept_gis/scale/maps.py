"""Concept maps in chunks, computed when they are needed, and Zarr v3 stores to put them in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..files import atomic_folder
from ..provenance import EMB_KEY, embedding_record
from .engine import require_dask
from .reference import ModelReference, concepts_token, portable_concepts

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr
    from numpy.typing import NDArray

    from ..concepts import Concept
    from ..grid import Grid
    from ..model import GeoConceptModel

__all__ = ["CHUNK", "lazy_scores", "write_zarr"]

#: Rows and columns of a chunk where nothing else is said: about 1 MB a concept.
CHUNK = 512
#: More chunks than this, and planning takes longer than the work.
_MOST_CHUNKS = 200_000
_CONVENTIONS = (
    {
        "schema_url": "https://raw.githubusercontent.com/zarr-experimental/geo-proj/refs/tags/v1/schema.json",
        "spec_url": "https://github.com/zarr-experimental/geo-proj/blob/v1/README.md",
        "uuid": "f17cb550-5864-4468-aeb7-f3180cfb622f",
        "name": "proj:",
        "description": "Coordinate reference system information for geospatial data",
    },
    {
        "schema_url": "https://raw.githubusercontent.com/zarr-conventions/spatial/refs/tags/v1/schema.json",
        "spec_url": "https://github.com/zarr-conventions/spatial/blob/v1/README.md",
        "uuid": "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4",
        "name": "spatial",
        "description": "Spatial coordinate information",
    },
)


@dataclass(frozen=True)
class _MapJob:
    """What a worker needs to score a chunk."""

    grid: Grid
    reference: ModelReference
    concepts: list[Any]
    kind: str
    mask: str | None

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        grid = (self.grid.crs.to_wkt(), *(getattr(self.grid, name) for name in ("left", "top", "xres", "yres")))
        return (grid, self.reference.__dask_tokenize__(), concepts_token(self.concepts), self.kind, self.mask)


def lazy_scores(
    grid: Grid, model: GeoConceptModel, chosen: list[Concept], kind: str, mask: str | None, chunks: Any
) -> Any:
    """Plan the scores of a map.

    Parameters
    ----------
    grid : Grid
    model : GeoConceptModel
    chosen : list of Concept
    kind : str
    mask : {"land", None}
    chunks : int or (int, int)
        Rows and columns of a chunk.

    Returns
    -------
    dask.array.Array of float32, shape (K, height, width)
        All concepts of a cell lie in one chunk, so that it is encoded once.

    Raises
    ------
    InputError
        Chunks are no whole numbers above 0, or too many.
    """
    rows, columns = _check_chunks(chunks)
    count = -(-grid.height // rows) * -(-grid.width // columns)
    if count > _MOST_CHUNKS:
        raise InputError(f"chunks of {rows} x {columns} cells make {count:,} of them: choose larger ones")
    require_dask()
    import dask.array as da

    job = _MapJob(grid, ModelReference.of(model), portable_concepts(chosen, model), kind, mask)
    return da.map_blocks(
        _score_block,
        job,
        chunks=(
            (len(chosen),),
            da.core.normalize_chunks(rows, (grid.height,))[0],
            da.core.normalize_chunks(columns, (grid.width,))[0],
        ),
        dtype=np.float32,
        meta=np.empty((0, 0, 0), dtype=np.float32),
    )


def _check_chunks(chunks: Any) -> tuple[int, int]:
    sizes = (chunks, chunks) if np.ndim(chunks) == 0 else tuple(chunks)
    if len(sizes) != 2 or any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise InputError(f"chunks must be a whole number above 0, or two of them, (rows, columns); got {chunks!r}")
    return int(sizes[0]), int(sizes[1])


def _score_block(job: _MapJob, block_info: Any = None) -> NDArray[np.float32]:
    from ..maps import score_cells

    (_, _), (top, bottom), (left, right) = block_info[None]["array-location"]
    # Numbered within the whole grid, so that a cell's centre is the same, bit for bit, in whatever chunk it lies.
    cells = np.arange(top, bottom)[:, None] * job.grid.width + np.arange(left, right)
    model = job.reference.open()
    scores, _ = score_cells(job.grid, cells.ravel(), model, model.select(job.concepts), job.kind, job.mask)
    return scores.reshape(-1, bottom - top, right - left)


def write_zarr(dataset: xr.Dataset, path: str | PathLike[str]) -> Path:
    """Write a concept map as a Zarr v3 store, chunk by chunk.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `concept_map`; with its argument `chunks`, maps larger than memory can be written, on the current dask
        client where there is one.
    path : path-like
        A folder that is not there yet, ending in ``.zarr``. Written whole or not at all.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    InputError
        The dataset is no concept map, the path has another ending, or something is there already.
    MissingDependencyError
        dask or zarr is not installed.

    Notes
    -----
    One float32 array a concept over (row, column), BLOSC with zstd, in chunks of at most 512 x 512 cells, which for a
    map in chunks lie in shards, one for each chunk of the map. The group's attributes hold CF-1.11, the conventions
    ``proj:`` and ``spatial:`` for CRS and transform, the provenance as ``geoconcept_...``, and ``emb``, which describes
    the embedding that the scores were read from. The geoembeddings convention itself (``geoemb:``) asks for an array
    of vectors, which a map of scores does not hold, so it is not declared.

    Examples
    --------
    >>> import pathlib, tempfile, xarray
    >>> from geoconcept_gis import concept_map, read_provenance
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1, chunks=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = write_zarr(egypt, pathlib.Path(folder) / "egypt.zarr")
    ...     with xarray.open_zarr(store, consolidated=False) as back:
    ...         dict(back.sizes), read_provenance(store)["concepts"]
    ({'lat': 9, 'lon': 10}, 'hot desert climate')
    """
    from ..raster import check_map

    path = Path(path).resolve()
    if path.suffix.lower() != ".zarr":
        raise InputError(f"the name of a Zarr store must end in .zarr; got {path.name!r}")
    layers, grid = check_map(dataset)
    require_dask(("zarr",))
    from zarr.codecs import BloscCodec

    store = dataset.assign_attrs(_attributes(dataset, grid))
    sizes = dict(zip(layers[0].dims, _largest_chunk(layers[0]), strict=True))
    if layers[0].chunks:
        store = store.chunk(sizes)  # even chunks, each of them a shard that one task writes
    chunks = tuple(_divisor(size) if layers[0].chunks else min(size, CHUNK) for size in sizes.values())
    encoding: dict[str, Any] = {"chunks": chunks, "compressors": [BloscCodec(cname="zstd", clevel=5)]}
    if layers[0].chunks:
        encoding["shards"] = tuple(sizes.values())
    each = {str(name): encoding for name in dataset.data_vars}
    with atomic_folder(path) as part:
        store.to_zarr(part, mode="w", zarr_format=3, consolidated=False, encoding=each)
    return path


def _largest_chunk(layer: xr.DataArray) -> tuple[int, ...]:
    return tuple(max(sizes) for sizes in layer.chunks) if layer.chunks else layer.shape


def _divisor(size: int) -> int:
    """Return the largest chunk of at most `CHUNK` that fits a whole number of times; all of it if that is a sliver."""
    best = max(chunk for chunk in range(1, min(size, CHUNK) + 1) if size % chunk == 0)
    return best if best >= min(size, CHUNK) // 8 else size


def _attributes(dataset: xr.Dataset, grid: Grid) -> dict[str, Any]:
    """Return the attributes that say where the map lies, and what it was read from."""
    code = grid.crs.to_authority()
    right, bottom = grid.left + grid.width * grid.xres, grid.top - grid.height * grid.yres
    record = {str(key).removeprefix("geoconcept_"): str(value) for key, value in dataset.attrs.items()}
    emb = embedding_record(record)
    return {
        "zarr_conventions": list(_CONVENTIONS),
        **({"proj:code": ":".join(code)} if code else {"proj:wkt2": grid.crs.to_wkt()}),
        "spatial:dimensions": [str(name) for name in next(iter(dataset.data_vars.values())).dims],
        "spatial:shape": [grid.height, grid.width],
        "spatial:bbox": [grid.left, bottom, right, grid.top],
        "spatial:transform": list(grid.transform)[:6],
        **({EMB_KEY: emb} if emb else {}),
    }
