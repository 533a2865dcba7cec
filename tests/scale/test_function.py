"""The plain function: small when pickled, one model a process, the numbers of `embed`."""

import pickle
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import CoordinateError, InputError


@pytest.fixture(scope="module")
def lonlat(places):
    return places.geometry.x.to_numpy(), places.geometry.y.to_numpy()


@pytest.mark.parametrize("features", ["concepts", "embedding", "all"])
def test_values_are_those_of_embed(places, lonlat, features):
    """Columns, names and order are those of `embed`."""
    concepts = None if features == "embedding" else ["BWh", "lowland"]
    function = gc.FeatureFunction(features, concepts)
    table = gc.embed(places, features, concepts)[function.names]
    values = function(*lonlat)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, table, atol=2e-5)


def test_it_travels_light(lonlat):
    """Pickled, used or not, it is far smaller than the model, and gives the same after."""
    function = gc.FeatureFunction(concepts=["BWh", "lowland"])
    before = function(*lonlat)
    packed = pickle.dumps(function)
    assert len(packed) < 2000
    np.testing.assert_array_equal(pickle.loads(packed)(*lonlat), before)


def test_a_process_opens_the_model_once(tmp_path):
    """Many functions in one process share one model; another process opens its own."""
    path = tmp_path / "function.pickle"
    path.write_bytes(pickle.dumps([gc.FeatureFunction(concepts="BWh"), gc.FeatureFunction("embedding")]))
    code = (
        "import pickle, sys, pathlib, geoconcept_gis as gc\n"
        "from geoconcept_gis.model import GeoConceptModel\n"
        "opened, init = [], GeoConceptModel.__init__\n"
        "def count(self, *a, **k): opened.append(1); init(self, *a, **k)\n"
        "GeoConceptModel.__init__ = count\n"
        "for f in pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()):\n"
        "    for _ in range(3): f([31.2], [30.0])\n"
        "print(len(opened))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_rows_that_are_no_place():
    """They stop the call with their number, or are NaN where that was asked for."""
    lon, lat = [31.2, 10.0, None, -0.1], pa.array([30.0, 95.0, 0.0, None])
    with pytest.raises(CoordinateError, match="row 1"):
        gc.FeatureFunction(concepts="BWh")(lon, lat)
    values = gc.FeatureFunction(concepts="BWh", invalid="null")(lon, lat)
    assert np.isnan(values[:, 0]).tolist() == [False, True, True, True]
    with pytest.raises(InputError, match="one length"):
        gc.FeatureFunction(concepts="BWh")([1.0, 2.0], [3.0])
    assert gc.FeatureFunction(concepts="BWh")([], []).shape == (0, 1)


def test_cells_are_their_centres():
    """UBIGINT and strings mean the same cells, valued as `embed_h3` values them."""
    cells = gc.h3_grid((5, 45, 8, 46), 5)
    function = gc.FeatureFunction(concepts=["ET", "Cfb"])
    table = gc.embed_h3(cells, concepts=["ET", "Cfb"])
    np.testing.assert_allclose(function.of_cells(cells), table.iloc[:, 1:], atol=2e-5)
    np.testing.assert_array_equal(function.of_cells([f"{cell:x}" for cell in cells]), function.of_cells(cells))
    assert function.provenance()["concepts"] == "tundra climate; oceanic climate"


def test_duckdb_calls_it(places, lonlat):
    """As a vectorised function of DuckDB it scores a column, and joins by UBIGINT cells."""
    duckdb = pytest.importorskip("duckdb")
    from geoconcept_gis.h3cells import cells_of

    function = gc.FeatureFunction(concepts="BWh", invalid="null")

    def score(lon, lat):
        return pa.array(function(lon, lat)[:, 0])

    def cell(lon, lat):
        return pa.array(cells_of(np.column_stack([lon, lat]), 3))

    towns = pa.table({"lon": lonlat[0], "lat": lonlat[1]})  # noqa: F841 - DuckDB finds it by its name
    with duckdb.connect() as base:
        base.create_function("desert", score, ["DOUBLE", "DOUBLE"], "FLOAT", type="arrow")
        base.create_function("cell", cell, ["DOUBLE", "DOUBLE"], "UBIGINT", type="arrow")
        rows = base.sql("select cell(lon, lat) as h3, avg(desert(lon, lat)), count(*) from towns group by 1").fetchall()
    assert sum(count for _, _, count in rows) == len(places)
    expected = cells_of(np.column_stack(lonlat), 3)
    scores = function(*lonlat)[:, 0]
    for h3, mean, count in rows:
        there = expected == h3
        assert there.sum() == count
        assert mean == pytest.approx(scores[there].mean(), abs=1e-4)


def test_the_function_in_the_docs_scores_frames(places):
    """The function that docs/scale-out.md hands to Spark works on pandas frames as it stands."""
    import re
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "scale-out.md").read_text(encoding="utf-8")
    [code] = [block for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "def score" in block]
    names = {"gc": gc}
    exec(code, names)  # our own documentation
    frame = places.get_coordinates().rename(columns={"x": "lon", "y": "lat"})
    first, second = names["score"](iter([frame.head(20), frame.tail(30)]))
    assert (len(first), len(second)) == (20, 30)
    np.testing.assert_allclose(
        second["concept_hot_desert_climate"],
        gc.embed(places.tail(30), concepts="BWh")["concept_hot_desert_climate"],
        atol=2e-5,
    )
