"""The bundled land: polygons, the mask of points, coastlines, and the script that built the file."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.errors import CoordinateError
from geoconcept_gis.land import _BLOCK, coastlines, land_polygons, on_land
from tools import build_land

LAND = {
    "Cairo": (31.2, 30.0),
    "Fiji, Vanua Levu": (179.3, -16.6),
    "Fiji, Taveuni east of 180": (-179.98, -16.85),
    "Chukotka at 180": (180.0, 67.0),
    "Chukotka past 180": (-175.0, 67.0),
    "South Pole": (0.0, -90.0),
    "Antarctica at 180": (-180.0, -85.0),
    "Lake Superior, as lakes are land": (-87.0, 47.5),
}
SEA = {
    "Gulf of Guinea": (0.0, 0.0),
    "North Pole": (0.0, 90.0),
    "Caspian Sea, cut out": (51.0, 42.0),
    "Weddell Sea": (-45.0, -72.0),
    "Pacific at 180": (180.0, 0.0),
}


def test_polygons_are_valid_and_on_earth():
    """Every polygon is valid, has an area and stays within the bounds of longitude and latitude."""
    land = land_polygons()
    assert land.crs.to_epsg() == 4326
    assert set(land.geom_type) == {"Polygon"}
    assert land.is_valid.all()
    assert (shapely.area(land.geometry.values) > 0).all()
    assert land.total_bounds[[0, 1, 2]].tolist() == [-180.0, -90.0, 180.0]


def test_polygons_are_a_copy():
    """Spoiling the returned frame does not spoil the next one."""
    spoiled = land_polygons()
    spoiled["geometry"] = shapely.Point(0, 0)
    assert set(land_polygons().geom_type) == {"Polygon"}


def test_land_has_the_right_size():
    """Land covers about 29 % of the sphere."""
    lon = np.random.default_rng(0).uniform(-180, 180, 50_000)
    lat = np.degrees(np.arcsin(np.random.default_rng(1).uniform(-1, 1, 50_000)))
    assert on_land(np.column_stack([lon, lat])).mean() == pytest.approx(0.288, abs=0.01)


@pytest.mark.parametrize(("place", "expected"), [*((p, True) for p in LAND), *((p, False) for p in SEA)])
def test_known_places(place, expected):
    """Places whose answer is known, at the seams and poles above all."""
    assert on_land({**LAND, **SEA}[place]).tolist() == [expected]


def test_mask_agrees_with_the_polygons():
    """The subdivided search tree answers as the whole polygons do, vertices included."""
    rng = np.random.default_rng(2)
    land = land_polygons()
    vertices = shapely.get_coordinates(land.geometry.values)[::2000]
    places = np.vstack([rng.uniform((-180, -90), (180, 90), (2000, 2)), vertices])
    expected = shapely.intersects(shapely.points(places), shapely.union_all(land.geometry.values))
    assert on_land(places).tolist() == expected.tolist()
    assert on_land(vertices).all()


def test_mask_works_block_by_block():
    """More places than one block holds come back in order."""
    places = np.tile([LAND["Cairo"], SEA["Gulf of Guinea"]], (_BLOCK // 2 + 5, 1))
    assert on_land(places).tolist() == [True, False] * (_BLOCK // 2 + 5)


def test_mask_of_nothing():
    """No places, no answers."""
    assert on_land(np.empty((0, 2))).shape == (0,)


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_mask_wraps(lon, lat):
    """A turn around the Earth changes nothing, wherever the sum is exact."""
    turned = lon - 360.0 if lon > 0 else lon + 360.0
    if turned + (360.0 if lon > 0 else -360.0) == lon:
        assert on_land([[lon, lat], [turned, lat]]).tolist() == [on_land([lon, lat])[0]] * 2


def test_bad_places_are_named():
    """A place that is none is refused, with its row."""
    with pytest.raises(CoordinateError, match="row 1"):
        on_land([[0.0, 0.0], [np.nan, 0.0]])


def test_coastlines_are_shores_only():
    """Shores lie on the polygons' edges, without the cuts at 180 degrees and at the pole."""
    shores = coastlines()
    start, end = shores[:-1], shores[1:]
    inner = np.isfinite(start[:, 0]) & np.isfinite(end[:, 0])
    assert not (inner & (np.abs(start[:, 0]) == 180) & (start[:, 0] == end[:, 0])).any()
    assert not (inner & ((start[:, 1] == -90) | (end[:, 1] == -90))).any()
    assert np.isnan(shores[-1]).all()
    edges = shapely.get_num_coordinates(land_polygons().geometry.values).sum() - 1420
    assert edges - 60 < inner.sum() < edges


def test_coastlines_are_protected():
    """The shared array cannot be written to."""
    with pytest.raises(ValueError, match="read-only"):
        coastlines()[0] = 0.0


def _topology(*rings):
    """A TopoJSON with one polygon of these rings, coordinates in tenths of a degree."""
    arcs = [np.diff(np.array(ring) * 10, axis=0, prepend=0).astype(int).tolist() for ring in rings]
    geometry = {"type": "MultiPolygon", "arcs": [[[index] for index in range(len(arcs))]]}
    return {
        "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
        "arcs": arcs,
        "objects": {"land": {"type": "GeometryCollection", "geometries": [geometry]}},
    }


def test_builder_cuts_at_the_antimeridian():
    """A ring that jumps from 170 to -170 becomes two polygons that meet at 180."""
    land = build_land.build(_topology([(170, 0), (-170, 0), (-170, 10), (170, 10), (170, 0)]))
    assert land.bounds.to_numpy().tolist() == [[-180, 0, -170, 10], [170, 0, 180, 10]]


def test_builder_closes_over_the_pole():
    """A ring around the Earth becomes a cap down to the South Pole."""
    land = build_land.build(_topology([(-180, -70), (-60, -70), (60, -70), (180, -70)]))
    assert land.union_all().equals(shapely.box(-180, -90, 180, -70))


def test_builder_keeps_holes_of_polygons_across_the_antimeridian():
    """A hole on the far side of the jump is still cut out."""
    shell = [(-170, 0), (-170, 20), (100, 20), (100, 0), (-170, 0)]
    hole = [(120, 5), (130, 5), (130, 15), (120, 15), (120, 5)]
    land = build_land.build(_topology(shell, hole))
    assert shapely.area(land.geometry.values).sum() == pytest.approx(90 * 20 - 100)


def test_builder_follows_arcs_backwards():
    """A negative index takes an arc's complement from its end; shared points are not repeated."""
    arcs = [np.array([[0, 0], [1, 0]]), np.array([[0, 0], [1, 1], [1, 0]])]
    assert build_land.join_arcs([0, -2], arcs).tolist() == [[0, 0], [1, 0], [1, 1], [0, 0]]


def test_builder_refuses_another_tarball(tmp_path, monkeypatch):
    """A file with another sha256 is refused, and nothing is written."""
    tarball = tmp_path / "world-atlas-2.0.2.tgz"
    tarball.write_bytes(b"not it")
    out = tmp_path / "land.parquet"
    monkeypatch.setattr("sys.argv", ["build_land.py", "--tarball", str(tarball), "--out", str(out)])
    with pytest.raises(SystemExit, match="sha256"):
        build_land.main()
    assert not out.exists()
