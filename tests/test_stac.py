"""STAC items: the fields that the specification and the embeddings extension ask for, and the right extent."""

import json
from pathlib import Path

import pytest
import shapely

import geoconcept_gis as gc
from geoconcept_gis.errors import InputError

#: Fields with the prefix that the extension (v0.0.1) allows in an item's properties.
ALLOWED = {
    "emb:runtime_parameters",
    "emb:preprocessing",
    "emb:postprocessing",
    "emb:fit_for_use",
    "emb:spatial_coverage",
    "emb:uncertainty",
    "emb:quantization",
    "emb:energy",
}


def check(item):
    """What STAC 1.0.0 requires of an item, and the extension of its properties and assets."""
    assert item["type"] == "Feature"
    assert item["stac_version"] == "1.0.0"
    assert "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json" in item["stac_extensions"]
    assert {"id", "geometry", "bbox", "properties", "links", "assets"} <= set(item)
    properties = item["properties"]
    assert properties["datetime"].endswith("Z")
    assert {key for key in properties if key.startswith("emb:")} <= ALLOWED
    assert not [key for asset in item["assets"].values() for key in asset if key.startswith("emb:")]
    assert {"href", "type", "roles"} <= set(item["assets"]["embeddings"])
    assert properties["emb:runtime_parameters"]["model_sha256"] == gc.load_model().sha256
    geometry = shapely.geometry.shape(item["geometry"])
    assert geometry.is_valid
    west, south, east, north = item["bbox"]
    assert -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
    json.dumps(item, allow_nan=False)
    return geometry


@pytest.fixture(scope="module")
def scored():
    return gc.embed(gc.world_places().iloc[::40], concepts=["BWh", "ET"])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857"])
def test_parquet(scored, tmp_path, crs):
    """The extent is that of the places, in degrees whatever the file's CRS."""
    path = gc.write_places(scored.to_crs(crs), tmp_path / "towns.parquet")
    target = gc.write_stac(path)
    item = json.loads(target.read_text())
    assert target.name == "towns.parquet.stac.json"
    outline = check(item)

    assert item["bbox"] == pytest.approx(scored.total_bounds.tolist(), abs=0.01)
    assert outline.buffer(0.01).covers(shapely.multipoints(shapely.get_coordinates(scored.geometry.array)))
    assert item["assets"]["embeddings"]["type"] == "application/vnd.apache.parquet"
    assert (target.parent / item["assets"]["embeddings"]["href"]).samefile(path)


@pytest.mark.parametrize(
    ("bounds", "bbox"), [((25, 22, 35, 31), [25, 22, 35, 31]), ((177, -21, -178, -15), [177, -21, -178, -15])]
)
def test_raster_and_zarr(tmp_path, bounds, bbox):
    """A map's extent is its edges; across the antimeridian west > east, in two parts."""
    dataset = gc.concept_map("BWh", bounds, resolution=1, mask=None)
    paths = [gc.write_raster(dataset, tmp_path / "map.tif")]
    if pytest.importorskip("zarr") and pytest.importorskip("dask_geopandas"):
        paths.append(gc.write_zarr(dataset, tmp_path / "map.zarr"))
    kinds = set()
    for path in paths:
        item = gc.stac_item(path)
        outline = check(item)
        assert item["bbox"] == pytest.approx(bbox)
        assert outline.geom_type == ("Polygon" if bbox[0] < bbox[2] else "MultiPolygon")
        kinds.add(item["assets"]["embeddings"]["type"])
    assert len(kinds) == len(paths)


def test_the_whole_world(tmp_path):
    """A world map goes once around."""
    path = gc.write_raster(gc.concept_map("BWh", resolution=20, mask=None), tmp_path / "world.tif")
    assert gc.stac_item(path)["bbox"] == [-180, -90, 180, 90]


def test_a_folder_of_partitions(scored, tmp_path):
    """A folder's extent is that of its finished partitions."""
    dask_geopandas = pytest.importorskip("dask_geopandas", reason="needs the extra dask")
    towns = dask_geopandas.from_geopandas(gc.world_places().iloc[::40], npartitions=2)
    gc.write_partitions(gc.embed(towns, concepts="BWh"), tmp_path / "towns")
    item = gc.stac_item(tmp_path / "towns")
    check(item)
    assert item["bbox"] == pytest.approx(scored.total_bounds.tolist(), abs=1e-6)


def test_what_no_item_can_describe(scored, tmp_path):
    """Tables without provenance or geometry, other formats and missing files are refused."""
    plain = gc.write_places(gc.world_places().head(3), tmp_path / "plain.parquet")
    with pytest.raises(InputError, match="no record of embeddings"):
        gc.stac_item(plain)
    table = scored.drop(columns="geometry")
    table.attrs = scored.attrs
    with pytest.raises(InputError, match="no geometry"):
        gc.stac_item(gc.write_places(table, tmp_path / "flat.parquet"))
    with pytest.raises(InputError, match="needs GeoParquet"):
        gc.stac_item(gc.write_places(scored, tmp_path / "towns.gpkg"))
    with pytest.raises(InputError, match="there is no file"):
        gc.stac_item(Path(tmp_path / "none.parquet"))
