"""The static site: the page, one grid a concept, and a table for clicks, whole or not at all."""

import gzip
import json

import numpy as np
import pytest

from geoconcept_gis.errors import Cancelled, InputError
from geoconcept_gis.explore.export import export_site
from geoconcept_gis.explore.world import COLUMNS, ROWS, World


@pytest.fixture
def small(linear):
    """A model with three concepts and a stand-in for its encoder."""
    model, _ = linear
    return model.with_bank(model.bank.subset(["hot desert climate", "tundra climate", "Antarctica"]))


def test_the_site_holds_what_the_server_would_answer(small, tmp_path):
    """Grids in the order of start.json, a table that agrees with them, and a policy in the page itself."""
    site = export_site(small, tmp_path / "site", cache=tmp_path / "cache")
    start = json.loads((site / "start.json").read_text(encoding="utf-8"))
    assert start["mode"] == "static"
    assert [one["name"] for one in start["concepts"]] == small.bank.names
    world = World(small, tmp_path / "cache")
    grids = []
    for k, concept in enumerate(small.bank):
        content = gzip.decompress((site / "grids" / f"{k}.bin.gz").read_bytes())
        grids.append(np.frombuffer(content, np.uint8).reshape(ROWS, COLUMNS))
        assert (grids[k] == world.grid(concept)).all()
    table = gzip.decompress((site / "table.bin.gz").read_bytes())
    count = int(np.frombuffer(table, "<u4", 1)[0])
    cells = np.frombuffer(table, "<u4", count, 4)
    values = np.frombuffer(table, np.uint8, offset=4 + 4 * count).reshape(count, len(grids))
    row, column = np.divmod(cells, COLUMNS // 3)
    for k, grid in enumerate(grids):
        assert (grid[row * 3 + 1, column * 3 + 1] == values[:, k]).all()
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "frame-ancestors" not in page


def test_a_folder_that_holds_something_is_not_touched(small, tmp_path):
    """And a stopped export leaves nothing."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        export_site(small, tmp_path / "mine", cache=tmp_path / "cache")
    with pytest.raises(Cancelled):
        export_site(small, tmp_path / "site", cache=tmp_path / "cache", progress=lambda done, total: True)
    assert not (tmp_path / "site").exists()


def test_the_page_that_ships_is_built_and_loads_nothing_from_elsewhere():
    """The wheel has the page; its HTML names no other origin and holds no script of its own."""
    from geoconcept_gis.explore.server import PAGE

    page = (PAGE / "index.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert "<script>" not in page
    assert (PAGE / "assets" / "maplibre-gl-worker.mjs").is_file()
    assert json.loads(gzip.decompress((PAGE / "sea.json.gz").read_bytes()))["type"] == "MultiPolygon"
