"""Concept maps: grids, scores, CF attributes, and the GeoTIFF."""

import base64
import warnings
import xml.etree.ElementTree as ET

import numpy as np
import pyproj
import pytest
import rasterio
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis import grid
from geoconcept_gis.concepts import KINDS
from geoconcept_gis.coordinates import wrap_longitude
from geoconcept_gis.errors import Cancelled, ConceptError, InputError
from geoconcept_gis.land import on_land
from geoconcept_gis.maps import concept_map
from geoconcept_gis.raster import write_raster
from geoconcept_gis.style import LOOKS

EGYPT = (25.0, 22.0, 35.0, 31.0)
FIJI = (178.0, -19.0, -179.0, -16.0)


@pytest.fixture(scope="module")
def model():
    return gc.load_model(backend="numpy")


@pytest.fixture(scope="module")
def egypt(model):
    return concept_map(["hot desert climate", "tundra climate"], EGYPT, resolution=1, model=model)


def centres(dataset):
    """(lon, lat) of all cells, row by row, computed without the package."""
    y, x = dataset["hot_desert_climate"].dims
    columns, rows = np.meshgrid(dataset[x].values, dataset[y].values)
    transformer = pyproj.Transformer.from_crs(dataset.rio.crs, "EPSG:4326", always_xy=True)
    lon, lat = transformer.transform(columns.ravel(), rows.ravel())
    return np.column_stack([wrap_longitude(lon), lat])


def assert_scored(dataset, model, kind="calibrated", mask="land"):
    """Every cell holds the score of its centre, or NaN where the mask says so."""
    places = centres(dataset)
    expected = model.score(places, "hot desert climate", kind=kind)[:, 0]
    if mask == "land":
        expected[~on_land(places)] = np.nan
    np.testing.assert_allclose(
        dataset["hot_desert_climate"].values.ravel(), expected, rtol=0, atol=2e-6 * LOOKS[kind].high
    )


# --- grids and values


def test_cells_are_centred_and_north_up(egypt):
    """Coordinates are cell centres; latitude falls, longitude rises; the bounds are the outer edges."""
    assert egypt["lon"].values.tolist() == [25.5 + k for k in range(10)]
    assert egypt["lat"].values.tolist() == [30.5 - k for k in range(9)]
    assert egypt.rio.bounds() == EGYPT
    assert egypt.rio.crs.to_epsg() == 4326
    assert egypt["hot_desert_climate"].dims == ("lat", "lon")
    assert egypt["hot_desert_climate"].dtype == np.float32


def test_values_are_scores_of_the_centres(egypt, model):
    """The map says what `model.score` says, on land; the sea is NaN."""
    assert_scored(egypt, model)
    sea = ~on_land(centres(egypt)).reshape(9, 10)
    assert sea.any()
    assert np.isnan(egypt["tundra_climate"].values[sea]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(model, kind):
    """Every kind of score can be mapped, with its unit and range."""
    dataset = concept_map("BWh", (29, 29, 32, 31), shape=(2, 3), kind=kind, mask=None, model=model)
    assert_scored(dataset, model, kind, mask=None)
    attributes = dataset["hot_desert_climate"].attrs
    assert attributes["units"] == KINDS[kind]
    assert attributes["valid_range"].dtype == np.float32
    low, high = attributes["valid_range"]
    assert low <= dataset["hot_desert_climate"].min()
    assert dataset["hot_desert_climate"].max() <= high
    assert dataset.attrs["geoconcept_kind"] == kind


def test_no_mask_scores_the_sea(model):
    """Without a mask every cell has a value."""
    dataset = concept_map("BWh", (-30, 0, -28, 2), resolution=1, mask=None, model=model)
    assert np.isfinite(dataset["hot_desert_climate"]).all()
    assert_scored(dataset, model, mask=None)


def test_whole_world_by_default(model):
    """Without bounds a geographic map is the world."""
    dataset = concept_map("BWh", resolution=30, model=model)
    assert dict(dataset.sizes) == {"lat": 6, "lon": 12}
    assert dataset.rio.bounds() == (-180, -90, 180, 90)
    assert_scored(dataset, model)


def test_across_the_antimeridian(model):
    """With west > east, longitudes run on past 180 and are wrapped for the encoder only."""
    dataset = concept_map("BWh", FIJI, resolution=0.1, model=model)
    assert dataset["lon"].values[[0, -1]] == pytest.approx([178.05, 180.95])
    assert np.isfinite(dataset["hot_desert_climate"].sel(lon=slice(180, None))).any()
    assert_scored(dataset, model)


def test_longitudes_past_180_may_be_given_as_such(model):
    """178 to 181 is the same map as 178 to -179."""
    one = concept_map("BWh", FIJI, resolution=0.5, model=model)
    other = concept_map("BWh", (178, -19, 181, -16), resolution=0.5, model=model)
    xr.testing.assert_equal(one["hot_desert_climate"], other["hot_desert_climate"])


def test_pole_rows(model):
    """Rows that touch the poles are scored at their centres; land reaches the South Pole."""
    north = concept_map("BWh", (0, 88, 4, 90), shape=(2, 2), mask=None, model=model)
    assert north["lat"].values.tolist() == [89.5, 88.5]
    assert_scored(north, model, mask=None)
    south = concept_map("BWh", (0, -90, 4, -88), shape=(2, 2), model=model)
    assert np.isfinite(south["hot_desert_climate"]).all()


@pytest.mark.parametrize(
    ("crs", "bounds"),
    [
        ("EPSG:3035", (2_500_000, 1_500_000, 5_500_000, 4_500_000)),
        (32636, (200_000, 3_200_000, 800_000, 3_800_000)),
        ("EPSG:3460", (1_800_000, 3_700_000, 2_200_000, 4_100_000)),  # Fiji, centred near 180
        ("EPSG:2263", (900_000, 100_000, 1_100_000, 300_000)),  # New York, in feet
    ],
)
def test_projected(model, crs, bounds):
    """A projected map is scored at its cells' places on Earth."""
    dataset = concept_map("BWh", bounds, shape=(6, 5), crs=crs, model=model)
    assert dataset["hot_desert_climate"].dims == ("y", "x")
    assert dataset["x"].attrs["standard_name"] == "projection_x_coordinate"
    assert dataset["x"].attrs["axis"] == "X"
    assert dataset.rio.bounds() == pytest.approx(bounds)
    assert dataset.rio.crs == rasterio.crs.CRS.from_user_input(crs)
    assert np.isfinite(dataset["hot_desert_climate"]).any()
    assert_scored(dataset, model)


def test_pole_inside_a_projected_map(model):
    """The pole itself, in the middle of a polar map, has a score."""
    dataset = concept_map("BWh", (-3e5, -3e5, 3e5, 3e5), shape=(3, 3), crs=3413, mask=None, model=model)
    assert np.isfinite(dataset["hot_desert_climate"]).all()


def test_cells_off_the_earth_are_empty(model):
    """Equal Earth's corners are no place, though its formulas give one by wrapping around."""
    bounds = (-17_300_000, -8_400_000, 17_300_000, 8_400_000)
    dataset = concept_map("BWh", bounds, shape=(16, 32), crs="EPSG:8857", mask=None, model=model)
    values = dataset["hot_desert_climate"].values
    assert np.isnan(values[[0, 0, -1, -1], [0, -1, 0, -1]]).all()
    assert np.isfinite(values[8]).all()


def test_other_datum_across_the_antimeridian(model):
    """Past 180, a datum shift is applied at the same place as before it."""
    options = {"shape": (3, 4), "crs": "EPSG:4267", "mask": None, "model": model}
    past = concept_map("BWh", (180, 51, 188, 57), **options)
    before = concept_map("BWh", (-180, 51, -172, 57), **options)
    np.testing.assert_allclose(past["hot_desert_climate"], before["hot_desert_climate"], rtol=0, atol=1e-6)


def test_other_geographic_crs(model):
    """A geographic CRS other than WGS 84 keeps its name."""
    dataset = concept_map("BWh", (14, 48, 16, 50), resolution=1, crs="EPSG:4258", model=model)
    assert dataset.rio.crs.to_epsg() == 4258
    assert dataset["lon"].attrs["units"] == "degrees_east"


def test_edges_move_by_at_most_half_a_cell(model):
    """Cells keep the size asked for; the right and lower edges give way."""
    dataset = concept_map("BWh", (25, 22, 35, 31), resolution=(3, 2), model=model)
    assert dict(dataset.sizes) == {"lat": 4, "lon": 3}
    assert dataset.rio.bounds() == (25, 23, 34, 31)


@settings(max_examples=60, deadline=None)
@given(
    left=st.floats(-180, 180),
    bottom=st.floats(-90, 89),
    width=st.floats(0.5, 360),
    height=st.floats(0.5, 180),
    resolution=st.floats(0.5, 40),
)
def test_grids_never_leave_the_earth(left, bottom, width, height, resolution):
    """Whatever bounds and resolution: centres lie within the bounds, or the error says why not."""
    top, right = min(bottom + height, 90.0), left + width
    try:
        made = grid.make_grid((left, bottom, right, top), resolution, None, "EPSG:4326", 1)
    except InputError as error:
        assert "more than twice as large" in str(error) or "more than once" in str(error)
        return
    assert np.abs(made.y).max() <= 90.0 + 1e-9
    assert left < made.x[0] <= made.x[-1] <= right + 1e-9
    assert abs(made.left + made.width * made.xres - right) <= made.xres / 2 + 1e-9
    places = made.lonlat(np.arange(min(made.cells, 500)))
    assert (np.abs(places[np.isfinite(places)]) <= 180.0).all()


# --- refusals


@pytest.mark.parametrize(
    ("bounds", "options", "message"),
    [
        (EGYPT, {}, "exactly one of"),
        (EGYPT, {"resolution": 1, "shape": (2, 2)}, "exactly one of"),
        ((25, 22, 25, 31), {"resolution": 1}, "empty"),
        ((25, 31, 35, 22), {"resolution": 1}, "empty"),
        ((25, 22, np.nan, 31), {"resolution": 1}, "finite"),
        ((25, 22, np.inf, 31), {"resolution": 1}, "finite"),
        ((25, 22, 35), {"resolution": 1}, "four"),
        ("1234", {"resolution": 1}, "four"),
        ((-100, 0, 270, 10), {"resolution": 1}, "more than once"),
        ((22, 95, 31, 100), {"resolution": 1}, "west, south, east, north"),
        ((500_000, 4_000_000, 600_000, 4_100_000), {"resolution": 1000}, "metres"),
        (EGYPT, {"resolution": 0}, "above 0"),
        (EGYPT, {"resolution": (1, -1)}, "above 0"),
        (EGYPT, {"resolution": np.nan}, "above 0"),
        (EGYPT, {"resolution": 1000}, "units of the CRS"),
        (EGYPT, {"resolution": 1e-5}, "GB"),
        (EGYPT, {"resolution": 5e-324}, "GB"),
        (EGYPT, {"shape": (10**9, 10**9)}, "GB"),
        (EGYPT, {"shape": (0, 5)}, "whole numbers"),
        (EGYPT, {"shape": (2.5, 5)}, "whole numbers"),
        (EGYPT, {"shape": 5}, "whole numbers"),
        (None, {"resolution": 1, "crs": "EPSG:3035"}, "bounds are needed"),
        ((5e6, 1e6, 2e6, 3e6), {"resolution": 1e5, "crs": "EPSG:3035"}, "antimeridian"),
        ((-10, 35, 30, 70), {"resolution": 10_000, "crs": "EPSG:3035"}, "metre"),
        (EGYPT, {"resolution": 1, "crs": "nonsense"}, "coordinate reference system"),
        (EGYPT, {"resolution": 1, "crs": None}, "coordinate reference system"),
        (EGYPT, {"resolution": 1, "crs": "ESRI:104903"}, "of the Earth"),  # the Moon
        (EGYPT, {"resolution": 1, "crs": "EPSG:4978"}, "geographic or projected"),
        (EGYPT, {"resolution": 1, "crs": "EPSG:4807"}, "grad"),
        (EGYPT, {"resolution": 1, "mask": "sea"}, "mask"),
        (EGYPT, {"resolution": 1, "kind": "probability"}, "kind"),
    ],
)
def test_impossible_maps_are_refused(model, bounds, options, message):
    """Every way to ask for no map gets an error that says why."""
    with pytest.raises(InputError, match=message):
        concept_map("BWh", bounds, model=model, **options)


def test_unknown_concept(model):
    """An unknown concept is refused before anything is encoded."""
    with pytest.raises(ConceptError, match="did you mean"):
        concept_map("hot dessert climate", EGYPT, resolution=1, model=model)


def test_empty_map_warns(model):
    """A map without a single cell on land is returned, with a warning that says so."""
    with pytest.warns(UserWarning, match="mask=None"):
        dataset = concept_map("BWh", (-30, 0, -28, 2), resolution=1, model=model)
    assert np.isnan(dataset["hot_desert_climate"]).all()


# --- chunks, progress, cancelling


def test_encoder_is_fed_in_blocks(model, monkeypatch):
    """No array of all cells goes through the encoder: blocks only, and the result does not depend on them."""
    monkeypatch.setattr(grid, "BLOCK", 16)
    fed = []
    encode = model.iter_encode
    monkeypatch.setattr(model, "iter_encode", lambda places, **kw: (fed.append(len(places)), encode(places, **kw))[1])
    dataset = concept_map(["BWh", "ET"], EGYPT, resolution=1, model=model)
    assert max(fed) <= 16
    assert sum(fed) == np.isfinite(dataset["hot_desert_climate"]).sum()
    assert len(fed) == 6
    monkeypatch.undo()
    whole = concept_map(["BWh", "ET"], EGYPT, resolution=1, model=model)
    xr.testing.assert_allclose(dataset["tundra_climate"], whole["tundra_climate"], rtol=0, atol=1e-6)


def test_progress_counts_encoded_cells(model, monkeypatch):
    """Progress rises to the number of cells on land, across blocks."""
    monkeypatch.setattr(grid, "BLOCK", 16)
    seen = []
    dataset = concept_map("BWh", EGYPT, resolution=1, model=model, progress=lambda *state: seen.append(state))
    land = int(np.isfinite(dataset["hot_desert_climate"]).sum())
    steps = [done for done, _ in seen]
    assert steps == sorted(steps)
    assert seen[0][0] == 0
    assert seen[-1] == (land, land)


@pytest.mark.parametrize("after", [0, 1])
def test_cancel(model, after):
    """A true progress value stops the map, while cells are picked and while they are encoded."""
    with pytest.raises(Cancelled):
        concept_map("BWh", EGYPT, resolution=1, model=model, progress=lambda done, total: done >= after)


# --- the dataset


def test_cf_attributes(egypt):
    """Variables and coordinates carry what CF-1.11 asks for, and what the score means."""
    assert egypt.attrs["Conventions"] == "CF-1.11"
    assert {"title", "history", "source", "comment"} <= set(egypt.attrs)
    layer = egypt["hot_desert_climate"]
    assert layer.attrs["long_name"] == "concept: hot desert climate"
    assert layer.attrs["units"] == "1"
    assert layer.attrs["cell_methods"] == "area: point"
    assert "labelled 'hot desert climate'" in layer.attrs["comment"]
    assert "associated with" in layer.attrs["comment"]
    assert "uniform land" in layer.attrs["comment"]
    assert layer.attrs["validity"].startswith("AUROC 0.9")
    assert layer.encoding["grid_mapping"] == "spatial_ref"
    assert np.isnan(layer.encoding["_FillValue"])
    assert egypt["lat"].attrs == {
        "axis": "Y",
        "long_name": "latitude",
        "standard_name": "latitude",
        "units": "degrees_north",
    }
    assert egypt["lon"].attrs["units"] == "degrees_east"
    assert egypt["spatial_ref"].attrs["grid_mapping_name"] == "latitude_longitude"


def test_provenance(egypt, model):
    """The dataset says which model, bank and reference mean made it."""
    provenance = model.provenance(["BWh", "ET"], "calibrated")
    assert {f"geoconcept_{key}": value for key, value in provenance.items()}.items() <= egypt.attrs.items()
    assert egypt.attrs["geoconcept_mask"] == "land, Natural Earth 1:50m"


def test_netcdf_round_trip(egypt, model, tmp_path):
    """A map survives netCDF, and what is read back can be written as a raster."""
    pytest.importorskip("scipy")
    egypt.to_netcdf(tmp_path / "egypt.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "egypt.nc", engine="scipy") as back:
        np.testing.assert_array_equal(back["hot_desert_climate"], egypt["hot_desert_climate"])
        assert "_FillValue" not in back["lat"].encoding
        path = write_raster(back, tmp_path / "egypt.tif")
    with rasterio.open(path) as raster:
        assert raster.crs.to_epsg() == 4326
        assert raster.count == 2


def test_names_that_clash_with_coordinates(model):
    """A concept called lat, or starting with a digit, gets a variable name that works."""
    bank = model.bank
    concepts = [
        gc.Concept(name, bank["BWh"].vector, space=bank.space, calibration=bank["BWh"].calibration)
        for name in ("lat", "1 hot place")
    ]
    dataset = concept_map(concepts, EGYPT, resolution=3, model=model)
    assert list(dataset.data_vars) == ["concept_lat", "concept_1_hot_place"]
    assert "validity" not in dataset["concept_lat"].attrs


# --- the raster


def cog_problems(path):
    """Check GDAL's rules for Cloud Optimized GeoTIFF on the bytes of a small file."""
    problems = []
    with rasterio.open(path) as raster:
        if raster.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") != "COG":
            problems.append("no COG layout")
        levels = raster.overviews(1)
        if max(raster.shape) > 512 and not levels:
            problems.append("no overviews")
        if not raster.profile["tiled"]:
            problems.append("not tiled")
        # Headers of all levels first, largest first; pixels after them, smallest overview first.
        data = [int(raster.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1))]
        header = [int(raster.get_tag_item("IFD_OFFSET", "TIFF", 1))]
        for level in range(len(levels)):
            header.append(int(raster.get_tag_item("IFD_OFFSET", "TIFF", 1, ovr=level)))
            data.append(int(raster.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1, ovr=level)))
        if header != sorted(header) or data != sorted(data, reverse=True) or max(header) > min(data):
            problems.append(f"wrong order: headers {header}, data {data}")
    return problems


def test_raster_round_trip(egypt, tmp_path):
    """Values, nodata, CRS, transform, names and types come back as they were."""
    path = write_raster(egypt, tmp_path / "egypt.tif")
    assert path == tmp_path / "egypt.tif"
    assert cog_problems(path) == []
    with rasterio.open(path) as raster:
        assert raster.dtypes == ("float32", "float32")
        assert np.isnan(raster.nodata)
        assert raster.crs.to_epsg() == 4326
        assert tuple(raster.bounds) == EGYPT
        assert raster.descriptions == ("concept: hot desert climate", "concept: tundra climate")
        assert raster.units == ("1", "1")
        assert raster.compression.name == "deflate"
        assert raster.tags(ns="IMAGE_STRUCTURE")["PREDICTOR"] == "3"
        np.testing.assert_array_equal(raster.read(1), egypt["hot_desert_climate"].values)
        np.testing.assert_array_equal(raster.read(2), egypt["tundra_climate"].values)


def test_raster_tags(egypt, model, tmp_path):
    """Tags name the model, its hash, the reference mean with its vector, kind, scale, backend and licence."""
    with rasterio.open(write_raster(egypt, tmp_path / "egypt.tif")) as raster:
        tags, band = raster.tags(), raster.tags(2)
    assert tags["GEOCONCEPT_MODEL"] == "geoclip"
    assert tags["GEOCONCEPT_MODEL_SHA256"] == model.sha256
    assert tags["GEOCONCEPT_SPACE"] == model.space
    assert tags["GEOCONCEPT_KIND"] == "calibrated"
    assert tags["GEOCONCEPT_SCALE_KM"] == "5-10"
    assert tags["GEOCONCEPT_BACKEND"] == "numpy"
    assert tags["GEOCONCEPT_LICENCE"] == "MIT"
    assert tags["GEOCONCEPT_SOFTWARE"] == f"geoconcept_gis {gc.__version__}" == tags["TIFFTAG_SOFTWARE"]
    assert tags["GEOCONCEPT_CONCEPTS"] == "hot desert climate; tundra climate"
    assert tags["GEOCONCEPT_REFERENCE_MEAN"] == "uniform_land"
    mean = np.frombuffer(base64.b64decode(tags["GEOCONCEPT_REFERENCE_MEAN_F32_BASE64"]), "<f4")
    np.testing.assert_array_equal(mean, model.bank.references["uniform_land"])
    assert band["long_name"] == "concept: tundra climate"
    assert band["units"] == "1"
    assert band["validity"] == egypt["tundra_climate"].attrs["validity"]


def test_large_raster_has_overviews(egypt, tmp_path):
    """A raster larger than a tile gets averaged overviews that skip nodata, in COG order."""
    lat, lon = np.linspace(31, 22, 600), np.linspace(25, 35, 700)
    large = egypt[["hot_desert_climate"]].interp(lat=lat, lon=lon, method="nearest", kwargs={"fill_value": None})
    large["hot_desert_climate"].attrs = egypt["hot_desert_climate"].attrs
    large["hot_desert_climate"][:] = np.where(np.arange(700) % 2, 0.25, np.nan)
    path = write_raster(large, tmp_path / "large.tif")
    assert cog_problems(path) == []
    with rasterio.open(path, overview_level=0) as raster:
        assert raster.shape == (300, 350)
        np.testing.assert_array_equal(raster.read(1), np.float32(0.25))


def test_selection_can_be_written(egypt, tmp_path):
    """One variable, part of the cells, south up: written north up, in the right place, naming what is there."""
    part = egypt[["tundra_climate"]].isel(lat=slice(None, 2, -1), lon=slice(1, 6))
    with rasterio.open(write_raster(part, tmp_path / "part.tif")) as raster:
        assert tuple(raster.bounds) == (26, 22, 31, 28)
        assert raster.tags()["GEOCONCEPT_CONCEPTS"] == "tundra climate"
        np.testing.assert_array_equal(raster.read(1), egypt["tundra_climate"].values[3:, 1:6])


def test_thinned_selection_keeps_its_own_cell_size(egypt, tmp_path):
    """Every second cell makes cells twice as large."""
    with rasterio.open(
        write_raster(egypt.isel(lat=slice(0, 9, 2), lon=slice(0, 10, 2)), tmp_path / "thin.tif")
    ) as raster:
        assert raster.res == (2, 2)
        assert tuple(raster.bounds) == (24.5, 21.5, 34.5, 31.5)


def test_single_cell_can_be_written(model, tmp_path):
    """One cell has no neighbours to take its size from, and is placed right all the same."""
    cell = concept_map("BWh", (25, 22, 27, 23), shape=(1, 1), model=model)
    with rasterio.open(write_raster(cell, tmp_path / "cell.tif")) as raster:
        assert tuple(raster.bounds) == (25, 22, 27, 23)


def test_raster_across_the_antimeridian(model, tmp_path):
    """Such a map stays in one piece; longitudes run on past 180."""
    dataset = concept_map("BWh", FIJI, resolution=0.5, model=model)
    with rasterio.open(write_raster(dataset, tmp_path / "fiji.tif")) as raster:
        assert tuple(raster.bounds) == (178, -19, 181, -16)


def test_projected_raster(model, tmp_path):
    """A projected CRS comes through."""
    dataset = concept_map("BWh", (200_000, 3_200_000, 800_000, 3_800_000), shape=(4, 3), crs=32636, model=model)
    with rasterio.open(write_raster(dataset, tmp_path / "utm.tif")) as raster:
        assert raster.crs.to_epsg() == 32636
        assert raster.res == (200_000, 150_000)


@pytest.mark.parametrize("kind", KINDS)
def test_style(model, tmp_path, kind):
    """The .qml beside the raster fixes band, range, colours and opacity, whatever the values."""
    dataset = concept_map("BWh", EGYPT, resolution=3, kind=kind, model=model)
    write_raster(dataset, tmp_path / "map.tif")
    renderer = ET.parse(tmp_path / "map.qml").find("pipe/rasterrenderer")
    assert renderer.find("minMaxOrigin/limits").text == "None"  # anything else lets QGIS stretch the colours
    low, high = {"calibrated": (0, 1), "percentile": (0, 100), "cosine": (-0.4, 0.4)}[kind]
    assert renderer.get("type") == "singlebandpseudocolor"
    assert renderer.get("band") == "1"
    assert float(renderer.get("opacity")) == 0.85
    assert (float(renderer.get("classificationMin")), float(renderer.get("classificationMax"))) == (low, high)
    items = renderer.findall("rastershader/colorrampshader/item")
    values = [float(item.get("value")) for item in items]
    np.testing.assert_allclose(values, np.linspace(low, high, len(LOOKS[kind].colours)))
    assert items[0].get("color") == ("#053061" if kind == "cosine" else "#440154")


def test_no_style(egypt, tmp_path):
    """style=False writes the raster alone."""
    write_raster(egypt, tmp_path / "egypt.tif", style=False)
    assert [file.name for file in tmp_path.iterdir()] == ["egypt.tif"]


def test_raster_replaces_the_old_one(egypt, tmp_path):
    """An existing file is replaced; nothing else is left in the folder."""
    (tmp_path / "egypt.tif").write_text("old")
    write_raster(egypt, tmp_path / "egypt.tif")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["egypt.qml", "egypt.tif"]
    with rasterio.open(tmp_path / "egypt.tif") as raster:
        assert raster.count == 2


@pytest.mark.parametrize("broken", ["_write_plain", "rasterio.shutil.copy"])
def test_failure_leaves_nothing(egypt, tmp_path, monkeypatch, broken):
    """Ctrl-C while writing leaves neither raster nor style nor scratch file, and the old file as it was."""
    (tmp_path / "egypt.tif").write_text("old")

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"geoconcept_gis.raster.{broken}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_raster(egypt, tmp_path / "egypt.tif")
    assert [file.name for file in tmp_path.iterdir()] == ["egypt.tif"]
    assert (tmp_path / "egypt.tif").read_text() == "old"


def spoil(egypt, how):
    """Return a dataset that is no concept map any more."""
    layer = egypt["hot_desert_climate"]
    return {
        "no dataset": lambda: layer,
        "foreign": lambda: xr.Dataset({"t": (("y", "x"), np.zeros((2, 2)))}),
        "no crs": lambda: egypt.drop_vars("spatial_ref"),
        "no dimension": lambda: egypt.isel(lat=0),
        "no concept": lambda: egypt.drop_vars(["hot_desert_climate", "tundra_climate"]),
        "stranger": lambda: egypt.assign(other=(layer.dims, layer.values)),
        "uneven": lambda: egypt.isel(lon=[0, 1, 3]),
        "empty": lambda: egypt.isel(lon=slice(0, 0)),
    }[how]()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no dataset", "must be an xarray.Dataset"),
        ("foreign", "lacks the attributes"),
        ("no crs", "lost its CRS"),
        ("no dimension", "no layers over|spatial dimensions"),
        ("no concept", "no layers"),
        ("stranger", r"\['other'\]"),
        ("uneven", "not evenly spaced"),
        ("empty", "empty"),
    ],
)
def test_other_datasets_are_refused(egypt, tmp_path, how, message):
    """What is no concept map is refused, with what to pass instead, and nothing is written."""
    with pytest.raises(InputError, match=message):
        write_raster(spoil(egypt, how), tmp_path / "map.tif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["map.png", "map", "nowhere/map.tif"])
def test_bad_names_are_refused(egypt, tmp_path, name):
    """Another ending or a folder that is not there is refused."""
    with pytest.raises(InputError):
        write_raster(egypt, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_warns(model, tmp_path):
    """An ordinary map is made and written without a warning, even ones that Python hides."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_raster(concept_map("BWh", EGYPT, resolution=3, model=model), tmp_path / "map.tif")
