"""`geoconcept concept fit` as a user types it."""

import json
import re
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest

from geoconcept_gis import read_concept
from geoconcept_gis.datasets import WORLD_PLACES


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", "concept", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


@pytest.fixture
def folder(tmp_path):
    """Presences in a projected GeoPackage and a CSV with odd columns, and other species in a CSV."""
    rng = np.random.default_rng(0)
    lonlat = np.column_stack([rng.uniform(-9, 20, 60), rng.uniform(37, 43, 60)])
    frame = gpd.GeoDataFrame({"who": "x"}, index=range(60), geometry=gpd.points_from_xy(*lonlat.T), crs="EPSG:4326")
    frame.to_crs("EPSG:3857").to_file(tmp_path / "presence.gpkg", layer="seen")
    np.savetxt(tmp_path / "presence.csv", lonlat, delimiter=",", header="east_deg,north_deg", comments="")
    others = np.column_stack([rng.uniform(-20, 40, 300), rng.uniform(30, 65, 300)])
    np.savetxt(tmp_path / "others.csv", others, delimiter=",", header="east_deg,north_deg", comments="")
    return tmp_path


def test_presences_become_a_concept_with_a_report(folder):
    """A projected GeoPackage in; a file, a grade in words and the next step out."""
    result = run("fit", "presence.gpkg", "-o", "wild_orchid.concept", "--layer", "seen", cwd=folder)
    assert result.returncode == 0, result.stderr
    concept = read_concept(folder / "wild_orchid.concept")
    assert concept.name == "wild orchid"
    assert re.search(rf"grade +{concept.grade}: \w+", result.stdout)
    for part in ("60 places", "uniform_land", "AUROC 0.", "moved labels", "position only", "fails", "calibrated"):
        assert part in result.stdout
    assert "next: geoconcept map wild_orchid.concept" in result.stderr


def test_a_background_of_ones_own_a_picture_and_json(folder):
    """The same columns are used for both CSV files; JSON is the concept's record."""
    args = ("presence.csv", "-o", "o.concept", "--background", "others.csv", "--lon", "east_deg", "--lat", "north_deg")
    result = run("fit", *args, "--name", "bee orchid", "--png", "o.png", "--json", cwd=folder)
    assert result.returncode == 0, result.stderr
    record = json.loads(result.stdout)
    assert record == json.loads(json.dumps(read_concept(folder / "o.concept").record()))
    assert record["name"] == "bee orchid"
    assert record["provenance"]["negative"].startswith("300 geometries")
    assert (folder / "o.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("fit", WORLD_PLACES, "-o", "a.json"), "must end in .concept"),
        (("fit", WORLD_PLACES, "-o", "a.concept", "--png", "a.jpg"), "must end in .png"),
        (("fit", WORLD_PLACES, "-o", "presence.gpkg.concept"), "--overwrite"),
        (("fit", "nothing.csv", "-o", "a.concept"), "nothing.csv"),
        (("fit", "presence.csv", "-o", "a.concept"), "--lon"),
        (("fit", "presence.gpkg", "-o", "a.concept", "--background", "nothing.csv"), "nothing.csv"),
        (("fit", "one.csv", "-o", "a.concept"), "at least 2 different places"),
        (("fit", "bad.csv", "-o", "a.concept"), "row 1"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(folder, args, message):
    """Exit code 1, what to do, and no file."""
    (folder / "presence.gpkg.concept").write_text("mine")
    (folder / "one.csv").write_text("lon,lat\n1,2\n")
    (folder / "bad.csv").write_text("lon,lat\n1,2\n3,94\n")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = run(*args, cwd=folder)
    assert result.returncode == 1, result.stderr
    assert message in result.stderr
    assert result.stderr.strip().count("\n") == 0
    assert "Traceback" not in result.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_few_places_are_noted(folder):
    """Nine records: a note in one line, and a concept all the same."""
    lines = (folder / "presence.csv").read_text().splitlines()
    (folder / "few.csv").write_text("\n".join(["lon,lat", *lines[1:10]]) + "\n")
    result = run("fit", "few.csv", "-o", "few.concept", "--overwrite", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "geoconcept: note: 9 positive places are few" in result.stderr
    assert (folder / "few.concept").is_file()


def test_wrong_usage_is_exit_code_2():
    """No file to write to."""
    assert run("fit", WORLD_PLACES).returncode == 2
