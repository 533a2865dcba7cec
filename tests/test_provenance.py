"""Where a file came from, read back from every kind of product."""

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import InputError


@pytest.fixture(scope="module")
def dataset():
    return gc.concept_map(["BWh", "ET"], (25, 22, 35, 31), resolution=3)


@pytest.fixture(scope="module")
def frame():
    return gc.embed(gc.world_places().head(4), concepts=["BWh", "ET"])


def check(record):
    model = gc.load_model()
    assert record["model_sha256"] == model.sha256
    assert record["concepts"] == "hot desert climate; tundra climate"
    assert record["reference_mean_f32_base64"] == model.provenance("BWh", "calibrated")["reference_mean_f32_base64"]
    assert record["scale_km"] == "5-10"


@pytest.mark.parametrize("name", ["a.parquet", "a.gpkg", "a.geojson", "a.csv"])
def test_tables(frame, tmp_path, name):
    """Every table format gives its record back."""
    check(gc.read_provenance(gc.write_places(frame, tmp_path / name)))


def test_geotiff(dataset, tmp_path):
    """GeoTIFF tags give the record back."""
    check(gc.read_provenance(gc.write_raster(dataset, tmp_path / "a.tif")))


def test_netcdf(dataset, tmp_path):
    """netCDF attributes give the record back."""
    dataset.to_netcdf(tmp_path / "a.nc", engine="scipy")
    check(gc.read_provenance(tmp_path / "a.nc"))


def test_files_of_others(tmp_path):
    """A file without a record gives an empty one; missing and broken files are named."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    assert gc.read_provenance(tmp_path / "a.csv") == {}
    for name in ("a.tif", "a.nc", "a.parquet"):
        with pytest.raises(InputError, match="there is no file"):
            gc.read_provenance(tmp_path / name)
        (tmp_path / name).write_bytes(b"not what it says")
        with pytest.raises(InputError, match=r"cannot read|where"):
            gc.read_provenance(tmp_path / name)


def test_emb_key_beside_geo(frame, tmp_path):
    """GeoParquet, GeoTIFF and the streamed H3 table describe the embedding under one key."""
    import json

    import pyarrow.parquet as pq
    import rasterio

    path = gc.write_places(frame, tmp_path / "a.parquet")
    emb = json.loads(pq.read_schema(path).metadata[b"emb"])
    assert (emb["emb:type"], emb["emb:dimensions"], emb["data_type"]) == ("pixel", 512, "float32")
    assert (emb["holds"], emb["gsd"], emb["model_sha256"]) == ("concepts", 5000.0, gc.load_model().sha256)
    gc.write_h3(tmp_path / "h.parquet", (5, 45, 8, 46), 5, features="embedding")
    assert json.loads(pq.read_schema(tmp_path / "h.parquet").metadata[b"emb"])["holds"] == "embedding"
    tif = gc.write_raster(gc.concept_map("BWh", (25, 22, 35, 31), resolution=3), tmp_path / "a.tif")
    with rasterio.open(tif) as raster:
        assert json.loads(raster.tags()["EMB"]) == emb


def test_files_of_nothing_embedded_have_no_emb(tmp_path):
    """A plain table says nothing of embeddings."""
    import pyarrow.parquet as pq

    path = gc.write_places(gc.world_places().head(3), tmp_path / "a.parquet")
    assert b"emb" not in pq.read_schema(path).metadata


def test_row_groups_of_wide_tables_are_smaller(tmp_path):
    """A row group holds about 128 MB before compression, however many columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from geoconcept_gis.geoparquet import BYTES_IN_GROUP, ParquetStream

    wide = pa.table({f"c{k}": np.zeros(40_000) for k in range(512)})
    with ParquetStream(tmp_path / "a.parquet") as stream:
        stream.write(wide)
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    assert metadata.num_row_groups == 2
    assert metadata.row_group(0).num_rows * 512 * 8 <= BYTES_IN_GROUP


def test_models_are_told_apart(frame, tmp_path):
    """A match, another model, another bank and no model at hand each get their verdict."""
    path = gc.write_places(frame, tmp_path / "a.parquet")
    assert gc.check_model(path).verdict == "match"
    record = gc.read_provenance(path)
    other = gc.check_model(record | {"model_sha256": "1" * 64})
    assert other.verdict == "other"
    assert "11111111" in other.message
    bank = gc.check_model(record | {"bank_sha256": "1" * 64})
    assert (bank.verdict, "another concept bank" in bank.message) == ("other", True)
    assert gc.check_model(record | {"model": "mine"}).verdict == "missing"
    assert gc.check_model({}).verdict == "missing"
    assert gc.check_model(record | {"model": "mine"}, gc.load_model()).verdict == "match"


def test_weights_changed_on_disk_are_found(frame, tmp_path):
    """The file of weights is hashed anew: a changed byte is seen by a model that was opened before."""
    model = gc.load_model(gc.load_model().save(tmp_path / "mine"))
    record = model.provenance("BWh", "calibrated")
    assert gc.check_model(record, model).verdict == "match"
    weights = tmp_path / "mine" / "location_encoder.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert gc.check_model(record, model).verdict == "other"


def test_folders_of_others(tmp_path):
    """A folder that this package did not write is named as such, a broken store too."""
    with pytest.raises(InputError, match="nothing that this package wrote"):
        gc.read_provenance(tmp_path)
    (tmp_path / "zarr.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot read .*zarr\.json"):
        gc.read_provenance(tmp_path)
    (tmp_path / "zarr.json").write_text('{"attributes": {"title": "of others"}}')
    assert gc.read_provenance(tmp_path) == {}
