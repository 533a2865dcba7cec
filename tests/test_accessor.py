"""The accessor .geoconcept: what it draws, and that nothing hostile in a table is run."""

import html
import os
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import xarray as xr

import geoconcept_gis as gc
import geoconcept_gis.accessor
from geoconcept_gis.concepts import slug
from geoconcept_gis.errors import ConceptError, InputError, MissingDependencyError
from geoconcept_gis.grid import make_grid
from geoconcept_gis.interactive import on_mercator, ramp
from geoconcept_gis.style import LOOKS, look_of

pytest.importorskip("matplotlib")
folium = pytest.importorskip("folium")
lonboard = pytest.importorskip("lonboard")

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">{{ 7 * 7 }}{% for %}`${alert(3)}`'
CONCEPTS = ["hot desert climate", "oceanic climate"]


@pytest.fixture(scope="module")
def model():
    return gc.load_model(backend="numpy")


@pytest.fixture(scope="module")
def towns(model):
    return gc.embed(gc.world_places().head(40), concepts=CONCEPTS, model=model)


@pytest.fixture(scope="module")
def cells(model):
    return gc.embed_h3(gc.h3_grid((24, 28, 26, 30), 5)[:30], concepts="BWh", model=model)


@pytest.fixture(scope="module")
def egypt(model):
    return gc.concept_map(CONCEPTS, (25, 22, 35, 31), resolution=1, model=model)


def features(page):
    """The features that folium draws, and its tooltip's labels."""
    [layer] = [child for child in page._children.values() if isinstance(child, folium.GeoJson)]
    [tooltip] = [child for child in layer._children.values() if isinstance(child, folium.GeoJsonTooltip)]
    return layer.data["features"], tooltip.aliases


def hexadecimal(values, look):
    return ["#{:02x}{:02x}{:02x}".format(*colour[:3]) for colour in ramp(values, look)]


def test_the_package_stays_light():
    """Importing the package loads neither pandas nor xarray; making a table brings the accessor."""
    code = (
        "import sys, geoconcept_gis as gc; assert not {'pandas', 'xarray'} & set(sys.modules); "
        "import geopandas as gpd; frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy([30.0], [25.0]), crs=4326); "
        "assert not hasattr(frame, 'geoconcept'); print(gc.embed(frame, concepts='BWh').geoconcept.concepts)"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "['hot desert climate']"


def test_what_is_in_a_product(towns, cells, egypt):
    """Names, kind and provenance, in the order of columns and variables."""
    assert towns.geoconcept.concepts == egypt.geoconcept.concepts == CONCEPTS
    assert towns.geoconcept.kind == cells.geoconcept.kind == egypt.geoconcept.kind == "calibrated"
    assert towns.geoconcept.provenance["model_sha256"] == egypt.geoconcept.provenance["model_sha256"]
    assert towns[towns.columns[::-1]].geoconcept.concepts == CONCEPTS[::-1]


def test_a_product_read_back_has_it_too(towns, egypt, tmp_path):
    """From a table of ours, and from a Zarr store that xarray opened."""
    back = gc.read_places(gc.write_places(towns, tmp_path / "towns.gpkg"))
    assert back.geoconcept.concepts == CONCEPTS and back.geoconcept.kind == "calibrated"
    pytest.importorskip("zarr")
    store = egypt.geoconcept.save(tmp_path / "egypt.zarr")
    again = xr.open_zarr(store, consolidated=False)
    assert again.geoconcept.provenance == gc.read_provenance(store)
    assert again.geoconcept.plot("oceanic climate").get_title(loc="left") == "Oceanic climate"


def test_points_have_their_colours(towns):
    """Every point is drawn where it is, on the fixed range; the bar says what the numbers are."""
    ax = towns.geoconcept.plot("oceanic climate")
    [dots] = [part for part in ax.collections if len(part.get_offsets()) == len(towns)]
    order = np.argsort(towns["concept_oceanic_climate"], kind="stable")
    np.testing.assert_allclose(dots.get_array(), towns["concept_oceanic_climate"].iloc[order])
    np.testing.assert_allclose(dots.get_offsets(), towns.get_coordinates().iloc[order])
    assert (dots.norm.vmin, dots.norm.vmax) == (0.0, 1.0)
    assert ax.get_title(loc="left") == "Oceanic climate"
    bar = dots.colorbar.ax
    assert bar.get_title(loc="left").lower() == LOOKS["calibrated"].label
    assert "associated with, not observed" in bar.texts[-1].get_text()


def test_the_kind_decides_the_limits(model):
    """Cosines are drawn around zero."""
    table = gc.embed(gc.world_places().head(3), concepts="BWh", kind="cosine", model=model)
    ax = table.geoconcept.plot()
    dots = ax.collections[-1]
    assert (dots.norm.vmin, dots.norm.vmax) == (-0.4, 0.4)
    assert "0: the average reference place" in dots.colorbar.ax.get_title(loc="left")


def test_cells_without_geometry_are_drawn_by_their_boundaries(cells):
    """As index or column, as numbers or strings."""
    ring = gc.embed_h3(cells.index[:1], concepts="BWh", geometry="boundary").geometry.iloc[0]
    spelled = cells.set_index(pd.Index([f"{cell:x}" for cell in cells.index], name="h3"))
    for table in (cells, cells.reset_index(), spelled):
        drawn = table.geoconcept.plot().collections[0]
        assert len(drawn.get_paths()) == len(cells)
        edges = [path.get_extents().bounds for path in drawn.get_paths()]
        west, south, east, north = ring.bounds
        assert any(np.allclose(edge, (west, south, east - west, north - south)) for edge in edges)
    found, labels = features(spelled.geoconcept.explore(tiles=None))
    assert found[0]["geometry"]["type"] == "Polygon" and "h3" in labels
    assert found[0]["properties"]["c1"] == features(cells.geoconcept.explore(tiles=None))[0][0]["properties"]["c1"]


def test_every_kind_of_shape_is_drawn(towns):
    """Points, lines, polygons with holes and collections; in a projected CRS too."""
    hole = shapely.box(10, 40, 20, 50) - shapely.box(12, 42, 14, 44)
    line = shapely.LineString([(0, 0), (5, 5)])
    shapes = [hole, line, shapely.Point(3, 3), shapely.GeometryCollection([shapely.MultiPoint([(1, 1), (2, 2)]), line])]
    frame = gpd.GeoDataFrame({"concept_bwh": [0.1, 0.5, 0.9, np.nan]}, geometry=shapes, crs="EPSG:4326")
    frame.attrs["geoconcept"] = towns.attrs["geoconcept"]
    for table in (frame, frame.to_crs("EPSG:3035")):
        polygons, lines, points = table.geoconcept.plot().collections
        assert [len(part.get_array()) for part in (polygons, lines, points)] == [1, 2, 3]
        assert np.ma.count_masked(points.get_array()) == 2
        assert len(frame.geoconcept.explore(engine="lonboard").layers) == 3
    found, _ = features(frame.to_crs("EPSG:3035").geoconcept.explore(tiles=None))
    np.testing.assert_allclose(found[2]["geometry"]["coordinates"], (3, 3), atol=1e-6)
    assert found[3]["properties"]["colour"] == "#b9c0c5"


def test_rows_without_a_place_are_counted(towns):
    """They cannot be drawn, and a warning says how many."""
    lost = towns.copy()
    lost.loc[[0, 3], "geometry"] = None
    with pytest.warns(UserWarning, match="2 of 40 rows have no geometry"):
        lost.geoconcept.plot()
    with pytest.warns(UserWarning, match="2 of 40 rows have no geometry"):
        found, _ = features(lost.geoconcept.explore(tiles=None))
    assert len(found) == 38
    lost["geometry"] = None
    with pytest.raises(InputError, match="none of these 40 rows"):
        lost.geoconcept.plot()


def test_folium_page(towns):
    """Places, colours, tooltips and legend are ours."""
    page = towns.geoconcept.explore("oceanic climate", tooltip=["name"], tiles=None)
    found, labels = features(page)
    assert labels == ["Oceanic climate (0 to 1)", "name"]
    scores = towns["concept_oceanic_climate"]
    assert [feature["properties"]["colour"] for feature in found] == hexadecimal(scores, look_of("calibrated"))
    np.testing.assert_array_equal([f["geometry"]["coordinates"] for f in found], towns.get_coordinates())
    text = page.get_root().render()
    assert LOOKS["calibrated"].label[1:] in text
    assert all(colour in text for colour in LOOKS["calibrated"].colours)


def test_nothing_hostile_is_run(towns):
    """Names of columns, values, concepts and layers are shown as they are spelled; folium's templates run none."""
    bad = towns.head(2).assign(name=HOSTILE).rename(columns={"country": HOSTILE})
    bad.attrs["geoconcept"] = {
        **towns.attrs["geoconcept"],
        "concepts": f"{HOSTILE} hot desert climate; oceanic climate",
    }
    column = "concept_" + slug(f"{HOSTILE} hot desert climate")
    bad = bad.rename(columns={"concept_hot_desert_climate": column})
    assert bad.geoconcept.concepts[0].startswith(HOSTILE)
    page = bad.geoconcept.explore(tiles=None, name=HOSTILE)
    found, labels = features(page)
    safe = html.escape(HOSTILE).replace("{", "&#123;").replace("}", "&#125;")
    assert found[0]["properties"]["c1"] == safe and safe in labels
    text = page.get_root().render()
    assert "<script>alert" not in text and "<img src=x" not in text and "alert(2)&quot;&gt;49" not in text
    assert safe in text  # the legend


def test_hostile_text_on_a_widget(towns):
    """lonboard shows text as text; what it takes for HTML, the attribution, is escaped."""
    bad = towns.head(2).assign(name=HOSTILE)
    widget = bad.geoconcept.explore(engine="lonboard", name=HOSTILE)
    assert "<script" not in widget.custom_attribution and "&lt;script" in widget.custom_attribution


def test_lonboard_layer(towns, cells):
    """The same colours and places."""
    [dots] = towns.geoconcept.explore("oceanic climate", engine="lonboard").layers
    expected = ramp(towns["concept_oceanic_climate"], look_of("calibrated"))
    np.testing.assert_array_equal(pa.chunked_array(dots.get_fill_color).to_pylist(), expected)
    [polygons] = cells.geoconcept.explore(engine="lonboard").layers
    assert polygons.table.num_rows == len(cells)


def test_engine_is_chosen_by_size(model, towns, monkeypatch):
    """Few places go to folium, many to lonboard, and each alone does for both."""
    assert isinstance(towns.geoconcept.explore(tiles=None), folium.Map)
    many = towns.loc[towns.index.repeat(130)]
    many.attrs = towns.attrs
    assert isinstance(many.geoconcept.explore(), lonboard.Map)
    monkeypatch.setitem(sys.modules, "lonboard", None)
    assert isinstance(many.head(10).geoconcept.explore(tiles=None), folium.Map)


def test_a_missing_extra_is_named(towns, egypt, monkeypatch):
    """Without the engines the error says what to install; without matplotlib too."""
    for name in ("folium", "lonboard"):
        monkeypatch.setitem(sys.modules, name, None)
        for product in (towns, egypt):
            with pytest.raises(MissingDependencyError, match=rf"{name}.*geoconcept-gis\[notebook\]"):
                product.geoconcept.explore(engine=name)
    with pytest.raises(MissingDependencyError, match=r"geoconcept-gis\[notebook\]"):
        towns.geoconcept.explore()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for product in (towns, egypt):
        with pytest.raises(MissingDependencyError, match=r"geoconcept-gis\[plot\]"):
            product.geoconcept.plot()


def test_errors_say_what_to_do(towns, cells, egypt):
    """Unknown concepts, tables without scores, geometry, CRS or provenance."""
    with pytest.raises(ConceptError, match=r"'tundra'.*'hot desert climate', 'oceanic climate'"):
        towns.geoconcept.plot("tundra")
    with pytest.raises(ConceptError, match="make some with embed"):
        gc.world_places().geoconcept.plot()
    with pytest.raises(InputError, match="no geometry and no H3 cells"):
        pd.DataFrame(towns.drop(columns="geometry")).geoconcept.plot(kind="calibrated")
    with pytest.raises(InputError, match="no CRS"):
        towns.set_crs(None, allow_override=True).geoconcept.plot()
    lost = towns.copy()
    lost.attrs = {}
    assert lost.geoconcept.provenance == {} and lost.geoconcept.concepts == CONCEPTS
    with pytest.raises(InputError, match="kind='calibrated'"):
        lost.geoconcept.plot()
    assert lost.geoconcept.plot(kind="calibrated").get_title(loc="left") == "Hot desert climate"
    with pytest.raises(InputError, match=r"\['height'\]"):
        towns.geoconcept.explore(tooltip=["height"])
    for product in (towns, egypt):
        with pytest.raises(InputError, match="engine must be one of"):
            product.geoconcept.explore(engine="leaflet")
    with pytest.raises(InputError, match="no concept map"):
        xr.Dataset().geoconcept.plot()
    with pytest.raises(InputError, match="holds all concepts"):
        egypt.geoconcept.save("egypt.tif", "oceanic climate")


def test_maps_are_saved_by_their_ending(egypt, tmp_path):
    """GeoTIFF with all concepts, a picture of one."""
    assert gc.read_provenance(egypt.geoconcept.save(tmp_path / "a.tif"))["kind"] == "calibrated"
    assert egypt.geoconcept.save(tmp_path / "a.png", "oceanic climate").stat().st_size > 5_000
    with pytest.raises(InputError, match="must end in"):
        egypt.geoconcept.save(tmp_path / "a.doc")


def test_maps_are_shown_where_they_belong(egypt):
    """The image has the colours of the cells, sea is clear, and the corners are the map's."""
    page = egypt.geoconcept.explore("hot desert climate", tiles=None)
    [image] = [child for child in page._children.values() if isinstance(child, folium.raster_layers.ImageOverlay)]
    assert image.bounds == [[22.0, 25.0], [31.0, 35.0]]
    assert image.url.startswith("data:image/png;base64,")
    [bitmap] = egypt.geoconcept.explore(engine="lonboard").layers
    assert bitmap.bounds == (25.0, 22.0, 35.0, 31.0) and bitmap.image.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("bounds", "resolution", "crs"),
    [
        ((-180, -90, 180, 90), 10, 4326),
        ((177, -21, -178, -15), 0.5, 4326),
        ((2.5e6, 1.5e6, 5.5e6, 4.5e6), 250_000, 3035),
        ((1.0e6, 3.4e6, 3.0e6, 5.0e6), 200_000, 3460),
    ],
    ids=["world", "Fiji", "Europe", "Fiji in metres"],
)
def test_cells_keep_their_place_on_mercator(bounds, resolution, crs):
    """Each pixel has the value of the cell that it lies in, in any CRS and across the antimeridian."""
    grid = make_grid(bounds, resolution, None, crs, 1)
    values = np.arange(grid.cells, dtype=np.float32).reshape(grid.height, grid.width)
    image, (west, south, east, north) = on_mercator(values, grid)
    assert -180.0 <= west < east <= west + 360.0
    top, bottom = (np.arcsinh(np.tan(np.radians(lat))) for lat in (north, south))
    centres = grid.lonlat(np.arange(grid.cells))
    lon = np.where(centres[:, 0] < west, centres[:, 0] + 360.0, centres[:, 0])
    shown = np.abs(centres[:, 1]) < 84.0
    column = ((lon - west) / (east - west) * image.shape[1]).astype(int)
    height = (top - np.arcsinh(np.tan(np.radians(centres[:, 1])))) / (top - bottom)
    row = (height * image.shape[0]).astype(int)
    np.testing.assert_array_equal(image[row[shown], column[shown]], values.ravel()[shown])


def test_ramp_agrees_with_the_style():
    """Ends, stops and gaps; heatmaps fade out."""
    for look in LOOKS.values():
        assert hexadecimal([look.low, look.high], look) == [look.colours[0], look.colours[-1]]
        assert hexadecimal([look.low - abs(look.low) / 2 - 1e-12], look) == [look.colours[0]]
    assert ramp([np.nan], look_of("cosine"), missing=(0, 0, 0, 0)).tolist() == [[0, 0, 0, 0]]
    assert ramp([0.0, 1e-8, 1e-4], look_of("density"))[:, 3].tolist() == [0, 0, 255]


def test_a_notebook_shows_the_figure():
    """In IPython pyplot knows of the figure, so that it appears below the cell; elsewhere pyplot is left alone."""
    pytest.importorskip("IPython")
    code = """
import sys
import geoconcept_gis as gc
from IPython.core.interactiveshell import InteractiveShell
towns = gc.embed(gc.world_places().head(3), concepts="BWh")
egypt = gc.concept_map("BWh", (25, 22, 35, 31), resolution=3)
for product in (towns, egypt):
    product.geoconcept.plot()
assert "matplotlib.pyplot" not in sys.modules
InteractiveShell.instance()
for product in (towns, egypt):
    figure = product.geoconcept.plot().figure
    import matplotlib.pyplot as plt
    assert plt.gcf() is figure
"""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_heatmaps_are_shown_and_have_a_picture_of_their_own(egypt, tmp_path):
    """They fade out where there is little; `plot` says what draws them."""
    heat = egypt[["hot_desert_climate"]].rename(hot_desert_climate="density") * 1e-4
    heat.attrs = egypt.attrs | {"geoconcept_kind": "density"}
    heat["density"].attrs = {"long_name": "probability per km2", "units": "km-2"}
    page = heat.geoconcept.explore(tiles=None)
    assert "1e-08" in page.get_root().render() and heat.geoconcept.kind == "density"
    assert heat.geoconcept.save(tmp_path / "heat.tif").is_file()
    with pytest.raises(InputError, match=r"Geolocation\.plot"):
        heat.geoconcept.plot()
