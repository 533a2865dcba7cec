"""The concept basis: the package's own scores with gradients, what may move in it, and its controls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs torch")

from geoconcept_gis.concepts.scoring import ConceptScorer  # noqa: E402
from geoconcept_gis.errors import ConceptError, InputError  # noqa: E402
from geoconcept_gis.train.concept_basis import ConceptBasis, ImageActivations, random_basis, shuffled  # noqa: E402


@pytest.fixture(scope="module")
def vectors():
    """Vectors of any length, scattered like those of places round a common mean."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(40, 512)) + 2.0).astype(np.float32) * rng.uniform(0.1, 9.0, (40, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(1)
    return ConceptBasis(rng.normal(size=(6, 8)), mean=rng.normal(size=8) * 0.1)


def test_activations_are_the_scores_of_the_package(model, vectors):
    """Concepts of all four references, each centred on its own."""
    concepts = model.bank.shown
    assert len({concept.reference for concept in concepts}) == 4
    wanted = ConceptScorer(concepts, model.bank.references, "cosine")(vectors)
    with torch.no_grad():
        found = ConceptBasis.from_bank(model.bank)(torch.from_numpy(vectors))
    np.testing.assert_allclose(found.numpy(), wanted, atol=2e-6)


def test_one_reference_for_all(model, vectors):
    names, mean = ["desert scene", "tropical climate"], model.bank.references["uniform_land"]
    basis = ConceptBasis.from_bank(model.bank, names, reference="uniform_land")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = (unit - mean) / np.linalg.norm(unit - mean, axis=1, keepdims=True)
    wanted = centred @ np.stack([model.bank[name].vector for name in names]).T
    with torch.no_grad():
        np.testing.assert_allclose(basis(torch.from_numpy(vectors)).numpy(), wanted, atol=2e-6)


def test_only_the_offset_learns(small):
    """The bank is a buffer: it goes with the module's state, not with its parameters."""
    assert [name for name, _ in small.named_parameters()] == ["offset"]
    assert not small.offset.any()
    assert {"bank", "means", "which", "offset"} == set(small.state_dict())
    fixed = ConceptBasis(small.bank, small.means[0], offset=False)
    assert not list(fixed.parameters()) and fixed.offset is None
    x = torch.randn(3, 8)
    torch.testing.assert_close(fixed(x), small(x).detach())


def test_an_offset_turns_the_directions(small):
    moved = ConceptBasis(small.bank, small.means[0])
    with torch.no_grad():
        moved.offset[0] = 3.0 * moved.bank[1] - moved.bank[0]
    torch.testing.assert_close(moved.directions[0], moved.bank[1])  # still of length one
    activations = moved(torch.randn(5, 8))
    torch.testing.assert_close(activations[:, 0], activations[:, 1])


def test_gradients_reach_vectors_and_offset(small):
    basis = ConceptBasis(small.bank, small.means[0]).double()
    x = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, offset: torch.func.functional_call(basis, {"offset": offset}, x),
        (x, torch.full_like(basis.offset, 0.1, requires_grad=True)),
    )


def test_length_does_not_matter_and_activations_are_cosines(small):
    x = torch.randn(50, 8)
    activations = small(x).detach()
    torch.testing.assert_close(activations, small(7.0 * x).detach())
    assert float(activations.abs().max()) <= 1.0


def test_mixed_precision_does_not_reach_the_cosines(small):
    x = torch.randn(20, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = small(x)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, small(x))


@given(seed=st.integers(0, 2**32 - 1))
def test_a_random_basis_has_the_same_angles(small, seed):
    turned = random_basis(small, seed)
    gram, wanted = (basis.directions.detach() @ basis.directions.detach().T for basis in (turned, small))
    torch.testing.assert_close(gram, wanted, atol=1e-5, rtol=0)
    assert float((turned.bank * small.bank).sum(1).abs().min()) < 0.95
    torch.testing.assert_close(turned.means, small.means)
    torch.testing.assert_close(turned.bank, random_basis(small, seed).bank)


def test_random_bases_point_anywhere(small):
    """Over many seeds a direction averages out."""
    mean = torch.stack([random_basis(small, seed).bank[0] for seed in range(400)]).mean(0)
    assert float(mean.norm()) < 0.15
    assert random_basis(ConceptBasis(small.bank, small.means[0], offset=False), 0).offset is None


@given(count=st.integers(2, 30), seed=st.integers(0, 2**32 - 1))
def test_no_row_stays_where_it_was(count, seed):
    rows = torch.arange(float(count))[:, None]
    mixed = shuffled(rows, torch.Generator().manual_seed(seed))
    assert sorted(mixed[:, 0].tolist()) == rows[:, 0].tolist()
    assert not (mixed == rows).any()
    assert torch.equal(mixed, shuffled(rows, torch.Generator().manual_seed(seed)))


def test_one_photo_cannot_be_shuffled():
    with pytest.raises(InputError, match="a batch of 1 cannot be shuffled"):
        shuffled(torch.zeros(1, 3))


def test_image_activations_are_two_layers():
    layers = ImageActivations(6, 5, 4)
    assert {name: tuple(value.shape) for name, value in layers.named_parameters()} == {
        "0.weight": (5, 6),
        "0.bias": (5,),
        "2.weight": (4, 5),
        "2.bias": (4,),
    }
    x = torch.randn(3, 6)
    wanted = torch.relu(x @ layers[0].weight.T + layers[0].bias) @ layers[2].weight.T + layers[2].bias
    torch.testing.assert_close(layers(x), wanted)


@pytest.mark.parametrize(
    ("vectors", "mean", "message"),
    [
        (np.ones(4), np.zeros(4), r"shape \(concepts, width\); got \(4,\)"),
        (np.ones((0, 4)), np.zeros(4), r"got \(0, 4\)"),
        ([[1.0, 0.0], [0.0, 0.0], [np.nan, 1.0]], np.zeros(2), r"concepts \[1, 2\] are zero or not finite"),
        (np.eye(3), np.zeros(2), r"one vector of 3 for all concepts.* got \(2,\)"),
        (np.eye(3), np.ones(3), "shorter than 1"),
        (np.eye(3), np.full(3, np.nan), "must be finite"),
    ],
)
def test_what_is_refused(vectors, mean, message):
    with pytest.raises(ConceptError, match=message):
        ConceptBasis(vectors, mean)


def test_wrong_names_and_widths(model, small):
    with pytest.raises(ConceptError, match="no reference 'the moon' in this bank; choose one of"):
        ConceptBasis.from_bank(model.bank, reference="the moon")
    with pytest.raises(ConceptError, match=r"no concept 'dessert scene'.*did you mean 'desert scene'"):
        ConceptBasis.from_bank(model.bank, "dessert scene")
    with pytest.raises(InputError, match=r"shape \(N, 8\); got \(2, 7\)"):
        small(torch.zeros(2, 7))
