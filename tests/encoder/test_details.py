"""Details: what they add, how much of it, and that a kilometre is not lost in rounding."""

import numpy as np
import pytest
import torch

from geoconcept_gis.encoder import open_encoder
from geoconcept_gis.encoder.details import detail_shapes, details_of, draw_details
from geoconcept_gis.encoder.features import unit_vectors
from geoconcept_gis.errors import ModelFileError
from geoconcept_gis.model_files import rounded
from geoconcept_gis.reference import reference_places
from geoconcept_gis.train.encoders import DETAILS, from_numpy, make_encoder, to_numpy

TINY = {"kind": "tables", "cells": [30.0], "widths": [4], "knots": [0], "waves": 4, "hidden": 16, "blocks": 0}
HALF = 256


def drawn(count=32, spread=0.2):
    """Tensors of 512 numbers."""
    return draw_details(count, 512, spread, np.random.default_rng(0))


def test_mean_and_spread_over_the_earth():
    found = details_of(drawn(), unit_vectors(reference_places("uniform_earth", 5_000, seed=1)))
    assert found.dtype == np.float32
    assert np.abs(found.mean(axis=0)).max() < 0.05
    assert found.std() == pytest.approx(0.2, rel=0.1)


def test_near_places_differ_and_the_nearest_hardly():
    lonlat = reference_places("uniform_earth", 500, seed=2)
    lonlat[:, 1] = lonlat[:, 1].clip(-80, 80)
    here = details_of(drawn(), unit_vectors(lonlat))

    def moved(km):
        north = lonlat + np.array([0.0, km / 111.195])
        return np.sqrt(((details_of(drawn(), unit_vectors(north)) - here) ** 2).sum(axis=1).mean())

    spread = np.sqrt((here.var(axis=0)).sum())
    assert moved(0.1) < 0.1 * spread < 0.5 * spread < moved(5.0)
    assert moved(500.0) == pytest.approx(np.sqrt(2.0) * spread, rel=0.1)  # far places have nothing in common


def test_no_details_no_tensors():
    assert drawn(0) == detail_shapes(0, 512) == {}
    weights, record = to_numpy(make_encoder(TINY))
    assert record["details"] == 0
    assert not any(name.startswith("details") for name in weights)


def test_an_encoder_adds_them():
    weights, record = to_numpy(make_encoder({**TINY, "details": 8}, seed=3))
    places = reference_places("uniform_earth", 300, seed=4)
    plain = {name: tensor for name, tensor in weights.items() if not name.startswith("details")}
    without = open_encoder({**record, "details": 0}, plain).encode_chunk(places)
    added = open_encoder(record, weights).encode_chunk(places) - without
    np.testing.assert_allclose(added[:, :HALF], details_of(weights, unit_vectors(places)), atol=1e-6)
    assert not added[:, HALF:].any()
    assert added[:, :HALF].std() == pytest.approx(DETAILS, rel=0.2)


def test_they_are_added_near_knots_alone():
    record = {**TINY, "cells": [30.0, 2.0], "widths": [4, 2], "knots": [0, 4], "details": 8}
    twin = make_encoder(record, seed=3)
    twin.choose_knots(np.array([[1.0, 1.0]]))  # the four knots around: longitudes and latitudes 0 and 2
    weights, _ = to_numpy(twin)
    plain = {name: tensor for name, tensor in weights.items() if not name.startswith("details")}
    encoder, without = open_encoder(record, weights), open_encoder({**record, "details": 0}, plain)
    places = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 0.0], [5.0, 0.0], [90.0, 45.0], [179.999, 0.0]])
    added = encoder.encode_chunk(places) - without.encode_chunk(places)
    share = np.array([1.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(added[:, :HALF], share[:, None] * details_of(weights, unit_vectors(places)), atol=1e-6)
    assert not added[3:].any()
    np.testing.assert_allclose(twin(torch.tensor(places)).detach().numpy(), encoder.encode_chunk(places), atol=2e-6)


def test_torch_says_the_same_and_never_trains_them():
    twin = make_encoder({**TINY, "details": 8}, seed=3)
    encoder = open_encoder({**TINY, "details": 8}, to_numpy(twin)[0])
    places = reference_places("uniform_earth", 300, seed=4)
    for one in (twin, from_numpy(encoder)):
        np.testing.assert_allclose(one(torch.tensor(places)).detach().numpy(), encoder.encode_chunk(places), atol=2e-6)
    assert not any("details" in name for name, _ in twin.named_parameters())
    assert {name for name, _ in twin.named_buffers() if "details" in name} == set(detail_shapes(8, 512))


def test_the_same_seed_draws_the_same():
    one, same, other = (to_numpy(make_encoder({**TINY, "details": 8}, seed))[0]["details.waves"] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_waves_are_stored_whole():
    stored = rounded(to_numpy(make_encoder({**TINY, "details": 8}))[0])
    assert stored["details.waves"].dtype == np.float32  # float16 would move them by kilometres
    assert stored["details.0.weight"].dtype == np.float16


def test_tensors_that_do_not_fit_are_refused():
    weights, record = to_numpy(make_encoder({**TINY, "details": 8}))
    with pytest.raises(ModelFileError, match="details"):
        open_encoder({**record, "details": 9}, weights)
    with pytest.raises(ModelFileError, match="details must be int, 0 to 1024; got -1"):
        open_encoder({**record, "details": -1}, weights)
