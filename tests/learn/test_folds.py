"""Folds, leakage and learning curves: against slow references, across antimeridian and poles, inside scikit-learn."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

from geoconcept_gis import SpatialFolds, leakage, learning_curve, spatial_folds
from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.evaluation import distance_km
from geoconcept_gis.learn.folds import blocks_of
from tests.strategies import places


def sphere(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))])


def nearest(a, b):
    """Slow great-circle distance from each place of `a` to the nearest of `b`."""
    pairs = np.repeat(a, len(b), axis=0), np.tile(b, (len(a), 1))
    return distance_km(*pairs, method="haversine").reshape(len(a), len(b)).min(axis=1)


WORLD = sphere(600)
SETTINGS = [
    {"method": "blocks", "degrees": 20.0},
    {"method": "blocks", "degrees": 20.0, "buffer_km": 400.0},
    {"method": "buffer", "buffer_km": 50.0},
    {"method": "h3", "resolution": 0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_row_is_tested_once_and_never_trained_on_then(settings):
    """The tests part the rows; folds are of like size; training keeps its distance; the same seed cuts the same."""
    folds = spatial_folds(**settings, seed=3)
    splits = list(folds.split(WORLD))
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(600))
    for train, test in splits:
        assert not set(train) & set(test)
        assert len(test) == pytest.approx(120, abs=3)
        assert nearest(WORLD[test], WORLD[train]).min() > folds.buffer_km
    again, other = (list(spatial_folds(**settings, seed=seed).split(WORLD)) for seed in (3, 4))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(splits, again, strict=True))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(splits, other, strict=True))


def test_a_buffer_takes_away_no_more_than_it_must():
    """What is in neither part lies within the buffer of a test place, across antimeridian and poles too."""
    folds = spatial_folds(degrees=20, buffer_km=400)
    for train, test in folds.split(WORLD):
        unused = np.setdiff1d(np.arange(600), np.concatenate([train, test]))
        assert len(unused)
        assert nearest(WORLD[unused], WORLD[test]).max() <= 400.0
    ends = [[179.99, 0], [-179.99, 0], [0, 89.99], [180, 89.99], [90, 0]]
    for train, test in spatial_folds("buffer", n_splits=5, buffer_km=5).split(ends):
        assert train.tolist() == {0: [2, 3, 4], 1: [2, 3, 4], 2: [0, 1, 4], 3: [0, 1, 4], 4: [0, 1, 2, 3]}[test[0]]


def test_blocks_are_kept_whole():
    """No block of any fold is in another, and places with the same coordinates stay together in any method."""
    lonlat = np.repeat(WORLD[:200], 3, axis=0)
    for settings in SETTINGS:
        for train, test in spatial_folds(**settings).split(lonlat):
            assert not set(train // 3) & set(test // 3)
    block = blocks_of(WORLD, 20.0)
    for train, test in spatial_folds(degrees=20).split(WORLD):
        assert not set(block[train]) & set(block[test])


@pytest.mark.parametrize("degrees", [0.5, 7.0, 10.0, 30.0, 90.0])
def test_blocks_have_much_the_same_area(degrees):
    """Counted on places drawn evenly over the sphere, blocks stray from their mean area by the pieces' rounding."""
    rows = round(180 / degrees)
    lat = (np.arange(rows) + 0.5) * 180 / rows - 90
    lon = np.linspace(-180, 180, 20_000, endpoint=False)
    counts = [len(np.unique(blocks_of(np.column_stack([lon, np.full(20_000, at)]), degrees))) for at in lat]
    area = np.cos(np.radians(lat)) / counts
    inner = np.abs(lat) < 60
    assert area[inner].max() / area[inner].min() < 1.2
    assert (area[~inner] > 0.5 * area[inner].mean()).all()
    assert (area[~inner] < 1.8 * area[inner].mean()).all()


@given(st.lists(places, min_size=1, max_size=20), st.floats(0.3, 90.0))
def test_blocks_hold_near_places_only(lonlat, degrees):
    """Two places of a block are no further apart than its diagonal; turning once round the Earth changes no block."""
    pairs = np.array(lonlat)
    wrapped = np.column_stack([(pairs[:, 0] + 180.0) % 360.0 - 180.0, pairs[:, 1]])
    block = blocks_of(wrapped, degrees)
    assert (block >= 0).all()
    height = 180.0 / max(1, round(180.0 / degrees))
    for k in np.flatnonzero(block == block[0]):
        assert abs(wrapped[k, 1] - wrapped[0, 1]) <= height + 1e-9
        # Three pieces meet at a pole at least where rows are low.
        assert nearest(wrapped[[k]], wrapped[[0]])[0] <= 111.2 * height * 3.0


def test_groups():
    """Groups of any kind stay whole, and need no coordinates unless there is a buffer."""
    names = np.array(["a", "b", "c", "d", "e", "f"], dtype=object)[np.arange(600) % 6]
    features = np.zeros((600, 7))
    for train, test in spatial_folds("group", n_splits=3).split(features, groups=names):
        assert not set(names[train]) & set(names[test])
    with_buffer = spatial_folds("group", n_splits=3, buffer_km=100, lonlat=WORLD)
    train, test = next(with_buffer.split(features, groups=names))
    assert nearest(WORLD[test], WORLD[train]).min() > 100
    scores = cross_val_score(Ridge(), WORLD, WORLD[:, 1], cv=spatial_folds("group"), groups=names)
    assert scores.shape == (5,)


def test_inside_scikit_learn():
    """Searches, predictions, nested searches, clones and metadata routing take the splitter."""
    table = pd.DataFrame({"rain": WORLD[:, 1] ** 2, "Longitude": WORLD[:, 0], "Latitude": WORLD[:, 1]})
    folds = spatial_folds(degrees=20, n_splits=3)
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=folds)
    assert search.fit(table, WORLD[:, 1]).best_score_ > 0.99
    assert cross_val_score(search, table, WORLD[:, 1], cv=spatial_folds(degrees=30, n_splits=3)).min() > 0.99
    assert cross_val_predict(Ridge(), table, WORLD[:, 1], cv=folds).shape == (600,)
    assert clone(search).cv.degrees == 20
    with sklearn.config_context(enable_metadata_routing=True):
        groups = np.arange(600) % 7
        fitted = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=spatial_folds("group")).fit(WORLD, groups, groups=groups)
    assert fitted.n_splits_ == 5
    assert "lonlat" not in repr(spatial_folds(lonlat=WORLD))


def test_where_coordinates_come_from():
    """Two columns, named columns, given columns, a geometry in any CRS, and `lonlat` all cut the same."""
    expected = [test.tolist() for _, test in spatial_folds(degrees=20).split(WORLD)]
    frame = pd.DataFrame(WORLD, columns=["lng", "LAT"]).assign(other=1.0)
    wide = np.column_stack([np.ones(600), WORLD[:, 1], WORLD[:, 0]])
    inner = np.abs(WORLD[:, 1]) < 85
    shapes = gpd.GeoDataFrame({"other": np.ones(600)}, geometry=gpd.points_from_xy(*WORLD.T), crs="EPSG:4326")
    for X, settings in [
        (frame, {}),
        (frame.rename(columns={"lng": "u", "LAT": "v"}), {"lon": "u", "lat": "v"}),
        (wide, {"lon": 2, "lat": 1}),
        (shapes, {}),
        (wide, {"lonlat": WORLD}),
        (wide, {"lonlat": shapes}),
    ]:
        assert [test.tolist() for _, test in spatial_folds(degrees=20, **settings).split(X)] == expected
    projected = shapes[inner].to_crs("EPSG:3857")
    assert [test.tolist() for _, test in spatial_folds(degrees=20).split(projected)] == [
        test.tolist() for _, test in spatial_folds(degrees=20).split(WORLD[inner])
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "kmeans"}, "method must be one of 'blocks', 'buffer', 'h3', 'group'"),
        ({"n_splits": 1}, "n_splits must be a whole number, 2 at least; got 1"),
        ({"degrees": 0}, "degrees must be over 0"),
        ({"buffer_km": -1}, "buffer_km must be 0 or more"),
        ({"buffer_km": 21_000}, "less than half round the Earth"),
        ({"method": "buffer"}, "needs buffer_km"),
        ({"method": "h3"}, "needs resolution: 1 for the world"),
        ({"method": "h3", "resolution": 16}, "H3 resolution is a whole number"),
        ({"lon": "x"}, "lon and lat go together"),
    ],
)
def test_settings_that_make_no_sense(settings, words):
    """They are refused at once."""
    with pytest.raises(InputError, match=words):
        spatial_folds(**settings)


@pytest.mark.parametrize(
    ("settings", "X", "words"),
    [
        ({"degrees": 90}, [[1, 1], [2, 2], [3, 3]], "3 rows lie in 1 blocks of 90 degrees, too few for n_splits=5"),
        ({"method": "h3", "resolution": 0}, [[1, 1]] * 9, "take a higher resolution or fewer folds"),
        ({"method": "buffer", "buffer_km": 1}, [[1, 1]] * 9, "1 different places, too few .*: take fewer folds"),
        ({"n_splits": 2, "buffer_km": 9000}, [[0, 0], [30, 0]], "fold 0 has no training place left"),
        ({}, np.zeros((9, 3)), r"X has shape \(9, 3\): say which columns"),
        ({}, pd.DataFrame({"x": [1.0], "lat": [2.0]}), "'lon' or 'lng' .* has 0 among"),
        ({}, pd.DataFrame({"lon": [1.0], "lat": [2.0], "Latitude": [2.0]}), "'lat' or 'latitude', and has 2"),
        ({"lon": "lon", "lat": "lat"}, np.zeros((9, 3)), "X has no column names"),
        ({"lonlat": WORLD}, np.zeros((9, 3)), "lonlat has 600 places and X 9 rows"),
        ({"method": "group"}, WORLD, "needs groups, one for each row"),
    ],
)
def test_rows_that_cannot_be_split(settings, X, words):
    """The message says what is short and what to do."""
    with pytest.raises(InputError, match=words):
        list(spatial_folds(**settings).split(X))


def test_rows_without_a_place_or_group_are_named():
    """Neither is dropped in silence."""
    with pytest.raises(CoordinateError, match=r"row 1: .* missing"):
        list(spatial_folds().split([[1.0, 2.0], [np.nan, 3.0]]))
    shapes = gpd.GeoDataFrame(geometry=gpd.GeoSeries.from_wkt(["POINT (1 2)", "POINT EMPTY"], crs="EPSG:4326"))
    with pytest.raises(CoordinateError, match="row 1"):
        list(spatial_folds().split(shapes))
    for groups in ([1.0, np.nan, 2.0], np.array(["a", None, "b"], dtype=object)):
        with pytest.raises(InputError, match="1 of 3 rows without a group, the first of them row 1"):
            list(spatial_folds("group", n_splits=2).split(np.zeros((3, 2)), groups=groups))
    with pytest.raises(InputError, match="one value for each of the 3 rows"):
        list(spatial_folds("group").split(np.zeros((3, 2)), groups=[1, 2]))


def test_leakage_measures_distances():
    """Quantiles and shares are those of slow distances; rows in neither part are counted."""
    folds = spatial_folds(degrees=20, buffer_km=300)
    report = leakage(WORLD, folds)
    for row, (train, test) in zip(report.itertuples(), folds.split(WORLD), strict=True):
        km = nearest(WORLD[test], WORLD[train])
        assert (row.n_train, row.n_test, row.n_unused) == (len(train), len(test), 600 - len(train) - len(test))
        assert [row.km_min, row.km_q10, row.km_median, row.km_q90] == pytest.approx(np.quantile(km, [0, 0.1, 0.5, 0.9]))
        assert (row.within_50km, row.same) == (0.0, 0.0)


def test_leakage_tells_copies_gaps_and_new_ground_apart():
    """Doubled rows, random rows and blocks get three different verdicts."""
    doubled = np.repeat(WORLD, 2, axis=0)
    random = KFold(5, shuffle=True, random_state=0)
    copies = leakage(doubled, random)
    assert copies["verdict"].str.startswith("leaks: ").all()
    assert (copies["same"] > 0.5).all() and (copies["within_1km"] >= copies["same"]).all()
    assert leakage(WORLD, random)["verdict"].str.startswith("fills gaps").all()
    assert leakage(sphere(6000), spatial_folds(degrees=30))["verdict"].str.startswith("new ground").all()
    across = leakage([[180.0, 5.0], [-180.0, 5.0], [10.0, 5.0]], [([1, 2], [0])])
    assert across["same"].tolist() == [1.0]


def test_leakage_takes_the_columns_of_other_names():
    """The places handed over count, whatever columns the folds look for in X."""
    folds = spatial_folds(degrees=20, lon="u", lat="v")
    assert leakage(WORLD, folds).equals(leakage(WORLD, spatial_folds(degrees=20)))
    assert isinstance(folds, SpatialFolds) and folds.lonlat is None


def test_learning_curve():
    """More places, better scores, the same on every run; larger draws hold the smaller; the spread is of all fits."""
    folds = spatial_folds(degrees=20)
    curve = learning_curve(KNeighborsRegressor(1), WORLD, WORLD[:, 1], folds, sizes=[10, 50, 400], repeats=2)
    assert curve["mean"].is_monotonic_increasing and curve["sd"].is_monotonic_decreasing
    assert (curve["low"] <= curve["mean"]).all() and (curve["mean"] <= curve["high"]).all()
    assert curve["fits"].tolist() == [10, 10, 10]
    pd.testing.assert_frame_equal(
        curve, learning_curve(KNeighborsRegressor(1), WORLD, WORLD[:, 1], folds, sizes=[10, 50, 400], repeats=2)
    )
    least = min(len(train) for train, _ in folds.split(WORLD))
    default = learning_curve(Ridge(), WORLD, WORLD[:, 1], folds, repeats=1)
    assert default["places"].tolist() == [least // 16, least // 8, least // 4, least // 2, least]


def test_learning_curve_says_where_it_failed():
    """Sizes beyond the smallest training set are refused; an estimator's own error tells the fold and the size."""
    folds = spatial_folds(degrees=20)
    for size in (0, 601, 2.5):
        with pytest.raises(InputError, match="sizes must be whole numbers from 1 to"):
            learning_curve(Ridge(), WORLD, WORLD[:, 1], folds, sizes=[size])
    with pytest.raises(ValueError, match="at least 2 classes") as caught:
        learning_curve(LogisticRegression(), WORLD, WORLD[:, 1] > 0, folds, sizes=[1])
    assert caught.value.__notes__ == ["while fitting on 1 places of fold 0, draw 0"]
