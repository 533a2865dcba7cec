"""Photos to cached features: what is kept, what is listed, and that a job may be stopped anywhere."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL", reason="photos need pillow (extra images)")

from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import Cancelled, InputError, MissingDependencyError, ModelFileError, PhotoError
from geoconcept_gis.train.augment import random_view, view_rng
from geoconcept_gis.train.features import cache_features
from geoconcept_gis.train.photos import open_photos
from geoconcept_gis.train.shards import FeatureShards
from tests.train.photo_makers import StandInTower, photo_folder, picture, png_bytes, write_tar

ROOT = Path(__file__).parents[2]
OPTIONS = {"views": 3, "batch_size": 6, "shard_rows": 5, "seed": 7}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """23 photos, three of which are none."""
    return photo_folder(tmp_path_factory.mktemp("photos") / "photos", 23, broken=[3, 11, 12])


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    """The shards of a job that nobody disturbed."""
    return cache_features(photos, tmp_path_factory.mktemp("whole") / "shards", tower=StandInTower(), **OPTIONS)


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_each_photo_has_its_views_and_place(photos, whole):
    """View 0 is the photo as the tower reads it, the others are random_view's; rows stay with their photos."""
    tower = StandInTower()
    rows = [k for k in range(23) if k not in (3, 11, 12)]
    assert list(whole.names) == [f"{k:03d}.png" for k in rows]
    assert whole.lonlat.tolist() == [[k, k] for k in rows]
    assert whole.group.tolist() == [k % 3 for k in rows]
    assert np.bincount(whole.shard).tolist() == [4, 5, 3, 5, 3]
    stored = np.concatenate([whole._open(k).reshape(-1, 3, 12) for k in range(5)])
    for k, row in enumerate(rows):
        image = picture(row)
        views = [tower.view(image), *(random_view(image, 16, view_rng(7, row, view)) for view in (1, 2))]
        np.testing.assert_array_equal(stored[k], tower.features(views).astype(np.float16))


def test_unreadable_photos_are_listed(whole):
    """By name, with the reason, and the job goes on."""
    assert [(one["path"], one["row"]) for one in whole.failures] == [("003.png", 3), ("011.png", 11), ("012.png", 12)]
    assert all(one["reason"].startswith("no photo: ") for one in whole.failures)


def test_a_batch_is_no_larger_than_asked_and_reading_in_threads_changes_nothing(photos, whole, tmp_path):
    tower = StandInTower()
    cache_features(photos, tmp_path / "s", tower=tower, readers=5, **OPTIONS)
    assert tower.largest == 6
    assert contents(tmp_path / "s") == contents(whole.folder)


def test_photos_in_archives_give_the_same_features(whole, tmp_path):
    """The same rows of the same pictures: the same shards, whichever way they come."""
    members = [
        member
        for k in range(23)
        for member in (
            (f"{k:03d}.png", b"not a photo" if k in (3, 11, 12) else png_bytes(k)),
            (f"{k:03d}.json", {"lat": k, "lon": k, "author": f"person{k % 3}"}),
        )
    ]
    shards = cache_features(write_tar(tmp_path / "a.tar", members), tmp_path / "s", tower=StandInTower(), **OPTIONS)
    for name, content in contents(whole.folder).items():
        if name.startswith("shard"):
            assert (shards.folder / name).read_bytes() == content
    assert shards.failures[0] == {**whole.failures[0], "path": "a.tar/003.png"}


# ---------------------------------------------------------------- stopping and going on

JOB = """
import sys
from geoconcept_gis.train.features import cache_features
from tests.train.photo_makers import StandInTower
cache_features(sys.argv[1], sys.argv[2], tower=StandInTower(slow=0.05), views=3, batch_size=6, shard_rows=5, seed=7)
"""


def start(photos, folder, job=JOB):
    return subprocess.Popen([sys.executable, "-c", job, str(photos), str(folder)], cwd=ROOT, stderr=subprocess.PIPE)


def test_a_killed_job_goes_on_to_the_same_bytes(photos, whole, tmp_path):
    """SIGKILL after the first shards and again later; finished shards are not made again."""
    folder, counts = tmp_path / "s", []
    for wanted in (1, 3):
        job = start(photos, folder)
        until = time.monotonic() + 60
        while len(list(folder.glob("shard-*"))) < wanted:
            assert job.poll() is None, job.stderr.read().decode()
            assert time.monotonic() < until
            time.sleep(0.005)
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
        job.stderr.close()
        counts.append(len(json.loads((folder / "manifest.json").read_text())["shards"]))
    assert 0 < counts[1] < 5
    with pytest.raises(ModelFileError, match="not finished"):
        FeatureShards(folder)
    (folder / ".shard-00004.safetensors.x1").mkdir()  # what a kill in mid-write leaves
    (folder / ".shard-00004.safetensors.x1" / "shard-00004.safetensors").write_bytes(b"half")
    tower = StandInTower()
    cache_features(photos, folder, tower=tower, **OPTIONS)
    kept = json.loads((folder / "manifest.json").read_text())["shards"][: counts[1]]
    assert tower.seen == 3 * (len(whole) - sum(one["rows"] for one in kept))
    assert contents(folder) == contents(whole.folder)


def test_stopping_by_progress_keeps_finished_shards(photos, whole, tmp_path):
    """Progress is told in photos; a finished job does nothing when it is run again."""
    told = []

    def stop(done, total):
        told.append((done, total))
        return done >= 14

    with pytest.raises(Cancelled, match="14 of 23"):
        cache_features(photos, tmp_path / "s", tower=StandInTower(), progress=stop, **OPTIONS)
    assert told[0] == (2, 23)
    assert {path.name for path in (tmp_path / "s").iterdir()} == {
        "manifest.json",
        "shard-00000.safetensors",
        "shard-00001.safetensors",
    }
    for _ in range(2):
        tower = StandInTower()
        cache_features(photos, tmp_path / "s", tower=tower, **OPTIONS)
        assert contents(tmp_path / "s") == contents(whole.folder)
    assert tower.seen == 0


def test_a_damaged_shard_is_made_again(photos, whole, tmp_path):
    """It and those after it; so is a table of photos that was lost."""
    cache_features(photos, tmp_path / "s", tower=StandInTower(), **OPTIONS)
    shard = tmp_path / "s" / "shard-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-3] + b"abc")
    cache_features(photos, tmp_path / "s", tower=StandInTower(), **OPTIONS)
    assert contents(tmp_path / "s") == contents(whole.folder)
    (tmp_path / "s" / "photos.parquet").unlink()
    cache_features(photos, tmp_path / "s", tower=StandInTower(), **OPTIONS)
    assert contents(tmp_path / "s") == contents(whole.folder)


class OtherTower(StandInTower):
    def features_record(self):
        return {**super().features_record(), "sha256": "ff" * 32}


def test_other_arguments_are_refused_by_name(photos, whole):
    before = contents(whole.folder)
    for changes, message in (
        ({"views": 2}, "views was 3, now 2"),
        ({"seed": 8, "shard_rows": 6}, "seed was 7, now 8; shard_rows was 5, now 6"),
        ({"tower": OtherTower()}, "tower was .*abab.*, now .*ffff"),
        ({"resume": False}, "exists already"),
    ):
        with pytest.raises(InputError, match=message):
            cache_features(photos, whole.folder, **{"tower": StandInTower(), **OPTIONS, **changes})
    assert contents(whole.folder) == before


def test_other_photos_are_refused(tmp_path):
    folder = photo_folder(tmp_path / "p", 3)
    cache_features(folder, tmp_path / "s", tower=StandInTower())
    (folder / "photos.csv").write_text("name,lat,lon\n000.png,1,2\n")
    with pytest.raises(InputError, match=r'photos was "3 photos, .* now "1 photos'):
        cache_features(folder, tmp_path / "s", tower=StandInTower())


# ---------------------------------------------------------------- what can go wrong

FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n" + JOB


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on the size of files is POSIX")
def test_a_full_disk_is_said_clearly_and_nothing_half_written_stays(photos, whole, tmp_path):
    """Stood in for by a limit on the size of files; the same call goes on when there is room."""
    job = start(photos, tmp_path / "s", FULL)
    error = job.communicate()[1].decode()
    assert job.returncode == 1
    assert f"InputError: cannot write into {tmp_path / 's'}: " in error
    assert "Shards that are finished stay" in error
    left = contents(tmp_path / "s")
    assert all(content == contents(whole.folder)[name] for name, content in left.items() if name != "manifest.json")
    cache_features(photos, tmp_path / "s", tower=StandInTower(), **OPTIONS)
    assert contents(tmp_path / "s") == contents(whole.folder)


def test_folders_that_cannot_be_used(photos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write into .*file"):
        cache_features(photos, tmp_path / "file", tower=StandInTower())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"holds other files \(thesis.tex\)"):
        cache_features(photos, tmp_path / "other", tower=StandInTower())


def test_features_too_large_for_float16_are_refused(photos, tmp_path):
    with pytest.raises(InputError, match="larger than float16 holds"):
        cache_features(photos, tmp_path / "s", tower=StandInTower(scale=1e6))


def test_no_readable_photo_at_all(tmp_path):
    folder = photo_folder(tmp_path / "p", 2, broken=[0, 1])
    with pytest.raises(PhotoError, match=r"none of 2 photos could be read, such as 000.png: no photo"):
        cache_features(folder, tmp_path / "s", tower=StandInTower())


@pytest.mark.parametrize("name", ["views", "batch_size", "shard_rows", "seed"])
def test_numbers_out_of_range(photos, tmp_path, name):
    with pytest.raises(InputError, match=name):
        cache_features(photos, tmp_path / "s", tower=StandInTower(), **{name: -1})


# ---------------------------------------------------------------- a real tower


def test_the_weak_tower_on_real_photos(tmp_path):
    """View 0 is what the tower says of the file itself; nine photos of nine places from their EXIF."""
    from geoconcept_gis.towers.weak import WeakTower

    try:
        real = data_folder() / "photos" / "free_exif"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tower = WeakTower.load()
    except (InputError, MissingDependencyError) as error:
        pytest.skip(str(error))
    if not real.is_dir():
        pytest.skip(f"no {real}")
    photos = open_photos(real, exif=True)
    shards = cache_features(photos, tmp_path / "s", tower=tower, views=2, shard_rows=4)
    assert (len(shards), shards.views, shards.dim) == (9, 2, 1280)
    assert shards.tower["name"] == "weak-efficientnet-lite2"
    assert shards.tower["sha256"] == tower.record["network_sha256"] != tower.sha256
    direct = tower.features([real / name for name in shards.names])
    np.testing.assert_allclose(shards.plain(), direct, atol=2e-3, rtol=1e-3)
