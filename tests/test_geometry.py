"""Shapes to places: representative points, points spread inside, cuts at the antimeridian, CRS."""

import h3.api.numpy_int as h3
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.errors import InputError
from geoconcept_gis.geometry import (
    clip_to_world,
    cut_at_antimeridian,
    representative_points,
    spread_points,
    to_lonlat,
)
from tests.strategies import bad_shapes, good_shapes, inner


def array(*shapes):
    return np.array([*shapes, None], dtype=object)[:-1]


def distance(shape, point):
    with np.errstate(invalid="ignore"):  # some GEOS raise the flag at repeated vertices
        return shapely.distance(shapely.force_2d(shape), shapely.Point(point))


def on_sphere(shapes):
    """Area in steradians, exact for edges along parallels and meridians."""
    plane = shapely.transform(shapes, lambda c: np.stack([np.radians(c[:, 0]), np.sin(np.radians(c[:, 1]))], axis=1))
    return shapely.area(plane)


@given(st.lists(st.one_of(good_shapes, bad_shapes), max_size=6))
def test_representative_points_lie_on_their_shapes(shapes):
    """Each finite shape gets a point on itself, in its own row; None and empty ones get NaN."""
    points = representative_points(array(*shapes))
    assert points.shape == (len(shapes), 2)
    for shape, point in zip(shapes, points, strict=True):
        if shape is None or shape.is_empty:
            assert np.isnan(point).all()
        elif np.isfinite(shapely.get_coordinates(shape)).all():
            assert distance(shape, point) < 1e-9


def test_representative_point_of_each_kind():
    """Points as they are, lines half-way, and an area's point inside even where its centroid is not."""
    bow = shapely.Point(0, 0).buffer(10).difference(shapely.Point(3, 0).buffer(10))
    two = shapely.MultiLineString([[(0, 0), (1, 0)], [(5, 0), (8, 0)]])
    points = representative_points(array(shapely.Point(1, 2, 3), shapely.LineString([(0, 0), (4, 0)]), two, bow))
    assert points[:3].tolist() == [[1, 2], [2, 0], [6, 0]]
    assert bow.contains(shapely.Point(points[3]))
    assert not bow.contains(bow.centroid)


@pytest.mark.parametrize(
    ("value", "expected"), [((np.nan, 1.0), "nan"), ((np.inf, 1.0), "inf"), ((np.inf, np.nan), "nan")]
)
@pytest.mark.parametrize("make", [shapely.LineString, shapely.MultiPoint, shapely.Polygon])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # numpy's, while the shape is made
def test_one_bad_vertex_spoils_a_shape(make, value, expected):
    """A NaN vertex makes the whole shape missing, an infinite one infinite: no point is made up."""
    (point,) = representative_points(array(make([(0.0, 0.0), value, (1.0, 1.0), (0.0, 1.0)])))
    assert str(point[0]) == expected


@given(st.lists(good_shapes, min_size=1, max_size=5), st.integers(1, 40))
def test_spread_points_lie_on_their_shapes(shapes, samples):
    """Sample points lie on the shape they are said to belong to, no more than asked for, in order."""
    lonlat, owner = spread_points(array(*shapes), "EPSG:4326", samples)
    assert (np.diff(owner) >= 0).all()
    assert np.bincount(owner, minlength=len(shapes)).max() <= samples
    for point, row in zip(lonlat, owner, strict=True):
        assert distance(shapes[row], point) < 1e-9


@given(st.lists(good_shapes, min_size=2, max_size=5))
def test_points_do_not_depend_on_the_neighbours(shapes):
    """A shape gets the same points alone as in a table."""
    together, owner = spread_points(array(*shapes), "EPSG:4326", 8)
    for row, shape in enumerate(shapes):
        alone, _ = spread_points(array(shape), "EPSG:4326", 8)
        np.testing.assert_array_equal(together[owner == row], alone)


@given(inner, st.integers(1, 64))
def test_polygons_get_every_sample(center, samples):
    """A plain polygon, however small, gets exactly as many points as asked for."""
    lonlat, _ = spread_points(array(shapely.Point(center).buffer(1e-6)), "EPSG:4326", samples)
    assert len(lonlat) == samples


def test_samples_are_spread_by_true_area():
    """From equator to 60 degrees as many points fall north as south of the parallel that halves the area."""
    lonlat, _ = spread_points(array(shapely.box(0, 0, 10, 60)), "EPSG:4326", 1000)
    middle = np.degrees(np.arcsin(np.sin(np.radians(60)) / 2))
    assert abs((lonlat[:, 1] < middle).mean() - 0.5) < 0.01
    assert abs((lonlat[:, 0] < 5).mean() - 0.5) < 0.01


def test_parts_get_their_share():
    """An archipelago's samples go to its islands by area and add up."""
    islands = shapely.MultiPolygon(
        [shapely.box(-180, 0, -179, 1), shapely.box(178, 0, 180, 1), shapely.box(0, 0, 1, 1)]
    )
    lonlat, _ = spread_points(array(islands), "EPSG:4326", 100)
    assert len(lonlat) == 100
    assert [(lonlat[:, 0] < -178).sum(), (lonlat[:, 0] > 177).sum()] == [25, 50]


def test_lines_are_sampled_by_length_and_multipoints_at_steps():
    """Points stand in the middles of equal pieces; a MultiPoint gives its own points, evenly thinned."""
    line = shapely.LineString([(0, 0), (1, 0), (4, 0)])
    cloud = shapely.MultiPoint([(k, 5) for k in range(10)])
    lonlat, owner = spread_points(array(line, cloud, shapely.Point(7, 7)), "EPSG:4326", 4)
    assert lonlat[owner == 0, 0].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert len(np.unique(lonlat[owner == 1, 0])) == 4
    assert lonlat[owner == 2].tolist() == [[7, 7]]


def test_collections_are_sampled_in_their_highest_dimension():
    """In a collection of a point, a line and a square only the square counts."""
    square = shapely.box(10, 10, 11, 11)
    nested = shapely.GeometryCollection([shapely.Point(0, 0), shapely.GeometryCollection([square])])
    lonlat, _ = spread_points(array(nested), "EPSG:4326", 16)
    assert len(lonlat) == 16
    assert shapely.contains_xy(square, lonlat).all()


def test_a_line_without_area_gets_no_point():
    """A polygon without an inside gets no sample: the caller falls back to its representative point."""
    lonlat, owner = spread_points(array(shapely.Polygon([(0, 0), (1, 1), (2, 2)])), "EPSG:4326", 8)
    assert (len(lonlat), len(owner)) == (0, 0)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:6933", "EPSG:4269", "OGC:CRS84"])
def test_samples_agree_across_crs(crs):
    """A box given in another CRS gets the points it gets in degrees."""
    box = shapely.box(5, 40, 12, 48)
    forward = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    moved = shapely.transform(box, lambda c: np.stack(forward.transform(*c.T), axis=1))
    here, _ = spread_points(array(box), "EPSG:4326", 50)
    there, _ = spread_points(array(moved), crs, 50)
    np.testing.assert_allclose(there, here, atol=1e-6)


def test_a_square_over_the_south_pole_is_filled():
    """In a polar CRS a square round the pole is sampled over all longitudes, and only inside it."""
    square = shapely.box(-1e6, -1e6, 1e6, 1e6)
    lonlat, _ = spread_points(array(square), "EPSG:3031", 400)
    assert len(lonlat) == 400
    assert (np.histogram(lonlat[:, 0], np.linspace(-180, 180, 9))[0] > 30).all()
    back = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3031", always_xy=True).transform(*lonlat.T)
    assert (np.abs(np.stack(back)) < 1.01e6).all()


def test_a_square_over_the_antimeridian_is_filled_on_both_sides():
    """In a Pacific CRS a square over 180 degrees is sampled on both sides and nowhere else."""
    forward = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3832", always_xy=True)
    west, east = forward.transform(178, 0)[0], forward.transform(-178, 0)[0]
    lonlat, _ = spread_points(array(shapely.box(west, 0, east, 4e5)), "EPSG:3832", 100)
    assert abs((lonlat[:, 0] > 177.9).mean() - 0.5) < 0.05
    assert (np.abs(lonlat[:, 0]) > 177.9).all()


@given(inner, st.sampled_from(["EPSG:3857", "EPSG:8857", "EPSG:6933", "EPSG:4258"]))
def test_points_survive_reprojection(center, crs):
    """A place written in another CRS comes back to itself and is not lost."""
    forward = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    lonlat, lost = to_lonlat(np.array([forward.transform(*center)]), crs)
    assert not lost.any()
    np.testing.assert_allclose(lonlat[0], center, atol=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32631", "EPSG:8857"])
def test_points_off_the_map_are_lost(crs):
    """Points that a projection cannot hold are lost, not taken for a place; NaN and inf stay what they are."""
    xy = np.array([[1e9, 0.0], [-3e7, 0.0], [np.nan, 0.0], [np.inf, 0.0], [5e5, 6.6e6]])
    lonlat, lost = to_lonlat(xy, crs)
    assert lost.tolist() == [True, True, False, False, False]
    assert np.isnan(lonlat[2, 0])
    assert np.isinf(lonlat[3, 0])


def test_degrees_stay_bit_for_bit():
    """EPSG:4326 is not touched, not even longitudes beyond 180."""
    xy = np.array([[190.0, 1.0 / 3.0], [400.0, 95.0]])
    lonlat, lost = to_lonlat(xy, "EPSG:4326")
    np.testing.assert_array_equal(lonlat, xy)
    assert not lost.any()


@pytest.mark.parametrize("crs", ["EPSG:4978", 'LOCAL_CS["site",UNIT["metre",1]]'])
def test_crs_without_a_way_to_degrees_is_refused(crs):
    """Geocentric and local systems are refused with their name."""
    with pytest.raises(InputError, match="CRS '"):
        to_lonlat(np.zeros((1, 2)), crs)


@given(st.floats(-179.0, 179.0), st.floats(1.0, 178.0), st.floats(-80.0, 70.0))
def test_boxes_are_cut_or_left(west, width, south):
    """A box whose edges take the short way keeps its area, is valid, and stays within the world."""
    east = west + width
    folded = east - 360.0 if east > 180.0 else east
    box = shapely.Polygon([(west, south), (folded, south), (folded, south + 10.0), (west, south + 10.0)])
    cut = cut_at_antimeridian(box)
    assert cut.is_valid
    assert cut.bounds[0] >= -180.0
    assert cut.bounds[2] <= 180.0
    np.testing.assert_allclose(on_sphere(cut), on_sphere(shapely.box(west, south, east, south + 10.0)), rtol=1e-9)


@pytest.mark.parametrize("lat", [80.0, -80.0])
def test_a_ring_round_a_pole_holds_the_pole(lat):
    """A ring round a pole becomes the cap above it; a hole in it stays a hole."""
    ring = [(lon, lat) for lon in range(-175, 180, 10)]
    hole = [(lon, lat + np.sign(lat) * 5) for lon in range(-175, 180, 10)]
    cap, holed = cut_at_antimeridian(shapely.Polygon(ring)), cut_at_antimeridian(shapely.Polygon(ring, [hole]))
    cap_area = 2 * np.pi * (1 - np.sin(np.radians(80.0)))
    np.testing.assert_allclose(on_sphere(cap), cap_area, rtol=1e-9)
    np.testing.assert_allclose(on_sphere(holed), cap_area - 2 * np.pi * (1 - np.sin(np.radians(85.0))), rtol=1e-9)


def test_a_coast_that_overhangs_round_a_pole_holds_no_sea_wherever_its_ring_begins():
    """A spit off the coast of a polar continent: land on the spit, sea behind it."""
    coast = [(lon, -70.0) for lon in range(180, 20, -10)] + [(15, -70), (10, -65), (-20, -65), (-20, -67), (-5, -67)]
    ring = [*coast, (0, -70), *((lon, -70.0) for lon in range(-10, -180, -10))]
    for start in range(len(ring)):
        land = cut_at_antimeridian(shapely.Polygon(ring[start:] + ring[:start]))
        assert land.is_valid
        assert land.contains(shapely.points([(-15, -66), (-12, -71), (100, -80)])).all()
        assert not land.contains(shapely.points([(-12, -68.5), (-30, -66), (100, -60)])).any()


@pytest.mark.parametrize("resolution", [0, 1])
def test_cut_cells_cover_the_sphere_once(resolution):
    """All H3 cells of a resolution, cut, are valid and add up to the whole sphere."""
    cells = [int(c) for base in h3.get_res0_cells() for c in h3.cell_to_children(int(base), resolution)]
    cut = np.array([cut_at_antimeridian(shapely.Polygon([p[::-1] for p in h3.cell_to_boundary(c)])) for c in cells])
    assert shapely.is_valid(cut).all()
    np.testing.assert_allclose(on_sphere(cut).sum(), 4 * np.pi, rtol=1e-9)


def test_longitudes_beyond_the_world_come_back():
    """A box from 170 to 190 degrees becomes two, one on each side."""
    parts = clip_to_world(shapely.box(170, 0, 190, 10)).geoms
    assert sorted(part.bounds for part in parts) == [(-180, 0, -170, 10), (170, 0, 180, 10)]
