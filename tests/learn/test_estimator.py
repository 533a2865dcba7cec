"""`ConceptFeatures` is a scikit-learn transformer like any other, and its features are those of `embed`."""

import gc as garbage
import json
import pickle
import subprocess
import sys
import tracemalloc
import weakref
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import SkipTestWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import geoconcept_gis as gc
from geoconcept_gis.errors import ConceptError, CoordinateError, InputError, ModelFileError
from geoconcept_gis.files import sha256_of
from geoconcept_gis.learn.estimator import LEARN_FEATURES, ConceptFeatures
from geoconcept_gis.storage import CONFIG, ENCODER_FILE

TWO = ["hot desert climate", "oceanic climate"]
#: Cairo, London, Manaus, and Cairo again.
PLACES = np.array([[31.25, 30.0], [-0.125, 51.5], [-60.0, -3.125], [31.25, 30.0]])
NO_EARTH = "this check transforms latitudes of 100 degrees, which invalid='raise' is there to refuse"


def random_places(count):
    rng = np.random.default_rng(0)
    return np.column_stack([rng.uniform(-170, 170, count), rng.uniform(-60, 70, count)])


@pytest.mark.filterwarnings(f"ignore::{SkipTestWarning.__module__}.SkipTestWarning")
@parametrize_with_checks(
    [ConceptFeatures(features, invalid=invalid) for features in LEARN_FEATURES for invalid in ("raise", "null")],
    expected_failed_checks=lambda estimator: {"check_fit_idempotent": NO_EARTH} if estimator.invalid == "raise" else {},
)
def test_scikit_learn_accepts_it(estimator, check):
    """All of scikit-learn's own checks pass, for each kind of features."""
    check(estimator)


# What comes out


@pytest.mark.parametrize("features", LEARN_FEATURES)
def test_names_fit_the_columns(features):
    """Every kind of features is float32, finite, at most 1,024 wide, and has a name for each column."""
    places = ConceptFeatures(features).set_output(transform="pandas")
    table = places.fit_transform(pd.DataFrame(PLACES, index=list("abcd")))
    assert table.columns.tolist() == places.get_feature_names_out().tolist()
    assert table.columns.is_unique and table.shape[1] <= 1024
    assert table.index.tolist() == list("abcd")
    assert set(table.dtypes) == {np.dtype("float32")}
    assert np.isfinite(table.to_numpy()).all()
    assert np.ptp(table.to_numpy()[:3], axis=0).min() > 0  # no column says the same everywhere


def test_values_are_those_of_the_model(model):
    """Concepts and embedding are what `score` and `encode` return."""
    scores = ConceptFeatures("concepts", concepts=TWO, model=model).fit_transform(PLACES)
    np.testing.assert_allclose(scores, model.score(PLACES, TWO), rtol=1e-4, atol=1e-6)
    vectors = ConceptFeatures("embedding", model=model).fit_transform(PLACES)
    np.testing.assert_allclose(vectors, model.encode(PLACES), rtol=1e-3, atol=1e-5)
    percentiles = ConceptFeatures("concepts", concepts=TWO, kind="percentile", model=model).transform(PLACES)
    assert percentiles[0, 0] > 80 > percentiles[1, 0]


def test_the_same_place_is_encoded_once(linear):
    """Rows that repeat a place, a turn of the globe apart or not, cost nothing and get the same values."""
    fake, encoder = linear
    places = np.tile(PLACES, (500, 1))
    places[:1000, 0] %= 360.0
    values = ConceptFeatures("embedding", model=fake).transform(places)
    assert encoder.points == 3
    np.testing.assert_allclose(values, np.tile(fake.encode(PLACES), (500, 1)), rtol=1e-4, atol=1e-5)


def test_columns_by_name_or_number():
    """The coordinates may be anywhere in a table, beside columns of any kind, or in an array."""
    expected = ConceptFeatures("concepts", concepts=TWO).fit_transform(PLACES)
    table = pd.DataFrame({"town": list("clmc"), "lat": PLACES[:, 1], "price": [1, 2, 3, 4], "lon": PLACES[:, 0]})
    for lon, lat in [("lon", "lat"), (3, 1), ("lon", 1)]:
        places = ConceptFeatures("concepts", lon=lon, lat=lat, concepts=TWO).fit(table)
        np.testing.assert_array_equal(places.transform(table), expected)
    assert places.n_features_in_ == 4
    assert places.feature_names_in_.tolist() == ["town", "lat", "price", "lon"]
    array = table[["lat", "price", "lon"]].to_numpy()
    np.testing.assert_array_equal(
        ConceptFeatures("concepts", lon=2, lat=0, concepts=TWO).fit_transform(array), expected
    )


def test_polars_goes_in_and_out():
    """A polars table is read, and `set_output` gives one back."""
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = polars.DataFrame({"town": list("clmc"), "lon": PLACES[:, 0], "lat": PLACES[:, 1]})
    places = ConceptFeatures("concepts", lon="lon", lat="lat", concepts=TWO).set_output(transform="polars")
    scored = places.fit_transform(table)
    assert scored.columns == ["concept_hot_desert_climate", "concept_oceanic_climate"]
    np.testing.assert_array_equal(scored.to_numpy(), ConceptFeatures("concepts", concepts=TWO).transform(PLACES))


# Rows that are no place


def test_rows_that_are_no_place_are_named():
    """Missing and impossible coordinates stop the call, and the message says which rows and what to do."""
    bad = np.vstack([PLACES, [np.nan, 1.0], [150.0, 95.0]])
    for call in (ConceptFeatures().fit, ConceptFeatures().transform):
        with pytest.raises(CoordinateError, match=r"2 of 6 rows.*row 4: .*missing, row 5: .*out_of_range.*'null'"):
            call(bad)


def test_rows_that_are_no_place_can_be_kept():
    """With ``invalid="null"`` they are rows of NaN, and all other rows are as without them."""
    places = ConceptFeatures("concepts", concepts=TWO, invalid="null")
    bad = np.vstack([PLACES, [np.nan, 1.0], [10.0, 95.0], [np.inf, 0.0]])
    values = places.fit_transform(bad)
    assert np.isnan(values[4:]).all()
    np.testing.assert_array_equal(values[:4], places.transform(PLACES))
    assert np.isnan(places.transform(bad[4:])).all()


def test_pipelines_take_rows_of_nan():
    """Trees take them as they are, ridge after an imputer, and ridge alone says why not."""
    bad = np.vstack([PLACES, [np.nan, 1.0]])
    y = np.arange(5.0)
    places = ConceptFeatures("concepts", concepts=TWO, invalid="null")
    assert np.isfinite(make_pipeline(places, HistGradientBoostingRegressor()).fit(bad, y).predict(bad)).all()
    mended = make_pipeline(places, SimpleImputer(), Ridge()).fit(bad, y)
    assert np.isfinite(mended.predict(bad)).all()
    with pytest.raises(ValueError, match="NaN"):
        make_pipeline(places, Ridge()).fit(bad, y)


def test_swapped_columns_are_refused():
    """Latitude first is seen by the columns' names, or by the values."""
    table = pd.DataFrame(PLACES[:, ::-1], columns=["lat", "lon"])
    with pytest.raises(CoordinateError, match="latitude first"):
        ConceptFeatures().fit(table)
    with pytest.raises(CoordinateError, match="looks swapped"):
        ConceptFeatures().transform([[35.7, 139.7]])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": "colours"}, InputError, "'layers', 'all'; got 'colours'"),
        ({"invalid": "drop"}, InputError, "'raise', 'null'; got 'drop'"),
        ({"lon": "x"}, InputError, r"lon='x' must name one column of X, and names 0 of the columns lon, lat"),
        ({"lat": 2}, InputError, "lat=2 must be the number of a column, from 0; X has 2 columns"),
        ({"lat": -1}, InputError, "lat=-1"),
        ({"lat": 1.0}, InputError, "the number or the name of a column; got 1.0"),
        ({"lon": True}, InputError, "got True"),
        ({"lat": "lon"}, InputError, "the same column"),
        ({"concepts": "dragon lair"}, ConceptError, "dragon lair"),
        ({"features": "embedding", "concepts": "BWh"}, InputError, "leave concepts out"),
        ({"features": "layers", "concepts": "BWh"}, InputError, "leave concepts out"),
        ({"features": "all", "kind": "cosine"}, InputError, "leave kind out of 'all'"),
        ({"kind": "loudness"}, gc.GeoConceptError, "loudness"),
        ({"model": 5}, InputError, "got int"),
        ({"model": "nowhere"}, ModelFileError, "no model 'nowhere'"),
        ({"backend": "abacus"}, gc.GeoConceptError, "abacus"),
    ],
)
def test_options_are_checked_in_fit(options, error, message):
    """Nothing is checked when it is made, everything when it is fitted, with a message that helps."""
    table = pd.DataFrame(PLACES, columns=["lon", "lat"])
    places = ConceptFeatures(**{"features": "concepts", "lon": "lon", "lat": "lat"} | options)
    with pytest.raises(error, match=message):
        places.fit(table)


def test_names_need_a_table():
    """A column is asked for by name, and X is an array."""
    with pytest.raises(InputError, match="X has no names"):
        ConceptFeatures("concepts", lon="lon", lat="lat").fit(PLACES)


def test_an_open_model_keeps_its_backend(model):
    """`backend` beside an open model would say two things at once."""
    with pytest.raises(InputError, match="leave backend out"):
        ConceptFeatures(model=model, backend="torch").fit(PLACES)


# A good citizen of scikit-learn


def test_column_transformer():
    """Other columns go on beside the features."""
    table = pd.DataFrame({"lon": PLACES[:, 0], "rooms": [1.0, 2.0, 3.0, 4.0], "lat": PLACES[:, 1]})
    both = ColumnTransformer(
        [("place", ConceptFeatures("concepts", concepts=TWO), ["lon", "lat"]), ("rest", StandardScaler(), ["rooms"])],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    assert both.fit_transform(table).columns.tolist() == [
        "concept_hot_desert_climate",
        "concept_oceanic_climate",
        "rooms",
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_grid_search(model, jobs):
    """Options are searched like those of any other step, in this process and in others."""
    places = random_places(40)
    y = model.score(places, "hot desert climate")[:, 0]
    pipeline = make_pipeline(ConceptFeatures("concepts", model=model), Ridge(alpha=1e-3))
    grid = {
        "conceptfeatures__concepts": [["oceanic climate"], ["hot desert climate"], model.select(["tundra climate"])]
    }
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=jobs).fit(places, y)
    assert search.best_params_["conceptfeatures__concepts"] == ["hot desert climate"]
    assert search.best_score_ > 0.9


def test_clones_share_the_model(model):
    """A clone has the same options and output, and copies neither the weights nor the concepts."""
    concepts = model.select(TWO)
    places = ConceptFeatures("concepts", concepts=concepts, model=model).set_output(transform="pandas").fit(PLACES)
    twin = clone(make_pipeline(places))[0]
    assert twin.model is model and twin.concepts is concepts
    assert not hasattr(twin, "model_sha256_")
    pd.testing.assert_frame_equal(twin.transform(PLACES), places.transform(PLACES))


def test_joblib_memory_keeps_features(tmp_path, monkeypatch):
    """A pipeline with a memory transforms once; the second fit reads the features from the disk."""
    calls = []
    transform = ConceptFeatures.transform
    monkeypatch.setattr(ConceptFeatures, "transform", lambda self, X: calls.append(len(X)) or transform(self, X))
    for alpha in (1.0, 2.0):
        make_pipeline(ConceptFeatures("concepts", concepts=TWO), Ridge(alpha), memory=str(tmp_path)).fit(
            PLACES, np.arange(4.0)
        )
    assert calls == [4]


# Pickles


def test_a_pickle_holds_no_weights(model):
    """It is small, opens the model again by name, and gives the same features."""
    for given in (None, "geoclip", model):
        places = ConceptFeatures("embedding", model=given).fit(PLACES)
        packed = pickle.dumps(places)
        assert len(packed) < 2_000
        again = pickle.loads(packed)
        assert again.model in (None, "geoclip")
        np.testing.assert_array_equal(again.transform(PLACES), places.transform(PLACES))
    assert again.backend == "numpy"  # the open model's


def test_a_pickle_opens_in_another_process(tmp_path):
    """A fitted pipeline predicts the same where it is loaded anew."""
    fitted = make_pipeline(ConceptFeatures("concepts", concepts=TWO), Ridge()).fit(PLACES, np.arange(4.0))
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    code = "import joblib, sys; print(joblib.load(sys.argv[1]).predict([[31.25, 30.0]])[0])"
    run = [sys.executable, "-W", "error", "-c", code, tmp_path / "fitted.joblib"]
    said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    assert float(said) == pytest.approx(fitted.predict(PLACES[:1])[0], rel=1e-4)


def test_the_models_own_concepts_keep_their_heads(model):
    """A concept of the bank is pickled as its name, one of your own as it is."""
    lowland = model.bank["lowland"]
    own = replace(model.bank["hot desert climate"], name="my desert", aliases=(), head=None)
    places = ConceptFeatures("concepts", concepts=[lowland, own], model=model).fit(PLACES)
    again = pickle.loads(pickle.dumps(places))
    assert again.concepts[0] == "lowland" and again.concepts[1].name == "my desert"
    np.testing.assert_array_equal(again.transform(PLACES), places.transform(PLACES))


def test_other_weights_are_refused_after_unpickling(tmp_path, model):
    """The sha256 of the weights is checked, fitted or not, and a folder that changed is opened again."""
    folder = model.save(tmp_path / "mine")
    packed = pickle.dumps(ConceptFeatures("embedding", model=folder))
    fitted = ConceptFeatures("embedding", model=folder).fit(PLACES)
    packed_fitted = pickle.dumps(fitted)
    change_weights(folder)
    for places in (pickle.loads(packed), pickle.loads(packed_fitted), fitted):
        with pytest.raises(ModelFileError, match="made with weights of sha256"):
            places.transform(PLACES)
        places.fit(PLACES).transform(PLACES)  # fitted anew, on what is there now


def change_weights(folder):
    """Make the model's folder another one: other weights, and their sha256 in its config."""
    file, config = folder / ENCODER_FILE, folder / CONFIG
    weights = {name: array * np.float32(0.5).astype(array.dtype) for name, array in load_file(file).items()}
    save_file(weights, file)
    record = json.loads(config.read_text(encoding="utf-8"))
    record["files"][file.name] = sha256_of(file)
    config.write_text(json.dumps(record), encoding="utf-8")


def test_another_bank_is_refused_where_it_matters(model):
    """Scores of another bank are other features; the embedding does not change with the bank."""
    small = model.with_bank(model.bank.subset(TWO))
    for features, refused in (("concepts", True), ("embedding", False)):
        places = ConceptFeatures(features, model=model).fit(PLACES).set_params(model=small)
        if refused:
            with pytest.raises(ModelFileError, match="concept bank"):
                places.transform(PLACES)
        else:
            assert places.transform(PLACES).shape == (4, 512)


def test_a_bank_that_is_in_no_folder_is_not_pickled(tmp_path, model):
    """Better refused when it is written than when it is read; saved, it travels."""
    small = model.with_bank(model.bank.subset(TWO))
    with pytest.raises(InputError, match="give the concepts as objects"):
        pickle.dumps(ConceptFeatures("concepts", model=small))
    folder = small.save(tmp_path / "small")
    assert pickle.loads(pickle.dumps(ConceptFeatures("concepts", model=folder))).transform(PLACES).shape == (4, 2)


# Memory


def test_nothing_is_kept(linear):
    """After transform neither the data nor the features are held, and memory is where it was."""
    fake, _ = linear
    places = ConceptFeatures("embedding", model=fake)
    places.fit_transform(PLACES)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        data = random_places(5_000)
        seen = weakref.ref(data)
        values = places.fit_transform(data)
        made, peak = values.nbytes, tracemalloc.get_traced_memory()[1] - before
        del data, values
        garbage.collect()
        left = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert seen() is None
    assert left < 100_000 < made
    assert peak < 3 * made
    assert not any(isinstance(value, np.ndarray) for value in vars(places).values())
