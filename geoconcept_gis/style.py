"""How each kind of score looks: one fixed range, one colour ramp, one sentence; and QGIS's style file for it.

The range never depends on the data, so two maps can be compared by eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from .errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOOKS", "Look", "look_of", "write_qml"]

# matplotlib's Viridis (CC0), at 17 even steps.
# fmt: off
_VIRIDIS = (
    "#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e", "#26828e", "#21918c",
    "#1fa088", "#28ae80", "#3fbc73", "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725",
)
# matplotlib's Magma (CC0), reversed: pale for little.
_MAGMA = (
    "#fcfdbf", "#fedc9e", "#febb81", "#fd9969", "#f8765c", "#eb5760", "#d3436e", "#b5367a", "#982d80",
    "#7b2382", "#5f187f", "#410f75", "#231151", "#0c0926", "#000004",
)
# ColorBrewer's RdBu (Apache-2.0), blue for low, red for high.
_BLUE_RED = (
    "#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7",
    "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f",
)
# fmt: on


@dataclass(frozen=True)
class Look:
    """How one kind of score is drawn and what it says.

    Attributes
    ----------
    low, high : float
        Fixed ends of the colour ramp; values beyond them get the colour of the end.
    least, most : float
        The smallest and the largest value there can be.
    colours : tuple of str
        Colours at even steps from `low` to `high`, as ``#rrggbb``.
    label : str
        Short caption of a colour bar.
    meaning : str
        One sentence with the fields ``{concept}`` and ``{reference}``.
    log : bool
        The ramp is even in the logarithm, and its low end fades out.
    """

    low: float
    high: float
    least: float
    most: float
    colours: tuple[str, ...]
    label: str
    meaning: str
    log: bool = False


#: The look of every kind of score in `geoconcept_gis.concepts.KINDS`, and of heatmaps.
LOOKS = {
    "calibrated": Look(
        0.0,
        1.0,
        0.0,
        1.0,
        _VIRIDIS,
        "share of reference places with this score that carry the label",
        "Share (0 to 1) of the reference places ({reference}) with this score that are labelled '{concept}'.",
    ),
    "percentile": Look(
        0.0,
        100.0,
        0.0,
        100.0,
        _VIRIDIS,
        "percentage of reference places that score lower",
        "Percentage of the reference places ({reference}) that score lower on '{concept}'.",
    ),
    # In 512 dimensions cosines are small: 99 of 100 places stay under 0.4 for nearly every concept.
    "cosine": Look(
        -0.4,
        0.4,
        -1.0,
        1.0,
        _BLUE_RED,
        "centred cosine (0: the average reference place)",
        "Cosine (-1 to 1) between the place and '{concept}', centred on the mean of the reference places "
        "({reference}); 0 is the average place.",
    ),
    # From what it would be all over the land, to as good as certain of one cell.
    "density": Look(
        1e-8,
        1e-4,
        0.0,
        1.0,
        _MAGMA,
        "probability per km2",
        "Probability per km2 that the photo was taken there.",
        log=True,
    ),
}


def look_of(kind: str) -> Look:
    """Return the look of a kind of score.

    Parameters
    ----------
    kind : {"calibrated", "percentile", "cosine", "density"}

    Returns
    -------
    Look

    Raises
    ------
    InputError
        There is no such kind.

    Examples
    --------
    >>> look_of("percentile").high
    100.0
    """
    if kind not in LOOKS:
        raise InputError(f"kind must be one of {', '.join(map(repr, LOOKS))}; got {kind!r}")
    return LOOKS[kind]


def write_qml(path: Path, kind: str, *, band: int = 1, opacity: float = 0.85) -> None:
    """Write a QGIS style: one band in the colours and the fixed range of its kind.

    Parameters
    ----------
    path : pathlib.Path
        QGIS applies it by itself to the raster of the same name: ``map.qml`` to ``map.tif``.
    kind : {"calibrated", "percentile", "cosine", "density"}
    band : int, default 1
        Which band to draw.
    opacity : float, default 0.85
        0 to 1; below 1 a base map shows through.

    Raises
    ------
    InputError
        There is no such kind.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_qml(pathlib.Path(folder) / "map.qml", "calibrated")
    ...     "singlebandpseudocolor" in (pathlib.Path(folder) / "map.qml").read_text()
    True
    """
    look = look_of(kind)
    low, high = f"{look.low:g}", f"{look.high:g}"
    qgis = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    renderer = ET.SubElement(
        ET.SubElement(qgis, "pipe"),
        "rasterrenderer",
        type="singlebandpseudocolor",
        band=str(band),
        opacity=f"{opacity:g}",
        classificationMin=low,
        classificationMax=high,
        alphaBand="-1",
        nodataColor="",
    )
    # "None" keeps QGIS from stretching the colours to the values that happen to be there.
    ET.SubElement(ET.SubElement(renderer, "minMaxOrigin"), "limits").text = "None"
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        labelPrecision="4",
        minimumValue=low,
        maximumValue=high,
    )
    _add_ramp(shader, look)
    for share, colour in _stops(look):
        value = f"{_value(look, share):g}"
        alpha = min(255, round(share * 4 * 255)) if look.log else 255
        ET.SubElement(shader, "item", value=value, label=value, color=colour, alpha=str(alpha))
    ET.indent(qgis)
    text = ET.tostring(qgis, encoding="unicode")
    path.write_text(
        f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n", encoding="utf-8", newline="\n"
    )


def _stops(look: Look) -> list[tuple[float, str]]:
    """Colours with their place on the ramp, 0 to 1."""
    last = len(look.colours) - 1
    return [(k / last, colour) for k, colour in enumerate(look.colours)]


def _value(look: Look, share: float) -> float:
    """Value at a place on the ramp."""
    if look.log:
        return float(look.low * (look.high / look.low) ** share)
    return look.low + share * (look.high - look.low)


def _add_ramp(shader: ET.Element, look: Look) -> None:
    """Add the ramp that QGIS's legend draws; older versions read <prop>, newer ones <Option>."""
    first, *inner, last = _stops(look)
    values = {
        "color1": _rgba(first[1]),
        "color2": _rgba(last[1]),
        "discrete": "0",
        "rampType": "gradient",
        "stops": ":".join(f"{share:g};{_rgba(colour)}" for share, colour in inner),
    }
    ramp = ET.SubElement(shader, "colorramp", type="gradient", name="[source]")
    options = ET.SubElement(ramp, "Option", type="Map")
    for name, value in values.items():
        ET.SubElement(options, "Option", type="QString", name=name, value=value)
        ET.SubElement(ramp, "prop", k=name, v=value)


def _rgba(colour: str) -> str:
    """Turn ``#rrggbb`` into QGIS's ``r,g,b,255``."""
    return ",".join(str(int(colour[k : k + 2], 16)) for k in (1, 3, 5)) + ",255"
