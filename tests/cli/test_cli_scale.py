"""`embed --dask`, `h3 --dask`, `--stac` and `info --verify`, as a user types them."""

import json

import geopandas as gpd
import pytest

from geoconcept_gis.datasets import WORLD_PLACES
from tests.cli.test_cli import run


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """Two files of towns."""
    folder = tmp_path_factory.mktemp("towns")
    lines = WORLD_PLACES.read_text(encoding="utf-8").splitlines()
    for k in (1, 2):
        (folder / f"towns{k}.csv").write_text("\n".join([lines[0], *lines[k::100]]) + "\n", encoding="utf-8")
    return sorted(folder.iterdir())


def test_embed_on_workers_and_again(towns, tmp_path):
    """Several files become one folder; the same command finds it finished; other settings are refused."""
    pytest.importorskip("dask_geopandas", reason="needs the extra dask")
    out = tmp_path / "out"
    command = ("embed", *towns, "--dask", "--workers", "1", "-o", out, "-c", "BWh")
    first = run(*command, "--stac")
    assert first.returncode == 0, first.stderr
    rows = sum(len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in towns)
    assert f"{rows} rows in 2 partitions" in first.stderr
    assert len(gpd.read_parquet(out)) == rows
    assert json.loads((tmp_path / "out.stac.json").read_text())["assets"]["embeddings"]["href"] == "./out"
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert "2 of 2 partitions are there already" in again.stderr
    other = run(*command, "-f", "all")
    assert other.returncode == 1
    assert "features was 'concepts', is 'all'" in other.stderr
    shown = run("info", out, "--verify")
    assert shown.returncode == 0
    assert "2 of 2 finished" in shown.stdout
    assert "match: model 'geoclip' here has the same weights and concept bank" in shown.stdout


def test_h3_on_workers(tmp_path):
    """Cells of an area, on land, one folder a parent."""
    pytest.importorskip("dask_geopandas", reason="needs the extra dask")
    out = tmp_path / "cells"
    bounds = ("--bounds", "5", "43", "9", "45")
    done = run("h3", "-r", "4", *bounds, "--land", "--dask", "--workers", "1", "-o", out, "-c", "ET")
    assert done.returncode == 0, done.stderr
    assert len(gpd.read_parquet(out)) > 0
    assert list(out.glob("h3_parent=*/part-*.parquet"))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("embed", WORLD_PLACES, WORLD_PLACES, "-o", "a.parquet"), "need --dask"),
        (("embed", WORLD_PLACES, "-o", "a.parquet", "--workers", "2"), "--workers goes with --dask"),
        (("embed", WORLD_PLACES, "-o", "a.parquet", "--by-h3", "1"), "--by-h3 goes with --dask"),
        (("embed", WORLD_PLACES, "-o", "a.parquet", "--dask"), "the output is a folder"),
        (("embed", WORLD_PLACES, "-o", "no/a", "--dask"), "does not exist"),
        (("embed", WORLD_PLACES, "-o", "a", "--dask", "--overwrite"), "remove the old one"),
        (("embed", WORLD_PLACES, "-o", "a.csv", "--stac"), "--stac describes GeoParquet"),
        (("h3", "-o", "a.parquet", "--land"), "--land goes with --dask"),
        (("h3", "-o", "a", "--dask", "--aggregate", "children"), "leave --aggregate"),
        (("map", "BWh", "--png", "a.png", "--stac"), "give -o map.tif"),
        (("info", "--verify"), "name the file"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(tmp_path, args, message):
    """Exit code 1, one line that says what to do, an empty folder."""
    result = run(*args, cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert message in result.stderr
    assert result.stderr.strip().count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def test_verify_tells_another_model(tmp_path):
    """A file of another model is shown with its verdict; --verify makes that an error."""
    made = run("map", "BWh", "--bounds", "20", "20", "30", "30", "-r", "5", "-o", tmp_path / "a.tif", "--stac")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "a.tif.stac.json").is_file()
    import rasterio

    with rasterio.open(tmp_path / "a.tif", "r+", IGNORE_COG_LAYOUT_BREAK="YES") as raster:
        raster.update_tags(GEOCONCEPT_MODEL_SHA256="0" * 64)
    shown = run("info", tmp_path / "a.tif")
    assert (shown.returncode, "other: model 'geoclip' here has other weights" in shown.stdout) == (0, True)
    failed = run("info", tmp_path / "a.tif", "--verify")
    assert failed.returncode == 1
    assert "has other weights" in failed.stderr
