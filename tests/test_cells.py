"""H3: grids of areas, features for cells of any kind, whole worlds written as a stream."""

import json
import warnings

import geopandas as gpd
import h3.api.basic_str as h3_str
import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis.errors import Cancelled, InputError, ScaleWarning, SeamWarning
from tests.strategies import places

NAMES = ["hot desert climate", "tundra climate"]
COLUMNS = ["concept_hot_desert_climate", "concept_tundra_climate"]
EMBEDDING = [f"embedding_{k:03d}" for k in range(512)]
CAIRO = h3.latlng_to_cell(30.0, 31.2, 5)
cells = st.builds(lambda place, level: int(h3.latlng_to_cell(place[1], place[0], level)), places, st.integers(5, 15))


def quiet(*args, **options):
    """embed_h3 without its warnings, which have tests of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeamWarning)
        warnings.simplefilter("ignore", ScaleWarning)
        return gc.embed_h3(*args, **options)


def centers(numbers):
    """Centres (lon, lat), one cell at a time, by h3's own library."""
    return np.array([h3.cell_to_latlng(int(cell))[::-1] for cell in numbers])


@pytest.mark.parametrize("resolution", range(6))
def test_the_world_is_every_cell_once(resolution):
    """None and bounds of the whole world give all cells, sorted, each once."""
    world = gc.h3_grid(None, resolution)
    assert world.dtype == np.uint64
    assert len(world) == h3.get_num_cells(resolution)
    assert (np.diff(world.astype(np.int64)) > 0).all()
    np.testing.assert_array_equal(gc.h3_grid((-180, -90, 180, 90), resolution), world)


@given(
    st.floats(-150.0, 150.0),
    st.floats(-70.0, 70.0),
    st.floats(0.05, 12.0),
    st.integers(0, 4),
    st.sampled_from([0.3, 1.0]),
)
def test_grids_follow_h3s_own_rule(lon, lat, radius, resolution, flat):
    """A polygon gives the cells that h3 itself finds in it, holes included."""
    outer = shapely.transform(shapely.Point(0, 0).buffer(radius), lambda c: c * [1.0, flat] + [lon, lat])
    holed = outer.difference(shapely.Point(lon, lat).buffer(radius * flat / 3))
    for shape in (outer, holed, shapely.MultiPolygon([holed])):
        expected = np.sort(np.asarray(h3.geo_to_cells(shape, resolution), dtype=np.uint64))
        np.testing.assert_array_equal(gc.h3_grid(shape, resolution), expected)


def test_small_areas_at_fine_resolutions():
    """A hundred metres at resolution 15, without walking the world."""
    spot = shapely.Point(2.35, 48.85).buffer(0.0005)
    expected = np.sort(np.asarray(h3.geo_to_cells(spot, 14), dtype=np.uint64))
    np.testing.assert_array_equal(gc.h3_grid(spot, 14), expected)


@pytest.mark.parametrize("resolution", [0, 1, 3])
def test_no_descendant_is_lost_on_the_way_down(resolution):
    """Every cell is found from a tiny area round its centre, pentagons, poles and seam included."""
    rng = np.random.default_rng(resolution)
    deep = resolution + 3
    some = [*h3.get_pentagons(deep), h3.latlng_to_cell(90, 0, deep), h3.latlng_to_cell(-90, 0, deep)]
    some += [h3.latlng_to_cell(*place, deep) for place in rng.uniform((-90, -180), (90, 180), (60, 2))]
    for cell, (lon, lat) in zip(some, centers(some), strict=True):
        assert int(cell) in gc.h3_grid((lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6), deep).tolist()


def test_bounds_may_cross_the_antimeridian():
    """West > east, longitudes beyond 180 and two boxes are the same area."""
    crossing = gc.h3_grid((170, -20, -170, 10), 3)
    np.testing.assert_array_equal(crossing, gc.h3_grid((170, -20, 190, 10), 3))
    np.testing.assert_array_equal(crossing, gc.h3_grid(shapely.box(170, -20, 190, 10), 3))
    halves = np.concatenate([gc.h3_grid((170, -20, 180, 10), 3), gc.h3_grid((-180, -20, -170, 10), 3)])
    np.testing.assert_array_equal(crossing, np.sort(halves))
    assert (np.abs(centers(crossing)[:, 0]) > 170).all()


def test_an_area_between_centres_is_an_empty_grid():
    """An area that holds no centre gives no cells, which is no error."""
    assert len(gc.h3_grid((0.0, 0.0, 1e-9, 1e-9), 2)) == 0


@pytest.mark.parametrize(
    ("area", "message"),
    [
        ((0, 0, 0, 10), "hold no area"),
        ((0, 10, 10, 0), "hold no area"),
        ((0, 0, 10, 95), "in degrees"),
        ((0, 0, np.nan, 5), "in degrees"),
        ((600000, 5000000, 700000, 6000000), "in degrees"),
        (("a", 0, 1, 2), "four numbers"),
        ((0, 0, 1), "area must be bounds"),
        ("Egypt", "area must be bounds"),
        (shapely.Point(0, 0), "area must be bounds"),
        (gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=4326), "union_all"),
        (shapely.Polygon(), "empty polygon"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "no valid polygon: Self-intersection"),
        (shapely.box(6e5, 5e6, 7e5, 6e6), "reproject it to EPSG:4326"),
    ],
)
def test_wrong_areas_are_refused(area, message):
    """Areas that are no area on Earth say why."""
    with pytest.raises(InputError, match=message):
        gc.h3_grid(area, 3)


@pytest.mark.parametrize("resolution", [-1, 16, 2.5, "5", True, None])
def test_wrong_resolutions_are_refused(resolution):
    """Resolutions are whole numbers from 0 to 15."""
    with pytest.raises(InputError, match="0 to 15"):
        gc.h3_grid(None, resolution)


def test_absurd_grids_are_refused_at_once():
    """The whole world at resolution 12 is refused before it fills the memory."""
    with pytest.raises(InputError, match="more than 200,000,000 cells"):
        gc.h3_grid(None, 12)


@given(st.lists(cells, min_size=1, max_size=6))
def test_rows_are_the_values_at_the_centres(cheap_model, numbers):
    """Index, order, repeats and resolutions are kept; values are those of the centres."""
    out = quiet(numbers + numbers[:1], "all", NAMES, cheap_model)
    assert out.index.name == "h3"
    assert out.index.dtype == np.uint64
    assert out.index.tolist() == numbers + numbers[:1]
    assert list(out.columns) == ["h3_resolution", *COLUMNS, *EMBEDDING]
    assert out["h3_resolution"].dtype == np.uint8
    assert out["h3_resolution"].tolist() == [h3.get_resolution(cell) for cell in out.index]
    expected = cheap_model.encode(centers(out.index))
    np.testing.assert_allclose(out[EMBEDDING], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(out[COLUMNS], cheap_model.score(centers(out.index), NAMES), atol=1e-4)


@given(st.lists(cells, min_size=1, max_size=6))
def test_strings_and_integers_give_the_same(cheap_model, numbers):
    """Strings, in either case, come back as they were and carry the same values."""
    text = [h3.int_to_str(cell).upper() if k % 2 else h3.int_to_str(cell) for k, cell in enumerate(numbers)]
    by_text, by_number = (
        quiet(text, concepts=NAMES, model=cheap_model),
        quiet(numbers, concepts=NAMES, model=cheap_model),
    )
    assert by_text.index.tolist() == text
    assert by_text.index.name == "h3"
    np.testing.assert_array_equal(by_text.to_numpy(), by_number.to_numpy())


TEXT = [h3.int_to_str(CAIRO)] * 2


@pytest.mark.parametrize(
    "given_cells",
    [
        [CAIRO, CAIRO],
        (CAIRO, CAIRO),
        np.array([CAIRO, CAIRO], dtype=np.uint64),
        np.array([CAIRO, CAIRO], dtype=np.int64),
        np.array([CAIRO, CAIRO], dtype=object),
        [np.uint64(CAIRO), int(CAIRO)],
        pd.Series([CAIRO, CAIRO], index=[7, 7]),
        pd.Series([CAIRO, CAIRO], dtype="UInt64"),
        pd.Index([CAIRO, CAIRO]),
        pa.array([int(CAIRO)] * 2, pa.uint64()),
        TEXT,
        np.array(TEXT),
        pd.Series(TEXT),
        pd.Series(TEXT, dtype="string"),
        pd.Series(TEXT, dtype="category"),
        pa.array(TEXT),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}",
)
def test_every_container_of_cells(cheap_model, given_cells):
    """Lists, arrays, Series, Index and Arrow arrays of strings or integers are all read."""
    out = gc.embed_h3(given_cells, concepts="BWh", model=cheap_model)
    assert len(out) == 2
    assert out.index.name == "h3"
    assert {str(cell) for cell in out.index} <= {str(CAIRO), TEXT[0]}


@pytest.mark.parametrize("nothing", [[], np.array([], dtype=np.uint64), pd.Series([], dtype=str)])
@pytest.mark.parametrize("geometry", [None, "center", "boundary"])
def test_no_cells_still_have_columns(cheap_model, nothing, geometry):
    """Nothing in gives a table with the right columns."""
    out = gc.embed_h3(nothing, concepts=NAMES, model=cheap_model, geometry=geometry)
    assert len(out) == 0
    assert list(out.columns) == ["h3_resolution", *COLUMNS] + (["geometry"] if geometry else [])
    assert (out[COLUMNS].dtypes == np.float32).all()
    assert out.index.name == "h3"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([CAIRO, TEXT[0]], "all strings or all integers; row 1 is str .*row 0 is int"),
        ([TEXT[0], CAIRO], "all strings or all integers; row 1 is int"),
        ([TEXT[0], 1.5], "all strings or all integers; row 1 is float"),
        ([True, False], "all strings or all integers; row 0 is bool"),
        ([b"853f5ba7fffffff"], "all strings or all integers; row 0 is bytes"),
        ([float(CAIRO)], "float64, which cannot hold"),
        (np.array([CAIRO, 0], dtype=np.float32), "float32, which cannot hold"),
        ([TEXT[0], None], "1 of 2 cells are no H3 cells: row 1"),
        (pd.Series([CAIRO, None], dtype="UInt64"), "row 1: <NA>"),
        ([TEXT[0], "zz", ""], "2 of 3 cells are no H3 cells: row 1: 'zz', row 2: ''"),
        ([str(CAIRO)], "no H3 cells"),
        (["31.2,30.0,5"], "no H3 cells"),
        (["0" + TEXT[0]], "no H3 cells"),
        (["0x" + TEXT[0]], "no H3 cells"),
        ([int(CAIRO), 12], "1 of 2 cells are no H3 cells: row 1: 12"),
        ([int(CAIRO), -1], "row 1: -1"),
        ([int(CAIRO), 2**64], "row 1: 18446744073709551616"),
        ([int(h3.cell_to_vertexes(CAIRO)[0])], "no H3 cells"),
        (TEXT[0], "must be a list"),
        (int(CAIRO), "must be a list"),
        (np.array([[CAIRO]]), "must be a list"),
    ],
)
def test_wrong_cells_are_named(cheap_model, wrong, message):
    """Mixed types, floats, missing and invalid cells are refused with their row; nothing is guessed."""
    with pytest.raises(InputError, match=message):
        gc.embed_h3(wrong, model=cheap_model)


def test_children_are_averaged_over_every_column(model):
    """aggregate='children' is the plain mean over the children's centres, by default at resolution 5."""
    parent = h3.latlng_to_cell(30.0, 31.2, 3)
    children = centers(h3.cell_to_children(parent, 5))
    out = gc.embed_h3([parent, CAIRO], "all", NAMES, model, aggregate="children")
    np.testing.assert_allclose(out[COLUMNS].iloc[0], model.score(children, NAMES).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(out[EMBEDDING].iloc[0], model.encode(children).mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(out[EMBEDDING].iloc[1], model.encode(centers([CAIRO]))[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("resolution", [0, 1])
def test_pentagons_have_fewer_children(linear, resolution):
    """Pentagons and hexagons, in any order and with repeats, get the mean over just their own children."""
    fake, _ = linear
    some = [*h3.get_pentagons(resolution)[:2], CAIRO, h3.latlng_to_cell(50, 10, resolution), h3.get_pentagons(4)[0]]
    out = quiet([*some, some[0]], "embedding", model=fake, aggregate="children", child_resolution=5)
    expected = [fake.encode(centers(h3.cell_to_children(cell, 5))).mean(axis=0) for cell in some]
    np.testing.assert_allclose(out[EMBEDDING].iloc[:5], expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(out[EMBEDDING].iloc[5], out[EMBEDDING].iloc[0], rtol=1e-5, atol=1e-6)


def test_many_children_are_walked_in_pieces(linear):
    """A cell with more children than are held at once still gets the mean over all of them."""
    fake, backend = linear
    calls = []
    parent = h3.latlng_to_cell(50.0, 10.0, 1)
    gc.embed_h3(
        [parent], model=fake, aggregate="children", child_resolution=8, progress=lambda *call: calls.append(call)
    )
    assert backend.points == 7**7
    assert calls[-1] == (7**7, 7**7)


def test_absurd_numbers_of_children_are_refused(cheap_model):
    """Base cells at resolution 15 are refused with a number and what to do."""
    with pytest.raises(InputError, match=r"have 4,747,561,509,943 children: choose a coarser"):
        gc.embed_h3([h3.latlng_to_cell(50, 10, 0)], model=cheap_model, aggregate="children", child_resolution=15)


def test_coarse_centres_warn_once(cheap_model):
    """Centres of cells larger than the encoder's scale raise one ScaleWarning; means and fine cells raise none."""
    coarse = [h3.latlng_to_cell(50, 10, 3), h3.latlng_to_cell(40, 10, 3)]
    with pytest.warns(ScaleWarning, match="aggregate='children'") as caught:
        gc.embed_h3(coarse, model=cheap_model)
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.embed_h3(coarse, model=cheap_model, aggregate="children")
        gc.embed_h3([CAIRO], model=cheap_model)


def test_centres_near_the_seam_warn(cheap_model):
    """Cells by the antimeridian and the poles are counted in one SeamWarning."""
    odd = [h3.latlng_to_cell(0, 180, 5), h3.latlng_to_cell(90, 0, 5), CAIRO]
    with pytest.warns(SeamWarning, match="2 of 3 cells"):
        gc.embed_h3(odd, model=cheap_model)


@pytest.mark.parametrize("resolution", [0, 1, 2, 3])
def test_boundaries_are_valid_and_hold_their_centres(cheap_model, resolution):
    """Boundaries of the whole world: valid, none a band across it, together the whole sphere, each round its centre."""
    world = gc.h3_grid(None, resolution)
    out = quiet(world, concepts="BWh", model=cheap_model, geometry="boundary")
    assert out.crs == "EPSG:4326"
    assert out.is_valid.all()
    assert shapely.contains_xy(out.geometry.array, *centers(world).T).all()
    plane = shapely.transform(
        out.geometry.array, lambda c: np.stack([np.radians(c[:, 0]), np.sin(np.radians(c[:, 1]))], axis=1)
    )
    np.testing.assert_allclose(shapely.area(plane).sum(), 4 * np.pi, rtol=1e-9)
    parts = out.geometry.explode()
    round_pole = parts.bounds["maxy"].eq(90) | parts.bounds["miny"].eq(-90)
    assert ((parts.bounds["maxx"] - parts.bounds["minx"])[~round_pole] < 180).all()


def test_boundaries_are_h3s_own(cheap_model):
    """Away from the seam a boundary has h3's own corners."""
    out = gc.embed_h3([CAIRO], model=cheap_model, geometry="boundary")
    expected = shapely.Polygon([corner[::-1] for corner in h3.cell_to_boundary(CAIRO)])
    assert out.geometry.iloc[0].normalize().equals_exact(expected.normalize(), 1e-9)


def test_center_geometry_is_the_centre(cheap_model):
    """geometry='center' gives points in (lon, lat)."""
    out = gc.embed_h3([CAIRO], model=cheap_model, geometry="center")
    np.testing.assert_allclose([out.geometry.x.iloc[0], out.geometry.y.iloc[0]], centers([CAIRO])[0], atol=1e-9)


def test_table_provenance(cheap_model):
    """attrs tell aggregate and children beside the model's record."""
    plain = gc.embed_h3([CAIRO], concepts=NAMES, model=cheap_model).attrs["geoconcept"]
    assert (plain["aggregate"], plain["features"], plain["kind"]) == ("center", "concepts", "calibrated")
    means = gc.embed_h3([CAIRO], concepts=NAMES, model=cheap_model, aggregate="children").attrs["geoconcept"]
    assert (means["aggregate"], means["child_resolution"]) == ("children", "own, at least 5")
    with_shape = gc.embed_h3([CAIRO], concepts=NAMES, model=cheap_model, geometry="center")
    assert with_shape.attrs["geoconcept"] == plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aggregate": "mean"}, "aggregate must be one of 'center', 'children'"),
        ({"geometry": "hexagon"}, "geometry must be one of"),
        ({"features": "vectors"}, "features must be one of"),
        ({"child_resolution": 7}, "needs aggregate='children'"),
        ({"aggregate": "children", "child_resolution": 4}, r"coarser than the cell in row 0 \(resolution 5\)"),
        ({"aggregate": "children", "child_resolution": 16}, "0 to 15"),
    ],
)
def test_wrong_options_are_refused(cheap_model, options, message):
    """Unknown and contradictory options are named."""
    with pytest.raises(InputError, match=message):
        gc.embed_h3([CAIRO], model=cheap_model, **options)


@pytest.mark.parametrize("geometry", ["center", "boundary"])
def test_written_table_equals_the_one_in_memory(cheap_model, tmp_path, geometry):
    """write_h3 streams what embed_h3 returns, as GeoParquet 1.1 with boxes and provenance."""
    path = tmp_path / "cells.parquet"
    area = (170, -30, -170, 20)
    with pytest.warns(ScaleWarning):
        count = gc.write_h3(path, area, 4, NAMES, features="all", model=cheap_model, geometry=geometry)
    grid = gc.h3_grid(area, 4)
    expected = quiet(grid, "all", NAMES, cheap_model, geometry=geometry)
    frame = gpd.read_parquet(path)
    assert count == len(frame) == len(grid)
    assert frame.crs == "EPSG:4326"
    assert frame["h3"].dtype == np.uint64
    np.testing.assert_array_equal(frame["h3"], grid)
    assert frame["h3_resolution"].eq(4).all()
    np.testing.assert_allclose(frame[COLUMNS + EMBEDDING], expected[COLUMNS + EMBEDDING], rtol=1e-4, atol=1e-4)
    assert shapely.equals(frame.geometry.array, expected.geometry.array).all()
    assert gc.read_provenance(path) == expected.attrs["geoconcept"]
    metadata = pq.read_schema(path).metadata
    geo = json.loads(metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert set(geo["columns"]["geometry"]["geometry_types"]) >= set(frame.geom_type)
    boxes = pd.DataFrame(pq.read_table(path, columns=["bbox"]).column("bbox").to_pylist()).to_numpy()
    bounds = frame.bounds.to_numpy()
    assert (boxes[:, :2] <= bounds[:, :2]).all()
    assert (boxes[:, 2:] >= bounds[:, 2:]).all()
    np.testing.assert_allclose(boxes, bounds, atol=1e-4)


def test_geoparquet_can_be_read_by_box(cheap_model, tmp_path):
    """The covering column lets a reader ask for a part of the file."""
    path = tmp_path / "cells.parquet"
    gc.write_h3(path, (0, 40, 10, 50), 5, "BWh", model=cheap_model)
    part = gpd.read_parquet(path, bbox=(2, 42, 3, 43))
    assert 0 < len(part) < 200
    assert part.intersects(shapely.box(2, 42, 3, 43)).all()


def test_plain_parquet_without_geometry(cheap_model, tmp_path):
    """geometry=None writes no shapes and no geo metadata, but provenance and what the numbers are."""
    path = tmp_path / "cells.parquet"
    gc.write_h3(path, (0, 40, 2, 42), 5, "BWh", model=cheap_model, geometry=None)
    assert list(pd.read_parquet(path).columns) == ["h3", "h3_resolution", "concept_hot_desert_climate"]
    assert set(pq.read_schema(path).metadata) == {b"geoconcept", b"emb"}


def test_means_are_written_too(cheap_model, tmp_path):
    """aggregate='children' streams the means that embed_h3 gives."""
    path = tmp_path / "cells.parquet"
    gc.write_h3(path, (0, 40, 10, 50), 3, NAMES, model=cheap_model, aggregate="children", child_resolution=6)
    frame = pd.read_parquet(path)
    expected = gc.embed_h3(frame["h3"], concepts=NAMES, model=cheap_model, aggregate="children", child_resolution=6)
    np.testing.assert_allclose(frame[COLUMNS], expected[COLUMNS], atol=1e-4)


def test_row_groups_are_bounded_and_in_order(linear, tmp_path, monkeypatch):
    """However many cells, a row group holds a bounded number, in H3 order, and progress counts every point once."""
    from geoconcept_gis import cells as module

    monkeypatch.setattr(module, "ROWS_IN_GROUP", 5000)
    fake, backend = linear
    path, calls = tmp_path / "world.parquet", []
    with pytest.warns(ScaleWarning):
        count = gc.write_h3(path, None, 3, "BWh", model=fake, progress=lambda *call: calls.append(call))
    groups = pq.ParquetFile(path).metadata
    assert count == backend.points == 41_162
    assert [groups.row_group(k).num_rows for k in range(groups.num_row_groups)] == [5000] * 8 + [1162]
    np.testing.assert_array_equal(pd.read_parquet(path, columns=["h3"])["h3"], gc.h3_grid(None, 3))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert calls[-1] == (41_162, 41_162)


def test_wide_tables_get_smaller_groups():
    """Row groups stay near 128 MB: 512 columns mean 65,536 rows."""
    from geoconcept_gis.cells import _regroup

    batches = (np.arange(50_000, dtype=np.uint64) for _ in range(4))
    assert [len(group) for group in _regroup(batches, 512)] == [65_536, 65_536, 65_536, 3392]


def test_nothing_is_left_when_writing_stops(cheap_model, tmp_path):
    """Cancelling, failing and Ctrl-C leave no file, and an older one as it was."""
    path = tmp_path / "world.parquet"
    path.write_text("older")

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(Cancelled), pytest.warns(ScaleWarning):
        gc.write_h3(path, None, 3, "BWh", model=cheap_model, progress=lambda done, total: True)
    with pytest.raises(KeyboardInterrupt), pytest.warns(ScaleWarning):
        gc.write_h3(path, None, 3, "BWh", model=cheap_model, progress=interrupt)
    with pytest.raises(InputError, match="no H3 cell of resolution 5"):
        gc.write_h3(path, (0, 0, 1e-9, 1e-9), 5, "BWh", model=cheap_model)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("cells.gpkg", {}, "must end in .parquet"),
        ("no/cells.parquet", {}, "does not exist"),
        ("cells.parquet", {"resolution": 16}, "0 to 15"),
        ("cells.parquet", {"resolution": 11}, "coarser resolution"),
        ("cells.parquet", {"geometry": "hexagon"}, "geometry must be one of"),
        ("cells.parquet", {"area": "Egypt"}, "area must be"),
        ("cells.parquet", {"aggregate": "children", "child_resolution": 4}, "coarser than the cell"),
    ],
)
def test_wrong_requests_write_nothing(cheap_model, tmp_path, path, options, message):
    """Wrong requests fail before any work and leave the folder empty."""
    with pytest.raises(InputError, match=message):
        gc.write_h3(tmp_path / path, model=cheap_model, **options)
    assert list(tmp_path.iterdir()) == []


def test_the_two_h3_libraries_agree():
    """h3ronpy's centres, which we use, are those of the original library."""
    from geoconcept_gis.h3cells import centers_of

    rng = np.random.default_rng(0)
    some = np.array([h3.latlng_to_cell(*place, 5) for place in rng.uniform((-90, -180), (90, 180), (200, 2))])
    np.testing.assert_allclose(centers_of(some.astype(np.uint64)), centers(some), atol=1e-9)
    assert h3_str.str_to_int(TEXT[0]) == CAIRO
