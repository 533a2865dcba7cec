# SPDX-License-Identifier: GPL-2.0-or-later
"""Tab *Photo*: drop a photo or a vector, locate it, look at the best places."""

from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExifTools,
    QgsProcessing,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize, Qt, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices, QImageReader, QPixmap
from qgis.PyQt.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..core.errors import GeoConceptError
from .engine_box import EngineBox
from .jobs import AlgorithmRun
from .widgets import hint

__all__ = ["DropArea", "PhotoTab"]

#: What can be dropped: photos, and vectors of photos.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".npy")
_ALGORITHM = "geoconcept:geolocatephoto"
#: Half the side, in degrees, of what a click on a place shows.
_AROUND = 2.0


class DropArea(QFrame):
    """Takes a file: dropped, or by click."""

    dropped = pyqtSignal(str)
    refused = pyqtSignal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setFixedHeight(170)
        self.setObjectName("geoconceptDrop")
        self.picture = QLabel(self.tr("Drop a photo here\n(jpg, png, webp, heic, or a vector as .npy)"))
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setWordWrap(True)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addWidget(self.picture)
        self._mark(False)

    def _mark(self, over):
        edge = "palette(highlight)" if over else "palette(mid)"
        self.setStyleSheet(f"#geoconceptDrop {{ border: 2px dashed {edge}; border-radius: 6px; }}")

    @staticmethod
    def _files(event):
        urls = event.mimeData().urls() if event.mimeData().hasUrls() else []
        return [url.toLocalFile() for url in urls if url.isLocalFile()]

    def dragEnterEvent(self, event):  # noqa: N802
        """Take files."""
        if self._files(event):
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event):  # noqa: N802
        """As before."""
        self._mark(False)

    def dropEvent(self, event):  # noqa: N802
        """Take the first file that is a photo or a vector; say so where none is."""
        self._mark(False)
        files = self._files(event)
        good = [path for path in files if Path(path).suffix.lower() in SUFFIXES]
        if good:
            event.acceptProposedAction()
            self.dropped.emit(good[0])
        elif files:
            self.refused.emit(
                self.tr("{0} is neither a photo nor a vector: take one of {1}").format(
                    Path(files[0]).name, ", ".join(SUFFIXES)
                )
            )

    def show_file(self, path):
        """Show a photo small; a vector, and a photo that Qt cannot read, by name."""
        reader = QImageReader(path)
        reader.setAutoTransform(True)
        size = reader.size()
        if size.isValid():
            reader.setScaledSize(size.scaled(QSize(340, 154), Qt.AspectRatioMode.KeepAspectRatio))
        image = reader.read()
        if image.isNull():
            self.picture.setText(self.tr("{0}\n(no small picture of this kind of file)").format(Path(path).name))
        else:
            self.picture.setPixmap(QPixmap.fromImage(image))
        self.picture.setToolTip(path)


class PhotoTab(QWidget):
    """A form over `geoconcept:geolocatephoto`.

    Parameters
    ----------
    interface : QgisInterface
    jobs : JobList
    messages : Messages
    """

    def __init__(self, interface, jobs, messages, parent=None):
        super().__init__(parent)
        self.canvas, self.jobs, self.messages = interface.mapCanvas(), jobs, messages
        self.path, self._report = None, ""
        self.drop = DropArea()
        self.drop.dropped.connect(self.take)
        self.drop.refused.connect(messages.problem)
        self.open = QPushButton(self.tr("Open\u2026"))
        self.open.setToolTip(self.tr("Choose a photo, or a vector of one"))
        self.open.clicked.connect(self._choose)
        self.run = QPushButton(self.tr("Locate"))
        self.run.setEnabled(False)
        self.run.clicked.connect(self.start)
        self.position = hint("")
        self.engine = EngineBox(messages)
        self.places = QListWidget()
        self.places.setToolTip(self.tr("Click a place to see it on the map"))
        self.places.itemClicked.connect(self._zoom)
        self.places.itemActivated.connect(self._zoom)
        self.empty = hint(self.tr("The best places appear here, most likely first; heatmap and areas become layers."))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.report = QPushButton(self.tr("Open report"))
        self.report.setToolTip(self.tr("Why there: the concepts that the photo expresses, and the credible areas"))
        self.report.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._report)))
        self.report.hide()
        buttons = QHBoxLayout()
        buttons.addWidget(self.open)
        buttons.addStretch()
        buttons.addWidget(self.run)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 10, 8, 8)
        box.setSpacing(8)
        box.addWidget(self.drop)
        box.addWidget(self.position)
        box.addLayout(buttons)
        box.addWidget(self.engine)
        box.addWidget(self.places, 1)
        box.addWidget(self.empty, 1)
        box.addWidget(self.report, 0, Qt.AlignmentFlag.AlignRight)
        self.places.hide()
        self.position.hide()

    def showEvent(self, event):  # noqa: N802
        """Look for the engine once the tab is seen."""
        super().showEvent(event)
        self.engine.ensure()

    def _choose(self):
        pattern = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open a photo"), "", self.tr("Photos and vectors ({0})").format(pattern)
        )
        if path:
            self.take(path)

    def take(self, path):
        """Show a file and what it says of its position, which is never used."""
        self.path = path
        self.drop.show_file(path)
        self.run.setEnabled(True)
        self.position.setVisible(True)
        if path.lower().endswith(".npy"):
            self.position.setText(self.tr("{0}: a vector; it needs no engine").format(Path(path).name))
            return
        point, found = QgsExifTools.getGeoTag(path)
        self.position.setText(
            self.tr("{0}. Its EXIF position is {1:.4f}, {2:.4f} (lat, lon): shown, never used.").format(
                Path(path).name, point.y(), point.x()
            )
            if found
            else self.tr("{0}. It has no EXIF position.").format(Path(path).name)
        )

    def start(self):
        """Run the algorithm; all its outputs become layers."""
        project, parameters = QgsProject.instance(), {"INPUT": [self.path], "REPORT": QgsProcessing.TEMPORARY_OUTPUT}
        for name in ("HEATMAP", "AREAS", "POINTS"):
            parameters[name] = QgsProcessingOutputLayerDefinition(QgsProcessing.TEMPORARY_OUTPUT, project)
        try:
            run = AlgorithmRun(_ALGORITHM, parameters, self._located, self._failed, parent=self)
        except GeoConceptError as error:
            self.messages.problem(str(error))
            return
        self.run.setEnabled(False)
        self.jobs.add(run.start(), self.tr("Locating {0}").format(Path(self.path).name))
        run.task.taskTerminated.connect(self._over)

    def _over(self):
        self.run.setEnabled(True)

    def _failed(self, sentence):
        self._over()
        self.messages.problem(sentence)

    def _located(self, results):
        self._over()
        self.places.clear()
        layer = QgsProject.instance().mapLayer(str(results.get("POINTS", "")))
        features = list(layer.getFeatures()) if layer is not None else []
        several = len({feature["photo"] for feature in features}) > 1
        for feature in features:
            self._list(feature, f"{feature['photo']}: " if several else "")
        self.places.setVisible(self.places.count() > 0)
        self.empty.setVisible(self.places.count() == 0)
        self._report = str(results.get("REPORT", ""))
        self.report.setVisible(bool(self._report))

    def _list(self, feature, before):
        lon, lat = feature["lon"], feature["lat"]
        if not isinstance(lon, float) or not isinstance(lat, float):  # a photo that could not be read has no place
            return
        text = self.tr("{0}.  {1:.2f}\u00b0 {2}, {3:.2f}\u00b0 {4}   {5:.1f} %").format(
            feature["rank"], abs(lat), "N" if lat >= 0 else "S", abs(lon), "E" if lon >= 0 else "W",
            100.0 * feature["probability"],
        )  # fmt: skip
        item = QListWidgetItem(before + text)
        item.setData(Qt.ItemDataRole.UserRole, (lon, lat))
        self.places.addItem(item)

    def _zoom(self, item):
        """Show a place on the map."""
        lon, lat = item.data(Qt.ItemDataRole.UserRole)
        around = QgsRectangle(lon - _AROUND, max(lat - _AROUND, -90.0), lon + _AROUND, min(lat + _AROUND, 90.0))
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        transform = QgsCoordinateTransform(wgs84, self.canvas.mapSettings().destinationCrs(), QgsProject.instance())
        self.canvas.setExtent(transform.transformBoundingBox(around))
        self.canvas.refresh()

    def close_down(self):
        """Stop looking for the engine."""
        self.engine.close_down()
