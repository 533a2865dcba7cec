"""The order of rows: every row at most once, shared out, the same again; and the thread that has batches ready."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis.errors import InputError
from geoconcept_gis.train.sampler import Prefetcher, ShardSampler


@st.composite
def jobs(draw):
    """Shards of any sizes and order, and a sampler's arguments that fit them."""
    shard = np.array(draw(st.lists(st.integers(0, 9), min_size=1, max_size=120)))
    world = draw(st.integers(1, min(4, len(shard))))
    arguments = {
        "batch_size": draw(st.integers(1, len(shard) // world)),
        "seed": draw(st.integers(0, 5)),
        "world": world,
        "buffer_shards": draw(st.integers(1, 12)),
        "drop_last": draw(st.booleans()),
    }
    return shard, arguments, draw(st.integers(0, 3))


@settings(max_examples=200, deadline=None)
@given(jobs())
def test_ranks_share_each_epoch_without_a_row_twice(job):
    """Disjoint, equally many batches of equal sizes, and as much as fits is given out."""
    shard, arguments, epoch = job
    ranks = [list(ShardSampler(shard, rank=rank, **arguments).batches(epoch)) for rank in range(arguments["world"])]
    sizes = [[len(batch) for batch in batches] for batches in ranks]
    assert all(one == sizes[0] for one in sizes)
    rows = np.concatenate([batch for batches in ranks for batch in batches])
    assert len(np.unique(rows)) == len(rows)
    assert rows.min() >= 0
    assert rows.max() < len(shard)
    step = arguments["batch_size"] * arguments["world"]
    fits = (
        len(shard) // step * step if arguments["drop_last"] else len(shard) // arguments["world"] * arguments["world"]
    )
    assert len(rows) == fits


@settings(max_examples=100, deadline=None)
@given(jobs(), st.data())
def test_a_start_in_the_middle_is_the_end_of_the_whole(job, data):
    """Resuming at any step gives what would have come, and a second sampler gives the same."""
    shard, arguments, epoch = job
    sampler = ShardSampler(shard, **arguments)
    whole = list(sampler.batches(epoch))
    assert len(whole) == len(sampler)
    start = data.draw(st.integers(0, len(whole)))
    rest = list(ShardSampler(shard, **arguments).batches(epoch, start))
    assert [batch.tolist() for batch in rest] == [batch.tolist() for batch in whole[start:]]


@settings(max_examples=100, deadline=None)
@given(jobs())
def test_a_shard_is_finished_before_many_others_begin(job):
    """All rows of a buffer's shards come before the next buffer begins."""
    shard, arguments, epoch = job
    order = ShardSampler(shard, **arguments)._order(epoch)
    assert sorted(order) == list(range(len(shard)))
    first = {one: np.flatnonzero(shard[order] == one).min() for one in set(shard)}
    last = {one: np.flatnonzero(shard[order] == one).max() for one in set(shard)}
    for one in first:
        mixed = sum(first[other] <= last[one] and last[other] >= first[one] for other in first)
        assert mixed <= arguments["buffer_shards"]


def test_epochs_and_seeds_differ_and_rows_are_mixed():
    """Neither files nor rows come in their order, and a batch has rows of many shards."""
    shard = np.repeat(np.arange(16), 64)
    order = [
        np.concatenate(list(ShardSampler(shard, 64, seed).batches(epoch))) for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert all((a != b).mean() > 0.9 for a, b in ((order[0], order[1]), (order[0], order[2])))
    first = next(ShardSampler(shard, 64, 0).batches(0))
    assert len(set(shard[first])) == 8
    assert abs(np.corrcoef(np.arange(1024), order[0])[0, 1]) < 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"rank": 2, "world": 2}, "rank must be 0 to 1"),
        ({"buffer_shards": 0}, "buffer_shards must be at least 1"),
        ({"batch_size": 6, "world": 2}, "10 rows fill no batch of 6 for each of 2"),
    ],
)
def test_impossible_arguments_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        ShardSampler(np.zeros(10, dtype=int), **{"batch_size": 2, "seed": 0, **changes})


def test_a_step_beyond_the_epoch_is_refused_at_once():
    sampler = ShardSampler(np.zeros(10, dtype=int), 2, 0)
    assert list(sampler.batches(0, 5)) == []
    with pytest.raises(InputError, match="start_step 0 to 5"):
        sampler.batches(0, 6)


# ---------------------------------------------------------------- ahead of time


def test_items_come_in_order_from_several_threads():
    """Also when later ones are ready earlier."""

    def load(key):
        time.sleep(0.002 * (key % 3 == 0))
        return key

    with Prefetcher(load, range(50), depth=7, workers=4) as ahead:
        assert list(ahead) == list(range(50))


def test_no_more_than_depth_is_made_ahead():
    """The memory of a job does not grow with its length."""
    made = []
    with Prefetcher(made.append, range(1000), depth=3) as ahead:
        next(ahead)
        time.sleep(0.05)
        assert len(made) == 4


def test_an_error_comes_in_its_turn_and_ends_it():
    """Items before it are given out; then the error as it was; then nothing."""
    before = threading.active_count()
    ahead = Prefetcher(lambda key: 1 // (3 - key), range(10), depth=5, workers=2)
    assert [next(ahead) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(ahead)
    assert list(ahead) == []
    assert threading.active_count() == before


def test_an_error_of_the_keys_comes_in_its_turn():
    def keys():
        yield 1
        raise OSError("the disk is gone")

    ahead = Prefetcher(str, keys(), depth=5)
    assert next(ahead) == "1"
    with pytest.raises(OSError, match="the disk is gone"):
        next(ahead)


def test_closing_early_leaves_no_thread():
    """What has not begun is never begun."""
    before, made = threading.active_count(), []

    def load(key):
        time.sleep(0.02)
        made.append(key)

    with Prefetcher(load, range(100), depth=20) as ahead:
        next(ahead)
    assert len(made) < 5
    assert threading.active_count() == before
    ahead.close()


def test_depth_and_workers_must_be_positive():
    with pytest.raises(InputError, match="got depth 0, workers 1"):
        Prefetcher(str, [], depth=0)
