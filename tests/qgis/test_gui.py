"""The dock offscreen: what it shows is what the model says, nothing holds the desktop up, nothing is left behind."""

import time

import numpy as np
import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsPointXY, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QEventLoop, QTimer

WGS84 = "EPSG:4326"


def until(condition, seconds=90.0, what="it"):
    """Let events pass until a condition holds."""
    end = time.monotonic() + seconds
    loop = QEventLoop()
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        QTimer.singleShot(10, loop.quit)
        loop.exec()


class Said:
    """Stands for the message bar: keeps what is said."""

    def __init__(self):
        self.infos, self.problems = [], []

    def info(self, text):
        self.infos.append(text)

    def problem(self, text):
        self.problems.append(text)


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def canvas(qgis_iface, monkeypatch):
    """A map of Africa, 800 x 600."""
    made = QgsMapCanvas()
    made.setDestinationCrs(QgsCoordinateReferenceSystem(WGS84))
    made.resize(800, 600)
    made.show()
    made.setExtent(QgsRectangle(-20, -35, 55, 38))
    monkeypatch.setattr(qgis_iface, "canvas", made)
    yield made
    made.hide()
    made.deleteLater()


@pytest.fixture
def dock(provider, profile, canvas, qgis_iface, said):
    """The dock, shown, with its concepts read."""
    from geoconcept.gui import catalogue
    from geoconcept.gui.dock import Dock
    from geoconcept.gui.jobs import stop_all

    made = Dock(qgis_iface, said)
    made.resize(380, 760)
    made.show()
    until(lambda: made.concept.catalogue.pictures, what="small maps")
    yield made
    made.close_down()
    stop_all()
    catalogue.forget()
    made.deleteLater()
    QgsProject.instance().clear()


def names(dock):
    found = dock.concept.filter
    return [found.index(k, 0).data() for k in range(found.rowCount())]


# ------------------------------------------------------------ the list


def test_nothing_is_loaded_before_it_is_shown(provider, profile, canvas, qgis_iface, said):
    """Starting QGIS must not cost a second."""
    from geoconcept import service
    from geoconcept.gui import catalogue
    from geoconcept.gui.dock import Dock

    service.forget()
    begun = time.monotonic()
    made = Dock(qgis_iface, said)
    assert time.monotonic() - begun < 1.0
    assert not service._kept
    assert made.concept.catalogue.entries == []
    assert "Reading" in made.concept.empty.text()
    made.close_down()
    catalogue.forget()


@pytest.mark.parametrize(
    ("text", "first"),
    [("BWh", "hot desert climate"), ("hot desert", "hot desert climate"), ("tundra", "tundra climate")],
)
def test_search(dock, text, first):
    """By alias and by name; the best match comes first."""
    dock.concept.search.setText(text)
    assert names(dock)[0] == first
    assert 0 < len(names(dock)) < 60


def test_search_looks_into_families_and_descriptions(dock):
    """All words must be there, in any field."""
    dock.concept.search.setText("climate dry 18")
    assert "hot desert climate" in names(dock)
    assert "tundra climate" not in names(dock)
    dock.concept.search.setText("no such thing at all")
    assert names(dock) == []
    assert dock.concept.stack.currentIndex() == 1
    assert dock.concept.words.isVisible()


def test_families_and_grades(dock):
    """Grade D is shown only where it is asked for."""
    from geoconcept import service

    bank = service.model().bank
    assert len(names(dock)) == len(bank.shown)
    dock.concept.family.setCurrentIndex(dock.concept.family.findData("terrain"))
    assert {bank[name].family for name in names(dock)} == {"terrain"}
    dock.concept.family.setCurrentIndex(0)
    dock.concept.grade.setCurrentIndex(1)
    assert {bank[name].grade_at_places for name in names(dock)} == {"A"}
    dock.concept.grade.setCurrentIndex(3)
    assert len(names(dock)) == len(bank)


def test_small_maps_show_the_scores(dock):
    """The picture of a desert is bright in the Sahara and dark in Siberia, and empty at sea."""
    from geoconcept.gui.painting import image_of

    desert = dock.concept.catalogue.pictures["hot desert climate"]

    def cell(lon, lat):
        return desert.pixelColor(int((lon + 180) / 3.75), int((84 - lat) / 3.75))

    high, low = image_of(np.array([[100.0]]), "percentile").pixelColor(0, 0), cell(110, 65)
    assert abs(cell(15, 25).green() - high.green()) < 40
    assert low.green() < 120
    assert cell(-150, 0).alpha() == 0


def test_small_maps_are_kept(dock, profile):
    """A damaged file is made again, a good one is read."""
    from geoconcept.gui.thumbnails import World

    [path] = (profile / "cache").glob("world_*.npy")
    good = np.load(path)
    np.testing.assert_array_equal(World().vectors, good)
    path.write_bytes(path.read_bytes()[:1000])
    np.testing.assert_allclose(World().vectors, good, atol=1e-6)
    assert path.stat().st_size > 1_000_000


def test_details_tell_all(dock):
    """Validity with its interval, the known failure, scale; text is escaped."""
    from dataclasses import replace

    from geoconcept import service
    from geoconcept.gui.details import details_of

    dock.concept.choose("hot desert climate")
    text = dock.concept.details.toPlainText()
    concept = service.model().bank["hot desert climate"]
    validity, scale = concept.validity_at_places, "{:g} to {:g} km".format(*concept.scale_km)
    for part in (f"{validity.value:.3f}", f"{validity.interval[0]:.3f}", concept.failure, scale, "uniform land"):
        assert part in text, part
    strange = replace(dock.concept.concept, name="a <b>bold</b> name")
    assert "<b>bold</b>" not in details_of(strange)


def test_words(dock, said):
    """Any phrase is read off the GUI thread; what is known about it is told; nonsense is refused in one sentence."""
    dock.concept.search.setText("olive groves by the sea")
    dock.concept.read_words()
    until(lambda: dock.concept.concept is not None and dock.concept.concept.family == "text", what="words")
    assert "Most alike" in dock.concept.details.toPlainText()
    assert dock.concept.concept_text() == "words: olive groves by the sea"
    assert not dock.concept.kind.isEnabled()
    dock.concept.search.setText("qxzzt vrrkl")
    dock.concept.read_words()
    until(lambda: said.problems, what="a problem")
    assert "qxzzt" in said.problems[0]
    assert "Traceback" not in said.problems[0]


def test_own_concepts(dock, profile, monkeypatch):
    """They come first, can be renamed and deleted."""
    from dataclasses import replace

    from geoconcept import service
    from geoconcept.core.concept_files import write_concept
    from qgis.PyQt.QtWidgets import QInputDialog, QMessageBox

    mine = replace(service.model().bank["BWh"], name="my dry places", family="user", head=None, aliases=())
    (profile / "concepts").mkdir(parents=True)
    write_concept(mine, profile / "concepts" / "my_dry_places.concept", service.model())
    tab = dock.concept
    tab.catalogue.reload()
    until(lambda: tab.catalogue.entries[0].name == "my dry places" and tab.catalogue._job is None, what="own concept")
    assert names(dock)[0] == "my dry places"
    tab.choose("my dry places")
    assert tab._own.isVisible()
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("deserts of mine", True))
    tab.rename.click()
    until(lambda: tab.catalogue.entries[0].name == "deserts of mine" and tab.catalogue._job is None, what="new name")
    assert [p.name for p in (profile / "concepts").iterdir()] == ["deserts_of_mine.concept"]
    tab.choose("deserts of mine")
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **k: QMessageBox.StandardButton.Yes)
    tab.delete.click()
    until(lambda: tab.catalogue.entries[0].path is None, what="it to be gone")
    assert list((profile / "concepts").iterdir()) == []
    assert tab.concept is None


# ------------------------------------------------------------ the preview


def preview_of(dock, name, kind="percentile"):
    dock.concept.choose(name)
    dock.concept.kind.setCurrentIndex(dock.concept.kind.findData(kind))
    dock.concept.live.setChecked(True)
    return dock.concept.preview


@pytest.mark.parametrize("crs", [WGS84, "EPSG:3857", "EPSG:3035"])
def test_preview_is_what_the_model_says(dock, canvas, crs):
    """Coarse first, then fine; every cell holds the score of its middle."""
    from geoconcept import service
    from geoconcept.gui import preview as module

    if crs == "EPSG:3857":
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
        canvas.setExtent(QgsRectangle(1e6, 3e6, 4e6, 5e6))
    if crs == "EPSG:3035":
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
        canvas.setExtent(QgsRectangle(2.5e6, 1.5e6, 6e6, 4.5e6))
    shares, begun, took = [], time.monotonic(), []
    preview = dock.concept.preview
    preview.drawn.connect(lambda share: (shares.append(share), took.append(time.monotonic() - begun)))
    preview_of(dock, "hot desert climate", "calibrated")
    until(lambda: shares and shares[-1] == 1.0, what="the fine picture")
    assert shares[0] < 0.05
    assert len(shares) >= 4
    raster = preview.raster
    assert raster.values.size == pytest.approx(module.CELLS, rel=0.02)
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, raster.rows, 400), rng.integers(0, raster.columns, 400)
    lonlat = raster.lonlat(rows, columns)
    land = np.isfinite(lonlat[:, 0])
    assert land.sum() > 100
    expected = service.model().score(lonlat[land], "hot desert climate")[:, 0]
    np.testing.assert_allclose(raster.values[rows, columns][land], expected, atol=1e-4)
    assert np.isnan(raster.values[rows, columns][~land]).all()
    print(f"{crs}: coarse after {took[0]:.2f} s, fine after {took[-1]:.1f} s, {raster.columns} x {raster.rows} cells")


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_preview_is_on_the_map(dock, canvas, rotation):
    """Its colours are seen, at the right place, on turned maps too; switched off, they are gone."""
    canvas.setRotation(rotation)
    preview = preview_of(dock, "hot desert climate", "calibrated")
    dock.concept.opacity.setValue(100)
    until(lambda: not preview.running, what="the fine picture")

    def colour(lon, lat):
        at = canvas.mapSettings().mapToPixel().transform(QgsPointXY(lon, lat))
        return canvas.grab().toImage().pixelColor(round(at.x()), round(at.y())).getRgb()[:3]

    r, g, b = colour(15, 24)
    assert r > 200 and g > 200 and b < 90  # the Sahara is yellow
    r, g, b = colour(23, 0)
    assert r < 90 and g < 30 and 60 < b < 110  # the Congo is violet
    dock.concept.live.setChecked(False)
    assert preview._overlay is None
    assert colour(15, 24) not in ((r, g, b), (253, 231, 37))


def test_panning_begins_anew_and_stays_smooth(dock, canvas):
    """While a whole canvas is computed the event loop never waits a tenth of a second, in one of three tries."""
    preview = dock.concept.preview
    preview_of(dock, "mountain" if "mountain" in names(dock) else names(dock)[0])
    until(lambda: preview.raster is not None, what="the first picture")
    for _ in range(3):
        longest = longest_gap_while_panning(preview, canvas)
        assert preview.raster.left == pytest.approx(canvas.mapSettings().visibleExtent().xMinimum())
        if longest < 0.1:
            break
    assert longest < 0.1


def longest_gap_while_panning(preview, canvas):
    """Pan three times, wait for the fine picture, and return how long the event loop let a clock of 5 ms wait."""
    ticks, first = [], preview.raster
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    for step in (1, 2, 0):
        canvas.setExtent(QgsRectangle(-20 + step, -35, 55 + step, 38))
        until(lambda old=first: preview.raster is not old, what="a new picture")
        first = preview.raster
    until(lambda: not preview.running, what="the fine picture")
    timer.stop()
    longest = np.diff(ticks).max()
    print(f"longest gap {1000 * longest:.0f} ms of {len(ticks)} ticks")
    return longest


def test_cancel_is_quick(dock, canvas):
    """By the button beside the bar; what is drawn stays."""
    preview = preview_of(dock, "hot desert climate")
    until(lambda: preview.raster is not None, what="the first picture")
    [row] = dock.jobs.rows.values()
    assert row.button.isVisible()
    begun = time.monotonic()
    row.button.click()
    until(lambda: not dock.jobs.rows, what="the end")
    print(f"cancelled after {time.monotonic() - begun:.2f} s")
    assert time.monotonic() - begun < 2.0
    assert preview.raster is not None
    assert not preview.running


def test_the_earth_is_drawn_once():
    """An extent wider than the Earth is cut; a CRS of a region is left alone."""
    from geoconcept.gui.preview import on_earth

    wide = QgsRectangle(-400, -200, 400, 200)
    assert on_earth(wide, QgsCoordinateReferenceSystem(WGS84)) == QgsRectangle(-180, -90, 180, 90)
    mercator = on_earth(QgsRectangle(-9e7, -9e7, 9e7, 9e7), QgsCoordinateReferenceSystem("EPSG:3857"))
    assert mercator.xMaximum() == pytest.approx(20037508, abs=10)
    region = QgsRectangle(0, 0, 5e6, 5e6)
    assert on_earth(region, QgsCoordinateReferenceSystem("EPSG:3035")) == region
    assert on_earth(QgsRectangle(200, 0, 300, 10), QgsCoordinateReferenceSystem(WGS84)).isEmpty()


def test_no_ghosts_beyond_the_edge_of_a_world_map():
    """In the corners of an Equal Earth map, outside its outline, there is nothing."""
    from geoconcept.gui.preview import Raster

    raster = Raster(QgsRectangle(-1.7e7, -8.3e6, 1.7e7, 8.3e6), QgsCoordinateReferenceSystem("EPSG:8857"), cells=40_000)
    rows, columns = np.divmod(np.arange(raster.rows * raster.columns), raster.columns)
    land = np.isfinite(raster.lonlat(rows, columns)[:, 0]).reshape(raster.rows, raster.columns)
    high, wide = raster.rows // 12, raster.columns // 10
    assert not land[:high, :wide].any()
    assert not land[:high, -wide:].any()
    assert 0.2 < land.mean() < 0.35


def test_keep_as_layer(dock, canvas, said):
    """The algorithm's raster, in the CRS of the map, in the plugin's group, with the same numbers."""
    from geoconcept import service

    canvas.setExtent(QgsRectangle(24, 22, 36, 32))
    dock.concept.choose("hot desert climate")
    dock.concept.kind.setCurrentIndex(1)
    dock.concept.keep_layer()
    until(lambda: said.infos or said.problems, what="the layer")
    assert said.problems == []
    [layer] = QgsProject.instance().mapLayers().values()
    assert layer.crs().authid() == WGS84
    assert QgsProject.instance().layerTreeRoot().findGroup("GeoConcept").findLayer(layer) is not None
    cell, extent = layer.rasterUnitsPerPixelX(), layer.extent()
    x, y = extent.xMinimum() + 50.5 * cell, extent.yMaximum() - 60.5 * cell
    value, fine = layer.dataProvider().sample(QgsPointXY(x, y), 1)
    assert fine
    assert value == pytest.approx(float(service.model().score([[x, y]], "hot desert climate")[0, 0]), abs=1e-5)
    assert dock.jobs.rows == {}
