"""The tabs for places, layers and photos, offscreen."""

import re
from pathlib import Path

import numpy as np
import pytest
from qgis.core import QgsApplication, QgsPointXY, QgsProject
from qgis.PyQt.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent, QImage
from test_algs_photo import towns, vectors  # noqa: F401 - fixtures
from test_gui import canvas, dock, said, until  # noqa: F401 - fixtures

# ------------------------------------------------------------ places


def test_a_click_tells_what_the_model_says(dock, canvas):  # noqa: F811
    """Percentiles of all concepts, strongest first."""
    from geoconcept import service

    bank = service.model().bank
    dock.place.tool.ask(QgsPointXY(31.2, 30.0))
    until(lambda: dock.place.place is not None, what="the place")
    expected = service.model().score([[31.2, 30.0]], kind="percentile")[0]
    np.testing.assert_allclose(dock.place.place.values, expected, atol=1e-3)
    bars = dock.place.shown()
    assert bars[0].value == pytest.approx(expected.max(), abs=1e-3)
    assert [bar.value for bar in bars] == sorted((bar.value for bar in bars), reverse=True)
    assert dock.place.title.text() == "30.000\u00b0 N, 31.200\u00b0 E"
    dock.place.family.setCurrentIndex(dock.place.family.findData("climate"))
    assert {bar.concept.family for bar in dock.place.shown()} == {"climate"}
    assert bank[dock.place.shown()[0].concept.name].family == "climate"


def test_pin_and_compare(dock):  # noqa: F811
    """The pinned place has bars of its own; the largest differences can be asked for."""
    dock.place.ask(31.2, 30.0)
    until(lambda: dock.place.place is not None, what="the first place")
    first = dock.place.place
    dock.place.pin.setChecked(True)
    dock.place.ask(-0.1, 51.5)
    until(lambda: dock.place.place is not first, what="the second place")
    dock.place.order.setCurrentIndex(1)
    bars = dock.place.shown()
    gaps = [abs(bar.value - bar.other) for bar in bars]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == pytest.approx(np.abs(first.values - dock.place.place.values).max(), abs=1e-3)
    assert len(dock.place._marks) == 2


@pytest.mark.parametrize(("place", "word"), [((179.8, 66.0), ""), ((10.0, -89.9), ""), ((-30.0, 0.0), "sea")])
def test_places_with_a_warning(dock, place, word):  # noqa: F811
    """Where nothing was tested; the plugin's own model jumps nowhere."""
    dock.place.ask(*place)
    until(lambda: dock.place.place is not None, what="the place")
    assert word in dock.place.warning.text()
    assert bool(word) == bool(dock.place.warning.text())


@pytest.mark.parametrize("place", [(179.8, 66.0), (10.0, -89.9)])
def test_places_where_a_model_jumps(geoclip, dock, place):  # noqa: F811
    """It is said of a model that does."""
    dock.place.ask(*place)
    until(lambda: dock.place.place is not None, what="the place")
    assert "this model's scores jump" in dock.place.warning.text()


def test_a_click_off_the_earth_is_told(dock, said):  # noqa: F811
    """No number is made up."""
    dock.place.tool.ask(QgsPointXY(10.0, 120.0))
    assert "no place on Earth" in said.problems[0]


# ------------------------------------------------------------ layers


@pytest.mark.parametrize("same", [False, True])
def test_layer_tab(dock, said, make_points, same):  # noqa: F811
    """A new layer, or new fields in editing, with the model's scores; the source's own fields are as they were."""
    from geoconcept import service

    places = [(31.2, 30.0), (-0.1, 51.5), None]
    layer = make_points(places)
    QgsProject.instance().addMapLayer(layer)
    tab = dock.layer
    tab.layer.setLayer(layer)
    tab.concepts.set_text("BWh")
    tab.kind.setCurrentIndex(1)
    tab.same.setChecked(same)
    tab.run.click()
    until(lambda: said.infos or said.problems, what="the fields")
    assert said.problems == []
    column = "concept_hot_desert_climate"
    found = layer if same else next(one for one in QgsProject.instance().mapLayers().values() if one is not layer)
    rows = {f["name"]: f[column] for f in found.getFeatures()}
    expected = service.model().score(places[:2], "BWh", kind="calibrated")[:, 0]
    assert rows["place 0"] == pytest.approx(float(expected[0]), abs=1e-5)
    assert rows["place 1"] == pytest.approx(float(expected[1]), abs=1e-5)
    assert not isinstance(rows["place 2"], float)
    if same:
        assert layer.isEditable()
        layer.undoStack().undo()
        assert column not in layer.fields().names()
        layer.rollBack()
    else:
        assert column not in layer.fields().names()


def test_layer_tab_without_a_layer(dock):  # noqa: F811
    """It says what to do."""
    dock.tabs.setCurrentWidget(dock.layer)
    assert not dock.layer.run.isEnabled()
    assert dock.layer.empty.isVisible()


# ------------------------------------------------------------ photos


def drop(area, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QgsApplication.sendEvent(area, QDragEnterEvent(QPoint(5, 5), action, mime, button, none))
    QgsApplication.sendEvent(area, QDropEvent(QPointF(5, 5), action, mime, button, none))


def test_drop_a_photo(dock, said, tmp_path):  # noqa: F811
    """A photo is shown small; a text file is refused in one sentence."""
    dock.tabs.setCurrentWidget(dock.photo)
    path = tmp_path / "photo.png"
    image = QImage(600, 400, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    image.save(str(path))
    drop(dock.photo.drop, path)
    assert dock.photo.path == str(path)
    assert dock.photo.drop.picture.pixmap().height() <= 154
    assert "no EXIF position" in dock.photo.position.text()
    assert dock.photo.run.isEnabled()
    (tmp_path / "notes.txt").write_text("x")
    drop(dock.photo.drop, tmp_path / "notes.txt")
    assert "notes.txt is neither" in said.problems[0]
    assert dock.photo.path == str(path)


def test_exif_position_is_shown(dock, tmp_path):  # noqa: F811
    """And said not to be used."""
    from qgis.core import QgsExifTools

    path = tmp_path / "photo.jpg"
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.blue)
    image.save(str(path))
    assert QgsExifTools.geoTagImage(str(path), QgsPointXY(12.5, 41.9))
    dock.photo.take(str(path))
    assert "41.9" in dock.photo.position.text()
    assert "never used" in dock.photo.position.text()


def test_locate_a_photo_fails_readably_without_an_engine(dock, said, tmp_path, monkeypatch):  # noqa: F811
    """It says what is missing; a vector needs none."""
    from geoconcept.engine import finder

    monkeypatch.setattr(finder, "candidates", list)
    path = tmp_path / "photo.png"
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.blue)
    image.save(str(path))
    dock.photo.engine.look()
    until(lambda: dock.photo.engine._known, what="the engine's state")
    assert "No engine yet" in dock.photo.engine.state.text()
    dock.photo.take(str(path))
    dock.photo.start()
    until(lambda: said.problems, what="the refusal")
    assert "Traceback" not in said.problems[0]
    assert "engine" in said.problems[0]
    dock.photo.take(str(tmp_path / "vector.npy"))
    assert "needs no engine" in dock.photo.position.text()


def test_results_zoom(dock, canvas, make_points):  # noqa: F811
    """Places are listed best first; a click on one shows it on the map."""
    layer = make_points(
        [(2.35, 48.85), (-70.6, -33.4)],
        fields="photo:string&field=rank:integer&field=probability:double&field=lon:double&field=lat:double",
        rows=[["a.jpg", 1, 0.4, 2.35, 48.85], ["a.jpg", 2, 0.1, -70.6, -33.4]],
    )
    QgsProject.instance().addMapLayer(layer)
    dock.photo._located({"POINTS": layer.id()})
    assert [dock.photo.places.item(k).text() for k in range(2)] == [
        "1.  48.85\u00b0 N, 2.35\u00b0 E   40.0 %",
        "2.  33.40\u00b0 S, 70.60\u00b0 W   10.0 %",
    ]
    dock.photo._zoom(dock.photo.places.item(1))
    assert canvas.extent().contains(QgsPointXY(-70.6, -33.4))
    assert canvas.extent().width() < 20


def test_a_vector_is_located(dock, canvas, said, towns, vectors):  # noqa: F811
    """From file to list, layers and report, without an engine."""
    dock.tabs.setCurrentWidget(dock.photo)
    dock.photo.take(str(vectors))
    dock.photo.start()
    until(lambda: said.problems or dock.photo.places.count(), what="places")
    assert said.problems == []
    texts = [dock.photo.places.item(k).text() for k in range(dock.photo.places.count())]
    first = next(text for text in texts if ": 1." in text)
    found = re.match(r"towns.npy\[0\]: 1.  ([0-9.]+)\u00b0 N, ([0-9.]+)\u00b0 E   [0-9.]+ %$", first)
    assert abs(float(found[1]) - 30.04) < 0.3 and abs(float(found[2]) - 31.24) < 0.3, first  # Cairo
    kinds = sorted(type(layer).__name__ for layer in QgsProject.instance().mapLayers().values())
    assert kinds == ["QgsRasterLayer", "QgsVectorLayer", "QgsVectorLayer"]
    assert Path(dock.photo._report).read_text("utf-8").startswith("<!DOCTYPE html>")
    assert dock.photo.report.isVisible()


def test_files_named_in_tests_are_not_left(dock):  # noqa: F811
    """The tests' own folder of caches is the profile's, not the user's."""
    from geoconcept import service

    assert Path(service.cache_folder()).parts[-2:] == ("profile", "cache")
