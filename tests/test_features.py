"""The columns of a job: names, values, running means, provenance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.errors import InputError
from geoconcept_gis.features import FeatureColumns, check_choice
from geoconcept_gis.model import as_model


@given(st.lists(st.integers(0, 6), max_size=40), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_means_do_not_depend_on_the_batches(cheap_model, owner, sizes):
    """However points come in batches, each row gets the mean over its own; rows without points stay as they are."""
    rng = np.random.default_rng(len(owner))
    owner = np.array(owner, dtype=np.intp)
    pairs = rng.uniform((-180, -90), (180, 90), (len(owner), 2))

    def batches():
        start = k = 0
        while start < len(owner):
            end = start + sizes[k % len(sizes)]
            order = np.argsort(owner[start:end], kind="stable")  # never falling within a batch
            yield pairs[start:end][order], owner[start:end][order]
            start, k = end, k + 1

    columns = FeatureColumns(cheap_model, "embedding")
    out = np.full((7, 512), np.nan, dtype=np.float32)
    columns.fill_means(out, batches(), total=len(owner))
    vectors = cheap_model.encode(pairs)
    for row in range(7):
        if (owner == row).any():
            np.testing.assert_allclose(out[row], vectors[owner == row].mean(axis=0), rtol=1e-4, atol=1e-4)
        else:
            assert np.isnan(out[row]).all()


def test_means_of_many_points_keep_their_digits(linear):
    """A million points of one row: sums do not drift."""
    fake, _ = linear
    pairs = np.tile([[10.0, 50.0]], (1_000_000, 1))
    out = np.empty((1, 512), dtype=np.float32)
    FeatureColumns(fake, "embedding").fill_means(out, [(pairs, np.zeros(len(pairs), dtype=np.intp))], total=len(pairs))
    np.testing.assert_allclose(out[0], fake.encode([10, 50])[0], rtol=1e-6)


def test_names_stand_in_the_order_of_the_values(model):
    """Concepts come before the embedding, and every column holds what its name says."""
    columns = FeatureColumns(model, "all", ["ET", "BWh"])
    pairs = np.array([[31.2, 30.0], [-60.0, -3.1]])
    out = np.empty((2, len(columns.names)), dtype=np.float32)
    columns.fill(out, pairs)
    assert columns.names[:2] == ["concept_tundra_climate", "concept_hot_desert_climate"]
    assert columns.names[2:] == [f"embedding_{k:03d}" for k in range(512)]
    np.testing.assert_array_equal(out[:, :2], model.score(pairs, ["ET", "BWh"]))
    np.testing.assert_array_equal(out[:, 2:], model.encode(pairs))


def test_provenance_is_text(model):
    """Details are added as text; embeddings alone carry no concepts."""
    record = FeatureColumns(model, "embedding").provenance(samples=32)
    assert (record["features"], record["samples"]) == ("embedding", "32")
    assert "concepts" not in record
    assert "concepts" in FeatureColumns(model, "all").provenance()


def test_as_model_refuses_other_things():
    """A model is a model, a name, a path or None."""
    with pytest.raises(InputError, match="got dict"):
        as_model({})


def test_choices_are_listed():
    """A wrong choice is answered with all right ones."""
    with pytest.raises(InputError, match="fruit must be one of 'apple', None; got 'pear'"):
        check_choice("fruit", "pear", ("apple", None))
