"""Concept columns and grids: every feature comes back, with the model's scores."""

import time

import numpy as np
import pytest
from osgeo import ogr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsVectorLayer,
    QgsWkbTypes,
)

CAIRO, LONDON = (31.2, 30.0), (-0.1, 51.5)


def table(layer):
    names = [field.name() for field in layer.fields()]
    return [{name: feature[name] for name in names} for feature in layer.getFeatures()]


def plain(value):
    return None if value is None or (hasattr(value, "isNull") and value.isNull()) else value


def test_values_are_the_models(run, make_points):
    """Attributes and order are kept; scores are the model's; missing places are empty and say so."""
    from geoconcept import service

    layer = make_points([CAIRO, None, LONDON, (190.0, 66.0), (0.0, 89.9)])
    rows = table(run("conceptcolumns", {"INPUT": layer, "CONCEPTS": "BWh; Cfb", "OUTPUT": "memory:"})["OUTPUT"])
    assert [row["name"] for row in rows] == [f"place {k}" for k in range(5)]
    expected = service.model().score([CAIRO, LONDON, (-170.0, 66.0), (0.0, 89.9)], ["BWh", "Cfb"])
    found = [[row["concept_hot_desert_climate"], row["concept_oceanic_climate"]] for row in rows]
    assert [plain(value) for value in found[1]] == [None, None]
    np.testing.assert_allclose(np.array([found[k] for k in (0, 2, 3, 4)], dtype=float), expected, atol=1e-6)
    assert [row["geoconcept_status"] for row in rows] == ["ok", "missing", "ok", "ok", "near_pole"]


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32636", "EPSG:3832"])
def test_any_crs(run, make_points, crs):
    """The same places in another CRS get the same scores."""
    import processing

    layer = make_points([CAIRO, (32.9, 24.1)])
    moved = processing.run("native:reprojectlayer", {"INPUT": layer, "TARGET_CRS": crs, "OUTPUT": "memory:"})["OUTPUT"]
    one, two = (
        [
            row["concept_hot_desert_climate"]
            for row in table(run("conceptcolumns", {"INPUT": one, "OUTPUT": "memory:"})["OUTPUT"])
        ]
        for one in (layer, moved)
    )
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_mean_within_an_area(run):
    """The mean over points spread inside an area differs from one point; an empty area is kept."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "areas", "memory")
    features = []
    for wkt in (
        "POLYGON((10 10, 30 10, 30 45, 10 45, 10 10))",  # its inner point lies in the Sahara, its edges do not
        "POLYGON EMPTY",
        "POLYGON((179 66, 185 66, 185 68, 179 68, 179 66))",
    ):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    single, mean = (
        table(run("conceptcolumns", {"INPUT": layer, "WITHIN": within, "SAMPLES": 64, "OUTPUT": "memory:"})["OUTPUT"])
        for within in (0, 1)
    )
    assert [row["geoconcept_status"] for row in mean] == ["ok", "missing", "ok"] or mean[2][
        "geoconcept_status"
    ] == "near_seam"
    assert 0.1 < mean[0]["concept_hot_desert_climate"] < 0.9
    assert abs(mean[0]["concept_hot_desert_climate"] - single[0]["concept_hot_desert_climate"]) > 0.05


def test_bad_input_is_told(run, make_points):
    """No CRS; a field that is there already."""
    layer = make_points([CAIRO], fields="concept_hot_desert_climate:double", rows=[[1.0]])
    with pytest.raises(QgsProcessingException, match="has fields of this name already: concept_hot_desert_climate"):
        run("conceptcolumns", {"INPUT": layer, "OUTPUT": "memory:"})
    layer = QgsVectorLayer("Point", "nowhere", "memory")
    layer.setCrs(QgsCoordinateReferenceSystem())
    with pytest.raises(QgsProcessingException, match="has no CRS"):
        run("conceptcolumns", {"INPUT": layer, "OUTPUT": "memory:"})


def test_no_features(run, make_points):
    """An empty layer gives an empty layer with the new fields."""
    out = run("conceptcolumns", {"INPUT": make_points([]), "OUTPUT": "memory:"})["OUTPUT"]
    assert out.featureCount() == 0
    assert out.fields().lookupField("concept_hot_desert_climate") >= 0


def test_many_features_and_cancel(run, make_points):
    """A hundred thousand features: Cancel acts within two seconds."""
    from conftest import Feedback

    rng = np.random.default_rng(0)
    layer = make_points(np.stack([rng.uniform(-180, 180, 100_000), rng.uniform(-60, 70, 100_000)], axis=1))
    feedback = Feedback(cancel_at=5)
    cancelled = []
    feedback.canceled.connect(lambda: cancelled.append(time.monotonic()))
    run("conceptcolumns", {"INPUT": layer, "OUTPUT": "memory:"}, feedback)
    assert time.monotonic() - cancelled[0] < 2.0


@pytest.mark.parametrize("shape", [0, 1])
def test_grid(run, shape):
    """Cells cover the area without gaps or overlaps, and carry the score of their middle."""
    from geoconcept import service

    parameters = {
        "CONCEPTS": "BWh",
        "EXTENT": "20,30,20,30 [EPSG:4326]",
        "CELL_SIZE": 1,
        "SHAPE": shape,
        "OUTPUT": "memory:",
    }
    layer = run("conceptgrid", parameters)["OUTPUT"]
    assert layer.wkbType() == QgsWkbTypes.Type.Polygon
    features = list(layer.getFeatures())
    total = sum(f.geometry().area() for f in features)
    union = QgsGeometry.unaryUnion([f.geometry() for f in features])
    assert abs(union.area() - total) < 1e-6 * total
    assert union.buffer(1e-6, 1).contains(
        QgsGeometry.fromWkt("POLYGON((20.6 20.6, 29.4 20.6, 29.4 29.4, 20.6 29.4, 20.6 20.6))")
    )
    middles = np.array(
        [(f.geometry().centroid().asPoint().x(), f.geometry().centroid().asPoint().y()) for f in features]
    )
    found = [f["concept_hot_desert_climate"] for f in features]
    np.testing.assert_allclose(found, service.model().score(middles, "BWh", kind="percentile")[:, 0], atol=1e-3)


def test_grid_of_the_sea_is_refused(run):
    """With an empty result nobody would know why."""
    with pytest.raises(QgsProcessingException, match="no cell of this grid lies on land"):
        run("conceptgrid", {"EXTENT": "-40,-30,25,35 [EPSG:4326]", "OUTPUT": "memory:"})


def test_geopackage(run, make_points, tmp_path):
    """Into a file, with names whole."""
    path = tmp_path / "out.gpkg"
    run("conceptcolumns", {"INPUT": make_points([CAIRO, None]), "CONCEPTS": "BWh", "OUTPUT": str(path)})
    dataset = ogr.Open(str(path))  # keeps its layers alive
    layer = dataset.GetLayer(0)
    assert layer.GetFeatureCount() == 2
    names = [layer.GetLayerDefn().GetFieldDefn(k).GetName() for k in range(layer.GetLayerDefn().GetFieldCount())]
    assert names == ["name", "concept_hot_desert_climate", "geoconcept_status"]
