"""Folders of partitions: whole files, restarts that keep what is finished, and no other job's folder."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask_geopandas
import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import Cancelled, CoordinateError, InputError
from geoconcept_gis.geoparquet import hilbert_order
from geoconcept_gis.scale import inputs
from geoconcept_gis.scale.partitions import finished


@pytest.fixture
def plan(places_file, monkeypatch):
    """Scores of the towns in four partitions, of a file, so that a second run knows the plan again."""
    monkeypatch.setattr(inputs, "ROWS_IN_PARTITION", 50)
    return gc.embed(gc.scan_places(places_file), concepts=["BWh", "Cfb"])


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_folder_reads_as_one_table(places, plan, tmp_path):
    """geopandas and pyarrow read the folder as a GeoParquet table with every row of the one-call result."""
    assert gc.write_partitions(plan, tmp_path / "out") == len(places)
    table = gpd.read_parquet(tmp_path / "out").sort_index()
    one = gc.embed(places, concepts=["BWh", "Cfb"])
    assert table.crs == one.crs
    assert table["name"].tolist() == one["name"].tolist()
    np.testing.assert_allclose(table[one.columns[-2:]], one[one.columns[-2:]], atol=2e-5)


def test_files_follow_the_practice(plan, tmp_path):
    """Each file: Hilbert order, covering bbox, zstd, `geo`, `emb` and its own provenance."""
    gc.write_partitions(plan, tmp_path)
    model = gc.load_model()
    for path in tmp_path.glob("*.parquet"):
        file = pq.ParquetFile(path)
        metadata = {key: json.loads(value) for key, value in file.schema_arrow.metadata.items() if key != b"pandas"}
        assert metadata[b"geo"]["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
        assert metadata[b"emb"]["emb:dimensions"] == 512
        assert metadata[b"emb"]["model_sha256"] == model.sha256
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        shapes = np.asarray(gpd.read_parquet(path).geometry.array)
        assert hilbert_order(shapes).tolist() == list(range(len(shapes)))
        assert gc.read_provenance(path)["concepts"] == "hot desert climate; oceanic climate"
    record = gc.read_provenance(tmp_path)
    assert record["partitions"] == "4 of 4 finished"
    assert gc.check_model(record).verdict == "match"


def test_parents_become_folders(places, plan, tmp_path):
    """With a column of parents there is one folder a cell, which DuckDB and geopandas read as a column."""
    together = gc.partition_by_h3(dask_geopandas.from_geopandas(places, npartitions=2), 0)
    gc.write_partitions(gc.embed(together, concepts="BWh"), tmp_path)
    folders = [path for path in tmp_path.iterdir() if path.name.startswith("h3_parent=")]
    assert len(folders) == together["h3_parent"].compute().nunique()
    assert all(len(list(folder.iterdir())) == 1 for folder in folders)
    table = gpd.read_parquet(tmp_path)
    assert len(table) == len(places)
    duckdb = pytest.importorskip("duckdb")
    query = f"select count(*), count(distinct h3_parent::ubigint) from read_parquet('{tmp_path}/*/*.parquet')"
    assert duckdb.sql(query).fetchall() == [(len(places), len(folders))]


def test_finished_partitions_are_kept(plan, tmp_path):
    """A second run computes what is missing or broken, and leaves the rest untouched."""
    gc.write_partitions(plan, tmp_path)
    gone, cut, *kept = sorted(tmp_path.glob("*.parquet"))
    before = {path: path.stat().st_mtime_ns for path in kept}
    content = gone.read_bytes()
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-9])
    assert sorted(finished(tmp_path)) == [2, 3]
    seen = []
    assert gc.write_partitions(plan, tmp_path, progress=lambda *counts: seen.append(counts)) == 199
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert gone.read_bytes() == content
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert len(gpd.read_parquet(tmp_path)) == 199


def test_other_settings_are_refused(plan, places_file, tmp_path):
    """A folder belongs to one job: other concepts, another cut and another input are told apart and refused."""
    gc.write_partitions(plan, tmp_path)
    before = {path: path.read_bytes() for path in files_of(tmp_path)}
    scanned = gc.scan_places(places_file)
    with pytest.raises(InputError, match="concepts was 'hot desert climate; oceanic climate', is 'tundra climate'"):
        gc.write_partitions(gc.embed(scanned, concepts="ET"), tmp_path)
    with pytest.raises(InputError, match="kind was 'calibrated', is 'cosine'"):
        gc.write_partitions(gc.embed(scanned, concepts=["BWh", "Cfb"], kind="cosine"), tmp_path)
    os.utime(places_file, ns=(1, 1))
    with pytest.raises(InputError, match="the input has changed"):
        gc.write_partitions(gc.embed(gc.scan_places(places_file), concepts=["BWh", "Cfb"]), tmp_path)
    assert {path: path.read_bytes() for path in files_of(tmp_path)} == before


def test_a_folder_of_others_is_refused(places, plan, tmp_path):
    """Strange folders, manifests and frames are refused before anything is written."""
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        gc.write_partitions(plan, tmp_path)
    (tmp_path / "_geoconcept.json").write_text("{}")
    with pytest.raises(InputError, match="no manifest"):
        gc.write_partitions(plan, tmp_path)
    with pytest.raises(InputError, match="use write_places"):
        gc.write_partitions(places, tmp_path)
    with pytest.raises(InputError, match="rename it first"):
        gc.write_partitions(dask_geopandas.from_geopandas(places.assign(bbox=1), npartitions=1), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_one_bad_partition_leaves_the_others(places, tmp_path):
    """An error in one partition is raised; what others finished stays, and nothing half-written is left."""
    import shapely

    bad = places.copy()
    bad.loc[198, "geometry"] = shapely.Point(10, 95)
    plan = gc.embed(dask_geopandas.from_geopandas(bad, npartitions=4), concepts="BWh")
    with pytest.raises(CoordinateError, match="index 198"):
        gc.write_partitions(plan, tmp_path)
    assert 3 not in finished(tmp_path)
    # Whatever was under way has come to rest: nothing is written after the error has been raised.
    assert {path.name for path in tmp_path.glob("*.parquet")} == {f"part-{k:05d}.parquet" for k in finished(tmp_path)}


def test_cancelling_keeps_what_is_finished(plan, tmp_path):
    """A progress function that returns true stops the work; the next run completes it."""
    with pytest.raises(Cancelled):
        gc.write_partitions(plan, tmp_path, progress=lambda done, total: done >= 1)
    assert finished(tmp_path)
    assert gc.write_partitions(plan, tmp_path) == 199


KILLED = """
import sys, time
import dask
import geoconcept_gis as gc
from geoconcept_gis.scale import inputs, partitions

inputs.ROWS_IN_PARTITION = 50
write_file = partitions._write_file

def slowly(*args):
    time.sleep(0.7)
    write_file(*args)

if sys.argv[3] == "slow":
    partitions._write_file = slowly
plan = gc.embed(gc.scan_places(sys.argv[1]), concepts=["BWh", "Cfb"])
with dask.config.set(scheduler="synchronous"):
    print(gc.write_partitions(plan, sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_killed_job_is_completed(places_file, tmp_path):
    """SIGKILL in the middle leaves whole partitions; the same command completes them without touching those."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(places_file), str(out)]
    job = subprocess.Popen([*command, "slow"], stderr=subprocess.DEVNULL)
    waited = time.monotonic() + 120
    while len(list(out.glob("_done/*.json"))) < 2 and time.monotonic() < waited:
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(signal.SIGKILL)
    job.wait()
    (out / ".part-00003.parquet.killed").mkdir()  # what a kill in the middle of a file leaves
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.parquet") if int(path.stem[-5:]) in finished(out)}
    assert 2 <= len(kept) < 4
    done = subprocess.run([*command, "fast"], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "199"
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(gpd.read_parquet(out)) == 199
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []


def test_a_cluster_of_processes_writes_the_same(places, plan, tmp_path):
    """Worker processes give the rows that one call gives, through a shuffle as well."""
    from geoconcept_gis.scale.engine import workers

    seen = []
    with workers(count=1) as client:
        assert len(client.scheduler_info()["workers"]) == 1
        rows = gc.write_partitions(plan, tmp_path / "plain", progress=lambda *counts: seen.append(counts))
        together = gc.embed(gc.partition_by_h3(gc.embed(plan, features="embedding"), 0), concepts="ET")
        gc.write_partitions(together, tmp_path / "cells")
    assert rows == len(places)
    assert seen[-1] == (4, 4)
    one = gc.embed(places, concepts="ET")
    table = gpd.read_parquet(tmp_path / "cells").set_index("name").loc[one["name"]]
    np.testing.assert_allclose(table["concept_tundra_climate"], one["concept_tundra_climate"], atol=2e-5)


def test_a_scheduler_that_is_not_there():
    """An address without a scheduler, and both ways of asking for workers, are told."""
    import dask

    from geoconcept_gis.scale.engine import workers

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(InputError, match="cannot reach a dask scheduler"),
        workers("tcp://127.0.0.1:9"),
    ):
        pass
    with pytest.raises(InputError, match="give one of the two"), workers("tcp://127.0.0.1:9", 2):
        pass


def test_the_manifest_holds_no_machine(plan, tmp_path):
    """The folder can move: its records name files relative to it."""
    gc.write_partitions(plan, tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert len(finished(tmp_path / "b")) == 4
    for path in Path(tmp_path / "b").rglob("*.json"):
        assert str(tmp_path) not in path.read_text()
