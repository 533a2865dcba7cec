"""Banks on the command line: lists that hide grade D, cards, differences, .concept files, erasing."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import rasterio

import geoconcept_gis as gc
from geoconcept_gis.concepts import Calibration, Validity


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", *map(str, args)], capture_output=True, text=True, cwd=cwd, timeout=300
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model with four concepts of three grades in two families, with patterns."""
    model = gc.load_model(backend="numpy")
    tested = Validity("AUROC", 0.91, (0.88, 0.93), 1234, 56789, "5 folds", "land", {"moved labels": 0.6})
    parts = [
        {"grade": "A", "family": "climate", "failure": "Salt flats read high.", "validity": tested},
        {"grade": "B", "family": "climate", "calibration": Calibration(30.0, -3.0, 0.012, 0.034)},
        {"grade": "D", "family": "cold"},
        {"grade": None, "family": "cold"},
    ]
    concepts = [
        replace(concept, pattern=concept.vector, **part)
        for concept, part in zip(model.bank.select(["BWh", "Cfb", "ET", "EF"]), parts, strict=True)
    ]
    bank = gc.ConceptBank(concepts, model.bank.references, space=model.space)
    return model.with_bank(bank).save(tmp_path_factory.mktemp("models") / "small")


def listed(folder, *args):
    result = run("concepts", *args, "--model", folder)
    assert result.returncode == 0, result.stderr
    return result


def test_grade_d_is_hidden_unless_asked_for(folder):
    """The list leaves it out and says so; --all, --grade, a search and Markdown show it."""
    plain = listed(folder)
    assert "tundra climate" not in plain.stdout
    assert "hot desert climate" in plain.stdout
    assert plain.stderr.strip() == "3 concepts in 2 families; 1 of grade D is hidden: --all"
    for args in (("--all",), ("--grade", "D"), ("tundra",), ("--markdown",), ("cold",)):
        shown = listed(folder, *args)
        assert "tundra climate" in shown.stdout, args
    assert "1 of grade D: no better than its control" in listed(folder, "--all").stderr
    assert "tundra climate" not in listed(folder, "--json").stdout
    assert [record["name"] for record in json.loads(listed(folder, "ET", "--json").stdout)] == ["tundra climate"]


def test_filters(folder):
    """Families whatever their case, grades by letter; unknown ones are refused with what there is."""
    assert "ice cap" not in listed(folder, "--family", "Climate").stdout
    one = listed(folder, "--grade", "a")
    assert ("hot desert" in one.stdout, "oceanic" in one.stdout) == (True, False)
    both = listed(folder, "--grade", "AB", "--family", "climate", "--family", "cold")
    assert both.stderr.strip() == "2 concepts in 1 family"
    for args, message in (
        (("--family", "space"), "no family 'space' in this bank; there are climate, cold"),
        (("--grade", "E"), "no grade 'E'"),
        (("--grade", "C"), "no concept matches C"),
        (("xyzzy", "--family", "cold"), "no concept matches 'xyzzy' cold"),
    ):
        failed = run("concepts", *args, "--model", folder)
        assert (failed.returncode, failed.stdout) == (1, "")
        assert message in failed.stderr


def test_table_has_grade_and_controls(folder):
    """In a pipe every row and column is there, one line each."""
    row = next(line for line in listed(folder).stdout.splitlines() if "hot desert climate" in line)
    assert row.split()[0] == "A"
    assert "AUROC 0.910" in row
    assert "0.600" in row
    assert "moved labels" in listed(folder, "--markdown").stdout.splitlines()[0]


def test_card_of_one_concept(folder):
    """A full name or alias shows all that is known, and other matches below."""
    card = listed(folder, "hot desert climate").stdout
    for text in (
        "Salt flats read high.",
        "AUROC 0.910 (95 % interval 0.880 to 0.930)",
        "1,234 with the label",
        "A: AUROC",
    ):
        assert text in card
    assert "3.40% of the reference places" in listed(folder, "cfb").stdout
    record = json.loads(listed(folder, "BWh", "--json").stdout)[0]
    assert record["failure"] == "Salt flats read high."


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a Unix thing")
def test_overview_on_a_terminal(folder):
    """On a terminal the whole list is names by family and grade, as wide as the window."""
    import pty

    parent, child = pty.openpty()
    command = [sys.executable, "-m", "geoconcept_gis", "concepts", "--model", str(folder)]
    environment = os.environ | {"COLUMNS": "40", "TERM": "dumb"}
    with subprocess.Popen(command, stdout=child, stderr=subprocess.PIPE, env=environment) as process:
        os.close(child)
        text = b""
        while block := _read(parent):
            text += block
        notes = process.stderr.read().decode()
    os.close(parent)
    lines = re.sub(r"\x1b\[\d*m|\r", "", text.decode()).splitlines()
    assert [line for line in lines if line] == [
        "climate  2",
        "  A hot desert climate",
        "  B oceanic climate",
        "cold  1",
        "    ice cap climate",
    ]
    assert "geoconcept concepts NAME" in notes
    assert "1 of grade D is hidden: --all" in notes


def _read(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_info_counts_grades(folder):
    """`info` says how many concepts of which grade there are."""
    shown = run("info", "--model", folder).stdout
    assert "4 in 2 families: climate, cold" in shown
    assert "1 A, 1 B, 1 D (hidden), 1 ungraded" in shown


def test_bank_diff(folder, tmp_path):
    """Folders and bundled names; text or JSON; 0 unless --exit-code asks for more."""
    bank = gc.ConceptBank.load(folder)
    bank.remove("EF").save(tmp_path / "less")
    result = run("bank", "diff", folder, tmp_path / "less")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["0 concepts added, 1 removed, 0 changed", "- ice cap climate"]
    record = json.loads(run("bank", "diff", folder, tmp_path / "less", "--json").stdout)
    assert record["removed"] == ["ice cap climate"]
    assert run("bank", "diff", folder, tmp_path / "less", "--exit-code").returncode == 1
    same = run("bank", "diff", folder, folder, "--exit-code")
    assert (same.returncode, same.stdout.strip()) == (0, "no difference")
    assert "~ tundra climate: grade A -> D" in run("bank", "diff", "geoclip", folder).stdout
    missing = run("bank", "diff", folder, tmp_path / "none")
    assert missing.returncode == 1
    assert "concepts.json is missing" in missing.stderr


def test_concept_files_instead_of_names(folder, tmp_path):
    """map, embed, h3, --given and `concepts` take a .concept file; a wrong one stops them with its name."""
    model = gc.load_model(folder, backend="numpy")
    mine = replace(model.bank["BWh"], name="my desert", aliases=())
    file = gc.write_concept(mine, tmp_path / "desert.concept", model)
    box = ("--bounds", "25", "22", "35", "31", "--model", folder)
    mapped = run("map", file, "Cfb", *box, "-r", "3", "-o", tmp_path / "map.tif")
    assert mapped.returncode == 0, mapped.stderr
    with rasterio.open(tmp_path / "map.tif") as raster:
        assert raster.descriptions == ("concept: my desert", "concept: oceanic climate")
    assert run("h3", "-c", file, *box, "-r", "2", "-o", tmp_path / "cells.parquet").returncode == 0
    assert "concept_my_desert" in gpd.read_parquet(tmp_path / "cells.parquet")
    (tmp_path / "towns.csv").write_text("lon,lat\n31.2,30.0\n-0.1,51.5\n")
    out = tmp_path / "towns.parquet"
    assert run("embed", tmp_path / "towns.csv", "-c", file, "-o", out, "--model", folder).returncode == 0
    cairo, london = gpd.read_parquet(out)["concept_my_desert"]
    assert cairo > london
    assert listed(folder, file).stdout.startswith("my desert\n")
    left = run("map", "Cfb", "--given", file, *box, "-r", "3", "-o", tmp_path / "left.tif")
    assert left.returncode == 0, left.stderr
    assert gc.read_provenance(tmp_path / "left.tif")["given"] == "my desert"
    file.write_bytes(file.read_bytes()[:-1])
    failed = run("map", file, *box, "-r", "3", "-o", tmp_path / "other.tif")
    assert failed.returncode == 1
    assert "desert.concept" in failed.stderr
    assert not (tmp_path / "other.tif").exists()
    assert "no file" in run("embed", tmp_path / "towns.csv", "-c", "no.concept", "-o", out, "--overwrite").stderr


def test_map_given(folder, tmp_path):
    """--given maps what is left, as a cosine; another kind is refused."""
    box = ("--bounds", "25", "22", "35", "31", "-r", "3", "--model", folder)
    tif, png = tmp_path / "left.tif", tmp_path / "left.png"
    result = run("map", "BWh", "--given", "ET", "--given", "Cfb", *box, "-o", tif, "--png", png)
    assert result.returncode == 0, result.stderr
    record = gc.read_provenance(tif)
    assert (record["kind"], record["given"]) == ("cosine", "tundra climate; oceanic climate")
    with rasterio.open(tif) as raster:
        assert np.isfinite(raster.read(1)).any()
    refused = run("map", "BWh", "--given", "ET", "--kind", "percentile", *box, "-o", tmp_path / "no.tif")
    assert refused.returncode == 1
    assert "--kind percentile does not go with given" in refused.stderr


def test_build_says_what_is_missing(tmp_path):
    """Without the data: one line that names the variable to set, and nothing written."""
    result = subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", "bank", "build", "-o", str(tmp_path / "bank")],
        capture_output=True,
        text=True,
        env=os.environ | {"GEOCONCEPT_DATA": str(tmp_path)},
        timeout=300,
    )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "set GEOCONCEPT_DATA" in result.stderr
    assert not (tmp_path / "bank").exists()


def test_build_replaces_no_bank_unasked(folder):
    """A bank that is there stays, before any work is done."""
    result = run("bank", "build", "-o", folder)
    assert result.returncode == 1
    assert "exists already: add --overwrite" in result.stderr


def test_report_of_a_model(folder, tmp_path):
    """A page for each family, an index, and a map for each concept."""
    result = run("bank", "report", "--model", folder, "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    assert {path.name for path in tmp_path.glob("*.md")} == {"index.md", "climate.md", "cold.md"}
    assert len(list((tmp_path / "maps").glob("*.png"))) == 4
    assert "Known failure: Salt flats read high." in (tmp_path / "climate.md").read_text(encoding="utf-8")
