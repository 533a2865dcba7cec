"""What is known of where a photo was taken: a probability over the Earth, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .posterior import LEVELS, WITHIN_KM, Posterior

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import geopandas as gpd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["LEVELS", "WITHIN_KM", "Geolocation"]

#: Raster cells of the heatmap, in degrees: larger ones would miss cells.
_RESOLUTION = 0.25
#: The narrowest H3 hexagon by resolution, in km from side to side; the twelve pentagons all lie in the sea.
_WIDTH_KM = {0: 2177.0, 1: 718.0, 2: 256.0, 3: 94.0, 4: 35.0}


@dataclass(frozen=True, eq=False)
class Geolocation(Posterior):
    """Where a photo, a text or a vector may be from. Made by `geolocate`.

    Attributes
    ----------
    name : str
        Of the photo, or the text.
    cells : ndarray of uint64, shape (M,)
        H3 cells where it may be, sorted.
    lonlat : ndarray of float64, shape (M, 2)
        Their centres, degrees, EPSG:4326.
    area_km2 : ndarray of float64, shape (M,)
    probability : ndarray of float64, shape (M,)
        Of each cell; sums to one.
    prior : ndarray of float64, shape (M,), or None
        The same before one has looked at the photo. Their ratio is what the photo says; `combine` needs it.
    provenance : dict of str to str
        Model, sha256, tower, prior, calibration, scale.
    exif_lonlat : tuple of float, or None
        What the photo's EXIF says of its position. It is reported, never used.
    nearest : tuple of float, or None
        Place of GeoCLIP's gallery that is most like the photo, (lon, lat): what GeoCLIP itself would answer.

    Examples
    --------
    >>> from geoconcept_gis.h3cells import areas_of, cells_of, centers_of
    >>> cells = np.sort(cells_of(np.array([[31.2, 30.0], [2.3, 48.9]]), 4))
    >>> found = Geolocation("by hand", cells, centers_of(cells), areas_of(cells), np.array([0.25, 0.75]))
    >>> found.points["probability"].tolist(), found.areas["area_km2"].round().tolist()
    ([0.75, 0.25], [2083.0, 3666.0])
    """

    def __repr__(self) -> str:
        best = self.points.iloc[0]
        return (
            f"<Geolocation of {self.name!r}: {best.geometry.x:.2f}, {best.geometry.y:.2f} (probability "
            f"{best.probability:.2f} within {best.within_km} km), 90 % area {self.areas['area_km2'].iloc[-1]:,.0f} km2>"
        )

    @cached_property
    def points(self) -> gpd.GeoDataFrame:
        """Likely places, best first: never a mean between them.

        Returns
        -------
        geopandas.GeoDataFrame
            Columns ``rank``, ``probability`` (of the place lying within ``within_km`` of the point: 50, or half a
            cell where cells are larger), ``geometry`` (EPSG:4326). Up to ten, some four times that far apart.
        """
        import geopandas as gpd

        places, near = self.best_places
        columns = {"rank": np.arange(1, len(near) + 1), "probability": near, "within_km": round(self.within_km)}
        points = gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*places.T), crs="EPSG:4326")
        points.attrs["geoconcept"] = dict(self.provenance)
        return points

    @cached_property
    def areas(self) -> gpd.GeoDataFrame:
        """The smallest areas that hold the place with a probability of 50 % and 90 %.

        Returns
        -------
        geopandas.GeoDataFrame
            Columns ``level``, ``probability`` (what the cells add up to, a little more than the level), ``area_km2``,
            ``geometry`` (polygons in EPSG:4326, cut at the antimeridian).
        """
        import geopandas as gpd

        records, shapes = [], []
        for level in LEVELS:
            inside = self.inside(level)
            records.append((level, self.probability[inside].sum(), self.area_km2[inside].sum()))
            shapes.append(_outline(self.cells[inside]))
        columns = ["level", "probability", "area_km2"]
        areas = gpd.GeoDataFrame(records, columns=columns, geometry=shapes, crs="EPSG:4326")
        areas.attrs["geoconcept"] = dict(self.provenance)
        return areas

    @property
    def heatmap(self) -> xr.Dataset:
        """The probability on a raster of the world.

        Returns
        -------
        xarray.Dataset
            ``probability`` of each quarter-degree cell, adding up to one, and ``density`` per km2; EPSG:4326, north up.
            Zero where no photo can be from (open sea). `write_raster` writes it.
        """
        return self.to_raster()

    def to_raster(
        self, bounds: tuple[float, float, float, float] | None = None, resolution: float = _RESOLUTION
    ) -> xr.Dataset:
        """Return the probability on a raster of your own.

        Parameters
        ----------
        bounds : (west, south, east, north), optional
            Degrees; None is the whole world.
        resolution : float, default 0.25
            Degrees, at most 0.25. Cells finer than the H3 cells share their probability evenly.

        Returns
        -------
        xarray.Dataset
            As `heatmap`; it adds up to what lies inside the bounds.

        Raises
        ------
        InputError
            The resolution is coarser than 0.25 degrees, or the bounds are none.

        Examples
        --------
        >>> geolocate("photo.jpg").to_raster((-10, 35, 5, 45), 0.05)                        # doctest: +SKIP
        """
        from .products import rasterise

        if not 0.0 < resolution <= _RESOLUTION:
            raise InputError(
                f"resolution must be above 0 and at most {_RESOLUTION:g} degrees; got {resolution!r}. For larger cells "
                "add up: heatmap['probability'].coarsen(lat=4, lon=4).sum()"
            )

        return rasterise(self, bounds, resolution)

    @cached_property
    def concepts(self) -> Any:
        """What carried it: which concepts the photo expresses, and what each does to the likeliest places.

        Returns
        -------
        pandas.DataFrame
            See `geoconcept_gis.locate.reasons.reasons_of`.

        Raises
        ------
        InputError
            It was combined or coarsened, so the photo's vector is not at hand.
        """
        import pandas as pd

        return pd.DataFrame(self.reasons)

    def coarsened(self, precision_km: float) -> Geolocation:
        """Return a coarser copy, to share without telling more than meant.

        Parameters
        ----------
        precision_km : float
            Everything that comes out of the copy (points, areas, heatmap) is on H3 cells at least this wide: 35, 94,
            256, 718 or 2,177 km.

        Returns
        -------
        Geolocation
            Without the photo's vector and its EXIF position.

        Raises
        ------
        InputError
            Not a number above 0 and at most 2,177.

        Examples
        --------
        >>> geolocate("photo.jpg").coarsened(100).save("to_share")                          # doctest: +SKIP
        """
        from ..h3cells import areas_of, centers_of, parents_of

        level = _level_of(precision_km)
        cells, row = np.unique(parents_of(self.cells, min(level, self._level)), return_inverse=True)
        return Geolocation(
            self.name,
            cells,
            centers_of(cells),
            areas_of(cells),
            _sums(row, self.probability),
            None if self.prior is None else _sums(row, self.prior),
            {**self.provenance, "precision_km": f"{_WIDTH_KM[min(level, self._level)]:g}"},
        )

    @property
    def _level(self) -> int:
        """H3 resolution of the cells."""
        import h3.api.numpy_int as h3

        return int(h3.get_resolution(self.cells[0]))

    def plot(self, ax: Any = None, *, title: str | None = None) -> Any:
        """Draw the heatmap with the credible outlines and the points.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            None makes a new figure, ``ax.figure`` of the result.
        title : str, optional
            None means the name.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> geolocate("photo.jpg").plot().figure.show()                                     # doctest: +SKIP
        """
        from .products import draw

        return draw(self, ax, title)

    def save_picture(self, path: str | PathLike[str], *, title: str | None = None) -> Path:
        """Draw the map into a picture file.

        Parameters
        ----------
        path : path-like
            Ends in ``.png``, ``.pdf`` or ``.svg``. An existing file is replaced, in one step.
        title : str, optional
            None means the name.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        InputError
            Another ending, or no such folder.
        MissingDependencyError
            matplotlib is not installed.

        Examples
        --------
        >>> geolocate("photo.jpg").save_picture("photo_map.png")                            # doctest: +SKIP
        """
        from .files import save_picture

        return save_picture(self, path, title)

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write all of it into a new folder, to open in QGIS or to keep.

        Parameters
        ----------
        folder : path-like
            Must not exist, or be empty.

        Returns
        -------
        pathlib.Path
            The folder, with ``heatmap.tif`` (Cloud Optimized GeoTIFF) and its style ``heatmap.qml``, ``points.gpkg``,
            ``areas.gpkg``, ``concepts.csv`` where they are at hand, and ``record.json`` with the provenance.

        Raises
        ------
        InputError
            The folder holds something already, or the one that it goes into does not exist.

        Examples
        --------
        >>> geolocate("photo.jpg").save("photo_located")                                    # doctest: +SKIP
        """
        from .files import save

        return save(self, folder)


def _level_of(precision_km: float) -> int:
    """Return the finest H3 resolution whose cells are all at least so wide."""
    if not 0.0 < precision_km <= _WIDTH_KM[0]:
        raise InputError(f"precision_km must be above 0 and at most {_WIDTH_KM[0]:,.0f}; got {precision_km!r}")
    return max(level for level, width in _WIDTH_KM.items() if width >= precision_km)


def _sums(row: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.bincount(row, values), dtype=np.float64)


def _outline(cells: NDArray[np.uint64]) -> Any:
    """Return the union of cells as polygons in (lon, lat), cut at the antimeridian."""
    import h3.api.numpy_int as h3
    import shapely

    from ..geometry import cut_at_antimeridian

    shape = h3.cells_to_h3shape(cells, tight=False)
    polygons = [shapely.geometry.shape(shape.__geo_interface__)]
    parts = [cut_at_antimeridian(part) for one in polygons for part in shapely.get_parts(one)]
    return shapely.union_all([shapely.make_valid(part) for part in parts])
