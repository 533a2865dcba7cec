"""Every algorithm through `qgis_process`, as scripts and servers call them: no desktop, a fresh profile."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import BUILT

# Debian's wrapper `qgis_process` passes an option that the program does not know.
PROGRAM = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="qgis_process is not on the PATH")

EGYPT = "24,36,22,32 [EPSG:4326]"
#: One run of each algorithm: parameters, and what must be there afterwards. {out} is an empty folder, {points} a layer.
RUNS = {
    "conceptraster": ({"CONCEPTS": "BWh", "EXTENT": EGYPT, "CELL_SIZE": 1, "OUTPUT": "{out}/a.tif"}, ["a.tif"]),
    "conceptcolumns": ({"INPUT": "{points}", "CONCEPTS": "BWh;Cfb", "OUTPUT": "{out}/a.gpkg"}, ["a.gpkg"]),
    "conceptgrid": ({"CONCEPTS": "BWh", "EXTENT": EGYPT, "CELL_SIZE": 2, "OUTPUT": "{out}/a.gpkg"}, ["a.gpkg"]),
    "conceptfromplaces": (
        {"INPUT": "{points}", "NAME": "mine", "BACKGROUND": 300, "OUTPUT": "{out}/a.concept", "REPORT": "{out}/a.html"},
        ["a.concept", "a.html"],
    ),
    "conceptfromwords": (
        {"TEXT": "hot desert", "OUTPUT": "{out}/a.concept", "REPORT": "{out}/a.html"},
        ["a.concept", "a.html"],
    ),
    "similarplaces": (
        {"INPUT": "{points}", "EXTENT": EGYPT, "CELL_SIZE": 2, "OUTPUT": "{out}/a.tif", "REPORT": "{out}/a.html"},
        ["a.tif", "a.html"],
    ),
    "compareconcepts": (
        {"A": "BWh", "B": "BSh", "EXTENT": EGYPT, "CELL_SIZE": 2, "OUTPUT": "{out}/a.tif", "REPORT": "{out}/a.html"},
        ["a.tif", "a.html"],
    ),
    "placeprofile": (
        {"POINT": "31.2,30 [EPSG:4326]", "REPORT": "{out}/a.html", "OUTPUT": "{out}/a.gpkg"},
        ["a.html", "a.gpkg"],
    ),
    "comparelayers": ({"INPUT": "{points}", "FIELD": "value", "CONCEPTS": "BWh", "REPORT": "{out}/a.html"}, ["a.html"]),
    "geolocatephoto": (
        {
            **{"INPUT": "{vector}", "CELL_SIZE": 0.25, "HEATMAP": "{out}/a.tif", "REPORT": "{out}/a.html"},
            **{"POINTS": "{out}/a.gpkg", "AREAS": "{out}/b.gpkg"},
        },
        ["a.tif", "a.html", "a.gpkg", "b.gpkg"],
    ),
    "enginestatus": ({"REPORT": "{out}/a.html"}, ["a.html"]),
}

#: Packages that must never be imported inside QGIS: theirs would clash with QGIS's own libraries.
FORBIDDEN = (
    "torch",
    "pandas",
    "geopandas",
    "shapely",
    "rasterio",
    "h3",
    "pyarrow",
    "sklearn",
    "scipy",
    "geoconcept_gis",
)

GUARD = """
import sys
from qgis.core import QgsApplication, QgsProcessingAlgorithm, QgsProcessingOutputString, QgsProcessingProvider

class Loaded(QgsProcessingAlgorithm):
    def name(self): return "loaded"
    def displayName(self): return "loaded"
    def createInstance(self): return Loaded()
    def initAlgorithm(self, configuration=None):
        self.addOutput(QgsProcessingOutputString("MODULES", "modules"))
    def processAlgorithm(self, parameters, context, feedback):
        import processing
        from geoconcept.algs import ALGORITHMS
        parameters = {"EXTENT": "24,36,22,32 [EPSG:4326]", "CELL_SIZE": 2, "OUTPUT": "TEMPORARY_OUTPUT"}
        processing.run("geoconcept:conceptraster", parameters, is_child_algorithm=True, context=context)
        import geoconcept.expressions
        return {"MODULES": " ".join(sorted({name.split(".")[0] for name in sys.modules}))}

class Guard(QgsProcessingProvider):
    def id(self): return "guard"
    def name(self): return "guard"
    def loadAlgorithms(self): self.addAlgorithm(Loaded())

class Plugin:
    def __init__(self, iface): pass
    def initProcessing(self):
        self.provider = Guard()
        QgsApplication.processingRegistry().addProvider(self.provider)
    def initGui(self): self.initProcessing()
    def unload(self): pass

def classFactory(iface): return Plugin(iface)
"""


@pytest.fixture(scope="module")
def qgis_process(tmp_path_factory):
    """Call the program in a profile of its own, with the built plugin enabled."""
    plugins, profile = tmp_path_factory.mktemp("plugins"), tmp_path_factory.mktemp("profile")
    (plugins / "geoconcept").symlink_to(BUILT / "geoconcept")
    guard = plugins / "guard"
    guard.mkdir()
    (guard / "__init__.py").write_text(GUARD)
    (guard / "metadata.txt").write_text(
        "[general]\nname=guard\nqgisMinimumVersion=3.22\nversion=1\ndescription=x\nauthor=x\nemail=x\n"
        "hasProcessingProvider=yes\n"
    )
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(plugins),
        "QGIS_CUSTOM_CONFIG_PATH": str(profile),
        "XDG_RUNTIME_DIR": str(profile),
        # The map of places takes minutes to make: once for all runs.
        "GEOCONCEPT_CACHE": os.environ.get("GEOCONCEPT_CACHE", str(BUILT.parent / "qgis_cache")),
    }

    def call(*arguments, check=True):
        done = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=900)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    for plugin in ("geoconcept", "guard"):
        call("plugins", "enable", plugin)
    return call


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """Twelve places, two of them in Egypt, with a number each."""
    places = {"Cairo": (31.2, 30.0, 21.8), "Aswan": (32.9, 24.1, 26.4), "London": (-0.1, 51.5, 11.1)}
    places |= {"Oslo": (10.7, 59.9, 6.3), "Manaus": (-60.0, -3.1, 27.0), "Yakutsk": (129.7, 62.0, -8.8)}
    places |= {"Lima": (-77.0, -12.1, 19.5), "Perth": (115.9, -31.9, 18.7), "Delhi": (77.2, 28.6, 25.0)}
    places |= {"Nuuk": (-51.7, 64.2, -1.4), "Dakar": (-17.4, 14.7, 24.3), "Kyoto": (135.8, 35.0, 16.1)}
    features = [
        {"type": "Feature", "properties": {"name": n, "value": v}, "geometry": {"type": "Point", "coordinates": [x, y]}}
        for n, (x, y, v) in places.items()
    ]
    path = tmp_path_factory.mktemp("points") / "points.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture(scope="module")
def vector(tmp_path_factory):
    """A vector of the shared space, as of a photo."""
    path = tmp_path_factory.mktemp("vector") / "photo.npy"
    np.save(path, np.random.default_rng(0).normal(size=512).astype(np.float32))
    return path


def test_every_algorithm_is_run_here(provider):
    """No algorithm is forgotten in the table above."""
    assert {algorithm.name() for algorithm in provider.algorithms()} == set(RUNS)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_algorithm(qgis_process, points, vector, tmp_path, name):
    """It runs and leaves what it should."""
    parameters, left = RUNS[name]
    places = {"out": tmp_path, "points": points, "vector": vector}
    filled = [f"{key}={str(value).format(**places)}" for key, value in parameters.items()]
    said = qgis_process("run", f"geoconcept:{name}", "--", *filled)
    for file in left:
        assert (tmp_path / file).stat().st_size > 0, said.stdout


@pytest.mark.parametrize("name", sorted(RUNS))
def test_help(qgis_process, name):
    """The help names every parameter and says what the algorithm is for."""
    text = qgis_process("help", f"geoconcept:{name}").stdout
    assert all(key in text for key in RUNS[name][0])
    assert len(text) > 400


def test_a_mistake_is_one_sentence(qgis_process, tmp_path):
    """Not a traceback; and the exit code says so."""
    done = qgis_process(
        "run", "geoconcept:conceptraster", "--", "CONCEPTS=hot desrt climate", f"EXTENT={EGYPT}",
        f"OUTPUT={tmp_path / 'a.tif'}", check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "did you mean 'hot desert climate'" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_nothing_foreign_is_loaded(qgis_process):
    """Only the real binary shows this: numpy, GDAL and Qt are all that the plugin imports."""
    said = json.loads(qgis_process("--json", "run", "guard:loaded").stdout)
    loaded = set(said["results"]["MODULES"].split())
    assert "geoconcept" in loaded
    assert not loaded & set(FORBIDDEN)


def test_the_field_calculator_knows_our_functions(qgis_process, points, tmp_path):
    """Expressions work without a desktop, too, and say what the model says."""
    from geoconcept.core import load_model

    out = tmp_path / "a.geojson"
    qgis_process(
        "run", "native:fieldcalculator", "--", f"INPUT={points}", "FIELD_NAME=desert", "FIELD_TYPE=0",
        "FORMULA=concept_score('hot desert climate')", f"OUTPUT={out}",
    )  # fmt: skip
    found = {f["properties"]["name"]: f["properties"]["desert"] for f in json.loads(Path(out).read_text())["features"]}
    expected = load_model("geoconcept-small", backend="numpy").score([(31.2, 30.0), (-0.1, 51.5)], "BWh")[:, 0]
    np.testing.assert_allclose([found["Cairo"], found["London"]], expected, atol=1e-5)
