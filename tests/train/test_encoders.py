"""Torch twins of the location encoders."""

import numpy as np
import pytest

from geoconcept_gis.encoder import ENCODER_KINDS, open_encoder
from geoconcept_gis.errors import InputError, ModelFileError

torch = pytest.importorskip("torch", reason='torch is not installed: pip install "geoconcept-gis[train]"')
encoders = pytest.importorskip("geoconcept_gis.train.encoders")


@pytest.fixture(scope="module")
def lonlat():
    rng = np.random.default_rng(3)
    edges = [[-180.0, -90.0], [180.0, 90.0], [0.0, 0.0], [179.9999, 45.0], [-179.9999, 45.0]]
    random = np.stack([rng.uniform(-180, 180, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))], axis=1)
    return np.concatenate([edges, random])


def perturbed(kind, seed=0):
    """A twin whose trained weights are all moved at random."""
    twin = encoders.make_encoder({"kind": kind}, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in twin.parameters():
            spread = parameter.std() if parameter.numel() > 1 else 1.0
            parameter += 0.3 * spread * torch.randn(parameter.shape, generator=generator)
    return twin


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_twins_have_the_numbers_of_numpy(kind, lonlat):
    """Weights go to numpy and back, and both encode alike, whatever the weights."""
    twin = perturbed(kind)
    weights, record = encoders.to_numpy(twin)
    reference = open_encoder(record, weights)
    assert record["kind"] == reference.kind == kind
    assert reference.record == record
    expected = reference.encode_chunk(lonlat)
    with torch.inference_mode():
        assert np.abs(twin(torch.tensor(lonlat)).numpy() - expected).max() <= 1e-5
        again = encoders.from_numpy(reference)
        assert np.abs(again(torch.tensor(lonlat)).numpy() - expected).max() <= 1e-5
    assert {name: w.tolist() for name, w in encoders.to_numpy(again)[0].items()} == {
        name: w.tolist() for name, w in weights.items()
    }


def test_geoclip_is_a_warm_start(model, lonlat):
    """The bundled encoder's twin encodes as it does; its phases are no parameters."""
    twin = encoders.from_numpy(model.encoder)
    with torch.inference_mode():
        found = twin(torch.tensor(lonlat)).numpy()
    assert np.abs(found - model.encoder.encode_chunk(lonlat)[:, :512]).max() <= 1e-5
    assert not any(name.endswith(".b") for name, _ in twin.named_parameters())
    assert sum(name.endswith(".b") for name, _ in twin.named_buffers()) == 3


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_a_seed_is_the_same_encoder_and_leaves_the_random_state(kind):
    """Same seed, same weights; another seed, others; nothing else is drawn differently afterwards."""
    before = torch.get_rng_state()
    one, same, other = (encoders.to_numpy(encoders.make_encoder({"kind": kind}, seed))[0] for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    first = sorted(one)[0]
    np.testing.assert_array_equal(one[first], same[first])
    assert not np.array_equal(one[first], other[first])


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_bfloat16_leaves_phases_alone(kind, lonlat):
    """Under autocast the vectors keep their direction: no phase went through bfloat16."""
    twin = encoders.make_encoder({"kind": kind})
    places = torch.tensor(lonlat)
    with torch.inference_mode():
        exact = twin(places)
        with torch.autocast("cpu", torch.bfloat16):
            short = twin(places).float()
    assert torch.nn.functional.cosine_similarity(exact, short).min() > 0.999


@pytest.mark.parametrize("kind", ENCODER_KINDS)
def test_every_layer_learns(kind, lonlat):
    """Each parameter gets a gradient."""
    twin = encoders.make_encoder({"kind": kind})
    twin(torch.tensor(lonlat)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in twin.parameters())


def test_siren_starts_as_in_its_paper():
    """Sitzmann et al. 2020: the first layer within 1 / F, the second within sqrt(6 / hidden)."""
    weights = encoders.to_numpy(encoders.make_encoder({"kind": "sh-siren", "degree": 10, "hidden": 64}))[0]
    assert 0.99 / 100 < np.abs(weights["layers.0.weight"]).max() <= 1 / 100
    assert 0.99 * np.sqrt(6 / 64) < np.abs(weights["layers.1.weight"]).max() <= np.sqrt(6 / 64)


def test_capsules_have_the_spread_asked_for():
    """One capsule a sigma; its phases spread by sigma."""
    weights, record = encoders.to_numpy(encoders.make_encoder({"kind": "capsules", "sigmas": [2, 64]}))
    assert record == {"kind": "capsules", "sigmas": [2.0, 64.0]}
    for k, sigma in enumerate((2.0, 64.0)):
        assert weights[f"LocEnc{k}.capsule.0.b"].std() == pytest.approx(sigma, rel=0.1)
    assert "LocEnc2.capsule.0.b" not in weights


@pytest.mark.parametrize("sigmas", [[], [1, -2], "16", [float("nan")]])
def test_sigmas_that_are_none(sigmas):
    """Anything but positive numbers is refused."""
    with pytest.raises(InputError, match="sigmas must be positive"):
        encoders.make_encoder({"kind": "capsules", "sigmas": sigmas})


def test_unknown_kinds_and_settings():
    """Both are named."""
    with pytest.raises(ModelFileError, match="no encoder kind 'cube'; there are capsules, sh-siren"):
        encoders.make_encoder({"kind": "cube"})
    with pytest.raises(ModelFileError, match=r"'xyz' has no settings \['scales'\]"):
        encoders.make_encoder({"kind": "xyz", "scales": 3})


def test_float32_places_are_refused():
    """They would move places by metres."""
    with pytest.raises(InputError, match="float64"):
        encoders.make_encoder({"kind": "xyz"})(torch.zeros(2, 2))
