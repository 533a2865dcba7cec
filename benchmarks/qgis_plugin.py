"""How long an analyst waits for the plugin: columns for 10,000 points, a canvas of 400 x 300 cells, coarse and fine.

    make plugin && QT_QPA_PLATFORM=offscreen .venv-qgis/bin/python benchmarks/qgis_plugin.py [--save]

Run by QGIS's own Python (`make qgis` makes that environment).
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "qgis"), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
from machine import RESULTS, machine  # noqa: E402
from qgis.core import Qgis, QgsApplication, QgsFeature, QgsGeometry, QgsPointXY, QgsVectorLayer  # noqa: E402
from qgis.testing import start_app  # noqa: E402

POINTS, CANVAS = 10_000, (400, 300)


def points_layer():
    """Ten thousand places, spread over the land and the sea."""
    rng = np.random.default_rng(0)
    layer = QgsVectorLayer("Point?crs=EPSG:4326&field=name:string", "points", "memory")
    features = []
    for lon, lat in zip(rng.uniform(-180, 180, POINTS), rng.uniform(-60, 75, POINTS), strict=True):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(lon, lat)))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    return layer


def seconds(function, rounds=3):
    """Best of some runs: the machine is shared."""
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found = machine()
    start_app()
    sys.path.append(QgsApplication.pkgDataPath() + "/python/plugins")
    import processing
    from geoconcept import service
    from geoconcept.provider import GeoConceptProvider
    from processing.core.Processing import Processing

    Processing.initialize()
    provider = GeoConceptProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    load = seconds(lambda: (service.forget(), service.model()))
    lonlat = np.random.default_rng(1).uniform(-60, 60, (20_000, 2))
    rate = len(lonlat) / seconds(lambda: service.score(lonlat, service.concepts("hot desert climate")))
    layer = points_layer()

    def columns(concepts):
        processing.run("geoconcept:conceptcolumns", {"INPUT": layer, "CONCEPTS": concepts, "OUTPUT": "memory:"})

    def canvas(size):
        with tempfile.TemporaryDirectory() as folder:
            # All of it at sea and on land: the slowest canvas there is.
            parameters = {"EXTENT": "-20,20,15,45 [EPSG:4326]", "CELL_SIZE": 40 / size[0], "LAND_ONLY": False}
            out = f"{folder}/a.tif"
            processing.run("geoconcept:conceptraster", {**parameters, "CONCEPTS": "vineyard", "OUTPUT": out})

    coarse = (CANVAS[0] // 8, CANVAS[1] // 8)
    many = ";".join(service.names()[:20])
    rows = [
        ("load the model", load, ""),
        (f"concept columns, {POINTS:,} points, 1 concept", seconds(lambda: columns("hot desert climate")), "2 s"),
        (
            f"concept columns, {POINTS:,} points, 20 concepts",
            seconds(lambda: columns(many)),
            "",
        ),
        (f"canvas, coarse: {coarse[0]} x {coarse[1]} cells", seconds(lambda: canvas(coarse)), "1 s"),
        (f"canvas, fine: {CANVAS[0]} x {CANVAS[1]} cells", seconds(lambda: canvas(CANVAS), 2), "10 s"),
    ]
    lines = [
        f"# The QGIS plugin, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/qgis_plugin.py`, {found['cores']} cores, load before "
        f"{found['load_before']}, QGIS {Qgis.QGIS_VERSION}, numpy {np.__version__}. Best of three.",
        f"The encoder makes {rate:,.0f} points a second here.",
        "",
        "| what | seconds | bar |",
        "| --- | --: | --: |",
        *(f"| {name} | {value:.2f} | {bar} |" for name, value, bar in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.save:
        slug = "-".join("".join(c if c.isalnum() else " " for c in found["cpu"].lower()).split())
        (RESULTS / f"qgis-plugin-{slug}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
