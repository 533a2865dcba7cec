"""The built plugin in a QGIS without a screen. Run by QGIS's own Python: `make qgis`."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "qgis"
if not (BUILT / "geoconcept" / "metadata.txt").is_file():
    raise SystemExit("build the plugin first: python qgis_plugin/build_plugin.py")
sys.path.insert(0, str(BUILT))

import pytest  # noqa: E402
from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)


@pytest.fixture(scope="session")
def provider(qgis_app, qgis_processing):
    """The plugin's algorithms, registered."""
    from geoconcept.provider import GeoConceptProvider

    made = GeoConceptProvider()
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


class Feedback(QgsProcessingFeedback):
    """Keeps what an algorithm says, and cancels at a given progress."""

    def __init__(self, cancel_at=None):
        super().__init__(False)
        self.said, self.warned, self.cancel_at, self.steps = [], [], cancel_at, []

    def pushInfo(self, info):  # noqa: N802
        self.said.append(info)

    def pushWarning(self, warning):  # noqa: N802
        self.warned.append(warning)

    def setProgress(self, value):  # noqa: N802
        self.steps.append(value)
        if self.cancel_at is not None and value >= self.cancel_at:
            self.cancel()
        super().setProgress(value)


@pytest.fixture
def feedback():
    """A fresh one."""
    return Feedback()


@pytest.fixture
def run(provider):
    """Run an algorithm of ours: run("conceptraster", {...}, feedback) -> results."""
    import processing

    def call(name, parameters, feedback=None, context=None):
        context = context or QgsProcessingContext()
        context.setProject(QgsProject.instance())
        return processing.run(f"geoconcept:{name}", parameters, feedback=feedback or Feedback(), context=context)

    return call


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """An empty profile: own concepts and caches go there."""
    from geoconcept import service

    monkeypatch.setattr(service, "own_folder", lambda: tmp_path / "profile" / "concepts")
    monkeypatch.setattr(service, "cache_folder", lambda: tmp_path / "profile" / "cache")
    return tmp_path / "profile"


@pytest.fixture
def geoclip(qgis_app, profile):
    """GeoCLIP, chosen in the place of the plugin's own model."""
    from geoconcept import service

    service.choose_model(ROOT / "geoconcept_gis" / "models" / "geoclip")
    yield service.model()
    service.choose_model(None)


def points_layer(lonlat, crs="EPSG:4326", fields="name:string", rows=None):
    """Make a layer of points; None makes a feature without a geometry."""
    layer = QgsVectorLayer(f"Point?crs={crs}&field={fields}", "points", "memory")
    features = []
    for k, pair in enumerate(lonlat):
        feature = QgsFeature(layer.fields())
        if pair is not None:
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(*map(float, pair))))
        feature.setAttributes(rows[k] if rows else [f"place {k}"])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    return layer


@pytest.fixture
def make_points():
    """`points_layer`, for tests that cannot import from here."""
    return points_layer
