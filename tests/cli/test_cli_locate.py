"""`geoconcept locate` as a user types it, with small galleries in its cache."""

import json
import os
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

from geoconcept_gis import gallery, load_model, read_provenance
from geoconcept_gis.h3cells import cells_of
from tests.locate.conftest import TOWNS, small_land, small_photos


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The files that the command takes for its galleries, with a few hundred places."""
    folder = tmp_path_factory.mktemp("cache")
    model = load_model(backend="numpy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(gallery.CACHE_VARIABLE, str(folder))
        for name, (lonlat, points, owner) in (("photos", small_photos()), ("land", small_land())):
            arrays = {
                "lonlat": lonlat.astype(np.float32),
                "vectors": gallery._embed(model, points, owner, None).astype(np.float16),
                "cells": cells_of(lonlat, 4),
            }
            gallery._keep(gallery._path(model, name), arrays)
    return folder


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Vectors of towns' own places in files, photos, and a polygon."""
    folder = tmp_path_factory.mktemp("work")
    vectors = load_model(backend="numpy").encode(list(TOWNS.values()))
    np.save(folder / "one.npy", vectors[0])
    np.savez(folder / "two.npz", towns=vectors[:2], names=np.array(["cairo", "paris"]))
    np.savez(folder / "both.npz", a=vectors[:2], b=vectors[2:])
    np.save(folder / "wrong.npy", np.ones(3))
    np.save(folder / "objects.npy", np.array([{}], dtype=object))
    (folder / "broken.npz").write_bytes(b"PK no archive")
    (folder / "photos").mkdir()
    (folder / "photos" / "bad.jpg").write_bytes(b"no photo")
    Image.new("RGB", (64, 64)).save(folder / "grey.jpg")
    box = gpd.GeoDataFrame(geometry=gpd.points_from_xy([2.3], [48.9]), crs="EPSG:4326").to_crs("EPSG:2154")
    box.set_geometry(box.buffer(80_000)).to_file(folder / "france.gpkg")
    return folder


@pytest.fixture
def run(cache, work, tmp_path):
    """The command, run where its files are; what it writes goes to tmp_path."""

    def run(*args):
        environment = {key: value for key, value in os.environ.items() if key != "GEOCONCEPT_CLIP_WEIGHTS"}
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "geoconcept_gis", "locate", *map(str, args)],
            capture_output=True,
            text=True,
            cwd=work,
            timeout=120,
            env={**environment, gallery.CACHE_VARIABLE: str(cache)},
        )

    return run


def test_one_vector_gives_a_card_and_files(run, tmp_path):
    """Places with towns, areas, concepts, prior and tower, that it is an estimate; and all files with provenance."""
    heat, png, points, areas = (tmp_path / name for name in ("heat.tif", "heat.png", "top.gpkg", "areas.geojson"))
    result = run("one.npy", "-o", heat, "--png", png, "--points", points, "--areas", areas)
    assert result.returncode == 0, result.stderr
    for part in ("Where one.npy may be from", "Cairo, Egypt", "within 50 km", "90 % in", "by chance", "Prior: photos"):
        assert part in result.stdout
    assert "not evidence" in result.stdout
    assert "given, shared space" in result.stdout
    best = gpd.read_file(points).iloc[0]
    assert abs(best.geometry.x - 31.2) < 0.3
    assert best.file == "one.npy"
    assert gpd.read_file(areas)["level"].tolist() == [0.5, 0.9]
    with rasterio.open(heat) as file:
        np.testing.assert_allclose(file.read(2).sum(), 1.0, rtol=1e-5)
    assert png.stat().st_size > 10_000
    assert read_provenance(points)["prior"] == read_provenance(heat)["prior"] == "photos"


def test_several_give_a_table(run, tmp_path):
    """One line each on the terminal and one row each in the file; points of all in one file."""
    table, points = tmp_path / "t.csv", tmp_path / "p.parquet"
    result = run("two.npz", "one.npy", "--table", table, "--points", points)
    assert result.returncode == 0, result.stderr
    assert pd.read_csv(table)["file"].tolist() == ["two.npz 0", "two.npz 1", "one.npy"]
    for part in ("Cairo, Egypt", "Paris, France", "Prior: photos"):
        assert part in result.stdout
    assert set(gpd.read_parquet(points)["file"]) == {"two.npz 0", "two.npz 1", "one.npy"}


def test_json_is_the_record(run):
    one = json.loads(run("one.npy", "--json", "--precision-km", "100").stdout)
    assert one["provenance"]["precision_km"] == "256"
    assert one["concepts"] == []
    assert one["exif_lonlat"] is None
    assert one["points"][0]["probability"] > 0.5
    two = json.loads(run("two.npz", "--json").stdout)
    assert [record["file"] for record in two] == ["two.npz 0", "two.npz 1"]
    assert two[0]["concepts"]


def test_a_polygon_says_where_to_look(run):
    """A file in a projected CRS: the vector of Cairo is looked for in France only."""
    result = run("one.npy", "--prior", "france.gpkg", "--json")
    points = json.loads(result.stdout)["points"]
    assert all(abs(point["lon"] - 2.3) < 2.0 and abs(point["lat"] - 48.9) < 2.0 for point in points)


def test_a_precision_coarsens_the_files(run, tmp_path):
    """No point finer than its cell's centre, and the picture's words say so."""
    result = run("one.npy", "--precision-km", "300", "--points", tmp_path / "p.csv")
    assert "Coarsened to cells at least 718 km wide" in result.stdout
    assert "carried it" not in result.stdout
    assert pd.read_csv(tmp_path / "p.csv")["within_km"].iloc[0] > 300


def test_a_folder_of_failures_keeps_its_rows_and_fails(run, tmp_path):
    """The row says why, and the exit code tells that nothing could be located."""
    result = run("photos", "--tower", "weak", "--table", tmp_path / "t.csv")
    assert result.returncode == 1
    assert "1 of 1 could not be located" in result.stderr
    row = pd.read_csv(tmp_path / "t.csv").iloc[0]
    assert row.status == "error"
    assert "no photo" in row.error


@pytest.mark.parametrize(("photo", "message"), [("gone.jpg", "there is no such file"), ("grey.jpg", "no weights here")])
def test_what_cannot_work_fails_before_the_galleries_are_made(work, tmp_path, photo, message):
    """An empty cache stays empty: nobody waits for minutes to be told of a misspelt name."""
    environment = {key: value for key, value in os.environ.items() if key != "GEOCONCEPT_CLIP_WEIGHTS"}
    result = subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", "locate", photo],
        capture_output=True,
        text=True,
        cwd=work,
        timeout=120,
        env={**environment, gallery.CACHE_VARIABLE: str(tmp_path)},
    )
    assert result.returncode == 1
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_weights_the_ways_are_named(run):
    """A photo may also be tried with the weak tower, a text may not."""
    photo, text = run("grey.jpg"), run("a mosque by the river")
    for result in (photo, text):
        assert result.returncode == 1
        for part in ("--weights PATH", "GEOCONCEPT_CLIP_WEIGHTS", "--download"):
            assert part in result.stderr
        assert "weights=" not in result.stderr
        assert "Traceback" not in result.stderr
    assert "--tower weak" in photo.stderr
    assert "--tower weak" not in text.stderr


def test_a_download_is_asked_for_first(run):
    """Without a yes nothing happens."""
    result = run("grey.jpg", "--download")
    assert result.returncode == 1
    assert "1.71 GB" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("gone.jpg",), "there is no such file"),
        (("some/where",), "there is no such file"),
        (("gone.npy",), "there is no file gone.npy"),
        (("wrong.npy",), "it has array (3,)"),
        (("both.npz",), "choose one with --array; it has a (2, 512), b (2, 512)"),
        (("both.npz", "--array", "c"), "those that fit: a, b"),
        (("objects.npy",), "cannot be read as arrays"),
        (("broken.npz",), "cannot be read as arrays"),
        (("one.npy", "--prior", "moon"), "photos, land, population or a file; there is no file 'moon'"),
        (("one.npy", "--prior", "one.npy"), "cannot read one.npy"),
        (("one.npy", "--precision-km", "9999"), "at most 2,177"),
        (("one.npy", "-o", "heat.png"), "must end in .tif"),
        (("one.npy", "--png", "heat.tif"), "must end in .png"),
        (("one.npy", "--points", "p.xlsx"), "must end in one of"),
        (("one.npy", "--table", "no/such/t.csv"), "does not exist"),
        (("one.npy", "--points", "france.gpkg"), "--overwrite"),
        (("two.npz", "-o", "heat.tif"), "take --points, --areas or --table"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(run, work, args, message):
    """Exit code 1, what to do, and no file."""
    before = sorted(work.rglob("*"))
    result = run(*args)
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert sorted(work.rglob("*")) == before
