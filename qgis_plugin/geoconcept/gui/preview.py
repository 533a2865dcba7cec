# SPDX-License-Identifier: GPL-2.0-or-later
"""A concept drawn over the map: coarse at once, finer pass by pass, in the CRS of the canvas."""

import time

import numpy as np
from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsPointXY, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvasItem
from qgis.PyQt.QtCore import QObject, QPointF, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QPolygonF, QTransform

from .. import service
from ..core.land_mask import on_land
from ..core.progress import report
from ..io.places import WORLD, to_lonlat
from .jobs import Job
from .painting import image_of

__all__ = ["Preview", "Raster", "on_earth"]

#: Cells of the finest pass: 400 x 300.
CELLS = 120_000
#: Steps in cells between the values of each pass.
PASSES = (8, 4, 2, 1)
#: Cells between two looks at Cancel.
_BLOCK = 1024
#: Seconds between two pictures, and how long the map must rest before anything is computed.
_PICTURES, _REST = 0.2, 0.12


def on_earth(extent, crs):
    """Return the part of an extent in which the CRS names each place once.

    Parameters
    ----------
    extent : QgsRectangle
        In units of `crs`.
    crs : QgsCoordinateReferenceSystem

    Returns
    -------
    QgsRectangle
        Empty where nothing of the Earth is in it.
    """
    bounds = crs.bounds()
    if bounds.width() < WORLD:  # a CRS of a part of the Earth may be used a little beyond it
        return QgsRectangle(extent)
    world = bounds
    if not crs.isGeographic():
        wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
        world = QgsCoordinateTransform(wgs84, crs, QgsProject.instance()).transformBoundingBox(bounds)
    return extent.intersect(world)


class Raster:
    """Scores on the cells of an extent, filled from coarse to fine. Used in a thread.

    Parameters
    ----------
    extent : QgsRectangle
        Not empty.
    crs : QgsCoordinateReferenceSystem
    cells : int
        About how many there are in all.
    """

    def __init__(self, extent, crs, cells=CELLS):
        self.crs, self.left, self.top = crs, extent.xMinimum(), extent.yMaximum()
        self.size = (extent.width() * extent.height() / cells) ** 0.5
        self.columns = max(1, round(extent.width() / self.size))
        self.rows = max(1, round(extent.height() / self.size))
        self.width, self.height = extent.width() / self.columns, extent.height() / self.rows
        self.values = np.full((self.rows, self.columns), np.nan, dtype=np.float32)
        self._known = np.zeros((self.rows, self.columns), dtype=bool)

    def lonlat(self, rows, columns):
        """Return (lon, lat) of the middles of cells, NaN off the Earth and at sea."""
        x = self.left + (columns + 0.5) * self.width
        y = self.top - (rows + 0.5) * self.height
        pairs = to_lonlat(np.stack([x, y], axis=1), self.crs, within=self.width)
        good = np.isfinite(pairs[:, 0])
        pairs[good, 0] = (pairs[good, 0] + 180.0) % 360.0 - 180.0
        good[good] = on_land(pairs[good])
        pairs[~good] = np.nan
        return pairs

    def fill(self, scores, progress, show):
        """Fill all cells; `show()` is called whenever there is more to see.

        Parameters
        ----------
        scores : callable
            From (lon, lat), shape (n, 2), to (n, 1).
        progress : callable
            Called as ``progress(done, total)``; return true to cancel.
        show : callable
            Called without arguments.
        """
        done, shown = 0, 0.0
        for step in PASSES:
            for rows, columns in self._blocks(step):
                self._put(rows, columns, step, self._scored(rows, columns, scores))
                done += len(rows)
                report(progress, done, self.values.size)
                if step < PASSES[0] and time.monotonic() - shown > _PICTURES:
                    show()
                    shown = time.monotonic()
            show()
            shown = time.monotonic()

    def _blocks(self, step):
        """Yield rows and columns of cells that are not known yet, at most a block at once."""
        first = step // 2 if step == PASSES[0] else 0
        row, column = np.meshgrid(
            np.arange(min(first, self.rows - 1), self.rows, step),
            np.arange(min(first, self.columns - 1), self.columns, step),
            indexing="ij",
        )
        row, column = row.ravel(), column.ravel()
        new = ~self._known[row, column]
        row, column = row[new], column[new]
        for start_at in range(0, len(row), _BLOCK):
            yield row[start_at : start_at + _BLOCK], column[start_at : start_at + _BLOCK]

    def _scored(self, rows, columns, scores):
        pairs = self.lonlat(rows, columns)
        good = np.isfinite(pairs[:, 0])
        out = np.full(len(pairs), np.nan, dtype=np.float32)
        if good.any():
            out[good] = scores(pairs[good])[:, 0]
        return out

    def _put(self, rows, columns, step, found):
        """Write values into their cells, and into those around that are not known."""
        self._known[rows, columns] = True
        self.values[rows, columns] = found
        before = step // 2
        for down in range(-before, step - before):
            for right in range(-before, step - before):
                r, c = rows + down, columns + right
                inside = (r >= 0) & (r < self.rows) & (c >= 0) & (c < self.columns)
                r, c, value = r[inside], c[inside], found[inside]
                free = ~self._known[r, c]
                self.values[r[free], c[free]] = value[free]


class _Overlay(QgsMapCanvasItem):
    """A picture at its place on the map, turned with it; it moves and grows with the map until a new one comes."""

    def __init__(self, canvas):
        super().__init__(canvas)
        self.image, self.extent = None, QgsRectangle()
        self._right = self._down = QPointF()
        self.setZValue(1)

    def put(self, image, extent):
        self.image, self.extent = image, extent
        self.updatePosition()
        self.update()

    def updatePosition(self):  # noqa: N802
        """Keep the place; called by QGIS whenever the map has moved."""
        left, top = self.extent.xMinimum(), self.extent.yMaximum()
        corner = self.toCanvasCoordinates(QgsPointXY(left, top))
        self.prepareGeometryChange()
        self._right = self.toCanvasCoordinates(QgsPointXY(self.extent.xMaximum(), top)) - corner
        self._down = self.toCanvasCoordinates(QgsPointXY(left, self.extent.yMinimum())) - corner
        self.setPos(corner)

    def boundingRect(self):  # noqa: N802
        """Return what Qt is to paint anew."""
        corners = (QPointF(), self._right, self._right + self._down, self._down)
        return QPolygonF(corners).boundingRect()

    def paint(self, painter, option=None, widget=None):
        """Draw the picture."""
        if self.image is not None:
            right, down = self._right / self.image.width(), self._down / self.image.height()
            painter.setTransform(QTransform(right.x(), right.y(), down.x(), down.y(), 0.0, 0.0), True)
            painter.drawImage(QPointF(), self.image)


class Preview(QObject):
    """Draws one concept over a canvas for as long as it is on.

    Parameters
    ----------
    canvas : QgsMapCanvas

    Attributes
    ----------
    raster : Raster or None
        What has been computed for the picture shown.
    """

    #: A job has begun: the task, for its row in the list.
    began = pyqtSignal(object)
    #: A picture is up: the share of cells computed, 0 to 1.
    drawn = pyqtSignal(float)
    failed = pyqtSignal(str)
    _image = pyqtSignal(object, object, object)

    def __init__(self, canvas, parent=None):
        super().__init__(parent)
        self.canvas, self.concept, self.wanted, self.opacity = canvas, None, None, 0.75
        self.raster = self._overlay = self._job = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(int(_REST * 1000))
        self._timer.timeout.connect(self._compute)
        self._image.connect(self._show)
        self._followed = (canvas.extentsChanged, canvas.destinationCrsChanged, canvas.rotationChanged)

    def show(self, concept, kind=None):
        """Draw a concept, now and wherever the map goes; `kind` as in `service.scorer`."""
        if self.concept is None:
            for signal in self._followed:
                signal.connect(self._restart)
        self.concept, self.wanted = concept, kind
        self._compute()

    def hide(self):
        """Take the picture away and stop computing."""
        self._timer.stop()
        self._stop()
        if self.concept is not None:
            for signal in self._followed:
                signal.disconnect(self._restart)
        self.concept = self.raster = None
        if self._overlay is not None:
            self.canvas.scene().removeItem(self._overlay)
            self._overlay = None

    def set_opacity(self, share):
        """Let the map shine through: 0 to 1."""
        self.opacity = share
        if self._overlay is not None:
            self._overlay.setOpacity(share)

    @property
    def running(self):
        """Whether something is being computed, or will be at once."""
        return self._timer.isActive() or self._job is not None

    def _restart(self, *_):
        self._stop()
        self._timer.start()

    def _stop(self):
        if self._job is not None:
            self._job.let_go()
            self._job = None

    def _compute(self):
        self._stop()
        settings = self.canvas.mapSettings()
        crs = settings.destinationCrs()
        extent = on_earth(settings.visibleExtent(), crs)
        if self.concept is None or not crs.isValid() or extent.isEmpty() or not extent.isFinite():
            return
        work = _Work(self.concept, self.wanted, extent, crs, self._image)
        job = Job(self.tr("Preview: {0}").format(self.concept.name), work, self._finished, self._broke)
        job.taskTerminated.connect(lambda: self._ended(job))
        self._job = work.job = job
        self.began.emit(job)
        job.start()

    def _show(self, job, image, state):
        if job is not self._job or self.concept is None:
            return  # a late picture of a map that has moved on
        self.raster, extent, share = state
        if self._overlay is None:
            self._overlay = _Overlay(self.canvas)
            self._overlay.setOpacity(self.opacity)
        self._overlay.put(image, extent)
        self.drawn.emit(share)

    def _finished(self, _):
        self._job = None
        self.drawn.emit(1.0)

    def _ended(self, job):
        if job is self._job:  # cancelled by the user: what is drawn stays
            self._job = None

    def _broke(self, sentence):
        self._job = None
        self.failed.emit(sentence)


class _Work:
    """Fills a raster and sends pictures of it; called in a thread."""

    def __init__(self, concept, kind, extent, crs, image):
        self.concept, self.kind, self.extent, self.crs, self.image = concept, kind, extent, crs, image
        self.job, self.share = None, 0.0

    def __call__(self, progress):
        scores, kind = service.scorer([self.concept], self.kind)
        raster = Raster(self.extent, self.crs)

        def count(done, total):
            self.share = done / total
            return progress(done, total)

        def show():
            self.image.emit(self.job, image_of(raster.values, kind), (raster, self.extent, self.share))

        raster.fill(scores, count, show)
