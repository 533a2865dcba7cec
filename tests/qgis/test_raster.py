"""Concept rasters: right values, in the right cells, that say what they are."""

import numpy as np
import pytest
from osgeo import gdal

EGYPT = "24,36,22,32 [EPSG:4326]"


def read(path):
    dataset = gdal.Open(str(path))
    return dataset, dataset.ReadAsArray()


def test_values_are_the_models(run, tmp_path):
    """Each cell holds the score of its middle, north up."""
    from geoconcept import service

    out = run(
        "conceptraster",
        {"CONCEPTS": "BWh; Cfb", "EXTENT": EGYPT, "CELL_SIZE": 2, "KIND": 1, "OUTPUT": str(tmp_path / "a.tif")},
    )
    dataset, values = read(out["OUTPUT"])
    assert values.shape == (2, 5, 6)
    expected = service.model().score([[31.0, 29.0]], ["BWh", "Cfb"])[0]
    np.testing.assert_allclose(values[:, 1, 3], expected, atol=1e-6)
    assert dataset.GetGeoTransform() == (24.0, 2.0, 0.0, 32.0, 0.0, -2.0)
    assert dataset.GetRasterBand(1).GetDescription() == "hot desert climate (calibrated)"
    assert dataset.GetMetadataItem("GEOCONCEPT_MODEL_SHA256") == service.model().sha256


def test_the_sea_has_no_value(run, tmp_path):
    """Unless it is asked for."""
    parameters = {
        "CONCEPTS": "BWh",
        "EXTENT": "18,26,32,36 [EPSG:4326]",
        "CELL_SIZE": 1,
        "OUTPUT": str(tmp_path / "a.tif"),
    }
    _, land = read(run("conceptraster", parameters)["OUTPUT"])
    _, all_cells = read(run("conceptraster", {**parameters, "LAND_ONLY": False})["OUTPUT"])
    assert 0 < np.isnan(land).sum() < land.size
    assert np.isfinite(all_cells).all()
    np.testing.assert_allclose(land[np.isfinite(land)], all_cells[np.isfinite(land)], atol=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:3857"])
def test_other_crs(run, tmp_path, crs):
    """Cells are square in the CRS asked for; their scores are those of their middles."""
    from geoconcept import service
    from geoconcept.io.places import to_lonlat
    from qgis.core import QgsCoordinateReferenceSystem

    path = tmp_path / "a.tif"
    run(
        "conceptraster",
        {"CONCEPTS": "Cfb", "EXTENT": "0,10,45,52 [EPSG:4326]", "CRS": crs, "CELL_SIZE": 100_000, "OUTPUT": str(path)},
    )
    dataset, values = read(path)
    left, size, _, top, _, _ = dataset.GetGeoTransform()
    middle = to_lonlat([[left + 3.5 * size, top - 4.5 * size]], QgsCoordinateReferenceSystem(crs))
    np.testing.assert_allclose(values[4, 3], service.model().score(middle, "Cfb", kind="percentile")[0, 0], atol=1e-3)


@pytest.mark.parametrize("crs", ["EPSG:8857", "ESRI:54030", "ESRI:54009"])
def test_a_world_map_ends_at_its_outline(run, tmp_path, crs):
    """Outside of it the CRS names places a second time; those cells have no value."""
    path = tmp_path / "a.tif"
    parameters = {"CONCEPTS": "BWh", "EXTENT": "-180,180,-90,90 [EPSG:4326]", "CRS": crs, "CELL_SIZE": 400_000}
    run("conceptraster", {**parameters, "LAND_ONLY": False, "OUTPUT": str(path)})
    _, values = read(path)
    rows = len(values)
    assert np.isnan(values[1, [1, 2, -3, -2]]).all()
    assert np.isfinite(values[rows // 2, 2:-2]).all()
    first = [int(np.flatnonzero(np.isfinite(row))[0]) for row in values[1 : rows // 2]]
    assert first == sorted(first, reverse=True)  # the outline widens towards the equator


def test_the_dominant_concept(run, tmp_path):
    """The number of the concept with the highest score, drawn in a colour each."""
    from geoconcept import service
    from geoconcept.io import style
    from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer

    names = ["BWh", "Cfb", "Csa"]
    parameters = {"CONCEPTS": ";".join(names), "EXTENT": "-10,40,25,60 [EPSG:4326]", "CELL_SIZE": 5, "SHOW": 1}
    path = tmp_path / "a.tif"
    run("conceptraster", {**parameters, "LAND_ONLY": False, "OUTPUT": str(path)})
    _, values = read(path)
    x, y = np.meshgrid(np.arange(-7.5, 40, 5), np.arange(57.5, 25, -5))
    scores = service.model().score(np.stack([x.ravel(), y.ravel()], axis=1), names, kind="percentile")
    assert (values.ravel() == scores.argmax(axis=1) + 1).mean() > 0.98
    layer = QgsRasterLayer(str(path), "dominant")
    style.paletted(layer, names)
    assert isinstance(layer.renderer(), QgsPalettedRasterRenderer)
    assert [one.label for one in layer.renderer().classes()] == names


def test_cancel_writes_nothing(run, tmp_path):
    """Half a raster is none."""
    from conftest import Feedback

    path = tmp_path / "a.tif"
    feedback = Feedback(cancel_at=20)
    run("conceptraster", {"CONCEPTS": "BWh", "EXTENT": EGYPT, "CELL_SIZE": 0.05, "OUTPUT": str(path)}, feedback)
    assert feedback.isCanceled()
    assert list(tmp_path.iterdir()) == []
    assert any("Stopped" in text for text in feedback.said)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CONCEPTS": "hot desrt climate"}, "did you mean 'hot desert climate'"),
        ({"CONCEPTS": " ; "}, "no concept is named"),
        ({"SHOW": 1}, "name 2 to 24"),
        ({"CELL_SIZE": 1e-5}, "choose larger cells"),
        ({"OUTPUT": "a.png"}, "must end in .tif"),
    ],
)
def test_bad_input_is_told(run, tmp_path, change, message):
    """One sentence that says what to do."""
    from qgis.core import QgsProcessingException

    parameters = {"CONCEPTS": "BWh", "EXTENT": EGYPT, "CELL_SIZE": 1, "OUTPUT": str(tmp_path / "a.tif"), **change}
    with pytest.raises(QgsProcessingException, match=message):
        run("conceptraster", parameters)
