"""Concepts that photos show: read from a table, and what they tell of the place."""

import numpy as np
import pytest
import torch

from geoconcept_gis.errors import ConceptError, InputError
from geoconcept_gis.train.loop import fit
from geoconcept_gis.train.seen import SeenConcepts, read_seen, seen_concept_loss


def test_the_table_is_joined_by_name(tmp_path, model):
    path = tmp_path / "seen.csv"
    path.write_text("name,concepts\nc,  bwh ;glacier scene\na,\nz,desert scene\n", encoding="utf-8")
    seen, concepts = read_seen(path, ["a", "b", "c"], model.bank)
    assert [concept.name for concept in concepts] == ["hot desert climate", "glacier scene"]
    assert seen.tolist() == [[False, False], [False, False], [True, True]]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("photo,concepts\na,BWh\n", InputError, "no column 'name'"),
        ("name,concepts\na,BWh\na,\n", InputError, "row 3: photo 'a' is in it twice"),
        ("name,concepts\na,BWh\nb,hot dessert\n", ConceptError, "row 3: .*hot dessert"),
        ("name,concepts\nx,BWh\n", InputError, "names none of the photos: it has 'x', the features 'a'"),
        ("", InputError, "cannot read"),
    ],
)
def test_what_is_wrong_with_the_table_is_named(tmp_path, model, text, error, message):
    path = tmp_path / "seen.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        read_seen(path, ["a", "b"], model.bank)
    with pytest.raises(InputError, match="cannot read"):
        read_seen(tmp_path / "none.csv", ["a"], model.bank)


def test_probabilities_are_the_calibrated_scores(model):
    places = [[31.2, 30.0], [-0.1, 51.5], [-43.2, -22.9]]
    concepts = model.select(["BWh", "glacier scene"])
    vectors = model.encode(places)
    found = SeenConcepts(model.bank, concepts)(torch.from_numpy(vectors)).exp().numpy()
    np.testing.assert_allclose(found, model.score_vectors(vectors, concepts, kind="calibrated"), atol=1e-5)


def test_the_loss_against_loops():
    rng = np.random.default_rng(0)
    logits, seen = rng.normal(size=(5, 7)), rng.random((5, 3)) < 0.5
    seen[2] = False
    log_p = np.log(rng.random((7, 3)))
    logits[1, 4] = -np.inf
    expected = 0.0
    for i in range(5):
        if seen[i].any():
            kept = np.isfinite(logits[i])
            evidence = np.log(np.exp(log_p[:, seen[i]]) + 1e-4).mean(axis=1)[kept]
            q = np.exp(evidence) / np.exp(evidence).sum()
            expected -= (q * (logits[i, kept] - np.log(np.exp(logits[i, kept]).sum()))).sum()
    found = seen_concept_loss(torch.tensor(logits), torch.tensor(log_p), torch.tensor(seen))
    assert float(found) == pytest.approx(expected / 5)


def test_photos_that_show_nothing_add_nothing():
    logits = torch.randn(3, 4, requires_grad=True)
    loss = seen_concept_loss(logits, torch.zeros(4, 2), torch.zeros(3, 2, dtype=torch.bool))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("shapes", [((3, 4), (4, 2), (3, 1)), ((3, 4), (5, 2), (3, 2)), ((3, 4), (4, 2), (2, 2))])
def test_wrong_shapes_are_refused(shapes):
    logits, log_p, seen = shapes
    with pytest.raises(InputError):
        seen_concept_loss(torch.zeros(logits), torch.zeros(log_p), torch.zeros(seen, dtype=torch.bool))


@pytest.mark.parametrize("control", ["none", "shuffled"])
def test_photos_move_to_where_what_they_show_is_common(shards, config, model, tmp_path, control):
    """Photos of dry places say so; trained with that alone, held-out photos are drawn to dry places."""
    dry = model.score(shards.lonlat, "BWh")[:, 0] > 0.3
    path = tmp_path / "seen.csv"
    lines = [f"{name},{'BWh' if is_dry else 'Cfb'}" for name, is_dry in zip(shards.names, dry, strict=True)]
    path.write_text("\n".join(["name,concepts", *lines]) + "\n", encoding="utf-8")
    wanted = config(
        f"concepts={{loss: auto, seen: '{path}', weight: 20.0, control: {control}}}",
        "location_encoder={kind: model, frozen: true}",
        "negatives={kind: gallery, size: 500}",
        "optim={epochs: 20, batch_size: 60, lr: 1e-3, schedule: constant}",
    )
    fitted = fit(shards, wanted, rows=np.arange(180), model=model)
    held_out = np.arange(180, 240)
    scores = model.score_vectors(fitted.encode(shards.plain(held_out)), "BWh", kind="cosine")[:, 0]
    gap = scores[dry[held_out]].mean() - scores[~dry[held_out]].mean()
    if control == "none":
        assert gap > 0.1
    else:
        assert abs(gap) < 0.1
