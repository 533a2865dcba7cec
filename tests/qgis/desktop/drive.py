"""Drives the plugin in a real desktop, as a user does: run by `qgis --code`, see test_desktop.py.

Installs the ZIP into an empty profile, then uses the dock's own widgets, one step after the other, and saves a picture
of the screen after each. Ends the process with 0, or with 1 and a trace in ``$SHOT_DIR/error.txt``.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path

import numpy as np
import pyplugin_installer
import qgis.utils
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.utils import iface

SHOTS = Path(os.environ["SHOT_DIR"])
#: What the test reads afterwards.
facts = {}


def shot(name):
    """Save what the screen shows."""
    QGuiApplication.primaryScreen().grabWindow(0).save(str(SHOTS / f"{name}.png"))


def place_of(widget):
    """Where a widget is on the screen: left, top, width, height."""
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def click(widget):
    """Click in the middle of a button, as a mouse does."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def drawn():
    """Tell whether the map is at rest."""
    return not iface.mapCanvas().isDrawing()


def click_map(lon, lat):
    """Click on a place of the map; its CRS is degrees by then."""
    canvas = iface.mapCanvas()
    at = canvas.mapSettings().mapToPixel().transform(QgsPointXY(lon, lat))
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        point = QPointF(at.x(), at.y())
        held = Qt.MouseButton.LeftButton if kind == QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        event = QMouseEvent(kind, point, Qt.MouseButton.LeftButton, held, Qt.KeyboardModifier.NoModifier)
        QgsApplication.sendEvent(canvas.viewport(), event)


class Ticks:
    """A clock of 5 ms in the event loop: its longest gap is how long the desktop did not answer."""

    def __init__(self):
        self.times, self.timer = [], QTimer()
        self.timer.setInterval(5)
        self.timer.timeout.connect(lambda: self.times.append(time.perf_counter()))

    def start(self):
        self.timer.start()

    def stop(self):
        self.timer.stop()
        return float(np.diff(self.times).max())


ticks = Ticks()


def story():
    """Yield conditions to wait for; what stands between them is done in order."""
    iface.mainWindow().showNormal()
    iface.mainWindow().setGeometry(0, 0, 1400, 900)
    project, canvas = QgsProject.instance(), iface.mapCanvas()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    outline = QgsApplication.pkgDataPath() + "/resources/data/world_map.gpkg|layername=countries"
    countries = QgsVectorLayer(outline, "countries", "ogr")
    countries.renderer().symbol().setColor(Qt.GlobalColor.lightGray)
    project.addMapLayer(countries)
    pyplugin_installer.instance().installFromZipFile(os.environ["GEOCONCEPT_ZIP"])
    yield lambda: "geoconcept" in qgis.utils.plugins
    dock = qgis.utils.plugins["geoconcept"].dock
    dock.setUserVisible(True)
    begun = time.monotonic()
    yield lambda: dock.concept.catalogue.entries
    facts["list_seconds"] = time.monotonic() - begun
    yield lambda: dock.concept.catalogue.pictures
    canvas.setExtent(QgsRectangle(-28, -37, 62, 40))
    canvas.refresh()
    yield 0.5
    yield drawn
    yield 0.5
    shot("1_list")

    # find a concept, see it on the map
    QTest.keyClicks(dock.concept.search, "hot desert")
    QTest.keyClick(dock.concept.search, Qt.Key.Key_Return)
    assert dock.concept.concept.name == "hot desert climate", dock.concept.concept
    dock.concept.kind.setCurrentIndex(dock.concept.kind.findData("calibrated"))
    begun, busy = time.monotonic(), time.process_time()
    ticks.start()
    click(dock.concept.live)
    yield lambda: dock.concept.preview.raster is not None
    facts["coarse_seconds"] = time.monotonic() - begun
    shot("2_coarse")
    yield lambda: not dock.concept.preview.running
    facts["longest_gap_seconds"] = ticks.stop()
    facts["fine_seconds"] = time.monotonic() - begun
    facts["fine_cpu_seconds"] = time.process_time() - busy
    facts["cells"] = list(dock.concept.preview.raster.values.shape)
    facts["canvas"] = place_of(canvas)
    yield 0.3
    shot("3_fine")

    # keep it
    click(dock.concept.keep)
    yield lambda: len(project.mapLayers()) == 2
    yield drawn
    yield 0.5
    raster = next(layer for layer in project.mapLayers().values() if layer is not countries)
    facts["layer"] = raster.name()
    shot("4_layer")

    # words
    dock.concept.search.clear()
    QTest.keyClicks(dock.concept.search, "olive groves by the sea")
    click(dock.concept.words)
    yield lambda: dock.concept.concept.family == "text"
    yield 0.3
    shot("5_words")
    dock.concept.search.clear()

    # places
    dock.tabs.setCurrentWidget(dock.place)
    yield 0.2
    shot("6_place_empty")
    click(dock.place.button)
    click_map(31.2, 30.0)
    yield lambda: dock.place.place is not None
    cairo = dock.place.place
    yield 0.3
    shot("7_place")
    click(dock.place.pin)
    click_map(18.5, -34.0)
    yield lambda: dock.place.place is not cairo
    dock.place.order.setCurrentIndex(1)
    yield 0.3
    shot("8_compared")
    facts["place"] = str(dock.place.place)

    # a layer
    dock.tabs.setCurrentWidget(dock.layer)
    points = QgsVectorLayer("Point?crs=EPSG:4326&field=name:string", "places", "memory")
    for name, lon, lat in (("Cairo", 31.2, 30.0), ("London", -0.1, 51.5), ("Lagos", 3.4, 6.5), ("Tunis", 10.2, 36.8)):
        feature = QgsFeature(points.fields())
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(lon, lat)))
        feature.setAttributes([name])
        points.dataProvider().addFeature(feature)
    points.updateExtents()
    project.addMapLayer(points)
    dock.layer.layer.setLayer(points)
    dock.layer.concepts.set_text("hot desert climate; mediterranean climate")
    yield 0.3
    shot("9_layer_tab")
    click(dock.layer.run)
    yield lambda: len(project.mapLayers()) == 4
    yield drawn
    scored = next(layer for layer in project.mapLayers().values() if layer.name().startswith("places:"))
    facts["fields"] = scored.fields().names()
    facts["scores"] = {f["name"]: f["concept_hot_desert_climate"] for f in scored.getFeatures()}
    yield 0.3
    shot("10_layer_done")

    # a photo
    dock.tabs.setCurrentWidget(dock.photo)
    picture = SHOTS / "photo.png"
    image = QImage(320, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    image.save(str(picture))
    yield 0.5
    shot("11_photo_tab")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(picture))])
    action, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    button = Qt.MouseButton.LeftButton
    QgsApplication.sendEvent(dock.photo.drop, QDragEnterEvent(QPoint(20, 20), action, mime, button, none))
    QgsApplication.sendEvent(dock.photo.drop, QDropEvent(QPointF(20, 20), action, mime, button, none))
    assert dock.photo.path == str(picture), dock.photo.path
    yield 1.0
    shot("12_photo")

    # a vector: no engine is needed
    service = sys.modules["geoconcept.service"]
    vector = Path(os.environ.get("GEOCONCEPT_VECTOR") or SHOTS / "paris.npy")
    if not vector.is_file():
        np.save(vector, service.model().encode([[2.35, 48.86]])[0])
    before = len(project.mapLayers())
    dock.photo.take(str(vector))
    click(dock.photo.run)
    yield lambda: dock.photo.places.count() > 0
    facts["located"] = dock.photo.places.item(0).data(Qt.ItemDataRole.UserRole)
    facts["located_layers"] = len(project.mapLayers()) - before
    for layer in project.mapLayers().values():
        if layer.name().startswith(("places", "hot desert")):
            project.layerTreeRoot().findLayer(layer.id()).setItemVisibilityChecked(False)
    canvas.setExtent(QgsRectangle(-12, 34, 22, 60))
    canvas.refresh()
    yield 0.5
    yield drawn
    yield 0.5
    shot("13_located")

    # how fast the encoder is in this process, and whether OpenBLAS is in memory
    diagnostics = sys.modules["geoconcept.gui.diagnostics"]
    facts["rate"] = diagnostics._rate(sys.modules["geoconcept.service"].model())
    facts["openblas"] = sys.modules["geoconcept.blas"]._sgemm() is not None

    # options
    QTimer.singleShot(4000, lambda: (shot("14_options"), QgsApplication.activeModalWidget().reject()))
    qgis.utils.plugins["geoconcept"].desktop.options.trigger()
    yield 0.2

    # gone without a trace
    qgis.utils.unloadPlugin("geoconcept")
    yield 0.3
    left = [w.objectName() for w in iface.mainWindow().children() if w.objectName().lower().startswith("geoconcept")]
    assert not left, left
    assert QgsApplication.processingRegistry().providerById("geoconcept") is None
    shot("15_unloaded")


class Driver:
    """Runs the story: polls each condition, never blocks the desktop."""

    def __init__(self, most_seconds=900.0):
        self.story, self.most = story(), most_seconds
        self.wait, self.since = 0.0, time.monotonic()
        self.timer = QTimer()
        self.timer.timeout.connect(self.step)
        self.timer.start(50)

    def step(self):
        """Go on once what is waited for is there."""
        passed = time.monotonic() - self.since
        try:
            if not (self.wait() if callable(self.wait) else passed >= self.wait):
                if passed > self.most:
                    raise TimeoutError(f"waited {passed:.0f} s at {self.story.gi_frame.f_lineno}")
                return
            self.timer.stop()
            try:
                self.wait = next(self.story)
            except StopIteration:
                self.end(0)
            self.since = time.monotonic()
            self.timer.start(50)
        except Exception:
            (SHOTS / "error.txt").write_text(traceback.format_exc(), "utf-8")
            shot("error")
            self.end(1)

    @staticmethod
    def end(code):
        """Leave at once: QGIS would ask whether to save."""
        (SHOTS / "facts.json").write_text(json.dumps(facts, indent=1), "utf-8")
        os._exit(code)


QTimer.singleShot(2500, lambda: globals().update(driver=Driver()))
