"""Fitting the bank."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from geoconcept_gis.bank import build
from geoconcept_gis.bank.build import build_bank
from geoconcept_gis.bank.definitions import LAND, PHOTOS, Definition
from geoconcept_gis.bank.universe import FEWEST, Universe
from geoconcept_gis.errors import ConceptError
from geoconcept_gis.fitting import known_failure


def test_known_failure_names_where_the_errors_are():
    """False alarms and misses are counted by weight, each in its own area."""
    scores = np.array([9.0, 8.0, 7.0, 1.0, 0.5, 0.1])
    y = np.array([True, False, False, True, True, False])
    where = np.array(["Chile", "Peru", "Peru", "Spain", "Spain", "Oman"])
    text = known_failure(scores, y, np.ones(6), where)
    assert text == (
        "Reads high without the label in Peru (100% of such errors). Misses it in Spain (100% of such errors)."
    )


def test_a_perfect_concept_has_no_known_failure():
    """Nothing is made up where there are no errors."""
    assert known_failure(np.array([2.0, 1.0]), np.array([True, False]), np.ones(2), np.array(["a", "b"])) == ""


class FakeTruths:
    """A pool of places without any data."""

    def __init__(self, count):
        rng = np.random.default_rng(0)
        self.lonlat = np.column_stack([rng.uniform(-180, 180, count), rng.uniform(-60, 60, count)])

    def country(self):
        return np.full(len(self), "Nowhere")

    def __len__(self):
        return len(self.lonlat)


@pytest.fixture
def universe():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(3, 512))

    def encode(lonlat):
        return (np.column_stack([lonlat / 100.0, np.ones(len(lonlat))]) @ matrix).astype(np.float32)

    return Universe(LAND, FakeTruths(20_000), 2_000, np.ones(20_000), encode)


def test_rare_labels_get_more_places_from_the_pool(universe):
    """Up to FEWEST positives; places left out of the definition are not used at all."""
    label = np.zeros(20_000)
    label[::10] = 1.0
    label[1::10] = np.nan
    rows = universe.rows_for(label)
    assert (label[rows] == 1.0).sum() == FEWEST
    assert (rows < 2_000).sum() == 1_800
    assert not np.isnan(label[rows]).any()


def test_weights_restore_the_share_of_the_label(universe):
    """However many extra places a label got, its weight is its share of the pool."""
    label = np.zeros(20_000)
    label[::50] = 1.0
    universe.need(universe.rows_for(label))
    choice = universe.choose(Definition("x", "climate", "x.", "koeppen", lambda t: label), label)
    assert choice.weight[choice.y].sum() / choice.weight.sum() == pytest.approx(1 / 50)
    examples = universe.embedded().examples(choice)
    np.testing.assert_array_equal(examples.lonlat, universe.truths.lonlat[universe.rows_for(label)])
    np.testing.assert_array_equal(examples.y, label[universe.rows_for(label)] == 1.0)
    np.testing.assert_allclose(np.linalg.norm(examples.x, axis=1), 1.0, rtol=1e-5)


def test_too_few_places_are_refused(universe):
    """A label that nearly nobody carries cannot be tested."""
    label = np.zeros(20_000)
    label[:9] = 1.0
    with pytest.raises(ConceptError, match="9 places"):
        universe.choose(Definition("rare", "climate", "x.", "koeppen", lambda t: label), label)


def test_building_repeats_and_agrees_with_the_bundled_bank(model, data):
    """The same bits twice, and what ships is what the command builds (to rounding, on another CPU)."""
    names = ["vineyard", "mosque"]
    first, second = (build_bank(model, only=names, processes=n) for n in (1, 2))
    assert not first.diff(second)
    for name in names:
        shipped = model.bank[name]
        assert first[name].vector @ shipped.vector > 0.9999
        assert first[name].validity.value == pytest.approx(shipped.validity.value, abs=2e-3)
        assert first[name].reference == PHOTOS


def test_whoever_stops_it_does_not_wait_for_the_rest(monkeypatch):
    """Fits that have not begun are dropped; the first ones came in order."""
    begun = []

    def fit(name, family, universe, choice):
        begun.append(name)
        time.sleep(0.01)
        return name, ""

    monkeypatch.setattr(build, "ProcessPoolExecutor", ThreadPoolExecutor)
    monkeypatch.setattr(build, "_start", lambda shared: None)
    monkeypatch.setattr(build, "_fit", fit)
    universe = SimpleNamespace(name=LAND, embedded=lambda: None)
    work = build._fit_all(universe, [(SimpleNamespace(name=k, family=""), None) for k in range(1_000)], 1)
    assert [next(work)[1] for _ in range(3)] == [0, 1, 2]
    work.close()
    assert len(begun) < 500
