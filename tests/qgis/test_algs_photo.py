"""Photos and vectors to heatmap, points, areas and reasons; on a small Earth of four towns, made in a second."""

import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Feedback
from osgeo import gdal
from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsProcessingException, QgsVectorLayer

TOWNS = {"cairo": (31.2, 30.0), "paris": (2.3, 48.9), "chicago": (-87.7, 41.9), "fiji": (179.95, -16.6)}


@pytest.fixture
def towns(profile, monkeypatch):
    """Photo places and land around four towns only; Fiji's lie on both sides of the antimeridian."""
    from geoconcept.core import gallery
    from geoconcept.core.locate import hexgrid

    rng = np.random.default_rng(1)
    lonlat = np.concatenate([np.array(town) + rng.normal(0.0, 0.5, (60, 2)) for town in TOWNS.values()])
    lonlat[:, 0] = (lonlat[:, 0] + 180.0) % 360.0 - 180.0
    grid = np.concatenate([np.array(town) + rng.uniform(-2.5, 2.5, (400, 2)) for town in TOWNS.values()])
    grid[:, 0] = (grid[:, 0] + 180.0) % 360.0 - 180.0
    cells = np.unique(hexgrid.cells_of(grid))
    children = hexgrid.children_of(cells).reshape(-1, 2)
    monkeypatch.setattr(gallery, "_photos", lambda: (lonlat, lonlat, np.arange(len(lonlat))))
    monkeypatch.setattr(
        gallery, "_plain_land", lambda: (hexgrid.centers_of(cells), children, np.repeat(np.arange(len(cells)), 7))
    )
    return profile


@pytest.fixture
def vectors(tmp_path):
    """A file with the towns' own vectors."""
    from geoconcept import service

    path = tmp_path / "towns.npy"
    np.save(path, service.model().encode(list(TOWNS.values())))
    return path


def outputs(folder, **more):
    folder.mkdir(exist_ok=True)
    names = {"HEATMAP": "h.tif", "POINTS": "p.gpkg", "AREAS": "a.gpkg", "REPORT": "r.html"}
    return {**{key: str(folder / name) for key, name in names.items()}, "CELL_SIZE": 0.25, **more}


def rows(path):
    return list(QgsVectorLayer(str(path), "layer", "ogr").getFeatures())


def test_vectors_find_their_towns(run, towns, vectors, tmp_path):
    """Four photos: a band each, points best first, nested areas around the town, a report with reasons."""
    feedback = Feedback()
    out = run("geolocatephoto", {"INPUT": [str(vectors)], **outputs(tmp_path / "out")}, feedback)
    dataset = gdal.Open(out["HEATMAP"])
    assert dataset.RasterCount == 4
    assert dataset.GetRasterBand(1).GetDescription() == "towns.npy[0] (density)"
    points, areas = rows(out["POINTS"]), rows(out["AREAS"])
    for k, (lon, lat) in enumerate(TOWNS.values()):
        own = [f for f in points if f["photo"] == f"towns.npy[{k}]"]
        assert [f["rank"] for f in own] == list(range(1, len(own) + 1))
        shares = [f["probability"] for f in own]
        assert shares == sorted(shares, reverse=True)
        assert abs((own[0]["lon"] - lon + 180.0) % 360.0 - 180.0) < 0.5 and abs(own[0]["lat"] - lat) < 0.5
        most, half = (f for f in areas if f["photo"] == f"towns.npy[{k}]")
        assert (most["level"], half["level"]) == (90, 50)
        assert 0.9 <= most["probability"] <= 1.0 and most["area_km2"] >= half["area_km2"]
        assert most.geometry().isGeosValid()
        assert most.geometry().buffer(1e-6, 1).contains(half.geometry())
        # No cell is denser than the densest of the heatmap, and the half is at least as dense as the rest of it.
        density = dataset.GetRasterBand(k + 1).ReadAsArray()
        assert half["probability"] / half["area_km2"] <= np.nanmax(density) * (1.0 + 1e-6)
        assert np.nanmin(density) > 0.0
    html = Path(out["REPORT"]).read_text(encoding="utf-8")
    assert "towns.npy[2]" in html and "by chance" in html and "<script" not in html
    assert any("once" in text for text in feedback.said)
    assert feedback.steps == sorted(feedback.steps)


def test_the_heatmap_and_the_outline_agree(run, towns, vectors, tmp_path):
    """The cell with the highest density lies inside the 50 % area, on either side of the antimeridian."""
    out = run("geolocatephoto", {"INPUT": [str(vectors)], **outputs(tmp_path / "out")})
    bands = gdal.Open(out["HEATMAP"]).ReadAsArray()
    for k, density in enumerate(bands):
        row, column = np.unravel_index(np.nanargmax(density), density.shape)
        spot = QgsGeometry.fromPointXY(QgsPointXY(-180.0 + 0.25 * (column + 0.5), 90.0 - 0.25 * (row + 0.5)))
        [half] = [f for f in rows(out["AREAS"]) if f["photo"] == f"towns.npy[{k}]" and f["level"] == 50]
        assert half.geometry().intersects(spot)
        assert half.geometry().boundingBox().width() <= 360.0


def test_areas_are_cut_at_the_antimeridian(qgis_app):
    from geoconcept.core.locate import hexgrid
    from geoconcept.io.cells import outline

    cells = hexgrid.cells_of(np.array([[179.9, -16.6], [-179.9, -16.4], [10.0, 50.0], [0.0, -89.95]]))
    box = outline(np.unique(cells)).boundingBox()
    assert (box.xMinimum(), box.xMaximum(), box.yMinimum()) == (-180.0, 180.0, -90.0)
    shape = outline(np.unique(cells[:2]))
    assert shape.isGeosValid() and shape.area() < 1.0
    ring = hexgrid.cells_of(np.stack([np.linspace(5, 8, 40), np.full(40, 48.0)], axis=1))
    assert outline(np.unique(ring)).constGet().numGeometries() == 1  # neighbours without slits between them
    assert not outline(np.unique(ring)).asMultiPolygon()[0][1:]


def test_a_region_rules_the_rest_out(run, towns, vectors, make_points, tmp_path):
    """Chicago's vector within Egypt: the best of Egypt. In another CRS, and smaller than any cell."""
    egypt = QgsVectorLayer("Polygon?crs=EPSG:4326", "egypt", "memory")
    tiny = QgsVectorLayer("Polygon?crs=EPSG:3857", "tiny", "memory")
    for layer, wkt in (
        (egypt, "POLYGON((24 22, 37 22, 37 32, 24 32, 24 22))"),
        (tiny, "POLYGON((3473000 3503000, 3473100 3503000, 3473100 3503100, 3473000 3503000))"),
    ):
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        layer.dataProvider().addFeatures([feature])
        layer.updateExtents()
    for layer in (egypt, tiny):
        out = run("geolocatephoto", {"INPUT": [str(vectors)], "REGION": layer, **outputs(tmp_path / layer.name())})
        assert all(24 < f["lon"] < 37 and 22 < f["lat"] < 32.5 for f in rows(out["POINTS"]))


def test_clip_vectors_take_the_image_head(run, towns, tmp_path):
    """768 numbers of a photo, at their native length or at length one: the same answer."""
    vector = np.random.default_rng(0).normal(size=768).astype(np.float32)
    found = []
    for name, scale in (("native", 17.98), ("unit", 1.0)):
        np.save(tmp_path / f"{name}.npy", vector / np.linalg.norm(vector) * scale)
        parameters = {"INPUT": [str(tmp_path / f"{name}.npy")], **outputs(tmp_path / name)}
        found.append(rows(run("geolocatephoto", parameters)["POINTS"]))
    np.testing.assert_allclose([f["probability"] for f in found[0]], [f["probability"] for f in found[1]], rtol=1e-4)
    assert found[0][0]["tower"] == "given, CLIP ViT-L/14"


@pytest.mark.parametrize("moment", [21, 75])
def test_cancel_leaves_nothing(run, towns, vectors, tmp_path, moment):
    """While the map of places is made, and while the heatmap is."""
    feedback = Feedback(cancel_at=moment)
    run("geolocatephoto", {"INPUT": [str(vectors)], **outputs(tmp_path / "out")}, feedback)
    assert any("Stopped" in text for text in feedback.said)
    assert list((tmp_path / "out").iterdir()) == []
    assert moment > 60 or not list((towns / "cache").glob("*.safetensors"))


@pytest.fixture
def no_engine(profile, monkeypatch):
    """A machine without an engine."""
    from geoconcept import engine
    from geoconcept.engine import finder
    from qgis.core import QgsSettings

    engine.stop()
    monkeypatch.setattr(finder, "home", lambda: profile / ".geoconcept")
    QgsSettings().remove(finder.SETTING)


def test_without_an_engine_it_says_what_is_missing(run, towns, no_engine, vectors, tmp_path):
    """Photos alone: an error that helps. Beside vectors: those are located, the photo has a row that says so."""
    (tmp_path / "fjord.jpg").write_bytes(b"no photo")
    with pytest.raises(QgsProcessingException, match=r"(?s)engine that is not there yet.*options.*npy"):
        run("geolocatephoto", {"INPUT": [str(tmp_path / "fjord.jpg")], **outputs(tmp_path / "out")})
    feedback = Feedback()
    both = {"INPUT": [str(tmp_path / "fjord.jpg"), str(vectors)], **outputs(tmp_path / "out")}
    points = rows(run("geolocatephoto", both, feedback)["POINTS"])
    [bad] = [f for f in points if f["photo"] == "fjord.jpg"]
    assert "engine" in bad["status"] and bad.geometry().isEmpty()
    assert any("fjord.jpg" in text for text in feedback.warned)
    assert {f["photo"] for f in points} == {"fjord.jpg", *(f"towns.npy[{k}]" for k in range(4))}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros(768, np.float32), "zero or not finite"),
        (np.full((2, 512), np.nan), "zero or not finite"),
        (np.ones(100), "768 or 512 numbers"),
        (np.array(["a"]), "must hold numbers"),
        (np.ones((2, 2, 2)), "must hold numbers"),
    ],
)
def test_bad_vectors_are_told(run, towns, tmp_path, content, message):
    np.save(tmp_path / "v.npy", content)
    with pytest.raises(QgsProcessingException, match=message):
        run("geolocatephoto", {"INPUT": [str(tmp_path / "v.npy")], **outputs(tmp_path / "out")})


def test_nothing_dangerous_is_read(run, towns, tmp_path):
    """A pickle in .npy's clothes is refused, not run; so is a file that is none."""
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "text.npy").write_text("hello")
    for name in ("object.npy", "text.npy"):
        with pytest.raises(QgsProcessingException, match="no array of numpy"):
            run("geolocatephoto", {"INPUT": [str(tmp_path / name)], **outputs(tmp_path / "out")})
    for name, message in (("gone.npy", "there is no file"), ("", "choose at least one|holds no photos|INPUT")):
        with pytest.raises(QgsProcessingException, match=message):
            run("geolocatephoto", {"INPUT": [str(tmp_path / name)] if name else [], **outputs(tmp_path / "out")})


# ---------------------------------------------------------------- with the real engine


@pytest.fixture
def with_engine(profile, tmp_path_factory):
    """The real worker, in an interpreter of its own; see test_engine."""
    from geoconcept import engine
    from geoconcept.engine.finder import SETTING
    from qgis.core import QgsSettings
    from test_engine import DEVELOPERS, engine_environment

    if not DEVELOPERS:
        pytest.skip("GEOCONCEPT_ENGINE_PYTHON names no interpreter")
    QgsSettings().setValue(SETTING, str(engine_environment(tmp_path_factory.mktemp("engine"))))
    yield
    engine.stop()
    QgsSettings().remove(SETTING)


def test_photos_through_the_engine(run, geoclip, towns, with_engine, tmp_path):
    """A folder of real photos and one file that is none: read by the weak tower, and said so; EXIF told, not used."""
    from test_engine import photos

    folder = tmp_path / "photos"
    folder.mkdir()
    for path in photos():
        (folder / path.name).symlink_to(path)
    (folder / "zz.jpg").write_bytes(b"no photo")
    feedback = Feedback()
    out = run("geolocatephoto", {"INPUT": [str(folder)], "TOWER": 2, **outputs(tmp_path / "out")}, feedback)
    points = rows(out["POINTS"])
    assert {f["photo"] for f in points} == {path.name for path in photos()} | {"zz.jpg"}
    assert all("weak" in f["tower"] for f in points if f["status"] == "ok")
    nikon = next(f for f in points if f["photo"] == "DSCN0010.jpg")
    np.testing.assert_allclose((nikon["exif_lon"], nikon["exif_lat"]), (11.8851, 43.4674), atol=1e-3)
    assert abs(nikon["lon"] - 11.8851) > 0.1  # on this small Earth there is no such place
    html = Path(out["REPORT"]).read_text(encoding="utf-8")
    assert "little better than chance" in html and "EXIF position (not used)" in html


def test_the_weak_tower_knows_geoclips_space_alone(run, towns, tmp_path):
    """With the plugin's own model its vectors would mean nothing: refused before any engine is started."""
    from geoconcept import engine

    engine.stop()
    (tmp_path / "fjord.jpg").write_bytes(b"no photo")
    with pytest.raises(
        QgsProcessingException, match=r"geoconcept-small reads photos by the tower 'clip', not by 'weak'"
    ):
        run("geolocatephoto", {"INPUT": [str(tmp_path / "fjord.jpg")], "TOWER": 2, **outputs(tmp_path / "out")})
    assert engine._kept.get("engine") is None


def test_status_with_an_engine(run, with_engine, tmp_path):
    out = run("enginestatus", {"REPORT": str(tmp_path / "s.html")})
    assert "tower weak: ready" in out["TEXT"]
    assert "tower clip: " in out["TEXT"]


def test_status_without_one(run, no_engine, profile, tmp_path):
    """Versions, speed, where things are; and how to get an engine."""
    from geoconcept import service

    out = run("enginestatus", {"REPORT": str(tmp_path / "s.html")})
    for text in (service.model().sha256, "512 x 512 product", "not there yet", str(profile / "cache"), "log: "):
        assert text in out["TEXT"]
    assert service.model().sha256 in (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "torch" not in sys.modules


def test_a_region_without_polygons_is_told(run, towns, vectors, tmp_path):
    empty = QgsVectorLayer("Polygon?crs=EPSG:4326", "empty", "memory")
    with pytest.raises(QgsProcessingException, match="'empty' has no polygons"):
        run("geolocatephoto", {"INPUT": [str(vectors)], "REGION": empty, **outputs(tmp_path / "out")})
