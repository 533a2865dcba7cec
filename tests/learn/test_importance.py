"""What a model leans on: known weights come back by every method, through pipelines, by concept and by family."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

from geoconcept_gis import concept_importance, spatial_folds
from geoconcept_gis.errors import InputError, MissingDependencyError

COLUMNS = ["concept_tundra_climate", "concept_hot_desert_climate", "concept_savanna", "rain"]


@pytest.fixture(scope="module")
def data():
    """Features of unlike scale and a label that leans on them 3 : -2 : 0 : 0.5, in standard deviations."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(500, 4))
    X = pd.DataFrame(Z * [0.01, 1.0, 1.0, 100.0] + [0, 5, 0, 1000], columns=COLUMNS)
    return X, Z @ [3.0, -2.0, 0.0, 0.5]


@pytest.mark.parametrize("scaler", [None, StandardScaler(), MinMaxScaler()])
def test_coefficients_do_not_depend_on_scale(data, scaler):
    """Importance is the coefficient in standard deviations, with its sign and family."""
    X, y = data
    fitted = make_pipeline(scaler or "passthrough", Ridge(1e-6)).fit(X, y)
    found = concept_importance(fitted, X)
    assert found["concept"].tolist() == ["tundra climate", "hot desert climate", "rain", "savanna"]
    assert found["family"].tolist() == ["climate", "climate", "", "vegetation"]
    assert found["importance"].to_numpy() == pytest.approx(np.array([3, 2, 0.5, 0]), abs=0.15)
    assert found["sign"].tolist()[:3] == ["+", "-", "+"]
    assert found[["low", "high"]].isna().all(axis=None)
    assert found.attrs["method"] == "coefficients" and "leans on" in found.attrs["meaning"]


def test_families_are_summed(data):
    """Two concepts that cancel out weigh much alone and nothing together."""
    X, _ = data
    X = X.assign(concept_hot_desert_climate=X["concept_tundra_climate"])
    fitted = Ridge().fit(X, X["rain"])
    fitted.coef_ = np.array([7.0, -7.0, 0.0, 0.01])
    alone = concept_importance(fitted, X).set_index("concept")["importance"]
    assert alone["tundra climate"] == pytest.approx(0.07, rel=0.1)
    together = concept_importance(fitted, X, by="family", families={"rain": "weather"})
    assert together["family"].tolist() == ["weather", "climate", "vegetation"]
    assert together["concept"].tolist() == ["rain", "2 features", "savanna"]
    assert together["importance"].to_numpy() == pytest.approx(np.array([1.0, 0.0, 0.0]), rel=0.1, abs=1e-12)
    assert together["sign"].tolist() == ["+", "", ""]


@pytest.mark.parametrize("table", [True, False])
def test_permutation_on_the_tests_of_folds(data, table):
    """Order and signs come back from a model without coefficients; low and high span the folds; runs repeat."""
    X, y = data
    lonlat = np.random.default_rng(1).uniform(-80, 80, (500, 2))
    folds = spatial_folds(degrees=20, n_splits=3, lonlat=lonlat)
    model = make_pipeline(StandardScaler(), KNeighborsRegressor())
    given = {"X": X} if table else {"X": X.to_numpy(), "names": COLUMNS}
    found = concept_importance(model, **given, y=y, folds=folds, repeats=2)
    assert found.attrs["method"] == "permutation"
    assert found["concept"].tolist()[:3] == ["tundra climate", "hot desert climate", "rain"]
    assert found["sign"].tolist()[:2] == ["+", "-"]
    assert (found["low"] <= found["importance"]).all() and (found["importance"] <= found["high"]).all()
    pd.testing.assert_frame_equal(found, concept_importance(model, **given, y=y, folds=folds, repeats=2))


def test_permutation_is_the_drop_of_the_score(data):
    """For a linear model on its own data, shuffling a feature of weight w costs about 2 w^2 / var(y) of R2."""
    X, y = data
    fitted = make_pipeline(StandardScaler(), Ridge(1e-6)).fit(X, y)
    before = X.copy()
    found = concept_importance(fitted, X, y, method="permutation", repeats=30).set_index("concept")["importance"]
    weight = {"tundra climate": 3.0, "hot desert climate": 2.0, "rain": 0.5, "savanna": 0.0}
    for concept, w in weight.items():
        assert found[concept] == pytest.approx(2 * w**2 / y.var(), rel=0.15, abs=1e-9)
    pd.testing.assert_frame_equal(X, before)
    family = concept_importance(fitted, X, y, method="permutation", by="family", repeats=30)
    assert family["importance"][0] == pytest.approx(2 * (3.0**2 + 2.0**2) / y.var(), rel=0.15)


def test_concepts_are_found_inside_a_pipeline(data):
    """Behind a transformer and a column transformer's prefixes, before a step that mixes the columns."""
    X, y = data
    make = FunctionTransformer(lambda A: A[:, :4], feature_names_out=lambda self, names: COLUMNS)
    search = GridSearchCV(make_pipeline(make, StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1.0]}, cv=2)
    found = concept_importance(search.fit(X.to_numpy(), y), X.to_numpy())
    assert (found["concept"][0], found.attrs["method"]) == ("tundra climate", "coefficients")
    columns = make_column_transformer((StandardScaler(), COLUMNS[:3]), remainder="passthrough")
    found = concept_importance(make_pipeline(columns, Ridge()).fit(X, y), X)
    assert found["concept"].tolist()[:3] == ["tundra climate", "hot desert climate", "rain"]
    mixed = make_pipeline(StandardScaler(), PCA(), Ridge()).fit(X, y)
    found = concept_importance(mixed, X, y)
    assert (found["concept"][0], found.attrs["method"]) == ("tundra climate", "permutation")
    with pytest.raises(InputError, match="a step before Ridge mixes the columns"):
        concept_importance(mixed, X, method="coefficients")


def test_classifiers(data):
    """Two classes have a direction; three have none."""
    X, y = data
    Z = (X - X.mean()) / X.std()
    two = LogisticRegression().fit(Z, np.where(y > 0, "yes", "no"))
    for method in ("coefficients", "permutation"):
        found = concept_importance(two, Z, np.where(y > 0, "yes", "no"), method=method)
        assert found["concept"].tolist()[:2] == ["tundra climate", "hot desert climate"]
        assert found["sign"].tolist()[:2] == ["+", "-"]
    label = np.digitize(y, [-2, 2])
    three = LogisticRegression().fit(Z, label)
    for method in ("coefficients", "permutation"):
        found = concept_importance(three, Z, label, method=method)
        assert found["concept"][0] == "tundra climate" and set(found["sign"]) == {""}


def test_embedding_columns_are_a_family():
    """The 512 numbers of an embedding are looked at as one."""
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(200, 3)), columns=["embedding_000", "embedding_001", "rain"])
    found = concept_importance(Ridge().fit(X, X.sum(axis=1)), X, by="family")
    assert found[["concept", "family"]].to_numpy().tolist() == [["2 features", "embedding"], ["rain", ""]]


def test_columns_of_any_kind(data):
    """Categories are shuffled and have no direction; X may be sparse; a step may leave its columns without names."""
    X, y = data
    X = X.assign(soil=np.where(X["rain"] > 1000, "clay", "sand"))
    encode = make_column_transformer((OneHotEncoder(), ["soil"]), remainder=StandardScaler())
    found = concept_importance(make_pipeline(encode, Ridge()).fit(X, y), X, y).set_index("concept")
    assert found.attrs["method"] == "permutation"
    assert (found["sign"]["soil"], found["sign"]["tundra climate"]) == ("", "+")
    numbers = csr_matrix(X[COLUMNS].to_numpy())
    unnamed = make_pipeline(FunctionTransformer(), Ridge()).fit(X[COLUMNS].to_numpy(), y)
    found = concept_importance(unnamed, numbers, y, names=COLUMNS)
    assert (found["concept"].iloc[0], found.attrs["method"]) == ("hot desert climate", "permutation")


def test_shap(data):
    """Trees: the strongest feature first, with its sign; not for other models."""
    pytest.importorskip("shap", reason="shap is not installed")
    X, y = data
    forest = make_pipeline(StandardScaler(), RandomForestRegressor(20, random_state=0)).fit(X, y)
    found = concept_importance(forest, X[:100], method="shap")
    assert found["concept"].tolist()[:2] == ["tundra climate", "hot desert climate"]
    assert found["sign"].tolist()[:2] == ["+", "-"]
    assert found["importance"][0] == pytest.approx(3 * np.sqrt(2 / np.pi), rel=0.25)  # mean size of a normal
    with pytest.raises(InputError, match="reads models of trees; KNeighborsRegressor"):
        concept_importance(KNeighborsRegressor().fit(X, y), X, method="shap")


class TreeExplainer:
    """Stands in for shap's: known values, in the shape that shap gives them for one output and for two classes."""

    def __init__(self, model):
        if not hasattr(model, "estimators_"):
            raise TypeError("Model type not yet supported")
        self.classes = len(getattr(model, "classes_", []))

    def shap_values(self, Z):
        values = (np.asarray(Z) - np.asarray(Z).mean(axis=0)) * [3.0, -2.0, 0.0, 0.5]
        return np.stack([-values, values], axis=2) if self.classes == 2 else values


def test_shap_values_become_importance(data, monkeypatch):
    """Mean size and direction, summed over a family; two classes mirror each other; other models are refused."""
    X, y = data
    monkeypatch.setitem(sys.modules, "shap", SimpleNamespace(TreeExplainer=TreeExplainer))
    Z = (X - X.mean()) / X.std()
    size = Z.abs().mean().to_numpy() * [3.0, 2.0, 0.0, 0.5]
    regressor = RandomForestRegressor(2, random_state=0).fit(Z, y)
    classifier = RandomForestClassifier(2, random_state=0).fit(Z, y > 0)
    for fitted in (regressor, classifier):
        found = concept_importance(fitted, Z, method="shap")
        assert found.attrs["method"] == "shap"
        assert found["concept"].tolist() == ["tundra climate", "hot desert climate", "rain", "savanna"]
        np.testing.assert_allclose(found["importance"], size[[0, 1, 3, 2]])
        assert found["sign"].tolist()[:3] == ["+", "-", "+"]
    together = concept_importance(regressor, Z, method="shap", by="family")
    both = (3.0 * Z[COLUMNS[0]] - 2.0 * Z[COLUMNS[1]]).abs().mean()
    assert (together["family"][0], together["importance"][0]) == ("climate", pytest.approx(both))
    with pytest.raises(InputError, match="reads models of trees; KNeighborsRegressor: Model type not yet"):
        concept_importance(KNeighborsRegressor().fit(Z, y), Z, method="shap")


def test_shap_is_named_where_it_is_missing(data, monkeypatch):
    """The error says what to install."""
    X, y = data
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingDependencyError, match="pip install shap"):
        concept_importance(RandomForestRegressor(2).fit(X, y), X, method="shap")


def test_what_cannot_be_told(data):
    """Each error says what to do."""
    X, y = data
    fitted = Ridge().fit(X, y)
    with pytest.raises(InputError, match="method must be one of"):
        concept_importance(fitted, X, method="lime")
    with pytest.raises(InputError, match="by must be one of"):
        concept_importance(fitted, X, by="country")
    with pytest.raises(InputError, match="Ridge is not fitted: fit it first, or give folds"):
        concept_importance(Ridge(), X)
    with pytest.raises(InputError, match="folds need y"):
        concept_importance(Ridge(), X, folds=3)
    with pytest.raises(InputError, match="permutations need y"):
        concept_importance(fitted, X, method="permutation")
    with pytest.raises(InputError, match="KNeighborsRegressor has no coefficients"):
        concept_importance(KNeighborsRegressor().fit(X, y), X, method="coefficients")
    with pytest.raises(InputError, match="names has 2 names for the 4 columns"):
        concept_importance(Ridge().fit(X.to_numpy(), y), X.to_numpy(), names=["a", "b"])
