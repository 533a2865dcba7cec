"""The module that training changes: its losses are those of losses.py on the right pairs."""

import numpy as np
import pytest
import torch

from geoconcept_gis.encoder import ImageHead
from geoconcept_gis.train.alignment import Alignment, Batch, Standardise
from geoconcept_gis.train.concept_basis import ConceptBasis
from geoconcept_gis.train.export import image_head_weights
from geoconcept_gis.train.losses import concept_kl, info_nce


@pytest.fixture
def quiet(config):
    """Settings without noise, on the real frozen encoder."""

    def make(*overrides):
        return config(
            "location_encoder={kind: model, frozen: true}",
            "negatives={kind: queue, size: 50, noise_km: 0.0, batch_noise_km: 0.0}",
            *overrides,
        )

    return make


def batch_of(world, rows):
    rows = np.asarray(rows)
    return Batch(torch.from_numpy(rows), torch.from_numpy(world.features[rows]), torch.from_numpy(world.lonlat[rows]))


def test_losses_are_those_of_the_pairs(world, model, quiet):
    alignment = Alignment(quiet(), model, world.features)
    batch = batch_of(world, range(8))
    photos, places = alignment.encode_photos(batch.features), alignment.encode_places(batch.lonlat)
    basis = ConceptBasis.from_bank(model.bank, [c for c in model.bank.shown if c.family == "climate"], offset=False)
    losses = alignment(batch)
    torch.testing.assert_close(losses["places"], info_nce(photos, places, scale=alignment.scale))
    torch.testing.assert_close(losses["concepts"], concept_kl(basis(photos), basis(places), temperature=0.1))
    torch.testing.assert_close(losses["loss"], losses["places"] + losses["concepts"])


def test_places_are_those_of_the_encoder(world, model, quiet):
    alignment = Alignment(quiet(), model, world.features)
    found = alignment.encode_places(torch.from_numpy(world.lonlat[:50])).numpy()
    np.testing.assert_allclose(found, model.encode(world.lonlat[:50]), atol=2e-5)


def test_the_queue_holds_wrong_answers_but_never_ones_own_place(world, model, quiet):
    alignment = Alignment(quiet("concepts.loss=none"), model, world.features)
    alone = alignment.eval()(batch_of(world, range(4)))["places"]
    alignment.train()(batch_of(world, range(4)))  # its places are in the queue now
    again = alignment.eval()(batch_of(world, range(4)))["places"]
    other = alignment(batch_of(world, range(4, 8)))["places"]
    alignment.negatives.row.fill_(-1)
    without = alignment(batch_of(world, range(4, 8)))["places"]
    # Each photo meets the three other places twice, its own once.
    cosines = torch.nn.functional.normalize(alignment.encode_photos(torch.from_numpy(world.features[:4]))) @ (
        torch.nn.functional.normalize(alignment.encode_places(torch.from_numpy(world.lonlat[:4]))).T
    )
    logits = cosines * alignment.scale
    wrong = logits.masked_fill(torch.eye(4, dtype=torch.bool), -torch.inf)
    expected = torch.cat((logits, wrong), 1).logsumexp(1) - logits.diagonal()
    torch.testing.assert_close(again, expected.mean())
    assert again > alone
    assert other > without


def test_a_new_encoder_is_trained_through_the_queue(world, model, config):
    alignment = Alignment(config("negatives={size: 8}"), model, world.features)
    alignment(batch_of(world, range(8)))
    alignment(batch_of(world, range(8, 16)))["places"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in alignment.location_encoder.parameters())


def test_what_standardises_features_folds_into_the_first_layer(world, model, config):
    alignment = Alignment(config("image_head.dropout=0.5"), model, world.features).eval()
    head = ImageHead(image_head_weights(alignment))
    with torch.no_grad():
        expected = alignment.encode_photos(torch.from_numpy(world.features)).numpy()
    np.testing.assert_allclose(head(world.features), expected, atol=1e-4)


def test_standardise():
    one = Standardise(torch.tensor([1.0, 2.0]), 4.0)
    weight, bias = torch.tensor([[1.0, -1.0], [2.0, 0.5]]), torch.tensor([0.3, -0.1])
    folded = one.fold(weight, bias)
    x = torch.tensor([[5.0, -3.0]])
    torch.testing.assert_close(x @ folded[0].T + folded[1], one(x) @ weight.T + bias)


def test_training_can_start_from_the_models_image_head(model, config):
    features = np.random.default_rng(0).normal(size=(40, 768)).astype(np.float32)
    alignment = Alignment(config("image_head.start=model"), model, features).eval()
    with torch.no_grad():
        np.testing.assert_allclose(
            alignment.encode_photos(torch.from_numpy(features)).numpy(), model.image_head(features), atol=1e-4
        )


def test_scale_never_exceeds_100(world, model, config):
    alignment = Alignment(config(), model, world.features)
    with torch.no_grad():
        alignment.log_scale.fill_(20.0)
    assert float(alignment.scale.detach()) == pytest.approx(100.0)
