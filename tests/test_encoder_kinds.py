"""Location encoders that are not GeoCLIP's: their features, their seams, their files."""

import numpy as np
import pytest
from numpy.polynomial.legendre import Legendre, leggauss

from geoconcept_gis.encoder import ENCODER_KINDS, LocationEncoder, open_encoder
from geoconcept_gis.encoder.features import grid_features, sphere_c_plus, spherical_harmonics, unit_vectors
from geoconcept_gis.encoder.tables import pack_knots
from geoconcept_gis.errors import ModelFileError

OTHERS = [kind for kind in ENCODER_KINDS if kind != "capsules"]
#: One km along a meridian or the equator, in degrees.
KM = 1.0 / 111.2


def draw(kind, seed=0, **settings):
    """An encoder of a kind with random weights, as wide as those that training starts from."""
    rng = np.random.default_rng(seed)
    record = ENCODER_KINDS[kind].complete({"kind": kind, **settings})
    weights = {
        # SIREN's first layer is multiplied by w0.
        name: rng.normal(0.0, shape[-1] ** (-1.0 if kind == "sh-siren" and "layers.0" in name else -0.5), shape)
        for name, shape in ENCODER_KINDS[kind].shapes(record).items()
    }
    return open_encoder(record, weights)


def sphere(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))], axis=1)


def cosines(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


class TestHarmonics:
    """Real, orthonormal spherical harmonics."""

    def test_orthonormal(self):
        """Their integrals over the sphere, by exact quadrature, are the unit matrix."""
        degree = 40
        x, weight = leggauss(degree)
        lon = np.arange(2 * degree) * 180.0 / degree - 180.0
        lonlat = np.stack([np.tile(lon, degree), np.repeat(np.degrees(np.arcsin(x)), len(lon))], axis=1)
        values = spherical_harmonics(lonlat, degree)
        gram = values.T @ (values * np.repeat(weight, len(lon))[:, None]) * np.pi / degree
        np.testing.assert_allclose(gram, np.eye(degree**2), atol=1e-11)

    @pytest.mark.parametrize("degree", [0, 1, 5, 39, 79])
    def test_addition_theorem(self, degree):
        """The sum over all orders is the Legendre polynomial of the angle between two places (poles included)."""
        lonlat = np.concatenate([sphere(40), [[0.0, 90.0], [77.0, -90.0], [180.0, 0.0]]])
        values = spherical_harmonics(lonlat, degree + 1)[:, degree**2 :]
        angle = np.clip(unit_vectors(lonlat) @ unit_vectors(lonlat).T, -1.0, 1.0)
        expected = (2 * degree + 1) / (4 * np.pi) * Legendre.basis(degree)(angle)
        np.testing.assert_allclose(values @ values.T, expected, atol=1e-10)

    def test_first_ones_and_their_order(self):
        """Degree 0 and 1 are a constant, y, z and x."""
        lonlat = sphere(20)
        x, y, z = unit_vectors(lonlat).T
        root = np.sqrt(3.0 / (4.0 * np.pi))
        expected = np.stack([np.full(20, np.sqrt(1.0 / (4.0 * np.pi))), root * y, root * z, root * x], axis=1)
        np.testing.assert_allclose(spherical_harmonics(lonlat, 2), expected, atol=1e-15)


def test_sphere_c_plus_by_hand():
    """The paper's terms, written out for one place and two scales."""
    lon, lat = 0.7, -0.4
    found = sphere_c_plus(np.degrees([[lon, lat]]), 2)[0]
    expected = []
    for r in (1.0, 0.5):
        a, b = lon / r, lat / r
        expected += [np.sin(b), np.cos(b), np.sin(a), np.cos(a), np.cos(b) * np.cos(a), np.cos(b) * np.sin(a)]
    np.testing.assert_allclose(np.sort(found), np.sort(expected), atol=1e-14)
    assert found.shape == (12,)


def test_grid_by_hand():
    """Sines and cosines of both coordinates, every scale half the one before."""
    found = grid_features(np.degrees([[0.7, -0.4]]), 2)[0]
    expected = [f(2.0**s * angle) for s in (0, 1) for angle in (0.7, -0.4) for f in (np.sin, np.cos)]
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("kind", OTHERS)
def test_vectors(kind):
    """Every kind gives float32 vectors of width 512 that tell places apart, alike in every chunking, heads empty."""
    encoder, lonlat = draw(kind), sphere(300)
    vectors = encoder.encode_chunk(lonlat)
    assert vectors.shape == (300, 512) and vectors.dtype == np.float32
    assert encoder.kind == kind and encoder.name == "numpy" and encoder.dim == 512
    assert [part.shape for part in encoder.heads] == [(0, 0, 1024), (0, 0)]
    np.testing.assert_allclose(encoder.encode_chunk(lonlat[:7]), vectors[:7], atol=1e-5)
    assert np.ptp(vectors, axis=0).min() > 0
    assert encoder.encode_chunk(np.zeros((0, 2))).shape == (0, 512)


@pytest.mark.parametrize("kind", OTHERS)
def test_no_seam_at_the_antimeridian(kind):
    """No kind jumps where longitude does: both sides of it, a centimetre apart, have the same vector."""
    lat = np.linspace(-89.0, 89.0, 60)
    west, east = (np.stack([np.full(60, lon), lat], axis=1) for lon in (-180.0 + 1e-7, 180.0 - 1e-7))
    encoder = draw(kind)
    assert cosines(encoder.encode_chunk(west), encoder.encode_chunk(east)).min() > 0.999999


@pytest.mark.parametrize("kind", ["sh-siren", "xyz"])
def test_smooth_kinds_at_a_kilometre(kind):
    """Across the antimeridian, and across a pole, a kilometre changes next to nothing."""
    lat = np.linspace(-85.0, 85.0, 60)
    half = KM / 2 / np.cos(np.radians(lat))
    west, east = np.stack([-180.0 + half, lat], axis=1), np.stack([180.0 - half, lat], axis=1)
    lon = np.linspace(-180.0, 0.0, 60)
    here, there = (np.stack([lon + turn, np.full(60, 90.0 - KM / 2)], axis=1) for turn in (0.0, 180.0))
    encoder = draw(kind)
    for a, b in ((west, east), (here, there)):
        assert cosines(encoder.encode_chunk(a), encoder.encode_chunk(b)).min() >= 0.9999


@pytest.mark.parametrize("kind", OTHERS)
def test_jumps_says_whether_a_pole_is_one_place(kind):
    """A metre from it, on all sides."""
    encoder = draw(kind)
    lon = np.linspace(-180.0, 150.0, 12)
    vectors = encoder.encode_chunk(np.stack([lon, np.full(12, 90.0 - KM / 1000)], axis=1))
    assert (cosines(vectors[:1], vectors[1:]).min() < 0.9999) == encoder.jumps


@pytest.mark.parametrize("kind", ["spherec+", "grid"])
def test_kinds_with_longitude_tell_a_pole_from_itself(kind):
    """What the documentation says of them: at the pole itself, longitude still matters."""
    encoder = draw(kind)
    pole = encoder.encode_chunk(np.array([[0.0, 90.0], [100.0, 90.0]]))
    assert cosines(pole[:1], pole[1:])[0] < 0.999


@pytest.mark.parametrize("kind", OTHERS)
def test_a_record_and_its_weights_are_the_encoder(kind):
    """Opened again from float16, it encodes nearly alike; settings that are absent are the defaults."""
    encoder, lonlat = draw(kind), sphere(200)
    again = open_encoder({"kind": kind}, {name: w.astype(np.float16) for name, w in encoder.weights.items()})
    assert again.record == encoder.record
    assert cosines(again.encode_chunk(lonlat), encoder.encode_chunk(lonlat)).min() > 0.999


def test_capsules_are_what_is_meant_where_nothing_is_said(model):
    """No record, or one that names capsules, is GeoCLIP's encoder with its heads."""
    for record in (None, {"kind": "capsules", "sigmas": [1, 16, 256]}):
        encoder = open_encoder(record, model.encoder.weights, model.bank.heads())
        assert isinstance(encoder, LocationEncoder) and encoder.kind == "capsules"
        np.testing.assert_array_equal(encoder.encode_chunk(sphere(5)), model.encoder.encode_chunk(sphere(5)))


@pytest.mark.parametrize(
    ("record", "match"),
    [
        ({"kind": "cube"}, "no encoder kind 'cube'; there are capsules"),
        ({}, "no encoder kind None"),
        ({"kind": "xyz", "scales": 3}, r"no settings \['scales'\]; it has hidden, blocks"),
        ({"kind": "grid", "scales": 0}, "scales must be int, 1 to 24; got 0"),
        ({"kind": "grid", "scales": 4.0}, "scales must be int"),
        ({"kind": "grid", "hidden": True}, "hidden must be int"),
        ({"kind": "sh-siren", "degree": 1000}, "degree must be int, 1 to 100"),
        ({"kind": "sh-siren", "w0": float("nan")}, "w0 must be float"),
        ({"kind": "capsules", "degree": 3}, r"'capsules' has no settings \['degree'\]"),
    ],
)
def test_records_that_are_wrong(record, match, model):
    """Each is refused by the name of what is wrong in it."""
    weights = model.encoder.weights if record.get("kind") == "capsules" else draw("xyz").weights
    with pytest.raises(ModelFileError, match=match):
        open_encoder(record, weights)


def test_weights_that_do_not_fit(model):
    """Missing, foreign, misshapen or infinite tensors are named; so is a head, which these encoders cannot read."""
    weights = draw("xyz").weights
    with pytest.raises(ModelFileError, match=r"xyz location encoder weights do not fit: missing \['layers.0.bias'"):
        open_encoder({"kind": "xyz"}, {})
    with pytest.raises(ModelFileError, match=r"'layers.0.weight' must be floating with shape \(512, 3\)"):
        open_encoder({"kind": "xyz"}, {**weights, "layers.0.weight": np.zeros((512, 4), np.float32)})
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        open_encoder({"kind": "xyz"}, {**weights, "layers.0.bias": np.full(512, np.inf, np.float32)})
    with pytest.raises(ModelFileError, match="the concept bank has heads"):
        open_encoder({"kind": "xyz"}, weights, model.bank.heads())


class TestBackends:
    """Backends run other kinds, or say that they do not."""

    @pytest.mark.parametrize("kind", OTHERS)
    @pytest.mark.parametrize(
        ("package", "backend", "least"),
        [
            ("torch", "torch", 0.999999),
            ("torch", "torch-bf16", 0.999),
            ("onnxruntime", "onnx", 0.999999),
            ("onnxruntime", "onnx-int8", 0.99),
        ],
    )
    def test_the_same_vectors(self, kind, package, backend, least):
        """All run the same network: in float32 exactly, in bfloat16 and 8 bits nearly."""
        pytest.importorskip(package, reason=f"{package} is not installed")
        from geoconcept_gis.backends import BackendChoice

        encoder, lonlat = draw(kind), sphere(300)
        chosen = BackendChoice(encoder, backend).pick(1)
        assert chosen.name == backend
        vectors = chosen.encode_chunk(lonlat)
        assert vectors.dtype == np.float32 and vectors.shape == (300, 512)
        assert cosines(vectors, encoder.encode_chunk(lonlat)).min() > least
        assert chosen.encode_chunk(np.zeros((0, 2))).shape == (0, 512)

    def test_auto_races_those_that_can(self):
        """The race goes on without those that cannot, and its report says why."""
        from geoconcept_gis.backends import AUTO_MIN_POINTS, BackendChoice

        choice = BackendChoice(draw("xyz"))
        assert choice.pick(AUTO_MIN_POINTS).name in ("numpy", "torch", "torch-bf16", "torch-cuda", "onnx")
        assert next(trial for trial in choice.report if trial.name == "onnx-int8").verdict.startswith("skipped")

    def test_no_gpu(self, monkeypatch):
        """Without a GPU, torch-cuda says so for these encoders too."""
        torch = pytest.importorskip("torch", reason="torch is not installed")
        from geoconcept_gis.backends import BackendChoice
        from geoconcept_gis.errors import BackendError

        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(BackendError, match="needs an NVIDIA GPU"):
            BackendChoice(draw("xyz"), "torch-cuda")


class TestTables:
    """Tables that have not all knots of their grid."""

    @staticmethod
    def parts(**changed):
        """Record and weights of an encoder with three knots in its one table; `changed` replaces weights."""
        record = {"kind": "tables", "cells": [90.0], "widths": [2], "knots": [3], "waves": 1, "hidden": 4, "blocks": 0}
        shapes = ENCODER_KINDS["tables"].shapes(ENCODER_KINDS["tables"].complete(record))
        rng = np.random.default_rng(0)
        weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
        weights["masks.0"] = pack_knots(np.array([0, 2, 5]), 90.0)
        return record, {name: value for name, value in {**weights, **changed}.items() if value is not None}

    def test_knots_that_it_has_not_share_a_row(self):
        """Two of the grid's knots without a row read the same; one with a row of its own does not."""
        record, weights = self.parts(waves=np.zeros((1, 3)))
        weights["layers.0.weight"][:, :3] = 0.0  # else the place itself speaks
        encoder = open_encoder(record, weights)
        first, second, other = encoder.encode_chunk(np.array([[-180.0, 0.0], [0.0, 0.0], [-90.0, 0.0]]))
        np.testing.assert_array_equal(first, second)
        assert np.abs(first - other).max() > 1e-3

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"masks.0": None}, r"'masks\.0' must be uint8, one bit for 6 knots"),
            ({"masks.0": np.zeros(1, np.float32)}, "must be uint8"),
            ({"masks.0": np.zeros(2, np.uint8)}, "must be uint8"),
            ({"masks.0": np.array([80], np.uint8)}, "has 2 knots, the record says 3"),
            ({"masks.1": np.zeros(1, np.uint8)}, r"masks\.1 belong to no table"),
        ],
    )
    def test_masks_that_do_not_fit_are_refused(self, changed, message):
        with pytest.raises(ModelFileError, match=message):
            open_encoder(*self.parts(**changed))

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ({"widths": [2, 3]}, "each list needs one value a table; cells has 1, widths has 2"),
            ({"cells": 90.0}, "cells must be a list of float"),
            ({"hidden": [4]}, "hidden must be int"),
        ],
    )
    def test_lists_are_checked(self, setting, message):
        record, weights = self.parts()
        with pytest.raises(ModelFileError, match=message):
            open_encoder({**record, **setting}, weights)
