"""Checks of (lon, lat): wrapping, statuses, swapped columns, shapes, and no bad value that passes in silence."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.coordinates import (
    STATUS_WITH_VALUES,
    check_lonlat,
    looks_swapped,
    near_pole,
    near_seam,
    status,
    wrap_longitude,
)
from geoconcept_gis.errors import CoordinateError
from tests.strategies import latitudes, numbers, pairs, places


def expected_status(lon, lat):
    """Say in plain Python what `status` must say."""
    if math.isnan(lon) or math.isnan(lat):
        return "missing"
    if math.isinf(lon) or math.isinf(lat):
        return "infinite"
    if abs(lat) > 90 or abs(lon) > 360:
        return "out_of_range"
    if abs(lat) >= 89.5:
        return "near_pole"
    if abs(float(wrap_longitude(lon))) >= 179.5:
        return "near_seam"
    return "ok"


@given(st.floats(-1e6, 1e6))
def test_wrapping_keeps_the_meridian(lon):
    """Wrapped longitudes lie in [-180, 180), name the same meridian, and wrapping twice changes nothing."""
    wrapped = float(wrap_longitude(lon))
    assert -180.0 <= wrapped < 180.0
    assert math.isclose(math.cos(math.radians(wrapped)), math.cos(math.radians(lon)), abs_tol=1e-8)
    assert math.isclose(math.sin(math.radians(wrapped)), math.sin(math.radians(lon)), abs_tol=1e-8)
    assert float(wrap_longitude(wrapped)) == wrapped


@given(st.floats(-180.0, 180.0, exclude_max=True))
def test_wrapping_leaves_good_longitudes_alone(lon):
    """A longitude in range comes back bit for bit."""
    assert float(wrap_longitude(lon)) == lon


@given(st.lists(st.floats(-500, 500), max_size=8).filter(lambda values: len(values) % 2 == 0))
def test_wrapping_keeps_the_shape(values):
    """Arrays of any shape keep it."""
    array = np.array(values).reshape(2, -1)
    assert wrap_longitude(array).shape == array.shape


@given(st.lists(pairs, max_size=8))
def test_status_of_every_row(rows):
    """Each row gets the status that the definition gives it, whatever stands beside it."""
    assert status(rows).tolist() == [expected_status(*row) for row in rows]


@given(st.lists(pairs, max_size=8))
def test_flags_agree_with_status(rows):
    """Places that carry values are flagged near seam or pole exactly where the status, or both, say so."""
    state, seam, pole = status(rows), near_seam(rows), near_pole(rows)
    good = np.isin(state, STATUS_WITH_VALUES)
    assert (pole[good] == (state[good] == "near_pole")).all()
    assert (seam[good] & ~pole[good] == (state[good] == "near_seam")).all()


@given(st.lists(pairs, max_size=8))
def test_no_bad_value_passes_in_silence(rows):
    """Either every row comes back as a place on Earth, or an error names the first rows that are none."""
    bad = [k for k, row in enumerate(rows) if expected_status(*row) not in STATUS_WITH_VALUES]
    if not bad:
        out = check_lonlat(rows)
        assert out.shape == (len(rows), 2)
        assert out.dtype == np.float64
        assert (out[:, 0] >= -180).all()
        assert (out[:, 0] < 180).all()
        np.testing.assert_array_equal(out[:, 1], [lat for _, lat in rows])
        np.testing.assert_array_equal(out[:, 0], wrap_longitude([lon for lon, _ in rows]))
        return
    with pytest.raises(CoordinateError) as caught:
        check_lonlat(rows)
    message = str(caught.value)
    if "swapped" not in message:
        assert f"{len(bad)} of {len(rows)} rows" in message
        assert all(f"row {k}:" in message for k in bad[:5])


@given(st.lists(places, min_size=1, max_size=8))
def test_input_is_not_changed(rows):
    """The caller's array stays as it was."""
    given_array = np.add(rows, [360.0, 0.0])
    given_array[given_array[:, 0] > 360.0, 0] -= 360.0
    before = given_array.copy()
    check_lonlat(given_array)
    np.testing.assert_array_equal(given_array, before)


@given(st.lists(st.tuples(latitudes, st.floats(90.5, 180.0)), min_size=1, max_size=30))
def test_swapped_columns_are_named(rows):
    """Latitude first, with longitudes beyond 90, is called swapped; the row shown is a wrong one."""
    assert looks_swapped(np.array(rows))
    with pytest.raises(CoordinateError, match=r"looks swapped: column 1 \(lat\) .*row 0: .*Pass longitude first"):
        check_lonlat(rows)


def test_one_wild_latitude_is_not_called_swapped():
    """A single typing slip among many rows is reported as that row."""
    rows = np.tile([[10.0, 50.0]], (100, 1))
    rows[42, 1] = 500.0
    with pytest.raises(CoordinateError, match=r"1 of 100 rows .*row 42: \(10, 500\) out_of_range"):
        check_lonlat(rows)


def test_metres_are_not_degrees():
    """Projected coordinates get the advice to reproject."""
    with pytest.raises(CoordinateError, match="reproject to EPSG:4326"):
        check_lonlat([[652_381.0, 6_862_047.0]])


@pytest.mark.parametrize("columns", [("lat", "lon"), ("Latitude", "Longitude"), ("y", "x"), (" LAT ", "lng")])
def test_tables_with_latitude_first_are_refused(columns):
    """A table whose column names say latitude first is refused though its numbers would do."""
    with pytest.raises(CoordinateError, match="latitude first"):
        check_lonlat(pd.DataFrame([[1.0, 2.0]], columns=columns))


def test_tables_with_longitude_first_pass():
    """A table in the right order is read as an array."""
    assert check_lonlat(pd.DataFrame({"lon": [1.0], "lat": [2.0]})).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("nothing", [[], np.empty((0, 2)), np.empty(0), ()])
def test_no_rows_are_no_error(nothing):
    """Nothing in, nothing out, with two columns."""
    assert check_lonlat(nothing).shape == (0, 2)


@given(numbers.filter(lambda x: abs(x) <= 90))
def test_one_place_may_stand_alone(value):
    """A flat pair is one row."""
    assert check_lonlat((value, value)).shape == (1, 2)


@pytest.mark.parametrize(
    "wrong",
    [[1.0], [1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]], np.zeros((2, 2, 2)), [[1.0, 2.0], [3.0]], "here", [["a", "b"]], {1: 2}],
)
def test_wrong_shapes_and_types_are_refused(wrong):
    """Anything but two columns of numbers is refused by name."""
    with pytest.raises(CoordinateError, match="points must"):
        check_lonlat(wrong, name="points")


def test_none_is_missing():
    """None among numbers is a missing value with its row."""
    with pytest.raises(CoordinateError, match=r"row 1: \(nan, 2\) missing"):
        check_lonlat([[1.0, 2.0], [None, 2.0]])


def test_long_lists_of_bad_rows_are_cut():
    """Five rows are shown, the others counted."""
    with pytest.raises(CoordinateError, match=r"row 4: .*, and 5 more"):
        check_lonlat(np.full((10, 2), np.nan))
