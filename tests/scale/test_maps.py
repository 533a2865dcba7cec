"""Concept maps in chunks: the same map, planned without computing, and Zarr v3 stores."""

import json

import numpy as np
import pytest
import xarray as xr

import geoconcept_gis as gc
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import InputError

pytest.importorskip("zarr", reason="needs the extra dask")
MAP = {"concepts": ["BWh", "lowland"], "bounds": (-10, 35, 30, 60), "resolution": 1}


def same(a, b):
    for name in a.data_vars:
        np.testing.assert_allclose(a[name], b[name], atol=2e-5)


@pytest.mark.parametrize("chunks", [7, (25, 16), (1, 40), 1000])
@pytest.mark.parametrize("extra", [{}, {"mask": None, "kind": "cosine", "given": "ET"}])
def test_chunks_make_the_same_map(chunks, extra):
    """Whatever the chunks, values, coordinates and attributes are those of one piece."""
    lazy, whole = gc.concept_map(**MAP, **extra, chunks=chunks), gc.concept_map(**MAP, **extra)
    assert all(layer.chunks for layer in lazy.data_vars.values())
    same(lazy, whole)
    for name in whole.coords:
        xr.testing.assert_identical(lazy[name].variable, whole[name].variable)
    assert {**lazy.attrs, "history": ""} == {**whole.attrs, "history": ""}  # which holds the time


def test_a_projected_map_in_chunks():
    """Chunks of a projected grid lie where those of the whole do, NaN outside its domain included."""
    options = {"bounds": (3.5e6, 2.9e6, 4.5e6, 3.9e6), "resolution": 1e5, "crs": "EPSG:3035"}
    same(gc.concept_map("Cfb", **options, chunks=3), gc.concept_map("Cfb", **options))


def test_planning_encodes_nothing_and_each_cell_once(monkeypatch):
    """A map larger than memory is planned at once; computed, all its concepts share one pass over the cells."""
    gc.concept_map("BWh", resolution=0.01, chunks=2048)
    seen, encode = [], LocationEncoder.encode_chunk

    def count(self, lonlat):
        seen.append(len(lonlat))
        return encode(self, lonlat)

    monkeypatch.setattr(LocationEncoder, "encode_chunk", count)
    lazy = gc.concept_map(**MAP, mask=None, chunks=10)
    assert seen == []
    lazy.compute()
    assert sum(seen) == 40 * 25


@pytest.mark.parametrize("chunks", [0, -5, 1.5, (1, 2, 3), True])
def test_wrong_chunks_are_refused(chunks):
    """Chunks are whole numbers above 0."""
    with pytest.raises(InputError, match="chunks must be"):
        gc.concept_map(**MAP, chunks=chunks)


def test_what_does_not_go_with_chunks():
    """Progress has no meaning while planning, and far too many chunks are refused."""
    with pytest.raises(InputError, match="leave progress out"):
        gc.concept_map(**MAP, chunks=5, progress=lambda *_: None)
    with pytest.raises(InputError, match="choose larger ones"):
        gc.concept_map("BWh", resolution=0.01, chunks=16)


@pytest.mark.parametrize("chunks", [None, 12])
def test_zarr_gives_everything_back(tmp_path, chunks):
    """A store holds the map, its CRS, its conventions and its provenance; a raster can be written from it."""
    dataset = gc.concept_map(**MAP, chunks=chunks)
    store = gc.write_zarr(dataset, tmp_path / "map.zarr")
    group = json.loads((store / "zarr.json").read_text())
    assert group["zarr_format"] == 3
    attributes = group["attributes"]
    assert {convention["name"] for convention in attributes["zarr_conventions"]} == {"proj:", "spatial"}
    assert attributes["proj:code"] == "EPSG:4326"
    assert attributes["spatial:transform"] == [1.0, 0.0, -10.0, 0.0, -1.0, 60.0]
    assert attributes["spatial:bbox"] == [-10.0, 35.0, 30.0, 60.0]
    assert attributes["emb"]["holds"] == "concepts"
    array = json.loads((store / "lowland" / "zarr.json").read_text())
    codecs = json.dumps(array["codecs"])
    assert '"cname": "zstd"' in codecs
    assert ("sharding_indexed" in codecs) == (chunks is not None)
    with xr.open_zarr(store, consolidated=False, decode_coords="all") as back:
        same(back, gc.concept_map(**MAP))
        record = gc.read_provenance(store)
        assert record["concepts"] == "hot desert climate; lowland"
        assert gc.check_model(record).verdict == "match"
        tif = gc.write_raster(back, tmp_path / "map.tif")
    assert gc.read_provenance(tif)["model_sha256"] == record["model_sha256"]


def test_zarr_of_uneven_chunks(tmp_path):
    """A selection of a map in chunks has uneven ones; the store is whole all the same."""
    lazy = gc.concept_map(**MAP, chunks=10).isel(lat=slice(3, None), lon=slice(7, 33))
    store = gc.write_zarr(lazy, tmp_path / "part.zarr")
    with xr.open_zarr(store, consolidated=False) as back:
        same(back, gc.concept_map(**MAP).isel(lat=slice(3, None), lon=slice(7, 33)))


def test_zarr_is_whole_or_not_there(tmp_path, monkeypatch):
    """Other names, other datasets and folders in use are refused; a failure leaves nothing."""
    dataset = gc.concept_map(**MAP, chunks=10)
    with pytest.raises(InputError, match=r"must end in \.zarr"):
        gc.write_zarr(dataset, tmp_path / "map")
    with pytest.raises(InputError, match="no concept map"):
        gc.write_zarr(xr.Dataset(), tmp_path / "map.zarr")
    monkeypatch.setattr(LocationEncoder, "encode_chunk", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gc.write_zarr(dataset, tmp_path / "map.zarr")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "used.zarr").mkdir()
    (tmp_path / "used.zarr" / "x").write_text("")
    with pytest.raises(InputError, match="exists already"):
        gc.write_zarr(dataset, tmp_path / "used.zarr")
