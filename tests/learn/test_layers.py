"""Features of hidden layers and waves: widths, names, agreement with the encoder, other models, damaged files."""

import json
from dataclasses import replace

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import Cancelled, ConceptError, ModelFileError
from geoconcept_gis.learn import layers
from geoconcept_gis.learn.layers import (
    COMPONENTS,
    WAVES,
    WIDTH,
    Projection,
    SteadyScorer,
    all_features,
    layer_features,
    waves,
)

PLACES = gc.reference_places("uniform_land", 1500, seed=77)


def test_shapes_names_and_numbers(model):
    """All columns are finite float32, named once, and within the stated width; no places give no rows."""
    values, names = all_features(model, PLACES[:50])
    assert values.shape == (50, len(names)) and len(set(names)) == len(names) <= layers.ALL_WIDTH
    assert values.dtype == np.float32 and np.isfinite(values).all()
    assert layer_features(model, PLACES[:50]).shape == (50, WIDTH)
    assert all_features(model, PLACES[:0])[1] == names and layer_features(model, PLACES[:0]).shape == (0, WIDTH)


def test_concepts_are_those_of_the_model(model):
    """The concept columns hold the model's scores, with heads, under the model's names; words have percentiles only."""
    words = replace(model.bank["coast"], name="shore", aliases=(), head=None, calibration=None)
    chosen = [*model.select(["hot desert climate", "above 1,000 m"]), words]
    values, names = all_features(model, PLACES[:100], chosen)
    assert names[:3] == [concept.column for concept in chosen]
    calibrated, shares = (
        model.score(PLACES[:100], chosen[:2]),
        model.score(PLACES[:100], chosen, kind="percentile") / 100,
    )
    np.testing.assert_allclose(values[:, :2], 0.875 * calibrated + 0.125 * shares[:, :2], atol=1e-4)
    np.testing.assert_allclose(values[:, 2], shares[:, 2], atol=1e-4)
    assert model.bank["above 1,000 m"].head is not None


def test_all_leaves_names_of_places_out_unless_they_are_named(model):
    """Names of places do not travel, so that the default has none; a bank of nothing else leaves no concepts."""
    families = {concept.column: concept.family for concept in model.bank}
    names = all_features(model, PLACES[:0])[1]
    assert "place" not in {families.get(name) for name in names}
    assert all_features(model, PLACES[:0], "Egypt")[1][0] == "concept_egypt"
    places = model.with_bank(model.bank.subset(["Egypt", "France"]))
    values, names = all_features(places, PLACES[:5])
    assert values.shape == (5, COMPONENTS + WAVES) and names[0] == "layer_000"


def test_concepts_hold_behind_a_scaler_where_they_were_rare(model):
    """Fitted where a concept is next to absent, a scaler does not blow it up elsewhere, as it does the calibrated."""
    rare = "tropical rainforest climate"
    cold, hot = (PLACES[(low < PLACES[:, 1]) & (PLACES[:, 1] < high)] for low, high in ((50, 70), (-8, 8)))
    steady = [SteadyScorer(model, rare)(model.encode(places)) for places in (cold, hot)]
    calibrated = [model.score(places, rare) for places in (cold, hot)]
    blown = [far.max() / np.ptp(near) for near, far in (steady, calibrated)]
    assert blown[0] < 12 < 100 < blown[1]


@pytest.mark.parametrize("count", [1, 3, 16, 21])
def test_a_place_has_the_same_bits_alone_and_among_many(model, count):
    """However many places are asked for, and wherever their chunk ends, the features of each are the same."""
    few = slice(1020, 1020 + count)
    np.testing.assert_array_equal(all_features(model, PLACES)[0][few], all_features(model, PLACES[few])[0])
    np.testing.assert_array_equal(layer_features(model, PLACES)[few], layer_features(model, PLACES[few]))


def test_the_components_are_those_of_land(model):
    """On land that the projection never saw, components are centred, uncorrelated, and the largest come first."""
    projection = Projection.of(model)
    numbers = np.concatenate([model.encoder.hidden(PLACES[k : k + 500], 3) for k in (0, 500, 1000)])
    parts = (numbers.reshape(len(PLACES), -1) - projection.mean) @ projection.weights
    spread = parts.std(axis=0)
    assert (np.abs(parts.mean(axis=0)) < 0.2 * spread[0]).all()
    assert np.abs(np.corrcoef(parts[:, :10].T) - np.eye(10)).max() < 0.2
    assert spread[0] > 2 * spread[20] > 4 * spread[400]


def test_mixing_keeps_distances_and_spreads_them_evenly(model):
    """Mixing turns the components: distances stay, and no column keeps most of the spread."""
    mixed = layer_features(model, PLACES[:300]).astype(np.float64)
    hidden = model.encoder.hidden(PLACES[:300], 3).reshape(300, -1)
    plain = (hidden - Projection.of(model).mean) @ Projection.of(model).weights
    np.testing.assert_allclose(
        np.linalg.norm(mixed - mixed[0], axis=1), np.linalg.norm(plain - plain[0], axis=1), rtol=1e-3
    )
    assert mixed.var(axis=0).max() < 0.05 * mixed.var(axis=0).sum()


def test_waves_are_smooth_at_the_seam_and_fade_with_distance():
    """Nothing jumps at the antimeridian or the poles; near places are alike at every scale."""
    pairs = [([180.0, 10.0], [-180.0, 10.0]), ([0.0, 90.0], [123.0, 90.0])]
    for one, other in pairs:
        np.testing.assert_allclose(waves(np.array([one])), waves(np.array([other])), atol=0.02)
    apart = [
        np.abs(waves(np.array([[10.0, 50.0]])) - waves(np.array([[10.0, 50.0 + d]]))).mean() for d in (0.01, 0.1, 1, 10)
    ]
    assert 0 < apart[0] < apart[1] < apart[2] < apart[3]
    assert waves(PLACES[:5]).shape == (5, WAVES)


def test_hidden_layers_encode_to_the_same_vectors(model):
    """Vectors and heads made from hidden layers are those that the encoder gives."""
    hidden = model.encoder.hidden(PLACES[:200], 3)
    np.testing.assert_allclose(model.encoder.encode_hidden(hidden), model.encoder.encode_chunk(PLACES[:200]), atol=1e-5)


def test_another_model_is_read_at_its_outputs(model, linear):
    """A model of other weights has no shipped projection: its outputs are taken, learned once."""
    other, backend = linear
    other.sha256 = "0" * 64
    assert not Projection.of(other).hidden
    seen = backend.points
    values, names = all_features(other, PLACES[:20])
    assert np.isfinite(values).all() and values.shape == (20, len(names))
    assert backend.points == seen + 20


def test_too_many_concepts(model):
    """More concepts than fit are refused, with the number that does."""
    many = [replace(next(iter(model.bank)), name=f"concept {k}", aliases=()) for k in range(400)]
    with pytest.raises(ConceptError, match="name at most 384 concepts"):
        all_features(model, PLACES[:2], many)


def test_progress_and_cancel(model):
    """Progress counts places, and its true cancels."""
    calls = []
    layer_features(model, PLACES, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (len(PLACES), len(PLACES)) and len(calls) > 1
    with pytest.raises(Cancelled):
        all_features(model, PLACES, progress=lambda done, total: True)


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    """The arrays must have the sha256 of the record, and the record must be readable."""
    record = json.loads(layers._RECORD.read_text(encoding="utf-8"))
    broken = tmp_path / "layers.safetensors"
    broken.write_bytes(layers._ARRAYS.read_bytes()[:-1])
    assert record["sha256"] and layers._ARRAYS.stat().st_size <= 3_000_000
    monkeypatch.setattr(layers, "_ARRAYS", broken)
    layers._arrays.cache_clear()
    with pytest.raises(ModelFileError, match="corrupt"):
        waves(PLACES[:2])
    layers._arrays.cache_clear()


def test_width_is_the_sum_of_its_parts(model):
    """What the documentation states of the bundled bank."""
    names = all_features(model, PLACES[:0])[1]
    shown = [concept for concept in model.select(None) if concept.family != "place"]
    assert len(names) == len(shown) + COMPONENTS + WAVES == 835
