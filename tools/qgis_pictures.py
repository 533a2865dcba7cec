"""Make the pictures of docs/qgis.md from the plugin itself.

    make plugin && GEOCONCEPT_DATA=data QT_QPA_PLATFORM=offscreen .venv-qgis/bin/python tools/qgis_pictures.py [FOLDER]

Run by QGIS's own Python (`make qgis` makes that environment). The photo is a vector of the data folder; without that
folder, the model's own vector of Paris. The dock is driven in a real desktop under Xvfb by the
script that the tests use; layout and report need no screen. Reports are photographed by Chromium, if it is there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "qgis"), str(ROOT / "tests" / "qgis")]

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsMapLayerLegendUtils,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QFont  # noqa: E402
from qgis.testing import start_app  # noqa: E402

#: Screens of the desktop's story (tests/qgis/desktop/drive.py) that the guide shows.
SCREENS = {"3_fine": "preview", "8_compared": "place", "10_layer_done": "columns", "13_located": "photo"}
#: Twenty-two castles, to make a concept of.
CASTLES = [
    *((-3.20, 55.95), (-4.94, 57.30), (10.75, 47.56), (14.40, 50.09), (-8.64, 53.00), (1.30, 44.80), (7.33, 50.21)),
    *((19.94, 50.05), (-3.95, 56.12), (14.31, 48.81), (9.97, 48.32), (12.48, 55.68), (-4.12, 40.95), (13.04, 47.79)),
    *((21.00, 52.20), (18.26, 49.99), (17.10, 48.14), (-9.39, 38.79), (6.93, 46.41), (-1.55, 52.28), (5.60, 50.28)),
    (22.88, 45.75),
]


def save(image, path, width=1000):
    """Write a small PNG: no wider than `width`, with 256 colours."""
    image = image.convert("RGB")
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size:,} bytes")


def screens(folder):
    """Drive the desktop, and keep four of its screens."""
    from test_desktop import drive

    with tempfile.TemporaryDirectory() as shots, tempfile.TemporaryDirectory() as work:
        if "GEOCONCEPT_DATA" in os.environ:
            os.environ["GEOCONCEPT_VECTOR"] = italy(Path(work))
        drive(Path(shots), Path(work))
        for name, title in SCREENS.items():
            save(Image.open(Path(shots) / f"{name}.png"), folder / f"{title}.png")


def italy(work):
    """Write CLIP's vector of a photo whose caption names Italy; return the file."""
    with np.load(Path(os.environ["GEOCONCEPT_DATA"]) / "clip" / "clip_vitl14_country_vectors.npz") as data:
        [row] = np.flatnonzero(data["image_country"] == "IT")
        np.save(work / "photo_from_Italy.npy", data["image"][row])
    return str(work / "photo_from_Italy.npy")


def layout(folder, work):
    """Print a map with its legend, its scale and its source."""
    import processing
    from geoconcept import service
    from geoconcept.io import style

    out = f"{work}/vineyard.tif"
    parameters = {"CONCEPTS": "vineyard", "EXTENT": "-11,32,35,58 [EPSG:4326]", "CRS": "EPSG:3035", "CELL_SIZE": 12_000}
    processing.run("geoconcept:conceptraster", {**parameters, "OUTPUT": out})
    raster = QgsRasterLayer(out, "vineyard (percentile of land)")
    style.pseudocolor(raster, "percentile")
    world = QgsApplication.pkgDataPath() + "/resources/data/world_map.gpkg|layername=countries"
    countries = QgsVectorLayer(world, "countries", "ogr")
    line = QgsFillSymbol.createSimple({"style": "no", "outline_color": "#444444", "outline_width": "0.15"})
    countries.setRenderer(QgsSingleSymbolRenderer(line))
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3035"))
    project.addMapLayers([raster, countries])
    page = QgsPrintLayout(project)
    page.initializeDefaults()
    millimetres = QgsUnitTypes.LayoutUnit.LayoutMillimeters

    def place(item, x, y, width, height):
        page.addLayoutItem(item)
        item.attemptMove(QgsLayoutPoint(x, y, millimetres))
        item.attemptResize(QgsLayoutSize(width, height, millimetres))
        return item

    map_item = place(QgsLayoutItemMap(page), 10, 25, 215, 165)
    map_item.setLayers([countries, raster])
    map_item.setExtent(raster.extent())  # zooming needs an extent to begin with
    map_item.zoomToExtent(raster.extent())
    map_item.setFrameEnabled(True)
    title = place(QgsLayoutItemLabel(page), 10, 8, 270, 12)
    title.setText("Associated with vineyards")
    title.setFont(QFont("DejaVu Sans", 24))
    legend = place(QgsLayoutItemLegend(page), 230, 25, 60, 80)
    legend.setAutoUpdateModel(False)
    legend.model().rootGroup().clear()
    entry = legend.model().rootGroup().addLayer(raster)
    QgsMapLayerLegendUtils.setLegendNodeOrder(entry, [1])  # the ramp, without the name of its band
    legend.model().refreshLayerLegend(entry)
    bar = place(QgsLayoutItemScaleBar(page), 230, 150, 60, 15)
    bar.setLinkedMap(map_item)
    bar.setUnits(QgsUnitTypes.DistanceUnit.DistanceKilometers)
    bar.setUnitLabel("km")
    bar.setUnitsPerSegment(400)
    bar.setNumberOfSegments(2)
    bar.setNumberOfSegmentsLeft(0)
    model = service.model()
    source = place(QgsLayoutItemLabel(page), 10, 193, 280, 12)
    source.setText(
        f"GeoConcept, model {model.name} (sha256 {model.sha256[:12]}), scale {model.scale_km[0]:g} to "
        f"{model.scale_km[1]:g} km. Percentile: share of the land that scores lower. An association, no observation."
    )
    source.setFont(QFont("DejaVu Sans", 9))
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 110
    picture = f"{work}/layout.png"
    QgsLayoutExporter(page).exportToImage(picture, settings)
    save(Image.open(picture), folder / "layout.png")


def report(folder, work):
    """Make a concept from castles, and photograph its report."""
    import processing
    from conftest import points_layer

    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("report.png: no Chromium here")
        return
    page = Path(work) / "report.html"
    parameters = {"INPUT": points_layer(CASTLES), "NAME": "castle of mine", "OUTPUT": f"{work}/castle.concept"}
    processing.run("geoconcept:conceptfromplaces", {**parameters, "REPORT": str(page)})
    picture = Path(work) / "report.png"
    command = [browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,1400"]
    subprocess.run([*command, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True)
    save(Image.open(picture), folder / "report.png")


def main():
    """Make all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "qgis"
    folder.mkdir(parents=True, exist_ok=True)
    screens(folder)
    start_app()
    sys.path.append(QgsApplication.pkgDataPath() + "/python/plugins")
    from geoconcept.provider import GeoConceptProvider
    from processing.core.Processing import Processing

    Processing.initialize()
    provider = GeoConceptProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    with tempfile.TemporaryDirectory() as work:
        layout(folder, work)
        report(folder, work)


if __name__ == "__main__":
    main()
