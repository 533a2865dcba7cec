"""Words on the command line, as a user types them."""

import json
import os
import subprocess
import sys

import pandas as pd

from geoconcept_gis import read_concept, read_provenance


def run(*args, cwd=None):
    environment = {key: value for key, value in os.environ.items() if key != "GEOCONCEPT_CLIP_WEIGHTS"}
    return subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        env=environment,
    )


def test_words_become_a_file_and_their_evidence_is_told(tmp_path):
    """The grade first, then what it rests on; the file works wherever a concept's name does."""
    result = run("concept", "text", "olive groves by the sea", "-o", "olives.concept", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for part in ("grade", "reads like", "peak", "geographic", "bundled"):
        assert part in result.stdout
    assert read_concept(tmp_path / "olives.concept").family == "text"
    again = run("map", "olives.concept", "--bounds", "0", "30", "40", "50", "-o", "olives.tif", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    found = read_provenance(tmp_path / "olives.tif")
    assert found["kind"] == "percentile" and len(found["text_tower_sha256"]) == 64


def test_words_are_mapped_and_put_into_tables(tmp_path):
    """With names of the bank's concepts beside them."""
    (tmp_path / "places.csv").write_text("lon,lat\n25,25\n100,60\n")
    result = run("embed", "places.csv", "-o", "out.csv", "--text", "burning sand", "-c", "tundra climate", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "'burning sand': grade" in result.stderr
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table) == ["lon", "lat", "concept_tundra_climate", "concept_burning_sand"]
    assert table["concept_burning_sand"][0] > 80.0 > table["concept_burning_sand"][1]
    drawn = run("map", "--text", "burning sand", "--bounds", "0", "10", "40", "40", "--png", "m.png", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "m.png").stat().st_size > 10_000


def test_words_that_cannot_be_read_are_named(tmp_path):
    """One line, exit code 1, nothing written."""
    result = run("concept", "text", "qwxrt zzkj", "-o", "x.concept", cwd=tmp_path)
    assert result.returncode == 1 and "'qwxrt', 'zzkj'" in result.stderr
    assert not any(tmp_path.iterdir())
    nothing = run("map", "--png", "x.png", cwd=tmp_path)
    assert nothing.returncode == 1 and "--text" in nothing.stderr


def test_a_phrase_about_no_place_is_flagged():
    """It is not refused: a map may still amuse."""
    result = run("concept", "text", "sadness", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["grade"] == "D"
    assert "about no place" in result.stderr


def test_clip_without_weights_says_how_to_get_them():
    """And asks before it fetches: no answer means no."""
    result = run("concept", "text", "desert", "--tower", "clip")
    assert result.returncode == 1 and "1.71 GB" in result.stderr and "GEOCONCEPT_CLIP_WEIGHTS" in result.stderr
    asked = run("concept", "text", "desert", "--tower", "clip", "--download")
    assert asked.returncode != 0 and "1.71 GB" in asked.stderr


def test_concepts_are_found_by_meaning_where_no_name_matches():
    """A search that finds no name falls back on what words mean."""
    result = run("concepts", "frozen")
    assert result.returncode == 0, result.stderr
    result = run("concepts", "lava")
    assert result.returncode == 0 and "nearest by meaning" in result.stderr
    assert "volcan" in result.stdout
