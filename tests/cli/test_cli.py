"""The command as a user types it: files in and out, exit codes, one-line errors."""

import os
import subprocess
import sys

import geopandas as gpd
import pytest
import rasterio

from geoconcept_gis.datasets import WORLD_PLACES


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "geoconcept_gis", *map(str, args)], capture_output=True, text=True, cwd=cwd, timeout=300
    )


@pytest.fixture
def towns(tmp_path):
    path = tmp_path / "towns.csv"
    path.write_text("town,Longitude,Latitude\nCairo,31.2,30.0\nLondon,-0.1,51.5\nManaus,-60.0,-3.1\n")
    return path


def test_help_names_every_command():
    """`--help` shows the commands, each command has help with an example or options."""
    result = run("--help")
    assert result.returncode == 0
    for command in ("embed", "h3", "map", "concepts", "info", "demo", "bank"):
        assert command in result.stdout
        assert run(command, "--help").returncode == 0


def test_help_is_light():
    """Asking for help loads no pandas, geopandas, rasterio, matplotlib or torch."""
    code = (
        "import sys; sys.argv = ['geoconcept', '--help']\n"
        "from geoconcept_gis.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not set(loaded) & {"pandas", "geopandas", "rasterio", "xarray", "matplotlib", "torch", "shapely"}


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("torch", ["train", "x.yaml"], "train"),
        ("starlette", ["explore"], "explore"),
        ("yaml", ["train", "x.yaml"], "train"),
    ],
)
def test_a_missing_extra_is_one_line(missing, arguments, extra, tmp_path):
    """Whatever an extra brings: no traceback, and the line to type."""
    (tmp_path / "x.yaml").write_text("{name: a, data: {train: nowhere}}")
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['geoconcept', *{arguments!r}]\n"
        "from geoconcept_gis.cli import main\n"
        "main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and f"geoconcept-gis[{extra}]" in result.stderr, result.stderr


@pytest.mark.parametrize("suffix", ["parquet", "gpkg", "csv", "geojson"])
def test_embed_csv(towns, tmp_path, suffix):
    """CSV in, each format out, with the asked-for column and a file that knows where it came from."""
    out = tmp_path / f"out.{suffix}"
    result = run("embed", towns, "-o", out, "-c", "BWh")
    assert (result.returncode, result.stdout) == (0, "")
    assert "3 rows, 1 new columns" in result.stderr
    if suffix == "parquet":
        frame = gpd.read_parquet(out)
        assert frame["concept_hot_desert_climate"].idxmax() == 0
        assert list(frame["town"]) == ["Cairo", "London", "Manaus"]
    shown = run("info", out)
    assert shown.returncode == 0
    assert "hot desert climate" in shown.stdout
    assert "uniform_land" in shown.stdout


def test_embed_bad_rows(towns, tmp_path):
    """Bad rows stop the work with their place named; with `--invalid null` they are kept and counted."""
    towns.write_text(towns.read_text() + "Nowhere,,\nMoon,10,95\n")
    out = tmp_path / "out.parquet"
    failed = run("embed", towns, "-o", out)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert failed.stderr.startswith("geoconcept: error: ")
    assert failed.stderr.endswith("keep them without values: --invalid null.\n")
    assert not out.exists()
    kept = run("embed", towns, "-o", out, "--invalid", "null", "-c", "BWh")
    assert kept.returncode == 0
    frame = gpd.read_parquet(out)
    assert list(frame["geoconcept_status"]) == ["ok", "ok", "ok", "missing", "out_of_range"]
    assert frame["concept_hot_desert_climate"].isna().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("embed", "nothing.csv", "-o", "a.parquet"), "nothing.csv"),
        (("embed", WORLD_PLACES, "-o", "a.xyz"), ".parquet"),
        (("embed", WORLD_PLACES, "-o", "no/a.parquet"), "does not exist"),
        (("embed", WORLD_PLACES, "-o", "a.parquet", "-c", "hot dessert"), "did you mean 'hot desert climate'"),
        (("map", "BWh"), "nothing to write"),
        (("map", "BWh", "-o", "a.jpg"), ".tif"),
        (("map", "BWh", "-o", "a.tif", "--crs", "EPSG:3035"), "--resolution"),
        (("map", "BWh", "-o", "a.tif", "--bounds", "0", "0", "0", "10"), "bounds"),
        (("info", WORLD_PLACES), "no geoconcept provenance"),
        (("info", "--model", "nope"), "neither an installed one"),
        (("embed", WORLD_PLACES, "-o", "a.parquet", "--backend", "abacus"), "no backend 'abacus'"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(tmp_path, args, message):
    """Exit code 1, one line that says what to do, an empty folder."""
    result = run(*args, cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert message in result.stderr
    assert result.stderr.strip().count("\n") == 0
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [("fly",), ("embed",), ("map", "--nope"), ("h3", "-o", "a", "-r", "99")])
def test_wrong_usage_is_exit_code_2(args):
    """Typing errors are usage errors."""
    assert run(*args).returncode == 2


def test_no_file_is_replaced_unasked(towns, tmp_path):
    """An existing output is kept unless --overwrite is given."""
    out = tmp_path / "out.csv"
    out.write_text("mine")
    refused = run("embed", towns, "-o", out)
    assert refused.returncode == 1
    assert "--overwrite" in refused.stderr
    assert out.read_text() == "mine"
    assert run("embed", towns, "-o", out, "--overwrite", "-c", "BWh").returncode == 0


def test_map(tmp_path):
    """Two concepts give a two-band GeoTIFF, its QGIS style and a picture."""
    tif, png = tmp_path / "m.tif", tmp_path / "m.png"
    result = run("map", "BWh", "tundra climate", "--bounds", "-20", "10", "0", "20", "-r", "2", "-o", tif, "--png", png)
    assert result.returncode == 0, result.stderr
    with rasterio.open(tif) as raster:
        assert raster.count == 2
        assert "hot desert climate" in raster.descriptions[0]
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.png", "m.qml", "m.tif"]
    assert "model_sha256" in run("info", tif).stdout


def test_demo(tmp_path):
    """The demo leaves a table with concepts and embedding, a styled map, a picture, and says where they are."""
    result = run("demo", tmp_path / "out", "-r", "10", "-c", "ET")
    assert result.returncode == 0, result.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    made = {"world_places.parquet", "tundra_climate.tif", "tundra_climate.qml", "tundra_climate.png"}
    assert names == made | {"world_places.csv"}
    for name in made - {"tundra_climate.qml"}:
        assert str(tmp_path / "out" / name) in result.stdout
    columns = gpd.read_parquet(tmp_path / "out" / "world_places.parquet").columns
    assert {"name", "concept_tundra_climate", "embedding_000", "embedding_511", "geoconcept_status"} <= set(columns)


def test_h3(tmp_path):
    """Cells of an area land in GeoParquet."""
    out = tmp_path / "cells.parquet"
    result = run("h3", "-r", "3", "--bounds", "0", "40", "10", "50", "-o", out, "-c", "BWh")
    assert result.returncode == 0, result.stderr
    frame = gpd.read_parquet(out)
    assert len(frame) > 10
    assert "concept_hot_desert_climate" in frame


def test_concepts_table():
    """Each concept comes with its held-out validity; a search narrows; no match is exit code 1."""
    listed = run("concepts")
    assert listed.returncode == 0
    assert "hot desert climate" in listed.stdout
    assert "AUROC 0.9" in listed.stdout
    searched = run("concepts", "polar")
    assert "hot desert" not in searched.stdout
    assert run("concepts", "xyzzy").returncode == 1


def test_interrupt_leaves_nothing(tmp_path):
    """Ctrl-C in the middle of a long job: no half file, no traceback, exit code 1."""
    import signal
    import time

    out = tmp_path / "world.parquet"
    process = subprocess.Popen(
        [sys.executable, "-m", "geoconcept_gis", "h3", "-r", "5", "-o", str(out), "--backend", "numpy"],
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background ignores Ctrl-C, and so would its children.
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) if os.name == "posix" else None,
    )
    try:
        deadline = time.monotonic() + 60
        while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert stderr.strip() == "geoconcept: error: stopped; no file was written or changed"
    assert list(tmp_path.iterdir()) == []
