"""The desktop's part as a whole: it comes and goes, and says in one sentence what is wrong."""

import shutil
import subprocess
import sys
import textwrap

import pytest
from conftest import BUILT
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QApplication
from test_gui import canvas, dock, said, until  # noqa: F401 - fixtures


@pytest.fixture
def desktop(provider, profile, canvas, qgis_iface):  # noqa: F811
    from geoconcept.gui.desktop import Desktop

    qgis_iface.mainWindow().show()
    return Desktop(qgis_iface)


def test_close_leaves_nothing_behind(desktop, canvas):  # noqa: F811
    """No thread, no item on the map, no map tool, no widget, no signal that still calls us."""
    import threading

    from geoconcept.gui import catalogue, jobs

    dock = desktop.dock  # noqa: F811
    dock.show()
    until(lambda: dock.concept.catalogue.entries, what="concepts")
    dock.concept.choose("hot desert climate")
    dock.concept.live.setChecked(True)
    until(lambda: dock.concept.preview.raster is not None, what="a picture")
    dock.place.button.setChecked(True)
    assert canvas.mapTool() is dock.place.tool
    items = len(canvas.scene().items())
    desktop.close()
    assert not jobs._RUNNING
    assert catalogue._kept == []
    assert canvas.mapTool() is None
    assert len(canvas.scene().items()) < items
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("Preview")], 5, "the thread to end")
    QApplication.sendPostedEvents(None, 52)  # deleteLater
    assert [w for w in QApplication.allWidgets() if w.objectName() == "GeoConceptDock"] == []
    canvas.setExtent(canvas.extent())  # would call the preview, were it still there


def test_buttons_are_registered_and_taken_away(desktop, qgis_iface):
    """One button that toggles the dock, a menu, a page of options."""
    assert qgis_iface.addRasterToolBarIcon.call_args[0][0] is desktop.toggle
    assert qgis_iface.addPluginToRasterMenu.call_count >= 3
    factory = qgis_iface.registerOptionsWidgetFactory.call_args[0][0]
    desktop.close()
    assert qgis_iface.removeRasterToolBarIcon.called
    assert qgis_iface.unregisterOptionsWidgetFactory.call_args[0][0] is factory


def test_options_page(provider, profile, said):  # noqa: F811
    """Cache: its size, and away with it; diagnostics: all that a report needs."""
    from geoconcept import service
    from geoconcept.gui.settings import OptionsPage

    (profile / "cache").mkdir(parents=True)
    (profile / "cache" / "x.npy").write_bytes(b"0" * 2_000_000)
    said.show_log = lambda: None
    page = OptionsPage(said)
    assert page.size.text() == "2.0 MB"
    page.clear.click()
    assert page.size.text() == "0.0 MB"
    until(page.copy.isEnabled, what="diagnostics")
    page.copy.click()
    text = page.text.toPlainText()
    for part in ("QGIS: 3.", "numpy: ", "places/s", service.model().sha256, "engine: "):
        assert part in text, part
    until(lambda: page.engine._known, what="the engine's state")
    page.hide()


def test_another_model(dock, canvas, said, geoclip, monkeypatch, tmp_path):  # noqa: F811
    """Chosen in the options it takes the place of the plugin's own at once; what is no model changes nothing."""
    from geoconcept import service
    from geoconcept.core.concept_files import write_concept
    from geoconcept.gui.settings import OptionsPage
    from qgis.PyQt.QtWidgets import QFileDialog

    service.choose_model(None)
    own = service.model()
    service.own_folder().mkdir(parents=True)
    write_concept(own.bank["BWh"], service.own_folder() / "mine.concept", own)
    dock.concept.choose("hot desert climate")
    dock.concept.live.setChecked(True)
    dock.place.ask(31.2, 30.0)
    until(lambda: dock.place.place is not None and not dock.concept.preview.running, what="place and preview")
    said.show_log = lambda: None
    page = OptionsPage(said)
    assert "geoconcept-small" in page.model.text() and not page.own.isEnabled()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: str(tmp_path))
    page.folder.click()
    assert str(tmp_path) in said.problems[0] and service.model() is own
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: str(geoclip.folder))
    page.folder.click()
    assert service.model().name == "geoclip" and page.own.isEnabled()
    assert dock.concept.concept is None and dock.concept.preview.raster is None and dock.place.place is None
    until(lambda: dock.concept.catalogue.pictures, what="the list of the other bank")
    assert "space" in said.problems[1]  # one's own concept is of the model before
    dock.concept.choose("hot desert climate")
    assert dock.concept.concept.space == geoclip.space
    page.own.click()
    assert service.model().name == "geoconcept-small" and service.chosen_model() is None
    page.hide()


def test_a_chosen_model_that_is_gone_is_told(provider, profile, tmp_path):
    """Never the other one in silence: its numbers differ."""
    from geoconcept import service
    from geoconcept.core.errors import ModelFileError
    from qgis.core import QgsSettings

    QgsSettings().setValue(service.SETTING, str(tmp_path / "gone"))
    service.forget()
    with pytest.raises(ModelFileError, match=r"gone.*another model in the plugin's options"):
        service.model()
    service.choose_model(None)


def test_read_only_profile(provider, profile, canvas, qgis_iface, said, monkeypatch):  # noqa: F811
    """The dock works all the same, and says once that nothing is kept."""
    from geoconcept.gui import catalogue, thumbnails
    from geoconcept.gui.dock import Dock

    def refused(_):
        raise PermissionError("[Errno 13] Permission denied: 'cache'")

    monkeypatch.setattr(thumbnails, "atomic_file", refused)
    made = Dock(qgis_iface, said)
    made.show()
    until(lambda: made.concept.catalogue.pictures, what="small maps")
    made.concept.catalogue.reload()
    until(lambda: made.concept.catalogue._job is None, what="them again")
    assert len(said.problems) == 1
    assert "cannot be written" in said.problems[0]
    assert "Permission denied" in said.problems[0]
    made.close_down()
    catalogue.forget()


@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_corrupt_model(tmp_path, damage):
    """One sentence that names the file, in the dock and in the message bar; the dock stays."""
    tree = tmp_path / "geoconcept"
    shutil.copytree(BUILT / "geoconcept", tree)
    [file] = tree.rglob("location_encoder.safetensors*")
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1000])
    code = f"""
    import sys
    sys.path[:0] = [{str(tmp_path)!r}, {str(__file__).rpartition("/")[0]!r}]
    from qgis.testing import start_app
    app = start_app()
    from qgis.core import QgsApplication
    sys.path.append(QgsApplication.pkgDataPath() + "/python/plugins")
    from qgis.gui import QgsMapCanvas
    from unittest.mock import MagicMock
    import time
    from geoconcept.gui.dock import Dock
    problems = []
    iface, said = MagicMock(), MagicMock()
    canvas = QgsMapCanvas()
    iface.mapCanvas.return_value = canvas
    said.problem = problems.append
    dock = Dock(iface, said)
    dock.show()
    end = time.monotonic() + 60
    while not problems and time.monotonic() < end:
        app.processEvents()
    assert dock.concept.again.isVisible()
    print("SAID:", problems[0])
    print("SHOWN:", dock.concept.empty.text())
    dock.close_down()
    sys.stdout.flush()
    import os
    os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(("SAID:", "SHOWN:"))]
    assert len(lines) == 2, done.stdout + done.stderr
    for line in lines:
        assert "location_encoder" in line
        assert "Traceback" not in line


def test_an_error_of_ours_is_one_sentence(qgis_app, said):  # noqa: F811
    """The log has the trace, the user a sentence."""
    from geoconcept.gui.jobs import LOG, Job

    logged = []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: logged.append((tag, text)))

    def broken(_):
        return {}["x"]

    Job("broken", broken, failed=said.problem).start()
    until(lambda: said.problems, 10, "the problem")
    assert said.problems == ["KeyError: 'x' (the log has the details)"]
    assert any(tag == LOG and "Traceback" in text for tag, text in logged)


def test_concept_field_completes_and_picks(dock, monkeypatch):  # noqa: F811
    """The last of several names is completed; ticking keeps what is in no list."""
    from geoconcept.gui.concept_field import ConceptField, ConceptPicker
    from qgis.PyQt.QtCore import Qt

    field = ConceptField("BWh; tun")
    completer = field.completer
    assert completer.splitPath("BWh; tun") == ["tun"]
    names = completer.model().stringList()
    index = completer.model().index(names.index("tundra climate"), 0)
    assert completer.pathFromIndex(index) == "BWh; tundra climate"

    def tick(picker):
        picker.search.setText("tundra climate")
        first = picker.filter.index(0, 0)
        picker.filter.setData(first, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
        return picker.DialogCode.Accepted

    monkeypatch.setattr(ConceptPicker, "exec", tick)
    field.set_text("words: olive groves")
    field.pick()
    assert field.text() == "words: olive groves; tundra climate"


@pytest.mark.parametrize("kind", ["AlgorithmDialog", "BatchAlgorithmDialog", "ModelerParametersDialog"])
def test_forms_of_processing(provider, dock, qgis_iface, monkeypatch, kind):  # noqa: F811
    """The field with the list in a form, a plain line in a batch; both give the text."""
    import geoconcept.gui.concept_widget as module
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.PyQt.QtWidgets import QLineEdit, QWidget

    algorithm = QgsApplication.processingRegistry().algorithmById("geoconcept:conceptraster")
    dialog = type(kind, (QWidget,), {})()  # Processing knows its dialogs by the names of their classes
    wrapper = WidgetWrapperFactory.create_wrapper(algorithm.parameterDefinition("CONCEPTS"), dialog)
    assert isinstance(wrapper, module.ConceptWidgetWrapper)
    assert isinstance(wrapper.widget, module.ConceptField if kind == "AlgorithmDialog" else QLineEdit)
    wrapper.setValue("BWh; Cfb")
    assert wrapper.value() == "BWh; Cfb"


def test_the_engine_is_not_set_up_without_consent(qgis_app):
    """And another plan is another question."""
    from geoconcept.gui.engine_dialog import EngineDialog

    dialog = EngineDialog()
    assert not dialog.begin.isEnabled()
    dialog.agree.setChecked(True)
    assert dialog.begin.isEnabled()
    dialog.index.setText("https://example.org/simple")
    assert not dialog.agree.isChecked()
    assert not dialog.begin.isEnabled()
    assert "https://example.org/simple" in dialog.question.text()
    dialog.reject()
    assert dialog.task is None
