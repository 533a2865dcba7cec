"""The world with known concepts: what it is made of, and which losses recover its truth for unseen photographers."""

import numpy as np
import pytest

from geoconcept_gis import reference_places
from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.evaluation.metrics import distance_km
from geoconcept_gis.train.synthetic import make_world


@pytest.fixture(scope="module")
def world():
    return make_world(2000, concepts=16, groups=50, seed=0)


# ---- the world ----


def test_what_it_is_made_of(world):
    assert repr(world) == "<World: 2,000 photos by 50, 16 concepts>"
    assert world.features.shape == (2000, 64) and world.features.dtype == np.float32
    assert world.lonlat.shape == (2000, 2) and np.abs(world.lonlat).max(axis=0).tolist() <= [180.0, 90.0]
    assert np.bincount(world.group).tolist() == [40] * 50
    assert world.activations.shape == (2000, 16)


def test_the_same_seed_gives_the_same_world(world):
    again, other = make_world(2000, seed=0), make_world(2000, seed=1)
    for name in ("features", "lonlat", "group", "activations", "waves"):
        assert np.array_equal(getattr(world, name), getattr(again, name))
        assert not np.array_equal(getattr(world, name), getattr(other, name))


def test_concepts_are_fields_on_the_sphere(world):
    """Of the size that is promised, smooth, without seam or poles, and none a copy of another."""
    everywhere = world.concepts_at(reference_places("uniform_earth", 5000))
    assert np.abs(everywhere.mean(axis=0)).max() < 0.9
    assert everywhere.std(axis=0).min() > 0.6 and everywhere.std(axis=0).max() < 1.4
    assert np.abs(np.corrcoef(everywhere.T) - np.eye(16)).max() < 0.6
    np.testing.assert_allclose(world.concepts_at([[180.0, 20.0]]), world.concepts_at([[-180.0, 20.0]]), atol=1e-5)
    np.testing.assert_allclose(world.concepts_at([[0.0, 90.0]]), world.concepts_at([[120.0, 90.0]]), atol=1e-5)
    step = world.concepts_at([[10.0, 50.0]]) - world.concepts_at([[10.0, 50.5]])
    assert np.abs(step).max() < 0.2


def test_photographers_have_regions_and_styles(world):
    """A photo lies near others of its photographer, and looks like them beyond what their places share."""
    first = np.flatnonzero(world.group == 0)
    far = [np.sort(distance_km(np.repeat(world.lonlat[[i]], 40, axis=0), world.lonlat[first]))[1] for i in first]
    assert np.median(far) < 500.0
    known = np.column_stack([world.activations, np.ones(2000)])
    rest = world.features - known @ np.linalg.lstsq(known, world.features, rcond=None)[0]
    means = np.stack([rest[world.group == group].mean(axis=0) for group in range(50)])
    assert means.std() > 2.0 * rest.std() / np.sqrt(40)


def test_noise_is_what_is_asked_for():
    quiet, loud = make_world(500, noise=0.0), make_world(500, noise=2.0)
    assert np.array_equal(quiet.lonlat, loud.lonlat)
    assert (loud.features - quiet.features).std() == pytest.approx(2.0, rel=0.02)


def test_places_of_ones_own(world):
    with pytest.raises(CoordinateError, match="latitude"):
        world.concepts_at([[0.0, 91.0]])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"photos": 0}, "photos must be at least 1; got 0"),
        ({"concepts": 0}, "concepts must be at least 1"),
        ({"groups": -1}, "groups must be at least 1"),
        ({"noise": -0.1}, "noise must be 0 or more"),
        ({"noise": np.nan}, "noise must be 0 or more"),
    ],
)
def test_what_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        make_world(**settings)


# ---- what training recovers ----


def recovered(world, name, width, *, batch=256, epochs=30, paired=True):
    """Mean correlation of activations with the truth, for photos of photographers that training has not seen."""
    torch = pytest.importorskip("torch", reason="training needs torch")
    from geoconcept_gis.train.concept_basis import ImageActivations, shuffled
    from geoconcept_gis.train.losses import CONCEPT_LOSSES

    torch.manual_seed(0)
    order = torch.Generator().manual_seed(0)
    features, truth = torch.from_numpy(world.features), torch.from_numpy(world.activations)
    held_out = torch.from_numpy(world.group % 5 == 0)
    known = torch.nonzero(~held_out)[:, 0]
    layers = ImageActivations(features.shape[1], 128, truth.shape[1])
    adam = torch.optim.Adam(layers.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in known[torch.randperm(len(known), generator=order)].split(batch):
            places = truth[rows] if paired else shuffled(truth[rows], order)
            loss = CONCEPT_LOSSES[name](layers(features[rows]), places, width=width)
            adam.zero_grad()
            loss.backward()
            adam.step()
    with torch.no_grad():
        found = layers(features[held_out]).numpy()
    pairs = zip(found.T, world.activations[held_out.numpy()].T, strict=True)
    return float(np.mean([np.corrcoef(ours, theirs)[0, 1] for ours, theirs in pairs]))


@pytest.mark.parametrize(("name", "width", "least"), [("kl", 1.0, 0.85), ("mse", 1.0, 0.9), ("infonce", 0.1, 0.8)])
def test_losses_over_pairs_recover_the_truth(world, name, width, least):
    """And nothing at all, where photos learn the concepts of other photos' places."""
    assert recovered(world, name, width) > least
    assert abs(recovered(world, name, width, paired=False)) < 0.15


@pytest.mark.parametrize(("name", "width"), [("divergence", 1.0), ("cauchy-schwarz", 4.0)])
def test_losses_over_batches_do_not_see_pairs(world, name, width):
    """In one batch with all photos the truth stays out of reach, which losses over pairs recover."""
    assert recovered(world, "kl", 1.0, batch=2000, epochs=60) > 0.8
    assert abs(recovered(world, name, width, batch=2000, epochs=60)) < 0.2


def test_the_divergence_learns_from_how_small_batches_differ(world):
    """The smaller, the more; the pairing inside a batch has no part in it."""
    small, large = (recovered(world, "divergence", 1.0, batch=batch) for batch in (64, 256))
    assert small > large + 0.2 and small < recovered(world, "mse", 1.0, batch=64) - 0.1
    assert recovered(world, "divergence", 1.0, paired=False) == pytest.approx(large, abs=0.05)
