"""Feature shards: what goes in comes out, in the order asked; damage and misuse are named."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis.errors import Cancelled, CoordinateError, InputError, ModelFileError
from geoconcept_gis.train.shard_writer import ShardWriter
from geoconcept_gis.train.shards import FeatureShards, write_features

TOWER = {"name": "numbers", "sha256": "cd" * 32}
N, VIEWS, DIM = 23, 3, 4
#: Row, view and column can be read off each number.
FEATURES = np.arange(N)[:, None, None] * 50.0 + np.arange(VIEWS)[:, None] * 10 + np.arange(DIM)
LONLAT = np.column_stack([np.linspace(-179, 179, N), np.linspace(-80, 80, N)])


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards") / "features"
    names = [f"photo {k}.jpg" for k in range(N)]
    return write_features(
        folder, FEATURES, LONLAT, tower=TOWER, group=[k % 5 for k in range(N)], names=names, shard_rows=7
    )


def test_what_was_written_is_read(shards):
    """Places bit for bit, names, groups, tower, and which file each row lies in."""
    assert (len(shards), shards.views, shards.dim) == (N, VIEWS, DIM)
    np.testing.assert_array_equal(shards.lonlat, LONLAT)
    assert shards.group.tolist() == [k % 5 for k in range(N)]
    assert shards.group.dtype == np.int64
    assert shards.names[3] == "photo 3.jpg"
    assert shards.tower == {**TOWER, "dim": DIM}
    assert np.bincount(shards.shard).tolist() == [7, 7, 7, 2]
    assert shards.failures == []
    shards.verify()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, N - 1), max_size=40), st.integers(0, 9))
def test_rows_come_in_the_order_asked(shards, rows, seed):
    """Of each row one view, of all three in the long run; the same seed draws the same."""
    taken = shards.take(rows, np.random.default_rng(seed))
    assert taken.dtype == np.float32
    assert taken.shape == (len(rows), DIM)
    row, view = taken[:, 0] // 50, taken[:, 0] % 50 // 10
    assert row.tolist() == rows
    assert set(view) <= {0, 1, 2}
    np.testing.assert_array_equal(taken, np.asarray(rows).reshape(-1, 1) * 50 + view[:, None] * 10 + np.arange(DIM))
    np.testing.assert_array_equal(taken, shards.take(rows, np.random.default_rng(seed)))
    np.testing.assert_array_equal(shards.plain(rows), FEATURES[rows, 0])


def test_all_views_are_drawn_equally(shards):
    views = shards.take([5] * 3000, np.random.default_rng(0))[:, 0] % 50 // 10
    assert (np.abs(np.bincount(views.astype(int)) - 1000) < 100).all()


@pytest.mark.parametrize("rows", [[N], [-1], [[1, 2]]])
def test_rows_that_are_not_there_are_refused(shards, rows):
    with pytest.raises(InputError, match="rows must be whole numbers from 0 to 22"):
        shards.take(rows, np.random.default_rng(0))


def test_equal_arrays_give_equal_bytes(shards, tmp_path):
    """So that a folder can be compared by its hashes; another shard size gives the same rows."""
    names = list(shards.names)
    again = write_features(tmp_path / "a", FEATURES, LONLAT, tower=TOWER, group=shards.group, names=names, shard_rows=7)
    for path in again.folder.iterdir():
        assert path.read_bytes() == (shards.folder / path.name).read_bytes()
    one = write_features(tmp_path / "b", FEATURES[:, 0], LONLAT, tower=TOWER)
    np.testing.assert_array_equal(one.plain(), FEATURES[:, 0])
    assert one.group is None
    assert one.names[-1] == "22"


def test_names_of_groups_become_numbers(tmp_path):
    shards = write_features(tmp_path / "a", FEATURES[:3], LONLAT[:3], tower=TOWER, group=["zoe", "ann", "zoe"])
    assert shards.group.tolist() == [1, 0, 1]


def changed(position, value):
    features = FEATURES.copy()
    features[position] = value
    return features


@pytest.mark.parametrize(
    ("features", "others", "message"),
    [
        (changed((9, 1, 2), np.nan), {}, "not finite.*row 9 "),
        (changed((9, 1, 2), 1e6), {}, "larger than float16 holds.*row 9 "),
        (FEATURES[:5], {}, "lonlat has 23 rows and features 5"),
        (FEATURES, {"group": [1, 2]}, "group has 2 rows"),
        (FEATURES, {"names": ["a"]}, "names has 1 rows"),
        (FEATURES, {"tower": {"name": "x"}}, "'sha256' is missing"),
        (np.ones(4), {}, r"features must have shape \(N, D\)"),
    ],
)
def test_bad_features_leave_nothing(tmp_path, features, others, message):
    with pytest.raises(InputError, match=message):
        write_features(tmp_path / "a", features, LONLAT, **{"tower": TOWER, **others})
    assert list(tmp_path.iterdir()) == []


def test_bad_places_are_named(tmp_path):
    places = LONLAT.copy()
    places[4, 1] = 91.0
    with pytest.raises(CoordinateError, match="4"):
        write_features(tmp_path / "a", FEATURES, places, tower=TOWER)


def test_a_folder_in_use_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(InputError, match="exists already"):
        write_features(tmp_path, FEATURES, LONLAT, tower=TOWER)


# ---------------------------------------------------------------- damage


@pytest.fixture
def copy(tmp_path):
    write_features(tmp_path / "f", FEATURES, LONLAT, tower=TOWER, shard_rows=7)
    return tmp_path / "f"


def edit(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_damage_is_found(copy):
    """A missing or short file when the folder is opened; changed bytes when it is verified."""
    shard = copy / "shard-00001.safetensors"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + b"\x3c")
    with pytest.raises(ModelFileError, match=r"shard-00001.safetensors is corrupt"):
        FeatureShards(copy).verify()
    shard.write_bytes(content[:-1])
    with pytest.raises(ModelFileError, match=r"shard-00001.safetensors is cut off"):
        FeatureShards(copy)
    shard.write_bytes(b"x")
    with pytest.raises(ModelFileError, match="cannot be read as a shard"):
        FeatureShards(copy)
    shard.unlink()
    with pytest.raises(ModelFileError, match="cannot be read as a shard"):
        FeatureShards(copy)


def test_foreign_manifests_are_refused(copy):
    with pytest.raises(ModelFileError, match="there is no folder"):
        FeatureShards(copy / "gone")
    edit(copy, complete=False)
    with pytest.raises(ModelFileError, match="not finished: 4 shards so far"):
        FeatureShards(copy)
    edit(copy, complete=True, shards=[{"file": "../x", "rows": 1, "sha256": ""}])
    with pytest.raises(ModelFileError, match="no shard of this folder"):
        FeatureShards(copy)
    edit(copy, shards=None)
    with pytest.raises(ModelFileError, match="'shards' is missing"):
        FeatureShards(copy)
    edit(copy, format_version=99)
    with pytest.raises(ModelFileError, match="upgrade it"):
        FeatureShards(copy)


def test_verifying_can_be_stopped(copy):
    with pytest.raises(Cancelled):
        FeatureShards(copy).verify(progress=lambda done, total: done >= 7)


def test_the_writer_checks_shapes(tmp_path):
    writer = ShardWriter(tmp_path / "w", tower={**TOWER, "dim": 4}, views=2, arguments={})
    with pytest.raises(InputError, match=r"shape \(n, 2, 4\); got \(3, 1, 4\)"):
        writer.add(np.ones((3, 1, 4)))
