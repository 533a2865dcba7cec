"""Moran's I against known answers and a slow reference; maps of predictions and residuals."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from PIL import Image

from geoconcept_gis import morans_i, prediction_maps
from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.evaluation import distance_km
from tests.learn.test_folds import sphere


def ring(count):
    """Places all round the equator, across the antimeridian."""
    lon = np.arange(count) * 360.0 / count - 180.0
    return np.column_stack([lon, np.zeros(count)])


@pytest.mark.parametrize(("count", "waves"), [(36, 1), (36, 5), (100, 3)])
def test_a_wave_round_the_equator(count, waves):
    """The mean of a cosine's two neighbours is the cosine times cos(step): that is Moran's I, antimeridian and all."""
    places = ring(count)
    found = morans_i(places, 7.0 + 3.0 * np.cos(np.radians(waves * places[:, 0])), k=2, permutations=99)
    assert found.value == pytest.approx(np.cos(2 * np.pi * waves / count))
    assert found.p_value == pytest.approx(0.01)
    assert found.expected == pytest.approx(-1 / (count - 1))


def test_alternating_values():
    """Every neighbour differs: I is -1, and no shuffle is as low, so all are as large."""
    found = morans_i(ring(40), np.tile([1.0, -1.0], 20), k=2, permutations=99)
    assert (found.value, found.p_value) == (pytest.approx(-1.0), 1.0)


def test_values_that_know_nothing_of_each_other():
    """Over many draws I is -1 / (n - 1) on average and its p-value is spread evenly."""
    places = sphere(60)
    found = [
        morans_i(places, np.random.default_rng(seed).normal(size=60), permutations=49, seed=seed) for seed in range(200)
    ]
    assert np.mean([one.value for one in found]) == pytest.approx(-1 / 59, abs=0.01)
    p = np.array([one.p_value for one in found])
    assert np.mean(p <= 0.1) == pytest.approx(0.1, abs=0.05)
    assert np.mean(p) == pytest.approx(0.51, abs=0.05)


def test_against_a_slow_reference():
    """Neighbours by all distances, weights in a full matrix; near the poles too."""
    places = np.concatenate([sphere(50), [[0.0, 90.0], [10.0, 89.5], [-170.0, 89.0]]])
    values = places[:, 1] + np.random.default_rng(0).normal(size=53) * 20
    n = len(places)
    km = distance_km(np.repeat(places, n, axis=0), np.tile(places, (n, 1)), method="haversine").reshape(n, n)
    np.fill_diagonal(km, np.inf)
    weights = np.zeros((n, n))
    np.put_along_axis(weights, np.argsort(km, axis=1)[:, :5], 0.2, axis=1)
    z = values - values.mean()
    found = morans_i(places, values, k=5, permutations=0)
    assert found.value == pytest.approx(n / weights.sum() * (z @ weights @ z) / (z @ z))
    assert np.isnan(found.p_value)
    assert str(found) == f"Moran's I {found.value:.3f} (5 nearest places)"


def test_many_places_on_one_spot():
    """A place is never its own neighbour, even where more than k share its spot."""
    places = np.repeat([[0.0, 0.0], [90.0, 0.0]], 10, axis=0)
    found = morans_i(places, np.tile([1.0, -1.0], 10), k=3, permutations=0)
    assert found.value < 0.5
    assert morans_i(places, np.repeat([1.0, -1.0], 10), k=3, permutations=0).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        (np.ones(30), {}, "all the same"),
        (np.full(30, 0.1), {}, "all the same"),
        ([*range(29), np.nan], {}, "1 of 30 values that are missing or infinite, the first in row 29"),
        (range(29), {}, "one number for each of the 30 places"),
        (["a"] * 30, {}, "must hold numbers"),
        (range(30), {"k": 30}, "k must be from 1 to 29"),
    ],
)
def test_values_without_an_answer(values, settings, words):
    """They are refused with a reason."""
    with pytest.raises(InputError, match=words):
        morans_i(ring(30), values, **settings)


def drawn(figure):
    """Return, for each map, the numbers and the positions of its places."""
    found = [next(c for c in ax.collections if isinstance(c, PathCollection)) for ax in figure.axes[::2]]
    return [np.asarray(dots.get_array()) for dots in found], [np.asarray(dots.get_offsets()) for dots in found]


def test_maps_show_every_place(tmp_path):
    """Three maps hold observed, predicted and residual; observed and predicted share colours; the file is a picture."""
    places = sphere(300)
    observed, predicted = places[:, 1], places[:, 1] + 5.0
    figure = prediction_maps(
        places,
        observed,
        predicted,
        label="degrees",
        title="Latitude",
        permutations=9,
        path=tmp_path / "maps.png",
        dpi=50,
    )
    values, offsets = drawn(figure)
    for shown, expected in zip(values, (observed, predicted, observed - predicted), strict=True):
        assert np.array_equal(shown, expected)
    assert np.array_equal(offsets[0], places)
    limits = [ax.collections[0].get_clim() for ax in figure.axes[::2]]
    assert limits[0] == limits[1] and limits[2] == pytest.approx((-5.0, 5.0))
    note = figure.texts[-1].get_text()
    assert "300 places" in note and "error 5" in note and "Moran" not in note  # residuals all alike cannot cluster
    with Image.open(tmp_path / "maps.png") as picture:
        assert picture.size[0] > 300


def test_a_map_across_the_antimeridian():
    """Fiji stays in one piece, its longitudes running on past 180; coastlines are drawn there."""
    places = np.array([[177.0, -18.0], [179.9, -17.0], [-179.5, -16.5], [-178.0, -19.0]])
    figure = prediction_maps(places, [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0], k=2, permutations=0)
    ax = figure.axes[0]
    assert drawn(figure)[1][0][:, 0].tolist() == pytest.approx([177.0, 179.9, 180.5, 182.0])
    assert np.diff(ax.get_xlim())[0] < 10
    assert any(np.isfinite(line.get_xdata()).any() for line in ax.lines)


@pytest.mark.parametrize(
    "places", [[[10.0, 50.0]], [[0.0, 90.0], [90.0, 89.0]], sphere(50) * [1.0, 0.02], sphere(30) * [0.02, 1.0]]
)
def test_maps_of_any_shape(places):
    """One place, places at a pole, in a band or in a line get maps with room, inside the world."""
    ys = np.arange(len(places), dtype=float)
    figure = prediction_maps(places, ys, ys[::-1], permutations=0)
    for ax in figure.axes[::2]:
        south, north = ax.get_ylim()
        assert -90 <= south < north <= 90
        box = ax.get_position()
        tallness = box.height * figure.get_figheight() / (box.width * figure.get_figwidth())
        assert 0.25 < tallness < 2.0


def test_maps_refuse_what_they_cannot_draw(tmp_path):
    """Labels that are no numbers, rows that are missing, files that are no pictures; nothing is written."""
    with pytest.raises(InputError, match="y must hold numbers"):
        prediction_maps(ring(3), ["a", "b", "c"], [1, 2, 3])
    with pytest.raises(InputError, match="predicted must hold one number"):
        prediction_maps(ring(3), [1, 2, 3], [1, 2])
    with pytest.raises(CoordinateError, match="row 1"):
        prediction_maps([[0, 0], [0, 95], [0, 1]], [1, 2, 3], [1, 2, 3])
    with pytest.raises(InputError, match="must end in"):
        prediction_maps(ring(3), [1, 2, 3], [1, 2, 4], path=tmp_path / "maps.txt")
    assert not list(tmp_path.iterdir())
