"""Priors: how likely a photo is to come from a cell before one has looked at it."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis.errors import InputError
from geoconcept_gis.h3cells import cells_of
from geoconcept_gis.locate.priors import PRIORS, cell_means, make_prior
from tests.locate.conftest import TOWNS


def field(function, step=0.25, west=-180.0, crs="EPSG:4326"):
    """A world raster of function(lon, lat), with longitudes from `west` on."""
    import rioxarray  # noqa: F401 - adds .rio

    lon, lat = np.arange(west + step / 2, west + 360.0, step), np.arange(90.0 - step / 2, -90.0, -step)
    values = function((lon[None, :] + 180.0) % 360.0 - 180.0, lat[:, None]) * np.ones((len(lat), len(lon)))
    return xr.DataArray(values, dims=("y", "x"), coords={"y": lat, "x": lon}, name="field").rio.write_crs(crs)


def write(raster, path):
    """Write a raster as a GeoTIFF without rioxarray, whose way of doing it warns with the newest affine."""
    bands = raster.values.reshape(-1, *raster.shape[-2:])
    step = float(raster.x[1] - raster.x[0])
    transform = rasterio.Affine(step, 0, float(raster.x[0]) - step / 2, 0, -step, float(raster.y[0]) + step / 2)
    shape = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype}
    with rasterio.open(
        path, "w", driver="GTiff", crs=raster.rio.crs, transform=transform, nodata=raster.rio.nodata, **shape
    ) as file:
        file.write(bands)
    return path


def around(surface, town, degrees=2.0):
    lon, lat = TOWNS[town]
    apart = (surface.lonlat[:, 0] - lon + 180.0) % 360.0 - 180.0
    return (np.abs(apart) < degrees) & (np.abs(surface.lonlat[:, 1] - lat) < degrees)


@pytest.mark.parametrize("name", PRIORS)
def test_named_priors_are_probabilities(surface, name):
    found, called = make_prior(surface, name)
    assert called == name
    assert (found > 0.0).all()
    np.testing.assert_allclose(found.sum(), 1.0)


def test_land_is_even_and_photos_are_where_photos_are(surface):
    """Land goes by area; a cell with photo places has more of the photo prior than one without, far from any."""
    land, photos = make_prior(surface, "land")[0], make_prior(surface, "photos")[0]
    np.testing.assert_allclose(land / surface.area_km2, (land / surface.area_km2)[0])
    with_photos = surface.photo_counts >= 3
    alone = surface.spread(surface.photo_counts, 50.0) == 0.0
    assert (photos / land)[with_photos].min() > 10.0 * (photos / land)[alone].max()


def test_people_live_in_towns(surface):
    """Cairo's own cell has more people than any other around it."""
    found = make_prior(surface, "population")[0] / surface.area_km2
    near = np.flatnonzero(around(surface, "cairo"))
    best = surface.lonlat[near[np.argmax(found[near])]]
    assert np.abs(best - TOWNS["cairo"]).max() < 0.4


def test_a_shape_keeps_the_photo_prior_inside_it(surface):
    """Nothing outside, the same ratios inside."""
    photos = make_prior(surface)[0]
    found, called = make_prior(surface, shapely.box(25, 25, 40, 35))
    inside = around(surface, "cairo", 4.0)
    assert "shape" in called
    assert found[~inside].sum() == 0.0
    np.testing.assert_allclose(found[inside], photos[inside] / photos[inside].sum(), rtol=1e-6)


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(175, -20, 185, -10),
        shapely.box(-185, -20, -175, -10),
        shapely.MultiPolygon([shapely.box(175, -20, 180, -10), shapely.box(-180, -20, -175, -10)]),
        gpd.GeoSeries([shapely.box(175, -20, 185, -10)], crs="EPSG:4326"),
        gpd.GeoDataFrame(geometry=[shapely.box(1.2e6, 3.2e6, 2.9e6, 4.7e6)], crs="EPSG:3460"),
    ],
)
def test_shapes_across_the_antimeridian(surface, shape):
    """Fiji, written in five ways: both sides of 180 and nothing else."""
    found = make_prior(surface, shape)[0]
    fiji = around(surface, "fiji", 4.0)
    assert found[~fiji].sum() == 0.0
    assert (found[fiji] > 0.0).mean() > 0.9
    assert (found[surface.lonlat[:, 0] < -179.0] > 0.0).all()


def test_a_tiny_shape_is_its_cell(surface):
    """A square of 100 m holds no sampled point, but lies in one cell."""
    lon, lat = TOWNS["paris"]
    found = make_prior(surface, shapely.box(lon, lat, lon + 0.001, lat + 0.001))[0]
    assert surface.cells[found > 0.0] == cells_of(np.array([TOWNS["paris"]]), 4)
    assert found.sum() == 1.0


@settings(max_examples=25, deadline=None)
@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(0.001, 60), st.floats(0.001, 60))
def test_any_box_is_a_prior_or_is_refused(surface, west, south, width, height):
    """Never a wrong number: a probability inside the box, or an error that says there is no place."""
    box = shapely.box(west, south, west + width, min(south + height, 90.0))
    try:
        found = make_prior(surface, box)[0]
    except InputError as error:
        assert "leaves no place" in str(error)
        return
    np.testing.assert_allclose(found.sum(), 1.0)
    lon, lat = surface.lonlat[found > 0.0].T
    apart = np.minimum((west - lon) % 360.0, (lon - west - width) % 360.0)  # how far outside, were it outside
    outside = ((lon - west) % 360.0 > width) & (apart > 0.6)
    assert not outside.any()
    assert (lat > south - 0.6).all()
    assert (lat < south + height + 0.6).all()


def test_a_raster_gives_its_values(surface, tmp_path):
    """From a file, from memory, with longitudes from 0 to 360 and in a projected CRS: much the same."""
    raster = field(lambda lon, lat: np.maximum(0.0, np.sin(np.radians(lat)) + 0.3 * np.cos(np.radians(lon))))
    expected = make_prior(surface, raster)[0]
    lon, lat = np.radians(surface.lonlat).T
    by_hand = np.maximum(0.0, np.sin(lat) + 0.3 * np.cos(lon)) * surface.area_km2
    np.testing.assert_allclose(expected, by_hand / by_hand.sum(), rtol=0.02, atol=1e-6)
    write(raster, tmp_path / "field.tif")
    found, called = make_prior(surface, tmp_path / "field.tif")
    assert called == "raster field.tif"
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    turned = field(lambda lon, lat: np.maximum(0.0, np.sin(np.radians(lat)) + 0.3 * np.cos(np.radians(lon))), west=0.0)
    np.testing.assert_allclose(make_prior(surface, turned)[0], expected, rtol=0.01, atol=1e-6)
    y = np.arange(89, -90, -0.5) * 1e5
    lat = np.degrees(2.0 * np.arctan(np.exp(y / 6378137.0)) - np.pi / 2.0)
    x = np.arange(-200.5, 201, 0.5) * 1e5
    values = np.maximum(0.0, np.sin(np.radians(lat))[:, None] + 0.3 * np.cos(x / 6378137.0)[None, :])
    mercator = xr.DataArray(values, dims=("y", "x"), coords={"y": y, "x": x}).rio.write_crs("EPSG:3857")
    np.testing.assert_allclose(make_prior(surface, mercator)[0], expected, rtol=0.02, atol=1e-5)


def test_a_raster_is_averaged_over_cells(surface):
    """Half a cell of ones is a half, not the value at its middle."""
    lon, lat = TOWNS["cairo"]
    cell = cells_of(np.array([[lon, lat]]), 4)
    [middle] = surface.lonlat[surface.cells == cell]
    raster = field(lambda x, y: (x < middle[0]) * 1.0, step=0.05)
    assert 0.4 < cell_means(raster, cell)[0] < 0.6


def test_nothing_negative_or_empty_counts(surface, tmp_path):
    """NaN, nodata and negative values are zero; nodata is known from a file and from memory."""
    raster = field(lambda lon, lat: np.where(lat > 0, 1.0, np.where(lon > 0, np.nan, -5.0)), step=1.0)
    north = surface.lonlat[:, 1] > 1.0
    assert (make_prior(surface, raster)[0] > 0.0).tolist() == north.tolist()
    masked = field(lambda lon, lat: np.where(lat > 0, 1.0, 255.0), step=1.0).astype(np.uint8).rio.write_nodata(255)
    assert (make_prior(surface, masked)[0] > 0.0).tolist() == north.tolist()
    write(masked, tmp_path / "masked.tif")
    assert (make_prior(surface, tmp_path / "masked.tif")[0] > 0.0).tolist() == north.tolist()


def test_a_large_file_is_read_at_a_coarser_scale(surface, tmp_path, monkeypatch):
    """What is averaged for reading stays in its place."""
    raster = field(lambda lon, lat: np.maximum(0.0, np.sin(np.radians(lat)) + 0.3), step=0.25)
    write(raster, tmp_path / "field.tif")
    exact = cell_means(tmp_path / "field.tif", surface.cells)
    monkeypatch.setattr("geoconcept_gis.locate.priors._MOST_PIXELS", 1 << 16)
    np.testing.assert_allclose(cell_means(tmp_path / "field.tif", surface.cells), exact, atol=0.02)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("photo", "no file 'photo'"),
        (7, "got int"),
        (shapely.Point(31, 30), "must be of polygons; got Point"),
        (shapely.Polygon(), "empty or not valid"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "make_valid"),
        (shapely.box(3e5, 5e6, 4e5, 6e6), "not in degrees"),
        (gpd.GeoSeries([shapely.box(0, 0, 1, 1)]), "no CRS"),
        (shapely.box(-30, -60, -29, -59), "leaves no place"),
    ],
)
def test_other_priors_are_refused(surface, prior, message):
    with pytest.raises(InputError, match=message):
        make_prior(surface, prior)


def test_bad_rasters_are_refused(surface, tmp_path):
    """Zero everywhere, no CRS, two bands, no raster at all."""
    with pytest.raises(InputError, match="raster field leaves no place"):
        make_prior(surface, field(lambda lon, lat: 0.0 * lon * lat, step=5.0))
    plain = field(lambda lon, lat: 1.0, step=5.0)
    with pytest.raises(InputError, match="no CRS"):
        make_prior(surface, plain.drop_vars("spatial_ref"))
    two = xr.concat([plain, plain], dim="band")
    with pytest.raises(InputError, match="one band"):
        make_prior(surface, two)
    write(two, tmp_path / "two.tif")
    with pytest.raises(InputError, match=r"one band; it has 2"):
        make_prior(surface, tmp_path / "two.tif")
    (tmp_path / "no.tif").write_text("no raster")
    with pytest.raises(InputError, match=r"no\.tif cannot be read"):
        make_prior(surface, tmp_path / "no.tif")
    with pytest.raises(InputError, match="evenly spaced"):
        make_prior(surface, plain.isel(y=[0, 1, 5]))
    with pytest.raises(InputError, match="x and y"):
        make_prior(surface, xr.DataArray(np.ones((3, 3)), dims=("a", "b")))
