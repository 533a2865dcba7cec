"""Where a file came from, read back from every kind of product."""

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
