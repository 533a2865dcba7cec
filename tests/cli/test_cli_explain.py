"""`geoconcept explain`, `compare` and `similar` as a user types them."""

import json
import subprocess
import sys

import pytest


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", *map(str, args)], capture_output=True, text=True, cwd=cwd, timeout=300
    )


@pytest.fixture
def towns(tmp_path):
    path = tmp_path / "towns.csv"
    path.write_text("town,lon,lat\nCairo,31.2,30.0\nLondon,-0.1,51.5\nManaus,-60.0,-3.1\n")
    return path


def test_first_minute():
    """Two numbers give a short answer: where, what, how sure, what it is not."""
    result = run("explain", "31.2", "30.0", "-c", "BWh", "-c", "Cfb")
    assert (result.returncode, result.stderr) == (0, "")
    assert "31.2°E, 30°N (8 km from Cairo, Egypt) is associated with" in result.stdout
    assert result.stdout.index("hot desert climate") < result.stdout.index("oceanic climate")
    assert "AUROC" in result.stdout
    assert "not observed" in result.stdout


def test_negative_numbers():
    """West and south are no options."""
    result = run("explain", "-60.0", "-3.1", "--top", "3")
    assert result.returncode == 0, result.stderr
    assert "60°W, 3.1°S" in result.stdout
    result = run("compare", "-60.0", "-3.1", "-0.1", "51.5", "--json", "-c", "Cfb")
    assert json.loads(result.stdout)["concepts"][0]["difference"] < 0


def test_json_and_file(towns):
    """A file gives the mean of its places, `--row` one of them."""
    one = json.loads(run("explain", "--file", towns, "--row", "0", "--json").stdout)
    assert one["place"].startswith("31.2°E")
    assert json.loads(run("explain", "-f", towns, "--json").stdout)["place"] == "3 places"


def test_compare_files(towns, tmp_path):
    """Two files are two groups, with an effect and its interval; the picture is written."""
    result = run("compare", "--a", towns, "--b", towns, "--png", tmp_path / "c.png", "-c", "BWh")
    assert result.returncode == 0, result.stderr
    assert "A above B" in result.stdout
    assert "0.50 (" in result.stdout
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"


def test_similar(towns, tmp_path):
    """Seeds in, raster and picture out, and the concepts that carry the likeness."""
    tif, png = tmp_path / "s.tif", tmp_path / "s.png"
    area = ("--bounds", "-20", "20", "40", "40", "-r", "5")
    result = run("similar", "31.2", "30.0", "-7.99", "31.63", *area, "-o", tif, "--png", png, "-c", "BWh", "-c", "Cfb")
    assert result.returncode == 0, result.stderr
    assert "hot desert climate" in result.stdout
    assert png.read_bytes()[:4] == b"\x89PNG"
    shown = run("info", tif).stdout
    assert "seed_positions" in shown
    assert "(-7.99, 31.63)" in shown


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("explain",), 1, "LON LAT"),
        (("explain", "1"), 1, "LON LAT"),
        (("explain", "31.2", "30", "--file", "a.csv"), 1, "LON LAT"),
        (("explain", "131.2", "95"), 1, "out_of_range"),
        (("explain", "--file", "no.csv"), 1, "no.csv"),
        (("explain", "31.2", "30", "-c", "hot dessert"), 1, "did you mean"),
        (("explain", "31.2", "30", "--png", "a.gif"), 1, ".png"),
        (("explain", "31.2", "30", "--nope"), 2, "--nope"),
        (("explain", "north", "30"), 2, "lon"),
        (("compare", "1", "2", "3"), 1, "two places"),
        (("compare", "--a", "a.csv"), 1, "two places"),
        (("similar", "1", "2"), 1, "nothing to write"),
        (("similar", "1", "--png", "a.png"), 1, "in pairs"),
        (("similar", "--png", "a.png"), 1, "in pairs"),
        (("similar", "1", "2", "-o", "a.gif"), 1, ".tif"),
    ],
)
def test_refusals(tmp_path, args, code, message):
    """One line for what cannot be done, usage for what cannot be read; nothing is left behind."""
    result = run(*args, cwd=tmp_path)
    assert result.returncode == code
    assert message.lower() in result.stderr.lower()
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_row_that_is_not_there(towns):
    """The rows there are, are named."""
    result = run("explain", "--file", towns, "--row", "3")
    assert result.returncode == 1
    assert "rows 0 to 2" in result.stderr
