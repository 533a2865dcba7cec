"""Products through OpenBLAS by its own address, for where QGIS puts a slower one before it."""

import numpy as np
import pytest


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


def test_the_encoder_says_the_same(blas, monkeypatch, qgis_app):
    """Where numpy is slow the weights are changed, where it is fast they are left."""
    from geoconcept.core import load_model

    places = np.array([[31.2, 30.0], [-0.1, 51.5], [120.0, -30.0]])
    plain, quick = load_model(backend="numpy").encoder, load_model(backend="numpy").encoder
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.001)
    assert not blas.speed_up(quick)
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.07)
    assert blas.speed_up(quick)
    one, two = plain.encode_chunk(places), quick.encode_chunk(places)
    assert type(two) is np.ndarray
    np.testing.assert_allclose(two, one, atol=2e-5)


def test_without_openblas_nothing_is_changed(blas, monkeypatch, qgis_app):
    """Windows and macOS bring a numpy that looks after itself."""
    from geoconcept.core import load_model

    monkeypatch.setattr(blas, "_sgemm", lambda: None)
    monkeypatch.setattr(blas, "product_seconds", lambda: 0.07)
    assert not blas.speed_up(load_model(backend="numpy").encoder)
