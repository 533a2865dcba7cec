"""Products through OpenBLAS by its own address, for where QGIS puts a slower one before it."""

import numpy as np
import pytest
from conftest import ROOT


@pytest.fixture
def blas():
    from geoconcept import blas

    if blas._sgemm() is None:
        pytest.skip("OpenBLAS is not in this process's memory")
    return blas


@pytest.mark.parametrize("turned", [False, True])
def test_products_are_numpys(blas, turned):
    """For matrices of either order, slices, and no rows at all."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((40, 70), dtype=np.float32)
    right = np.asfortranarray(matrix) if turned else matrix
    left = rng.standard_normal((9, 80), dtype=np.float32)[:, ::2]
    product = left @ right.view(blas.Matrix)
    assert type(product) is np.ndarray
    np.testing.assert_allclose(product, left @ matrix, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(left @ right.view(blas.Matrix)[:, 3:9], left @ matrix[:, 3:9], rtol=1e-5, atol=1e-5)
    assert (left[:0] @ right.view(blas.Matrix)).shape == (0, 70)


@pytest.mark.parametrize("name", ["geoconcept-small", ROOT / "geoconcept_gis" / "models" / "geoclip"])
def test_the_encoder_says_the_same(blas, monkeypatch, qgis_app, name):
    """Where numpy is slow the weights are changed, where it is fast they are left."""
    from geoconcept.core import load_model

    places = np.array([[31.2, 30.0], [-0.1, 51.5], [120.0, -30.0]])
    plain, quick = (load_model(name, backend="numpy").encoder for _ in range(2))
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.001)
    assert not blas.speed_up(quick)
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.07)
    assert blas.speed_up(quick)
    one, two = plain.encode_chunk(places), quick.encode_chunk(places)
    assert type(two) is np.ndarray
    np.testing.assert_allclose(two, one, atol=2e-5)


def test_details_go_through_it_too(blas, monkeypatch, qgis_app):
    """Of an encoder that has some; the waves stay in float64."""
    from geoconcept.core.encoder import open_encoder
    from geoconcept.core.encoder.kinds import TablesEncoder

    record = {"kind": "tables", "cells": [8.0], "widths": [4], "waves": 4, "hidden": 16, "blocks": 0, "details": 8}
    rng = np.random.default_rng(0)
    shapes = TablesEncoder.shapes(TablesEncoder.complete(record))
    weights = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    weights["details.waves"] *= 1000.0
    plain, quick = open_encoder(record, weights), open_encoder(record, weights)
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.07)
    assert blas.speed_up(quick)
    assert isinstance(quick.weights["details.1.weight"], blas.Matrix)
    places = rng.uniform(-60.0, 60.0, (50, 2))
    np.testing.assert_allclose(quick.encode_chunk(places), plain.encode_chunk(places), rtol=1e-4, atol=1e-4)


def test_small_products_stay_on_their_thread(blas, qgis_app):
    """While they run, and in several threads at once; afterwards OpenBLAS has its threads again."""
    library = blas._openblas()
    before = library.openblas_get_num_threads()
    library.openblas_set_num_threads(2)
    with blas.one_thread():
        with blas.one_thread():
            assert library.openblas_get_num_threads() == 1
        assert library.openblas_get_num_threads() == 1
    assert library.openblas_get_num_threads() == 2
    library.openblas_set_num_threads(before)


def test_without_openblas_nothing_is_changed(blas, monkeypatch, qgis_app):
    """Windows and macOS bring a numpy that looks after itself."""
    from geoconcept.core import load_model

    monkeypatch.setattr(blas, "_sgemm", lambda: None)
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.07)
    assert not blas.speed_up(load_model("geoconcept-small", backend="numpy").encoder)
