"""`embed` on dask-geopandas frames: the same function, partition by partition, when the result is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..model import as_model
from .engine import is_lazy, require_dask
from .reference import ModelReference, concepts_token, portable_concepts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    import geopandas as gpd
    import pandas as pd

    from ..concepts.bank import ConceptLike
    from ..model import GeoConceptModel

__all__ = ["PARENT_COLUMN", "embed_lazily", "partition_by_h3"]

#: Column with the H3 cell that holds a row's place; 0, which is no cell, for rows that are no place on Earth.
PARENT_COLUMN = "h3_parent"


@dataclass(frozen=True)
class _Job:
    """The arguments of `embed`, as they travel to the workers."""

    reference: ModelReference
    features: str
    concepts: list[Any] | None
    invalid: str
    options: tuple[tuple[str, Any], ...]

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        concepts = concepts_token(self.concepts)
        return (self.reference.__dask_tokenize__(), self.features, concepts, self.invalid, self.options)


def embed_lazily(
    frame: Any,
    features: str,
    concepts: ConceptLike | Iterable[ConceptLike] | None,
    model: GeoConceptModel | str | PathLike[str] | None,
    invalid: str,
    **options: Any,
) -> Any:
    """Plan `embed` for every partition of a dask-geopandas frame.

    Parameters
    ----------
    frame : dask_geopandas.GeoDataFrame
    features, concepts, model, invalid
        As in `geoconcept_gis.embed`.
    **options : object
        The other arguments of `geoconcept_gis.embed`.

    Returns
    -------
    dask_geopandas.GeoDataFrame
        Nothing is computed yet, but arguments, columns and CRS are checked.

    Raises
    ------
    InputError, ConceptError
        As `geoconcept_gis.embed`.
    """
    require_dask()
    model = as_model(model)
    chosen = None if concepts is None else portable_concepts(model.select(concepts), model)
    job = _Job(ModelReference.of(model), features, chosen, invalid, tuple(sorted(options.items())))
    # On no rows at all, embed checks its arguments and names the columns.
    out = frame.map_partitions(_embed_partition, job, meta=_embed_partition(frame._meta, job))
    if getattr(frame, "spatial_partitions", None) is not None:
        out.spatial_partitions = frame.spatial_partitions  # the geometries stay where they are
    return out


def _embed_partition(part: gpd.GeoDataFrame, job: _Job) -> gpd.GeoDataFrame:
    from ..places import embed

    return embed(part, job.features, job.concepts, job.reference.open(), job.invalid, **dict(job.options))


def partition_by_h3(frame: Any, resolution: int = 1, *, npartitions: int | None = None) -> Any:
    """Bring the rows of a dask-geopandas frame together by the H3 cell that they lie in.

    Parameters
    ----------
    frame : dask_geopandas.GeoDataFrame
        Any geometries, any CRS.
    resolution : int, default 1
        H3 resolution of the cells, 0 (122 of them) to 15; 1 (842) or 2 (5,882) suit the world.
    npartitions : int, optional
        Partitions of the result; as many as there are now when left out. A cell is never split, so choose a finer
        resolution where one cell alone would fill the memory.

    Returns
    -------
    dask_geopandas.GeoDataFrame
        The same rows in another order, with a column ``h3_parent`` (uint64; 0 for rows that are no place on Earth),
        by which `write_partitions` makes one folder a cell. Every cell lies in one partition.

    Raises
    ------
    InputError
        This is no dask-geopandas frame, it has no CRS, or a column of that name is there already.

    Notes
    -----
    The place of a row is the point that `embed` takes. dask moves the rows (`shuffle`), through the disk where they
    do not fit into memory.

    Examples
    --------
    >>> import dask_geopandas
    >>> from geoconcept_gis import world_places
    >>> places = partition_by_h3(dask_geopandas.from_geopandas(world_places(), npartitions=4), 0)
    >>> places.npartitions, places.columns[-1]
    (4, 'h3_parent')
    """
    from ..h3cells import check_resolution
    from ..places import check_frame

    resolution = check_resolution(resolution)
    if not is_lazy(frame):
        raise InputError(
            f"partition_by_h3 needs a dask-geopandas frame; got {type(frame).__name__}. Make one with "
            "dask_geopandas.from_geopandas(frame, npartitions=...) or scan_places"
        )
    check_frame(frame._meta, [PARENT_COLUMN])
    require_dask()
    name, crs = frame._meta.geometry.name, frame._meta.crs
    flat = frame.map_partitions(_flatten, resolution, meta=_flatten(frame._meta, resolution))
    # Rows travel as plain tables with their geometry as bytes, which every way of shuffling can carry.
    moved = flat.shuffle(on=PARENT_COLUMN, npartitions=npartitions or frame.npartitions)
    return moved.map_partitions(_unflatten, name, crs, meta=_unflatten(moved._meta, name, crs))


def _flatten(part: gpd.GeoDataFrame, resolution: int) -> pd.DataFrame:
    """Return a plain table with geometries as WKB and the parent of every row."""
    import pandas as pd
    import shapely

    shapes = np.asarray(part.geometry.array)
    wkb = pd.Series(shapely.to_wkb(shapes, flavor="iso"), index=part.index, dtype=object)
    parents = _parents(shapes, part.crs, resolution)
    return pd.DataFrame(part).assign(**{part.geometry.name: wkb, PARENT_COLUMN: parents})


def _parents(shapes: Any, crs: Any, resolution: int) -> Any:
    from ..coordinates import STATUS_WITH_VALUES, status, wrap_longitude
    from ..geometry import representative_points, to_lonlat
    from ..h3cells import cells_of

    lonlat, lost = to_lonlat(representative_points(shapes), crs)
    good = np.isin(status(lonlat), STATUS_WITH_VALUES) & ~lost
    parents = np.zeros(len(lonlat), dtype=np.uint64)
    lonlat = np.stack([wrap_longitude(lonlat[good, 0]), lonlat[good, 1]], axis=1)
    parents[good] = cells_of(lonlat, resolution)
    return parents


def _unflatten(part: pd.DataFrame, name: str, crs: Any) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely

    shapes = gpd.array.GeometryArray(shapely.from_wkb(part[name].to_numpy(dtype=object)), crs=crs)
    return gpd.GeoDataFrame(part.assign(**{name: shapes}), geometry=name)
