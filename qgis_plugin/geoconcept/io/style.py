# SPDX-License-Identifier: GPL-2.0-or-later
"""Renderers and layer metadata from the core's looks: fixed ranges, so that maps can be compared by eye."""

import math
from pathlib import Path

from qgis.core import (
    QgsAbstractMetadataBase,
    QgsClassificationRange,
    QgsColorRampLegendNodeSettings,
    QgsColorRampShader,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsLayerMetadata,
    QgsMarkerSymbol,
    QgsPalettedRasterRenderer,
    QgsRasterShader,
    QgsRendererRange,
    QgsSingleBandPseudoColorRenderer,
    QgsSymbol,
)
from qgis.PyQt.QtGui import QColor

from ..core.style import look_of

__all__ = ["PALETTE", "describe", "graduated", "keep_style", "paletted", "pseudocolor"]

_CLASSES = 5
#: ColorBrewer's Paired, Set2 and Dark2 (Apache-2.0), dark and light apart: neighbours in the list differ.
PALETTE = (
    *("#1f78b4", "#33a02c", "#e31a1c", "#ff7f00", "#6a3d9a", "#b15928", "#a6cee3", "#b2df8a", "#fb9a99", "#fdbf6f"),
    *("#cab2d6", "#ffff99", "#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494", "#b3b3b3"),
    *("#1b9e77", "#d95f02", "#7570b3", "#e7298a"),
)


def pseudocolor(layer, kind, band=1, opacity=0.85):
    """Draw one band of a raster in the fixed colours of its kind.

    Parameters
    ----------
    layer : QgsRasterLayer
    kind : str
        Of `core.style.LOOKS`.
    band : int
    opacity : float
    """
    look = look_of(kind)
    # Where the ramp is even in the logarithm, three steps a decade, of which each full one is named in the legend.
    last = 3 * round(math.log10(look.high / look.low)) if look.log else len(look.colours) - 1
    items = []
    for k in range(last + 1):
        value = _value(look, k / last)
        label = "" if look.log and k % 3 else f"{value:g}"
        items.append(QgsColorRampShader.ColorRampItem(value, _colour(look, k / last), label))
    ramp = QgsColorRampShader(look.low, look.high)
    ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
    ramp.setColorRampItemList(items)
    if look.log:  # a continuous bar would be even in the values, and nearly all of it one colour
        legend = QgsColorRampLegendNodeSettings()
        legend.setUseContinuousLegend(False)
        ramp.setLegendSettings(legend)
    shader = QgsRasterShader(look.low, look.high)
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), band, shader)
    renderer.setClassificationMin(look.low)
    renderer.setClassificationMax(look.high)
    renderer.setOpacity(opacity)
    layer.setRenderer(renderer)


def graduated(layer, column, kind):
    """Draw a vector layer by a column of scores, in five classes of the fixed range of its kind.

    Parameters
    ----------
    layer : QgsVectorLayer
    column : str
    kind : str
        Of `core.style.LOOKS`.
    """
    look = look_of(kind)
    step = (look.high - look.low) / _CLASSES
    ranges = []
    for k in range(_CLASSES):
        # The outer classes take what lies beyond the ramp, too.
        low = min(look.least, look.low) if k == 0 else look.low + k * step
        high = max(look.most, look.high) if k == _CLASSES - 1 else look.low + (k + 1) * step
        symbol = QgsSymbol.defaultSymbol(layer.geometryType())
        symbol.setColor(QColor(look.colours[round((k + 0.5) / _CLASSES * (len(look.colours) - 1))]))
        outline = symbol.symbolLayer(0)
        if isinstance(symbol, QgsMarkerSymbol):
            symbol.setSize(2.4)
            outline.setStrokeColor(QColor("#404040"))
        elif isinstance(symbol, QgsFillSymbol):
            outline.setStrokeColor(QColor(0, 0, 0, 40))
        ranges.append(QgsRendererRange(QgsClassificationRange(f"{low:g} - {high:g}", low, high), symbol))
    layer.setRenderer(QgsGraduatedSymbolRenderer(f'"{column}"', ranges))


def paletted(layer, names, band=1, opacity=0.85):
    """Draw a raster of classes 1, 2, ... in one colour each.

    Parameters
    ----------
    layer : QgsRasterLayer
    names : sequence of str
        At most 24, in the order of the classes.
    band : int
    opacity : float
    """
    classes = [
        QgsPalettedRasterRenderer.Class(k, QColor(colour), name)
        for k, (name, colour) in enumerate(zip(names, PALETTE), start=1)
    ]
    renderer = QgsPalettedRasterRenderer(layer.dataProvider(), band, classes)
    renderer.setOpacity(opacity)
    layer.setRenderer(renderer)


def describe(layer, title, abstract, licence, keywords=()):
    """Write what a layer is into its metadata.

    Parameters
    ----------
    layer : QgsMapLayer
    title, abstract, licence : str
    keywords : sequence of str
    """
    metadata = QgsLayerMetadata()
    metadata.setTitle(title)
    metadata.setAbstract(abstract)
    metadata.setLicenses([licence])
    metadata.setType("dataset")
    QgsAbstractMetadataBase.setKeywords(metadata, {"gmd:topicCategory": ["GeoConcept", *keywords]})
    metadata.setCrs(layer.crs())
    layer.setMetadata(metadata)


def keep_style(layer, path):
    """Write ``.qml`` and ``.qmd`` beside a file, so that it looks and says the same wherever it is opened."""
    path = Path(path)
    if path.parent.is_dir():
        layer.saveNamedStyle(str(path.with_suffix(".qml")))
        layer.saveNamedMetadata(str(path.with_suffix(".qmd")))


def _value(look, share):
    if look.log:
        return look.low * (look.high / look.low) ** share
    return look.low + share * (look.high - look.low)


def _colour(look, share):
    """The ramp's colour at a share of its length; the low end of one that is even in the logarithm fades out."""
    below, between = divmod(share * (len(look.colours) - 1), 1.0)
    one, two = (QColor(look.colours[min(int(below) + k, len(look.colours) - 1)]) for k in (0, 1))
    mixed = (a + (b - a) * between for a, b in zip(one.getRgb(), two.getRgb()))
    found = QColor(*(round(value) for value in mixed))
    if look.log:
        found.setAlpha(min(255, round(share * 4 * 255)))
    return found
