"""Why there: concepts that a photo expresses, and what they do to its likely places."""

import numpy as np
import pytest

from geoconcept_gis import geolocate
from geoconcept_gis.locate.priors import make_prior
from geoconcept_gis.locate.reasons import reasons_of
from geoconcept_gis.locate.vectors import calibration_of, mean_of
from tests.locate.conftest import TOWNS


@pytest.fixture(scope="module")
def table(cairo):
    return cairo.concepts


def test_the_table_has_a_row_for_each_concept_strongest_first(table, small):
    names = {concept.name for concept in small.bank.shown}
    assert 1 <= len(table) <= 10
    assert set(table["concept"]) <= names
    assert table["moved"].is_monotonic_decreasing
    assert (table["weight"] > 0.0).all()
    assert table[["moved", "moved_by_chance"]].stack().between(0.0, 1.0).all()
    assert {"factor_1", "factor_2", "factor_3"} <= set(table)


def test_what_cairo_expresses_speaks_for_cairo(table):
    """Of the three likely places, the concepts together speak most for Cairo itself."""
    products = np.log(table[["factor_1", "factor_2", "factor_3"]]).sum()
    assert products["factor_1"] > 0.0
    assert products.idxmax() == "factor_1"
    assert table["moved"].iloc[0] > table["moved_by_chance"].iloc[0]


def test_factors_are_those_of_the_score(small, surface, cairo, table):
    """Adding a little of a concept's part to the photo changes a cell's likelihood as the factor says."""
    from geoconcept_gis.concepts.decompose import atoms_of

    temperature = calibration_of("image").temperature
    query = small.encode([TOWNS["cairo"]])[0].astype(np.float64)
    query /= np.linalg.norm(query)
    row = cairo._ranked[0][0]
    average = surface.land.vectors[::50].astype(np.float64).mean(axis=0)
    first = table.iloc[0]
    [concept] = [c for c in small.bank.shown if c.name == first["concept"]]
    part = first["weight"] * atoms_of([concept])[0] * np.linalg.norm(query - mean_of("image", small))

    def log_ratio(vector):
        """Log of the cell's mean likelihood over that of the average place, for a vector as it is, of any length."""
        cell = surface.cells[row]
        places = [
            gallery.vectors[gallery.cells == cell].astype(np.float64) for gallery in (surface.photos, surface.land)
        ]
        scores = np.concatenate(places) @ vector / temperature
        return np.log(np.exp(scores - scores.max()).mean()) + scores.max() - average @ vector / temperature

    step = 1e-4
    slope = (log_ratio(query + step * part) - log_ratio(query - step * part)) / (2.0 * step)
    np.testing.assert_allclose(slope, np.log(first["factor_1"]), rtol=0.01, atol=0.01)


def test_reranking_is_no_reason(small, surface):
    """What moves is measured against one likelihood, with the concept and without, not against the re-ranked one."""
    vector = small.encode([TOWNS["cairo"]])
    plain, ranked = (geolocate(vector, model=small, rerank=rerank).concepts for rerank in (0.0, 0.5))
    both = plain.merge(ranked, on="concept")
    np.testing.assert_allclose(both["moved_x"], both["moved_y"], atol=1e-9)


def test_a_place_without_reasons_has_an_empty_table(small, surface, cairo):
    """A photo just like the mean of all photos expresses nothing."""
    mean = mean_of("image", small)
    query = mean / np.linalg.norm(mean)
    found = reasons_of(
        cairo,
        query,
        query - 1e-3 * small.bank.shown[0].vector + 2e-3 * np.eye(512, dtype=np.float32)[0],
        model=small,
        surface=surface,
        prior=make_prior(surface)[0],
        calibration=calibration_of("image"),
        top=1,
    )
    assert len(found["concept"]) <= 1
    assert {"concept", "moved", "moved_by_chance"} <= set(found)
