"""What follows from a probability over the Earth: points, areas, heatmap, coarser copies, pictures."""

import dataclasses
import pickle
import re

import h3.api.numpy_int as h3
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis import write_raster
from geoconcept_gis.errors import InputError
from geoconcept_gis.evaluation import distance_km
from geoconcept_gis.h3cells import areas_of, cells_of, centers_of
from geoconcept_gis.land import on_land
from geoconcept_gis.locate.geolocation import Geolocation
from geoconcept_gis.locate.posterior import WITHIN_KM
from geoconcept_gis.locate.sphere import EARTH_RADIUS_KM
from tests.locate.conftest import TOWNS

RECORD = {"model": "m", "model_sha256": "0" * 64, "software": "s", "scale_km": "10", "prior": "photos", "tower": "t"}


def spread(weights, rings=3, **keywords):
    """A geolocation on discs of cells around the towns, each town with its weight, the middle with most of it."""
    cells, probability = [], []
    for town, weight in weights.items():
        home = cells_of(np.array([TOWNS[town]]), 4)[0]
        disc = h3.grid_disk(int(home), rings).astype(np.uint64)
        share = 0.5 ** np.array([h3.grid_distance(int(home), int(cell)) for cell in disc])
        cells.append(disc)
        probability.append(weight * share / share.sum())
    cells, probability = np.concatenate(cells), np.concatenate(probability)
    order = np.argsort(cells)
    cells, probability = cells[order], probability[order] / probability.sum()
    return Geolocation("by hand", cells, centers_of(cells), areas_of(cells), probability, **keywords)


def equal_area(shape):
    """Area of a polygon in km2, its edges straight in longitude and sine of latitude."""
    dense = shapely.segmentize(shape, 0.05)
    plane = shapely.transform(dense, lambda c: np.stack([np.radians(c[:, 0]), np.sin(np.radians(c[:, 1]))], axis=1))
    return shapely.area(plane) * EARTH_RADIUS_KM**2


# ---------------------------------------------------------------- points


def test_points_are_modes_never_a_mean_between_them():
    """Two likely towns give two points in them; the mean between them, in the Mediterranean, is none."""
    points = spread({"cairo": 0.5, "paris": 0.45, "chicago": 0.05}).points
    places = np.column_stack([points.geometry.x, points.geometry.y])
    expected = np.array([TOWNS[town] for town in ("cairo", "paris", "chicago")])
    assert distance_km(places, expected).max() < 30.0
    assert points["probability"].is_monotonic_decreasing
    assert points["rank"].tolist() == [1, 2, 3]
    assert points.crs == "EPSG:4326"


@pytest.mark.parametrize("searched", [False, True])
def test_a_points_probability_is_that_of_lying_within_50_km(cairo, searched):
    """Of the point that is reported, also where it has left its cell's centre."""
    one = cairo if searched else spread({"cairo": 0.8, "paris": 0.2})
    for point in one.points.itertuples():
        place = np.tile([point.geometry.x, point.geometry.y], (len(one.lonlat), 1))
        near = distance_km(one.lonlat, place, method="haversine") <= WITHIN_KM
        np.testing.assert_allclose(point.probability, one.probability[near].sum())
        assert point.within_km == 50


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4))
def test_points_are_apart_best_first_and_at_most_ten(weights):
    points = spread(dict(zip(TOWNS, weights, strict=True))).points
    assert 1 <= len(points) <= 10
    assert points["probability"].is_monotonic_decreasing
    assert points["probability"].sum() <= 1.0 + 1e-9
    places = np.column_stack([points.geometry.x, points.geometry.y])
    for k, place in enumerate(places):
        others = np.delete(places, k, axis=0)
        assert (distance_km(np.tile(place, (len(others), 1)), others, method="haversine") > 200.0).all()


def test_a_point_is_searched_between_centres(cairo):
    """The real encoder finds the place itself to some 10 km, and between the cells' centres."""
    best = cairo.points.geometry.iloc[0]
    assert distance_km([[best.x, best.y]], [TOWNS["cairo"]])[0] < 20.0
    assert distance_km(cairo.lonlat, np.tile([best.x, best.y], (len(cairo.lonlat), 1))).min() > 1.0


def test_a_point_stands_on_land_where_its_cell_has_some(small):
    """A place in the sea off Alexandria is answered by the shore."""
    off_shore = [29.9, 31.35]
    one = spread({"cairo": 1.0}, rings=8)
    seen = small.encode([off_shore])[0]

    def cosines(lonlat):
        found = small.encode(lonlat)
        return found @ seen / np.linalg.norm(found, axis=1) / np.linalg.norm(seen)

    near = distance_km(one.lonlat, np.tile(off_shore, (len(one.lonlat), 1))) < 60.0
    probability = np.where(near, 1.0, 1e-9)
    one = dataclasses.replace(
        one, probability=probability / probability.sum(), _finer=cosines, provenance={"temperature": "0.02"}
    )
    best = one.points.geometry.iloc[0]
    assert on_land([[best.x, best.y]])[0]
    assert distance_km([[best.x, best.y]], [off_shore])[0] < 60.0


# ---------------------------------------------------------------- areas


def test_areas_are_nested_and_hold_their_level():
    """50 % lies inside 90 %; each holds at least its level, and without its last cell it would not."""
    one = spread({"cairo": 0.5, "paris": 0.3, "chicago": 0.2})
    half, most = one.areas.geometry
    assert most.covers(half.buffer(-1e-9))
    for level, row in zip((0.5, 0.9), one.areas.itertuples(), strict=True):
        inside = one.credible <= level
        assert row.probability >= level
        least = one.density[inside].min()
        assert row.probability - one.probability[inside & (one.density == least)].sum() < level
        np.testing.assert_allclose(row.area_km2, one.area_km2[inside].sum())
        assert (one.density[~inside] <= least).all()


@pytest.mark.parametrize("town", TOWNS)
def test_polygons_have_the_area_they_say(town):
    """Around every town, Fiji on both sides of the antimeridian too; all within [-180, 180] and valid."""
    one = spread({town: 1.0})
    assert one.areas.is_valid.all()
    for area in one.areas.itertuples():
        np.testing.assert_allclose(equal_area(area.geometry), area.area_km2, rtol=0.01)
        west, _, east, _ = area.geometry.bounds
        assert west >= -180.0
        assert east <= 180.0
    if town == "fiji":
        assert one.areas.total_bounds[[0, 2]].tolist() == [-180.0, 180.0]


def test_all_on_one_cell():
    """The best cell is in both areas, whatever it holds."""
    one = spread({"cairo": 1.0}, rings=0)
    assert one.areas["probability"].tolist() == [1.0, 1.0]
    assert one.points["probability"].tolist() == [1.0]


# ---------------------------------------------------------------- heatmap


def test_the_heatmap_adds_up_to_one_and_has_the_cells_values(tmp_path):
    """Over the world it is one, a raster cell has its H3 cell's density, and the sea has none; so has the file."""
    one = spread({"cairo": 0.5, "paris": 0.3, "fiji": 0.2}, provenance=RECORD)
    heat = one.heatmap
    assert heat.geoconcept.kind == "density" and heat.geoconcept.provenance["prior"] == "photos"
    np.testing.assert_allclose(float(heat["probability"].sum()), 1.0, rtol=1e-6)
    for town in ("cairo", "paris"):
        lon, lat = TOWNS[town]
        there = heat["density"].sel(lon=lon, lat=lat, method="nearest")
        cell = cells_of(np.array([[float(there.lon), float(there.lat)]]), 4)
        np.testing.assert_allclose(there, one.density[one.cells == cell], rtol=1e-6)
        inside = cells_of(np.column_stack([axis.ravel() for axis in np.meshgrid(heat.lon, heat.lat)]), 4) == cell
        np.testing.assert_allclose(
            heat["probability"].values.ravel()[inside].sum(), one.probability[one.cells == cell], rtol=1e-6
        )
    assert float(heat["probability"].sel(lon=-30, lat=0, method="nearest")) == 0.0
    assert float(heat["probability"].sel(lon=slice(-180, -178)).sum()) > 0.0
    with rasterio.open(write_raster(heat, tmp_path / "heat.tif")) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags()["GEOCONCEPT_PRIOR"] == "photos"
        band = list(file.descriptions).index(heat["probability"].attrs["long_name"]) + 1
        np.testing.assert_allclose(file.read(band).sum(), 1.0, rtol=1e-5)


def test_a_part_of_the_heatmap_holds_its_part():
    """Around Cairo lies what Cairo has."""
    one = spread({"cairo": 0.7, "paris": 0.3}, provenance=RECORD)
    part = one.to_raster((27, 26, 36, 34), 0.05)
    np.testing.assert_allclose(float(part["probability"].sum()), 0.7, rtol=0.01)


@pytest.mark.parametrize("resolution", [0.0, -1.0, 0.5, np.nan])
def test_a_raster_too_coarse_to_hold_all_is_refused(resolution):
    with pytest.raises(InputError, match=r"at most 0\.25"):
        spread({"cairo": 1.0}).to_raster(resolution=resolution)


# ---------------------------------------------------------------- coarser copies


@pytest.mark.parametrize(("precision", "width"), [(1, 35), (35, 35), (36, 94), (100, 256), (700, 718), (2177, 2177)])
def test_a_coarser_copy_has_cells_at_least_so_wide(cairo, precision, width):
    """Points are centres of coarse cells, areas are made of them, and all still adds up to one."""
    coarse = cairo.coarsened(precision)
    assert coarse.provenance["precision_km"] == str(width)
    narrowest = np.sqrt(coarse.area_km2.min() * 2.0 / np.sqrt(3.0))
    assert narrowest >= precision
    np.testing.assert_allclose([coarse.probability.sum(), coarse.prior.sum()], 1.0)
    places = np.column_stack([coarse.points.geometry.x, coarse.points.geometry.y])
    assert (np.abs(places[:, None] - coarse.lonlat[None]).sum(axis=2).min(axis=1) == 0.0).all()
    assert coarse.points["within_km"].iloc[0] >= 50


def test_a_coarser_copy_leaks_nothing(small, tmp_path):
    """No vector, no EXIF, no finer cell anywhere in the object, in its record or in its files."""
    from geoconcept_gis import geolocate

    vector = small.encode([TOWNS["cairo"]])
    fine = geolocate(vector, model=small, prior=shapely.box(30.1234, 29.1234, 32.4321, 31.4321))
    object.__setattr__(fine, "exif_lonlat", (31.23456, 30.04321))
    assert fine.points is not None  # what has been worked out already must not go along
    assert fine.areas is not None
    coarse = fine.coarsened(300)
    assert coarse.exif_lonlat is None
    kept = pickle.dumps(coarse)
    assert len(kept) < 20_000
    unit = (vector[0] / np.linalg.norm(vector[0])).astype(np.float32)
    for secret in (unit.tobytes(), vector.tobytes(), *map(bytes, [fine.cells[fine.probability > 0.01].tobytes()])):
        assert secret not in kept
    assert {int(h3.get_resolution(int(cell))) for cell in coarse.cells} == {1}
    text = repr(coarse.provenance) + repr(coarse) + str(coarse.heatmap.attrs)
    assert not re.search(r"31\.23|30\.04|30\.12|29\.12|32\.43|31\.43", text)
    with pytest.raises(InputError, match="not at hand"):
        _ = coarse.concepts
    folder = coarse.save(tmp_path / "shared")
    assert sorted(path.name for path in folder.iterdir()) == [
        "areas.gpkg",
        "heatmap.qml",
        "heatmap.tif",
        "points.gpkg",
        "record.json",
    ]


def test_coarser_stays_coarser(cairo):
    """Asking a coarse copy for more precision gives no more."""
    again = cairo.coarsened(300).coarsened(35)
    assert again.provenance["precision_km"] == "718"
    assert len(again.cells) == len(cairo.coarsened(300).cells)


@pytest.mark.parametrize("precision", [0, -5, 2178, np.inf, np.nan])
def test_a_precision_that_means_nothing_is_refused(cairo, precision):
    with pytest.raises(InputError, match="precision_km must be"):
        cairo.coarsened(precision)


# ---------------------------------------------------------------- pictures and words


@pytest.mark.parametrize("weights", [{"cairo": 1.0}, {"fiji": 1.0}, dict.fromkeys(TOWNS, 1.0)])
def test_pictures_are_drawn(weights, tmp_path):
    """A map of a region, one at the antimeridian, one of the world."""
    one = spread(weights, provenance=RECORD)
    assert one.save_picture(tmp_path / "map.png").stat().st_size > 10_000
    axes = one.plot(title="A title")
    assert axes.get_title(loc="left") == "A title"
    with pytest.raises(InputError, match=r"\.png"):
        one.save_picture(tmp_path / "map.gif")


def test_a_geolocation_says_what_it_found(cairo):
    assert re.fullmatch(
        r"<Geolocation of 'vector': 31\.\d+, (29|30)\.\d+ \(probability \S+ within 50 km\), 90 % area \S+ km2>",
        repr(cairo),
    )
