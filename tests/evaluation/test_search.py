"""Areas searched until the truth is found, against the definition written out, cell by cell."""

import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401 - adds .rio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.errors import InputError
from geoconcept_gis.evaluation import searched_area
from geoconcept_gis.evaluation.search import search_order

EARTH_KM2 = 510_065_622.0  # WGS84


def world(probability, *, flip=False, start=-180.0):
    """A map of the whole Earth in longitude and latitude."""
    height, width = probability.shape
    lat = -90.0 + (np.arange(height) + 0.5) * 180.0 / height
    lon = start + (np.arange(width) + 0.5) * 360.0 / width
    lat = lat[::-1] if flip else lat
    return xr.Dataset({"probability": (("lat", "lon"), probability)}, coords={"lat": lat, "lon": lon})


def slow_areas():
    """Areas of cells of 10 degrees on WGS84, south to north, by adding up thin strips (Snyder 1987, equation 3-10)."""
    edges = np.radians(np.linspace(-90.0, 90.0, 18_001))
    lat = (edges[1:] + edges[:-1]) / 2.0
    squared = 0.0066943799901413165
    strips = 6378.137**2 * (1.0 - squared) * np.cos(lat) / (1.0 - squared * np.sin(lat) ** 2) ** 2 * np.diff(edges)
    return strips.reshape(18, 1000).sum(axis=1) * np.radians(10.0)


cells = st.tuples(st.integers(0, 4) | st.just(np.nan), st.integers(1, 5), st.integers(0, 3))


@given(st.lists(cells, min_size=1, max_size=12))
def test_the_definition(parts):
    """Area: sum over scores at least as high (2407.13862); mass: sum of probability over higher scores."""
    score, km2, weight = np.array(parts, dtype=float).T
    probability = weight / max(weight.sum(), 1.0)
    found = search_order(score, km2, probability)
    for own, (area, mass) in zip(score, found, strict=True):
        if np.isnan(own):
            assert (area, mass) == (np.inf, 1.0)
        else:
            assert area == km2[score >= own].sum()
            assert mass == pytest.approx(probability[score > own].sum())


#: Places off the edges of cells, which belong to either side.
inside_cells = st.tuples(st.integers(-1800, 1799), st.integers(-900, 899)).map(
    lambda t: (t[0] / 10 + 0.05, t[1] / 10 + 0.05)
)


@given(st.lists(inside_cells, min_size=1, max_size=20), st.booleans(), st.sampled_from([-180.0, 0.0, 17.0]))
def test_maps(truth, flip, start):
    """The cell that holds a place is found whichever way the map runs, and cells have the areas of the ellipsoid."""
    rng = np.random.default_rng(5)
    density = world(rng.permutation(18 * 36).reshape(18, 36) / 1e6, flip=flip, start=start)
    found = searched_area(density, truth)
    probability = density["probability"].values
    km2 = slow_areas()[:: -1 if flip else 1][:, None] * np.ones(36)
    for (lon, lat), area in zip(truth, found["area_km2"], strict=True):
        row = int((lat + 90.0) // 10.0)
        row = 17 - row if flip else row
        column = int(((lon - start) % 360.0) // 10.0)
        own = probability[row, column] / km2[row, column]
        assert area == pytest.approx(km2[probability / km2 >= own].sum(), rel=1e-4)


def test_an_even_density_is_the_whole_earth():
    """Where everything is as likely, all of it is searched, and nothing was passed."""
    lat = np.linspace(-89.5, 89.5, 180)
    even = np.cos(np.radians(lat))[:, None] * np.ones(360)
    even = world(even / even.sum())
    exact = searched_area(even.assign_coords(area_km2=even["probability"] * EARTH_KM2), [[10.0, 50.0]])
    assert exact["area_km2"][0] == pytest.approx(EARTH_KM2)
    assert exact["mass"][0] == 0.0


def test_areas_on_the_ellipsoid():
    """A map's least likely cell needs all of the Earth that the map has."""
    density = np.full((180, 360), 2.0 / 180 / 360 / 3)
    density[0, 0] = 0.0
    assert searched_area(world(density), [-179.5, -89.5])["area_km2"][0] == pytest.approx(EARTH_KM2, rel=1e-6)


def test_certainty_is_one_cell():
    """All probability in the right cell: its area, nothing passed; elsewhere: the rest comes with it."""
    density = np.zeros((18, 36))
    density[9, 18] = 1.0
    right, wrong = searched_area(world(density), [[5.0, 5.0], [-100.0, 40.0]]).to_numpy()
    assert right.tolist() == [pytest.approx(1_224_000, rel=0.01), 0.0]
    assert wrong.tolist() == [pytest.approx(EARTH_KM2, rel=1e-6), 1.0]


def test_edges_belong_to_a_cell():
    """Poles, the antimeridian and the edges between cells are in the map."""
    corners = [[lon, lat] for lon in (-180.0, 180.0, 0.0) for lat in (-90.0, 90.0, 0.0)]
    for start in (-180.0, 0.0):
        for flip in (True, False):
            density = world(np.full((18, 36), 1.0 / 648), start=start, flip=flip)
            assert np.isfinite(searched_area(density, corners)["area_km2"]).all()


def test_outside_the_map():
    """Places beside a map, or on cells without a value, are never found."""
    density = world(np.full((18, 36), 1.0 / 648)).isel(lat=slice(9, 12), lon=slice(0, 4))
    density["probability"][0, 0] = np.nan
    found = searched_area(density, [[100.0, 5.0], [-175.0, 5.0], [-165.0, 5.0]])
    assert np.isinf(found["area_km2"]).tolist() == [True, True, False]
    assert found["mass"].tolist()[:2] == [1.0, 1.0]


def test_projected_maps():
    """A projected map says how large its cells are, and truths are projected into it."""
    density = xr.DataArray(
        [[0.1, 0.2], [0.3, 0.4]], dims=("y", "x"), coords={"y": [1e6, -1e6], "x": [-1e6, 1e6]}
    ).rio.write_crs("EPSG:6933")
    with pytest.raises(InputError, match="area_km2"):
        searched_area(density, [5.0, 5.0])
    found = searched_area(density.assign_coords(area_km2=4e6), [[5.0, -5.0], [-5.0, 5.0]])
    assert found["area_km2"].tolist() == [4e6, 16e6]
    assert found["mass"].tolist() == [0.0, pytest.approx(0.9)]


def test_h3_cells():
    """Cells in the order of probability per area; a truth outside them is never found; sizes may differ."""
    fine = h3.latlng_to_cell(30.0, 31.2, 5)
    coarse = h3.latlng_to_cell(51.5, -0.1, 3)
    table = pd.DataFrame({"h3": np.array([fine, coarse], dtype=np.uint64), "probability": [0.4, 0.6]})
    found = searched_area(table, [[31.2, 30.0], [-0.1, 51.5], [139.0, 35.0]])
    areas = [h3.cell_area(cell, "km^2") for cell in (fine, coarse)]
    assert found["area_km2"].tolist() == [pytest.approx(areas[0]), pytest.approx(sum(areas)), np.inf]
    assert found["mass"].tolist() == [0.0, pytest.approx(0.4), 1.0]
    by_index = table.set_index("h3")
    by_index.index = [h3.int_to_str(int(cell)) for cell in by_index.index]
    pd.testing.assert_frame_equal(searched_area(by_index.rename_axis("h3"), [31.2, 30.0]), found.head(1))


def test_circles_in_ranked_order():
    """Circles as wide as their area says; the first in the search that holds the truth counts."""
    km2 = np.pi * 100.0**2
    circles = pd.DataFrame({"lon": [0.0, 0.5, 50.0], "lat": 0.0, "area_km2": [km2, km2, 5.0], "rank": [3, 1, 2]})
    near, edge, beyond, far = searched_area(circles, [[0.2, 0.0], [-0.89, 0.0], [-0.91, 0.0], [50.0, 0.0]]).to_numpy()
    assert near[0] == pytest.approx(km2)
    assert edge[0] == pytest.approx(2 * km2 + 5.0)
    assert beyond[0] == np.inf
    assert far[0] == pytest.approx(km2 + 5.0)
    assert np.isnan(near[1])


def test_one_density_a_place():
    """A generator of densities is read as it comes; the wrong number is an error."""
    maps = [world(np.eye(18, 36, k) / 18.0) for k in range(3)]
    truth = np.array([[-175.0, -85.0], [-165.0, -85.0], [100.0, 5.0]])
    found = searched_area(iter(maps), truth)
    alone = [searched_area(one, place).iloc[0].tolist() for one, place in zip(maps, truth, strict=True)]
    assert found.to_numpy().tolist() == alone
    for wrong in (maps[:2], [*maps, maps[0]]):
        with pytest.raises(InputError, match="truth has 3 places"):
            searched_area(wrong, truth)


def test_calibrated_means_covered():
    """Truths drawn from a density lie in its 50 % area half of the time, in its 90 % area nine times of ten."""
    rng = np.random.default_rng(11)
    probability = rng.gamma(0.3, size=(90, 180))
    probability /= probability.sum()
    density = world(probability)
    drawn = rng.choice(probability.size, size=4000, p=probability.ravel())
    row, column = np.divmod(drawn, 180)
    truth = np.column_stack([density["lon"].values[column], density["lat"].values[row]])
    mass = searched_area(density, truth)["mass"]
    assert (mass < 0.5).mean() == pytest.approx(0.5, abs=0.025)
    assert (mass < 0.9).mean() == pytest.approx(0.9, abs=0.015)


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (3.0, "a Geolocation, an xarray map, or a table"),
        ([3.0], "number 0 is float"),
        (xr.Dataset({"score": ("x", [1.0])}), "it has 'score'"),
        (xr.DataArray([1.0], dims="x"), "dimensions"),
        (xr.DataArray(np.ones((2, 2)), dims=("y", "x")), "no CRS"),
        (world(np.full((18, 36), 1.0)), "add up to 648"),
        (world(np.full((18, 36), -0.001)), "negative"),
        (pd.DataFrame({"lon": [1.0]}), "'h3', or columns 'lon', 'lat' and 'area_km2'"),
        (pd.DataFrame({"lon": [1.0], "lat": [1.0], "area_km2": [0.0]}), "above 0"),
        (pd.DataFrame({"lon": [1.0], "lat": [1.0], "area_km2": [1.0], "score": ["high"]}), "no number"),
        (pd.DataFrame({"lon": [1.0], "lat": [1.0], "area_km2": [1.0], "rank": [None]}), "missing or infinite in row 0"),
        (pd.DataFrame({"h3": ["843e629ffffffff"] * 2}), "twice"),
    ],
)
def test_refusals(density, message):
    """What is no density is refused, with the reason."""
    with pytest.raises(InputError, match=message):
        searched_area(density, [10.0, 50.0])
