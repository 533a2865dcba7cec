"""What QGIS loads: stable names, help for everything, a second language, and nothing left behind."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILT, ROOT
from qgis.core import QgsProcessingParameterDefinition
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

sys.path.append(str(ROOT / "qgis_plugin"))  # behind the built plugin, which has the same name
import translations

NAMES = {
    "comparelayers",
    "compareconcepts",
    "conceptcolumns",
    "conceptfromplaces",
    "conceptfromwords",
    "conceptgrid",
    "conceptraster",
    "enginestatus",
    "geolocatephoto",
    "placeprofile",
    "similarplaces",
}


def test_ids_never_change(provider):
    """Models and scripts of users hold them."""
    assert provider.id() == "geoconcept"
    assert {algorithm.name() for algorithm in provider.algorithms()} == NAMES


def test_every_algorithm_explains_itself(provider):
    """Help, tags, a group, an icon; every parameter has a description; defaults pass their own checks."""
    for algorithm in provider.algorithms():
        assert len(algorithm.shortHelpString()) > 150, algorithm.name()
        assert algorithm.displayName()
        assert algorithm.group()
        assert algorithm.tags()
        assert not algorithm.icon().isNull()
        for parameter in algorithm.parameterDefinitions():
            assert parameter.description(), (algorithm.name(), parameter.name())
            hidden = parameter.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional
            if parameter.defaultValue() not in (None, "") and not hidden and not parameter.isDestination():
                assert parameter.checkValueIsAcceptable(parameter.defaultValue()), (algorithm.name(), parameter.name())


ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
from qgis.core import QgsApplication, QgsExpression
from qgis.testing import start_app
start_app()
from geoconcept import classFactory, service
registry = QgsApplication.processingRegistry()
before = {one.id() for one in registry.providers()}
plugin = classFactory(None)
plugin.initProcessing()
assert registry.algorithmById("geoconcept:conceptraster")
assert QgsExpression.isFunctionName("concept_score")
assert not service._kept, "the model was loaded before anybody asked"
service.model()
plugin.unload()
assert {one.id() for one in registry.providers()} == before
assert not QgsExpression.isFunctionName("concept_score")
assert not service._kept
print("all gone")
"""


def test_without_a_desktop_it_is_light_and_leaves_nothing_behind():
    """As `qgis_process` loads and unloads it: no model until somebody asks, and nothing afterwards."""
    done = subprocess.run([sys.executable, "-c", ALONE, str(BUILT)], capture_output=True, text=True, check=False)
    assert "all gone" in done.stdout, done.stderr


@pytest.mark.parametrize("path", sorted(translations.FOLDER.glob("*.ts")), ids=lambda path: path.stem)
def test_the_translation_is_complete(path):
    """Every text has one, with the same fields, and the compiled file holds them."""
    known = translations.read(path)
    missing = [key for key in translations.texts() if not known.get(key)]
    assert not missing
    for (_, source), text in known.items():
        fields = [field for field in ("{0}", "{1}", "{2}", "\n\n") if source.count(field) != text.count(field)]
        assert not fields, (source, text)
    compiled = QTranslator()
    assert compiled.load(str(Path(path).with_suffix(".qm")))
    for (context, source), text in known.items():
        assert compiled.translate(context.encode(), source.encode()) == text


def test_german(qgis_app, monkeypatch, provider):
    """In a German QGIS the toolbox is German, and ids are not."""
    from geoconcept import plugin
    from geoconcept.algs.concept_raster import ConceptRaster

    monkeypatch.setattr(plugin.QgsApplication, "locale", staticmethod(lambda: "de"))
    translator = plugin._translator()
    try:
        algorithm = ConceptRaster()
        assert algorithm.displayName() == "Konzeptraster"
        assert algorithm.name() == "conceptraster"
    finally:
        QCoreApplication.removeTranslator(translator)
