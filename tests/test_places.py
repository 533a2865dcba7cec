"""`embed`: rows in, the same rows out with columns behind them, and no bad row that passes in silence."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis.coordinates import STATUS_WITH_VALUES
from geoconcept_gis.errors import Cancelled, ConceptError, CoordinateError, InputError, SeamWarning
from geoconcept_gis.model import as_model
from tests.conftest import linear_copy
from tests.strategies import bad_shapes, frames, good_shapes, inner, pairs

NAMES = ["hot desert climate", "tundra climate"]
COLUMNS = ["concept_hot_desert_climate", "concept_tundra_climate"]
EMBEDDING = [f"embedding_{k:03d}" for k in range(512)]
any_frames = frames(st.one_of(good_shapes, bad_shapes))


def points(*lonlat, **more):
    x, y = zip(*lonlat, strict=True) if lonlat else ((), ())
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs="EPSG:4326", **more)


def kept(before, after):
    """Whether `after` starts with `before`: same rows, index, columns, geometry, CRS."""
    assert isinstance(after, gpd.GeoDataFrame)
    assert after.crs == before.crs
    assert after.geometry.name == before.geometry.name
    pd.testing.assert_index_equal(after.index, before.index, exact=True)
    assert list(after.columns[: before.shape[1]]) == list(before.columns)
    name = before.geometry.name
    assert shapely.to_wkb(after[name].array).tolist() == shapely.to_wkb(before[name].array).tolist()
    old = after[list(before.columns)].drop(columns=name)
    pd.testing.assert_frame_equal(pd.DataFrame(old), pd.DataFrame(before.drop(columns=name)))


def test_values_are_the_models_own(model):
    """Columns hold what encode and score return for the same places, float32, in the order asked for."""
    places = gc.world_places().head(50)
    lonlat = np.stack([places.geometry.x, places.geometry.y], axis=1)
    out = gc.embed(places, "all", NAMES, model)
    kept(places, out)
    assert list(out.columns[places.shape[1] :]) == COLUMNS + EMBEDDING
    assert (out.dtypes.iloc[places.shape[1] :] == np.float32).all()
    np.testing.assert_array_equal(out[EMBEDDING].to_numpy(), model.encode(lonlat))
    np.testing.assert_array_equal(out[COLUMNS].to_numpy(), model.score(lonlat, NAMES))


def test_features_choose_the_columns(model):
    """Concepts alone, embedding alone; None means all but grade D; the default is concepts."""
    place = points((31.2, 30.0))
    assert list(gc.embed(place, concepts=NAMES, model=model).columns) == ["geometry", *COLUMNS]
    assert list(gc.embed(place, "embedding", model=model).columns) == ["geometry", *EMBEDDING]
    assert gc.embed(place, model=model).shape[1] == 1 + len(model.bank.shown)


@pytest.mark.parametrize("within", ["point", "mean"])
def test_one_pass_over_the_encoder(model, within):
    """Concepts and embedding together cost each point one encoding."""
    fake, backend = linear_copy(model)
    gc.embed(points((1, 1), (2, 2), (2, 2)), "all", NAMES, fake, within=within)
    assert backend.points == 3


def test_the_default_model_is_loaded_once():
    """Without a model the bundled one is used, the same object each time."""
    assert as_model(None) is as_model(None)
    expected = as_model(None).score([31.2, 30.0], "BWh")
    assert gc.embed(points((31.2, 30.0)), concepts="BWh")["concept_hot_desert_climate"].iloc[0] == expected[0, 0]


def test_a_model_may_be_a_name_or_a_folder(model, tmp_path):
    """Names and folders are opened; anything else is refused."""
    saved = model.save(tmp_path / "mine")
    for given_model in ("geoclip", saved, str(saved)):
        assert "concept_tundra_climate" in gc.embed(points((0, 0)), concepts="ET", model=given_model)
    with pytest.raises(InputError, match="model must be"):
        gc.embed(points((0, 0)), model=42)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(any_frames, st.sampled_from(["point", "mean"]))
def test_every_row_has_values_or_a_reason(cheap_model, frame, within):
    """With invalid='null' all rows stay, and are null exactly where the status says so."""
    before = frame.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = gc.embed(frame, "all", NAMES, cheap_model, "null", within=within, samples=4)
    kept(before, out)
    assert list(out.columns[before.shape[1] :]) == [*COLUMNS, *EMBEDDING, "geoconcept_status"]
    good = out["geoconcept_status"].isin(STATUS_WITH_VALUES).to_numpy()
    finite = np.isfinite(out[COLUMNS + EMBEDDING].to_numpy())
    assert finite[good].all()
    assert not finite[~good].any()


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(any_frames)
def test_raise_names_every_bad_row(cheap_model, frame):
    """With invalid='raise' there is either a value for every row or an error with positions and labels."""
    state = gc.embed(frame, concepts=NAMES, model=cheap_model, invalid="null")["geoconcept_status"]
    bad = np.flatnonzero(~state.isin(STATUS_WITH_VALUES))
    if not len(bad):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeamWarning)
            assert gc.embed(frame, concepts=NAMES, model=cheap_model)[COLUMNS].notna().all(axis=None)
        return
    with pytest.raises(CoordinateError) as caught:
        gc.embed(frame, concepts=NAMES, model=cheap_model)
    for row in bad[:5]:
        assert f"row {row} (index {frame.index.tolist()[row]!r})" in str(caught.value)
    assert f"{len(bad)} of {len(frame)} rows" in str(caught.value)


@given(st.lists(pairs, max_size=6))
def test_points_get_the_status_of_their_coordinates(cheap_model, lonlat):
    """For points in EPSG:4326 the status column is what `coordinates.status` says."""
    out = gc.embed(points(*lonlat), concepts=NAMES, model=cheap_model, invalid="null")
    assert list(out["geoconcept_status"]) == gc.coordinates.status(lonlat).tolist()


def test_statuses(model):
    """Each status in one table: three with values, four without."""
    shapes = [
        shapely.Point(10, 50),
        shapely.Point(179.8, 0),
        shapely.Point(0, -89.9),
        None,
        shapely.Point(),
        shapely.Point(np.nan, 0),
        shapely.Point(np.inf, 0),
        shapely.Point(0, 91),
        shapely.Point(10, 50, np.nan),
    ]
    out = gc.embed(gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326"), concepts=NAMES, model=model, invalid="null")
    assert list(out["geoconcept_status"]) == [
        *("ok", "near_seam", "near_pole"),
        *("missing", "missing", "missing", "infinite", "out_of_range"),
        "ok",
    ]
    lost = gpd.GeoDataFrame(geometry=[shapely.Point(1e9, 0)], crs="EPSG:3857")
    out = gc.embed(lost, concepts=NAMES, model=model, invalid="null")
    assert out["geoconcept_status"].item() == "not_projectable"
    assert out[COLUMNS].isna().all(axis=None)
    with pytest.raises(CoordinateError, match=r"row 0 \(index 0\): \(1e\+09, 0\) not_projectable"):
        gc.embed(lost, model=model)


def test_one_seam_warning_with_the_count(model):
    """Places near the seam or a pole raise one warning that counts them; a status column takes its place."""
    places = points((179.9, 0), (-179.6, 10), (0, 89.9), (0, 0))
    with pytest.warns(SeamWarning, match="3 of 4 places") as caught:
        gc.embed(places, concepts=NAMES, model=model)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    gc.embed(places, concepts=NAMES, model=model, invalid="null")


def test_a_polygon_that_touches_the_seam_is_flagged(model):
    """With within='mean' a shape counts as near the seam if any of its points is."""
    frame = gpd.GeoDataFrame(geometry=[shapely.box(170, 0, 190, 10), shapely.box(0, 80, 10, 90)], crs="EPSG:4326")
    out = gc.embed(frame, concepts=NAMES, model=model, invalid="null", within="mean", samples=200)
    assert list(out["geoconcept_status"]) == ["near_seam", "near_pole"]
    with pytest.warns(SeamWarning, match="2 of 2 places"):
        gc.embed(frame, concepts=NAMES, model=model, within="mean", samples=200)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:2154", "EPSG:4258", "EPSG:8857"])
def test_projected_frames_get_the_same_values(model, crs):
    """Reprojecting the input changes nothing but rounding."""
    rng = np.random.default_rng(0)
    places = points(*zip(rng.uniform(-4, 8, 20), rng.uniform(42, 51, 20), strict=True))
    here = gc.embed(places, "all", NAMES, model)
    there = gc.embed(places.to_crs(crs), "all", NAMES, model)
    assert there.crs == crs
    np.testing.assert_allclose(there[COLUMNS + EMBEDDING], here[COLUMNS + EMBEDDING], atol=1e-4)


@given(inner)
def test_longitudes_wrap(cheap_model, place):
    """A place has one value, whichever way round its longitude is written."""
    lon, lat = place
    turned = (lon + 360.0 if lon < 0 else lon - 360.0, lat)
    out = gc.embed(points(place, turned), "embedding", model=cheap_model, invalid="null")
    np.testing.assert_allclose(out[EMBEDDING].iloc[0], out[EMBEDDING].iloc[1], atol=1e-4)


def test_height_is_ignored(model):
    """A third coordinate changes nothing."""
    flat, high = points((31.2, 30.0)), points((31.2, 30.0))
    high.geometry = gpd.GeoSeries([shapely.Point(31.2, 30.0, 4000.0)], crs="EPSG:4326")
    np.testing.assert_array_equal(
        gc.embed(flat, "embedding", model=model)[EMBEDDING], gc.embed(high, "embedding", model=model)[EMBEDDING]
    )


def test_shapes_are_valued_at_their_stated_point(model):
    """Lines half-way along, areas at their representative point, both in the frame's own CRS."""
    line = shapely.LineString([(0, 40), (10, 50)])
    area = shapely.box(20, 40, 24, 44)
    out = gc.embed(gpd.GeoDataFrame(geometry=[line, area], crs="EPSG:4326"), "embedding", model=model)
    np.testing.assert_array_equal(out[EMBEDDING], model.encode([[5, 45], [22, 42]]))


def test_mean_is_the_plain_mean_of_every_column(model):
    """within='mean' averages each column over the shape's points: here a MultiPoint's own."""
    cloud = [(10.0, 50.0), (31.2, 30.0), (-60.0, -3.1)]
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0), shapely.MultiPoint(cloud)], crs="EPSG:4326")
    out = gc.embed(frame, "all", NAMES, model, within="mean")
    np.testing.assert_allclose(out[EMBEDDING].iloc[1], model.encode(cloud).mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out[COLUMNS].iloc[1], model.score(cloud, NAMES).mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out[EMBEDDING].iloc[0], model.encode([0, 0])[0], atol=1e-6)


def test_mean_over_a_polygon_is_repeatable_and_central(linear):
    """Twice the same; and for an encoder linear in (lon, lat) close to the value at the middle."""
    fake, backend = linear
    small = gpd.GeoDataFrame(geometry=[shapely.box(10, 0, 12, 2), shapely.box(50, 1, 51, 2)], crs="EPSG:4326")
    first = gc.embed(small, "embedding", model=fake, within="mean", samples=64)
    assert backend.points == 128
    pd.testing.assert_frame_equal(first, gc.embed(small, "embedding", model=fake, within="mean", samples=64))
    middle = fake.encode([[11, 1], [50.5, 1.5]])
    np.testing.assert_allclose(first[EMBEDDING], middle, atol=0.01)
    reversed_rows = gc.embed(small.iloc[::-1], "embedding", model=fake, within="mean", samples=64)
    pd.testing.assert_frame_equal(first, reversed_rows.iloc[::-1])


def test_slivers_fall_back_to_their_point(model):
    """A polygon in which no sample falls gets the value of its representative point."""
    sliver = shapely.Polygon([(0, 0), (1, 1), (2, 2)])
    frame = gpd.GeoDataFrame(geometry=[sliver, shapely.box(5, 5, 6, 6)], crs="EPSG:4326")
    out = gc.embed(frame, "embedding", model=model, within="mean", samples=4)
    expected = gc.embed(frame, "embedding", model=model)
    np.testing.assert_allclose(out[EMBEDDING].iloc[0], expected[EMBEDDING].iloc[0], atol=1e-6)
    assert not np.allclose(out[EMBEDDING].iloc[1], expected[EMBEDDING].iloc[1], atol=1e-4)


@pytest.mark.parametrize("features", ["concepts", "embedding", "all"])
@pytest.mark.parametrize("invalid", ["raise", "null"])
@pytest.mark.parametrize("within", ["point", "mean"])
def test_no_rows_still_have_columns(model, features, invalid, within):
    """Zero rows give the columns and types that many rows give."""
    one = points((1, 1))
    concepts = None if features == "embedding" else NAMES
    many = gc.embed(one, features, concepts, model, invalid, within=within)
    none = gc.embed(one.head(0), features, concepts, model, invalid, within=within)
    assert len(none) == 0
    assert list(none.columns) == list(many.columns)
    assert list(none.dtypes) == list(many.dtypes)
    assert none.crs == "EPSG:4326"


def test_provenance_goes_along(model):
    """attrs say how the columns were made; the caller's own attrs stay, and the input is left alone."""
    places = points((31.2, 30.0))
    places.attrs["mine"] = 1
    out = gc.embed(places, "all", NAMES, model, within="mean", samples=5)
    record = out.attrs["geoconcept"]
    assert out.attrs["mine"] == 1
    assert "geoconcept" not in places.attrs
    assert all(isinstance(value, str) for value in record.values())
    assert record["features"] == "all"
    assert record["within"] == "mean"
    assert record["samples"] == "5"
    assert record["concepts"] == "hot desert climate; tundra climate"
    assert record["model_sha256"] == model.sha256
    assert "kind" not in gc.embed(places, "embedding", model=model).attrs["geoconcept"]


@pytest.mark.parametrize("kind", ["calibrated", "percentile", "cosine"])
def test_kind_goes_to_the_scorer(model, kind):
    """Scores come in the kind asked for, and the provenance names it."""
    out = gc.embed(points((31.2, 30.0)), concepts=NAMES, model=model, kind=kind)
    np.testing.assert_array_equal(out[COLUMNS], model.score([31.2, 30.0], NAMES, kind=kind))
    assert out.attrs["geoconcept"]["kind"] == kind


def test_columns_are_never_overwritten(model):
    """A clash is refused by name, for features and for the status column; unrelated columns are not in the way."""
    taken = points((1, 1)).assign(concept_tundra_climate=1.0, geoconcept_status="mine")
    with pytest.raises(InputError, match="already: concept_tundra_climate; rename"):
        gc.embed(taken, concepts=NAMES, model=model)
    with pytest.raises(InputError, match="already: geoconcept_status"):
        gc.embed(taken, concepts="BWh", model=model, invalid="null")
    assert "concept_hot_desert_climate" in gc.embed(taken, concepts="BWh", model=model)


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (pd.DataFrame({"lon": [1.0], "lat": [2.0]}), "points_from_xy"),
        (gpd.GeoSeries([shapely.Point(0, 0)], crs="EPSG:4326"), "to_frame"),
        (np.zeros((2, 2)), "got ndarray"),
        (gpd.GeoDataFrame({"a": [1]}), "set_geometry"),
        (gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)]), "set_crs"),
    ],
)
def test_only_frames_with_crs_are_taken(model, wrong, advice):
    """Anything but a GeoDataFrame with geometry and CRS is refused with what to do."""
    with pytest.raises(InputError, match=advice):
        gc.embed(wrong, model=model)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": "vectors"}, InputError, "features must be one of 'concepts', 'embedding', 'all'"),
        ({"invalid": "drop"}, InputError, "invalid must be one of"),
        ({"within": "box"}, InputError, "within must be one of"),
        ({"kind": "probability"}, InputError, "kind must be one of"),
        ({"samples": 0}, InputError, "samples must be"),
        ({"samples": 2.5}, InputError, "samples must be"),
        ({"features": "embedding", "concepts": "BWh"}, InputError, "leave concepts out"),
        ({"concepts": "hot dessert"}, ConceptError, "did you mean 'hot desert climate'"),
    ],
)
def test_wrong_options_are_refused(model, options, error, message):
    """Unknown options are named before any work is done."""
    with pytest.raises(error, match=message):
        gc.embed(points((0, 0)), model=model, **options)


def test_swapped_frames_are_named(model):
    """A frame whose points hold latitude first is told so."""
    with pytest.raises(CoordinateError, match="look swapped"):
        gc.embed(points((35.7, 139.7), (48.9, 2.4)), model=model)


def test_metres_labelled_as_degrees_are_named(model):
    """Projected numbers under EPSG:4326 are told to be no degrees."""
    with pytest.raises(CoordinateError, match="may be the wrong CRS"):
        gc.embed(points((652_381.0, 6_862_047.0)), model=model)


def test_progress_counts_points_and_cancels(linear):
    """Progress ends at all points; returning true stops with nothing returned."""
    fake, _ = linear
    places = points(*[(k / 100, 0) for k in range(10_000)])
    calls = []
    gc.embed(places, concepts=NAMES, model=fake, progress=lambda *call: calls.append(call))
    assert calls == [(8192, 10_000), (10_000, 10_000)]
    squares = places.head(100).set_geometry(shapely.box(0, 0, np.arange(1, 101) / 10, 1))
    gc.embed(squares, concepts=NAMES, model=fake, within="mean", progress=lambda *call: calls.append(call))
    assert calls[-1] == (3200, 3200)
    with pytest.raises(Cancelled):
        gc.embed(places, concepts=NAMES, model=fake, progress=lambda done, total: True)


def test_a_million_rows(linear):
    """10^6 rows with a repeated index: every point once, chunk by chunk, one block of columns, values in place."""
    fake, backend = linear
    rng = np.random.default_rng(0)
    lonlat = np.stack([rng.uniform(-179, 179, 10**6), rng.uniform(-89, 89, 10**6)], axis=1)
    frame = gpd.GeoDataFrame(
        {"id": np.arange(10**6)}, geometry=gpd.points_from_xy(*lonlat.T), crs="EPSG:4326", index=np.arange(10**6) // 3
    )
    out = gc.embed(frame, concepts=NAMES, model=fake, invalid="null")
    assert backend.points == 10**6
    assert backend.largest == backend.chunk_size
    assert out.index.equals(frame.index)
    rows = rng.integers(0, 10**6, 100)
    np.testing.assert_allclose(out[COLUMNS].to_numpy()[rows], fake.score(lonlat[rows], NAMES), atol=1e-6)
    assert (out["id"].to_numpy() == np.arange(10**6)).all()
