"""Files are whole or absent."""

import hashlib

import pytest

from geoconcept_gis.errors import InputError
from geoconcept_gis.files import atomic_file, atomic_folder, sha256_of


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    """A crash in mid-write keeps what was there and cleans up after itself."""
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(failure), atomic_file(target) as part:
        part.write_text("half")
        raise failure
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_success_replaces_in_one_step(tmp_path):
    """The new content arrives under the right name, with the same suffix while it was written."""
    target = tmp_path / "a.parquet"
    target.write_text("old")
    with atomic_file(target) as part:
        assert part.suffix == ".parquet"
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_missing_folder_is_named(tmp_path):
    """No folder, no file, and the message says which."""
    with pytest.raises(InputError, match="nowhere does not exist"), atomic_file(tmp_path / "nowhere" / "a"):
        pass


def test_atomic_folder(tmp_path):
    """Folders appear whole; full ones are never touched; empty ones may be filled."""
    with atomic_folder(tmp_path / "new") as part:
        (part / "x").write_text("1")
    assert (tmp_path / "new" / "x").read_text() == "1"
    with pytest.raises(InputError, match="exists already"), atomic_folder(tmp_path / "new"):
        pass
    (tmp_path / "empty").mkdir()
    with atomic_folder(tmp_path / "empty") as part:
        (part / "y").write_text("2")
    assert (tmp_path / "empty" / "y").exists()
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "failed"):
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


def test_sha256(tmp_path):
    """The hash is that of the bytes."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)
    assert sha256_of(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
