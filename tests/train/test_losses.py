"""Losses of training: against slow loops, by their gradients, and at their limits."""

import doctest
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs torch")

from geoconcept_gis.errors import InputError  # noqa: E402
from geoconcept_gis.evaluation.metrics import distance_km  # noqa: E402
from geoconcept_gis.train import losses  # noqa: E402
from geoconcept_gis.train.losses import CONCEPT_LOSSES  # noqa: E402

N, K, M = 5, 4, 8
WIDTHS = st.floats(0.05, 10.0)
SEEDS = st.integers(0, 2**32 - 1)


def batch(seed=0, count=N, width=K, scale=1.0):
    return torch.tensor(np.random.default_rng(seed).normal(size=(count, width)) * scale)


def pair(seed=0, **kwargs):
    return batch(seed, **kwargs), batch(seed + 1, **kwargs)


# ---- the same numbers from plain loops ----


def cosine(a, b):
    dot, aa, bb = (sum(x * y for x, y in zip(p, q, strict=True)) for p, q in ((a, b), (a, a), (b, b)))
    return dot / math.sqrt(aa * bb)


def softmax(row):
    terms = [math.exp(x - max(row)) for x in row]
    return [term / sum(terms) for term in terms]


def cross_entropy(logits, targets):
    return sum(
        -sum(t * math.log(p) for p, t in zip(softmax(row), target, strict=True) if t > 0)
        for row, target in zip(logits, targets, strict=True)
    ) / len(logits)


def one_hot(index, count):
    return [float(j == index) for j in range(count)]


def slow_info_nce(queries, keys, scale, targets=None):
    queries, keys = queries.tolist(), keys.tolist()
    logits = [[scale * cosine(q, k) for k in keys] for q in queries]
    return cross_entropy(logits, targets or [one_hot(i, len(keys)) for i in range(len(queries))])


def near(km, tau):
    """PIGEON's targets, in which the distance to the own place still stands."""
    rows = [[math.exp(-(far - row[i]) / tau) for far in row] for i, row in enumerate(km.tolist())]
    return [[y / sum(row) for y in row] for row in rows]


def log_kernels(x, y, sigma):
    return [
        [-sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) / (2 * sigma**2) for b in y.tolist()] for a in x.tolist()
    ]


def mean(rows):
    return sum(sum(row) for row in rows) / sum(len(row) for row in rows)


def slow_divergence(zi, zl, width):
    return mean(log_kernels(zi, zi, width)) + mean(log_kernels(zl, zl, width)) - 2.0 * mean(log_kernels(zi, zl, width))


def slow_cauchy_schwarz(zi, zl, width):
    ii, ll, il = (
        math.log(mean([[math.exp(x) for x in row] for row in log_kernels(x, y, width)]))
        for x, y in ((zi, zi), (zl, zl), (zi, zl))
    )
    return ii + ll - 2.0 * il


def slow_kl(zi, zl, width):
    total = 0.0
    for a, b in zip((zi / width).tolist(), (zl / width).tolist(), strict=True):
        total += sum(q * math.log(q / p) for p, q in zip(softmax(a), softmax(b), strict=True))
    return total / len(zi)


def slow_mse(zi, zl, width):
    return mean([[((p - q) / width) ** 2 for p, q in zip(a, b, strict=True)] for a, b in zip(zi, zl, strict=True)])


def slow_concept_info_nce(zi, zl, width):
    profiles = []
    for z in (zi.numpy(), zl.numpy()):
        profiles.append(torch.tensor((z - z.mean(axis=0)) / z.std(axis=0)))
    return slow_info_nce(*profiles, 1.0 / width)


SLOW = {
    "kl": slow_kl,
    "mse": slow_mse,
    "infonce": slow_concept_info_nce,
    "cauchy-schwarz": slow_cauchy_schwarz,
    "divergence": slow_divergence,
}


def test_every_named_loss_is_tested():
    assert set(SLOW) == set(CONCEPT_LOSSES)


@pytest.mark.parametrize("name", SLOW)
@given(seed=SEEDS, width=st.floats(0.2, 10.0))
@settings(max_examples=25, deadline=None)
def test_concept_losses_equal_loops(name, seed, width):
    zi, zl = pair(seed)
    assert float(CONCEPT_LOSSES[name](zi, zl, width=width)) == pytest.approx(
        float(SLOW[name](zi, zl, width)), rel=1e-8, abs=1e-9
    )


@given(seed=SEEDS, scale=st.floats(0.1, 50.0))
@settings(max_examples=25, deadline=None)
def test_info_nce_equals_loops(seed, scale):
    queries, keys = batch(seed), batch(seed + 1, M)
    assert float(losses.info_nce(queries, keys, scale=scale)) == pytest.approx(slow_info_nce(queries, keys, scale))


@given(seed=SEEDS, tau=st.floats(20.0, 5000.0))
@settings(max_examples=25, deadline=None)
def test_smoothed_losses_equal_pigeons_formula(seed, tau):
    """Divided by their sum, PIGEON's targets are ours, whether or not they are taken relative to the own place."""
    queries, keys, km = batch(seed), batch(seed + 1, M), batch(seed + 2, N, M).abs() * 1000.0
    found = losses.smoothed_info_nce(queries, keys, km, scale=3.0, tau_km=tau)
    assert float(found) == pytest.approx(slow_info_nce(queries, keys, 3.0, near(km, tau)))
    logits = batch(seed + 3, N, M)
    found = losses.geocell_cross_entropy(logits, torch.arange(N), km, tau_km=tau)
    assert float(found) == pytest.approx(cross_entropy(logits.tolist(), near(km, tau)))


def test_geocell_cross_entropy_equals_loops():
    logits, cell = batch(width=M), torch.tensor([0, 3, 3, 7, 1])
    wanted = cross_entropy(logits.tolist(), [one_hot(c, M) for c in cell.tolist()])
    assert float(losses.geocell_cross_entropy(logits, cell)) == pytest.approx(wanted)


def test_concept_bce_equals_loops():
    zi, targets = batch(), torch.rand(N, K, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope, intercept = batch(2, 1)[0], batch(3, 1)[0]
    total = 0.0
    for i, k in itertools.product(range(N), range(K)):
        p = 1.0 / (1.0 + math.exp(-float(slope[k] * zi[i, k] + intercept[k])))
        t = float(targets[i, k])
        total -= (t * math.log(p) + (1.0 - t) * math.log(1.0 - p)) / (N * K)
    assert float(losses.concept_bce(zi, targets, slope=slope, intercept=intercept)) == pytest.approx(total)


def test_haversine_is_the_distance_of_the_evaluation():
    rng = np.random.default_rng(0)
    a, b = (np.column_stack([rng.uniform(-180, 180, 40), rng.uniform(-90, 90, 40)]) for _ in range(2))
    a[:3], b[:3] = [[180.0, 10.0], [0.0, 90.0], [20.0, 30.0]], [[-180.0, 10.0], [77.0, 90.0], [-160.0, -30.0]]
    found = losses.haversine_km(torch.tensor(a), torch.tensor(b))
    wanted = [distance_km(np.repeat(row[None], len(b), axis=0), b, method="haversine") for row in a]
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)
    assert float(found[2, 2]) == pytest.approx(math.pi * 6371.0088)  # antipodes


# ---- gradients ----

KM = batch(9, N, M).abs() * 1000.0
DIFFERENTIABLE = {
    **{name: lambda a, b, loss=loss: loss(a, b, width=0.7) for name, loss in CONCEPT_LOSSES.items()},
    "one-sided": lambda a, b: losses.info_nce(a, b, scale=3.0),
    "two-sided": lambda a, b: losses.info_nce(a, b, scale=3.0, two_sided=True),
    "ignore": lambda a, b: losses.info_nce(a, b, scale=3.0, two_sided=True, ignore=torch.eye(N).roll(1, 1).bool()),
    "smoothed": lambda a, b: losses.smoothed_info_nce(a, b, KM[:, :N], scale=3.0, tau_km=500.0),
    "bce": lambda a, b: losses.concept_bce(a, torch.sigmoid(b), slope=2.0, intercept=-1.0),
    "geocells": lambda a, b: losses.geocell_cross_entropy(a @ b.T, torch.arange(N), KM[:, :N], tau_km=500.0),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name):
    zi, zl = (z.requires_grad_() for z in pair())
    assert torch.autograd.gradcheck(DIFFERENTIABLE[name], (zi, zl))


def test_the_scale_learns():
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: losses.info_nce(*pair(), scale=s), scale)


# ---- limits ----


@pytest.mark.parametrize("name", CONCEPT_LOSSES)
@given(seed=SEEDS, width=WIDTHS)
@settings(max_examples=20, deadline=None)
def test_no_concept_loss_is_negative(name, seed, width):
    assert float(CONCEPT_LOSSES[name](*pair(seed), width=width)) >= -1e-9


@pytest.mark.parametrize("name", CONCEPT_LOSSES)
def test_identical_activations(name):
    """Nothing is left to learn: zero loss (InfoNCE with a small width) and no gradient."""
    z = batch().requires_grad_()
    loss = CONCEPT_LOSSES[name](z, z.detach().clone(), width=0.01 if name == "infonce" else 0.5)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-9)
    assert float(z.grad.abs().max()) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e4, 1e12], ids="{:g}".format)
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_values_of_any_size(name, size, dtype):
    """Collapsed, tiny and huge batches give finite losses and gradients."""
    zi, zl = ((z * size).to(dtype).requires_grad_() for z in pair())
    loss = DIFFERENTIABLE[name](zi, zl)
    loss.backward()
    assert math.isfinite(loss.detach()) and zi.grad.isfinite().all() and zl.grad.isfinite().all()


@pytest.mark.parametrize("size", [1e-30, 1e30], ids="{:g}".format)
def test_cosines_do_not_depend_on_length(size):
    """Squares of such numbers are none that float32 has."""
    zi, zl = (z.float() for z in pair())
    wanted = losses.info_nce(zi, zl, scale=5.0)
    torch.testing.assert_close(losses.info_nce(zi * size, zl * size, scale=5.0), wanted)


@pytest.mark.parametrize("name", [*CONCEPT_LOSSES, "one-sided", "two-sided", "bce"])
def test_a_batch_of_one(name):
    zi, zl = (z.requires_grad_() for z in pair(count=1))
    loss = DIFFERENTIABLE[name](zi, zl)
    loss.backward()
    assert math.isfinite(loss.detach()) and zi.grad.isfinite().all()
    if name in ("one-sided", "two-sided", "infonce"):
        assert float(loss.detach()) == 0.0  # a single key is always the right one


def test_a_collapsed_batch_is_chance():
    """Photos that all look alike are told apart as well as by a guess."""
    same = torch.ones(N, K, dtype=torch.float64)
    assert float(losses.info_nce(same, batch(count=N), scale=5.0)) > math.log(N) * 0.9
    assert float(losses.info_nce(same, same, scale=5.0)) == pytest.approx(math.log(N))
    assert float(losses.concept_info_nce(same, batch(), scale=5.0)) == pytest.approx(math.log(N))


def test_small_tau_is_info_nce():
    queries, keys = batch(), batch(1, M)
    km = batch(2, N, M).abs() * 1000.0
    km[:, :N].fill_diagonal_(0.0)
    hard = losses.info_nce(queries, keys, scale=4.0)
    soft = losses.smoothed_info_nce(queries, keys, km, scale=4.0, tau_km=1e-6)
    assert float(soft) == pytest.approx(float(hard), abs=1e-12)
    logits, cell = batch(3, N, M), torch.arange(N)
    hard, soft = (losses.geocell_cross_entropy(logits, cell, *more) for more in ((), (km, 1e-6)))
    assert float(soft) == pytest.approx(float(hard), abs=1e-12)


def test_large_tau_wants_all_keys_alike():
    queries, keys, km = batch(), batch(1, M), batch(2, N, M).abs()
    uniform = [[1.0 / M] * M] * N
    found = losses.smoothed_info_nce(queries, keys, km, scale=4.0, tau_km=1e12)
    assert float(found) == pytest.approx(slow_info_nce(queries, keys, 4.0, uniform))


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_two_sided_is_symmetric(seed):
    queries, keys = pair(seed)
    there, back = (losses.info_nce(*two, scale=3.0, two_sided=True) for two in ((queries, keys), (keys, queries)))
    assert float(there) == pytest.approx(float(back))
    halves = [float(losses.info_nce(*two, scale=3.0)) for two in ((queries, keys), (keys, queries))]
    assert float(there) == pytest.approx(sum(halves) / 2)


def test_two_sided_with_a_queue_asks_only_for_the_batch():
    queries, keys = batch(), batch(1, M)
    found = losses.info_nce(queries, keys, scale=3.0, two_sided=True)
    halves = float(losses.info_nce(queries, keys, scale=3.0)), float(losses.info_nce(keys[:N], queries, scale=3.0))
    assert float(found) == pytest.approx(sum(halves) / 2)


@pytest.mark.parametrize("tau", [None, 300.0])
def test_ignored_keys_are_as_if_they_were_not_there(tau):
    queries, keys, km = batch(), batch(1, M), batch(2, N, M).abs() * 1000.0
    ignore = torch.zeros(N, M, dtype=torch.bool)
    ignore[:, -2:] = True
    if tau is None:
        found = losses.info_nce(queries, keys, scale=3.0, ignore=ignore)
        wanted = losses.info_nce(queries, keys[:-2], scale=3.0)
    else:
        found = losses.smoothed_info_nce(queries, keys, km, scale=3.0, tau_km=tau, ignore=ignore)
        wanted = losses.smoothed_info_nce(queries, keys[:-2], km[:, :-2], scale=3.0, tau_km=tau)
    assert float(found) == pytest.approx(float(wanted))


# ---- equation 6 as printed ----


@given(seed=SEEDS, sigma=WIDTHS, spread=st.floats(0.1, 100.0))
@settings(max_examples=50, deadline=None)
def test_the_divergence_is_the_distance_of_means(seed, sigma, spread):
    zi, zl = batch(seed), batch(seed + 1) * spread + 1.0
    wanted = float((zi.mean(0) - zl.mean(0)).square().sum() / sigma**2)
    assert float(losses.concept_divergence(zi, zl, sigma=sigma)) == pytest.approx(wanted, rel=1e-6)
    assert slow_divergence(zi, zl, sigma) == pytest.approx(wanted, rel=1e-6)


def test_the_divergence_cannot_tell_which_place_is_whose():
    """Any order of places gives the same loss and the same gradient, which pushes all photos alike."""
    zi, zl = pair()
    gradients = []
    for order in (torch.arange(N), torch.arange(N).flip(0)):
        z = zi.clone().requires_grad_()
        losses.concept_divergence(z, zl[order], sigma=0.5).backward()
        gradients.append(z.grad)
    torch.testing.assert_close(gradients[0], gradients[1])
    torch.testing.assert_close(gradients[0], gradients[0][:1].expand(N, -1))


@pytest.mark.parametrize("name", CONCEPT_LOSSES)
def test_which_losses_see_the_pairing(name):
    zi, zl = pair()
    there, mixed = (float(CONCEPT_LOSSES[name](zi, z, width=0.5)) for z in (zl, zl.flip(0)))
    assert (there == pytest.approx(mixed)) == (name in ("divergence", "cauchy-schwarz"))


def test_over_batches_the_divergence_is_a_faint_squared_error():
    """Mean over every batch of two that can be drawn from three pairs."""
    zi, zl = pair(count=3)
    found = [
        float(losses.concept_divergence(zi[list(rows)], zl[list(rows)], sigma=1.0))
        for rows in itertools.product(range(3), repeat=2)
    ]
    difference = zi - zl
    wanted = difference.mean(0).square().sum() / 2 + difference.square().sum(1).mean() / 2
    assert np.mean(found) == pytest.approx(float(wanted))


# ---- what is refused ----


@pytest.mark.parametrize("name", CONCEPT_LOSSES)
def test_concept_losses_refuse_what_does_not_fit(name):
    loss = CONCEPT_LOSSES[name]
    with pytest.raises(InputError, match=r"zi and zl must both be.*got \(5, 4\) and \(4, 4\)"):
        loss(batch(), batch(count=4), width=1.0)
    with pytest.raises(InputError, match=r"not empty; got \(0, 4\)"):
        loss(batch(count=0), batch(count=0), width=1.0)
    with pytest.raises(InputError, match=r"got \(4,\) and \(4,\)"):
        loss(batch()[0], batch()[0], width=1.0)
    for width in (0.0, -1.0, math.nan):
        with pytest.raises(InputError, match=r"(width|sigma|temperature) must be above 0"):
            loss(*pair(), width=width)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.info_nce(batch(), batch(width=3), scale=1.0), r"keys \(M, D\); got \(5, 4\) and \(5, 3\)"),
        (lambda: losses.info_nce(batch(), batch(count=4), scale=1.0), "got 5 queries and 4 keys"),
        (lambda: losses.info_nce(batch(count=0), batch(), scale=1.0), "got 0 queries"),
        (lambda: losses.info_nce(*pair(), scale=-1.0), "scale must be above 0; got -1.0"),
        (lambda: losses.info_nce(*pair(), scale=1.0, ignore=torch.zeros(2, 2).bool()), r"here \(5, 5\); got \(2, 2\)"),
        (lambda: losses.smoothed_info_nce(*pair(), batch(), scale=1.0, tau_km=1.0), r"shape \(5, 5\); got \(5, 4\)"),
        (lambda: losses.smoothed_info_nce(*pair(), KM[:, :N], scale=1.0, tau_km=0.0), "tau_km must be above 0"),
        (lambda: losses.geocell_cross_entropy(batch(), torch.arange(4)), r"got \(5, 4\) and \(4,\)"),
        (lambda: losses.geocell_cross_entropy(batch(), torch.arange(5), tau_km=1.0), "go together"),
        (lambda: losses.concept_bce(batch(), batch(count=1)), r"zi and targets .* \(1, 4\)"),
        (lambda: losses.haversine_km(batch(), batch()), r"\(lon, lat\) a row, shape \(n, 2\); got \(5, 4\)"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_the_numbers_of_the_page():
    """docs/losses.md shows the collapse with numbers that it runs."""
    page = Path(losses.__file__).parents[2] / "docs" / "losses.md"
    found = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 5 and not found.failed
