"""The atlas: a page a family, with what every concept was tested on and a small world map, good and bad alike."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..concepts.concept import GRADES, slug
from ..files import atomic_file
from ..land import on_land

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from numpy.typing import NDArray

    from ..concepts import Concept, ConceptBank
    from ..model import GeoConceptModel

__all__ = ["pages", "small_maps", "write_report"]

#: Percentiles at which the colour changes, and the colours: water, then pale to dark.
STEPS = (50, 75, 90, 95, 98, 99)
_WATER = (226, 234, 240)
_COLOURS = (
    (247, 244, 236),
    (250, 226, 178),
    (246, 190, 112),
    (233, 138, 74),
    (200, 77, 75),
    (137, 36, 84),
    (59, 15, 69),
)
_HEIGHT, _WIDTH = 150, 300
_SEA_REFERENCE = "uniform_earth"


def write_report(model: GeoConceptModel, folder: str | PathLike[str]) -> list[Path]:
    """Write the atlas of a model's bank: ``index.md``, a page a family, ``maps/*.png``.

    Parameters
    ----------
    model : GeoConceptModel
        Its bank is shown; its encoder draws the maps.
    folder : path-like
        Created if need be. Maps of concepts that are gone are removed.

    Returns
    -------
    list of pathlib.Path
        Everything written.

    Examples
    --------
    >>> import tempfile
    >>> from geoconcept_gis import load_model
    >>> model = load_model()
    >>> few = model.with_bank(model.bank.subset(["hot desert climate"]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in write_report(few, folder))
    ['climate.md', 'hot_desert_climate.png', 'index.md']
    """
    folder = Path(folder)
    maps = folder / "maps"
    maps.mkdir(parents=True, exist_ok=True)
    contents = {folder / name: text.encode() for name, text in pages(model.bank).items()}
    contents |= {maps / f"{name}.png": image for name, image in small_maps(model).items()}
    for path, content in contents.items():
        with atomic_file(path) as part:
            part.write_bytes(content)
    for old in {*maps.glob("*.png")} - set(contents):
        old.unlink()
    return list(contents)


def pages(bank: ConceptBank) -> dict[str, str]:
    """Return the text of every page, by file name."""
    families = list(dict.fromkeys(concept.family for concept in bank))
    texts = {"index.md": _index(bank, families)}
    for family in families:
        texts[f"{slug(family)}.md"] = _family_page(family, [c for c in bank if c.family == family])
    return texts


def _index(bank: ConceptBank, families: list[str]) -> str:
    lines = [
        "# Concept atlas",
        "",
        f"{len(bank)} concepts in {len(families)} families, each with its truth, its test and its known failure. "
        "Written by `geoconcept bank report`; nothing here is written by hand.",
        "",
        "| family | concepts | " + " | ".join(GRADES) + " | mean AUROC | at places | moved labels | position only |",
        "| --- | --: |" + " --: |" * (len(GRADES) + 4),
    ]
    for family in families:
        mine = [c for c in bank if c.family == family]
        counts = [sum(c.grade == grade for c in mine) for grade in GRADES]
        values = [
            _mean(c.validity.value if c.validity else None for c in mine),
            _mean(c.validity_at_places.value if c.validity_at_places else None for c in mine),
            _mean(_control(c, "moved labels") for c in mine),
            _mean(_control(c, "position only") for c in mine),
        ]
        cells = [f"[{family}]({slug(family)}.md)", str(len(mine)), *map(str, counts), *values]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Grades", "", *(f"- **{grade}**: {meaning}." for grade, meaning in GRADES.items()), "", *_HOW]
    return "\n".join(lines) + "\n"


_HOW = (
    "## How to read an entry",
    "",
    "- **AUROC**: how often a place with the label scores above one without, in blocks of 10 by 10 degrees that the "
    "fit did not see, with a 95 % interval from resampled blocks. 0.5 is chance.",
    "- **at places**: the same with the finer reading that places get where a concept has a head: straight off the "
    "encoder's hidden layers instead of the 512 numbers that photos and words share. A head is kept where it wins by "
    "0.01 AUROC in the same blocks; the map shows it.",
    "- **moved labels**: the same fit after the labels were moved, block by block, elsewhere on the globe: what chance "
    "and clustering alone would give.",
    "- **position only**: the same regression on smooth functions of position (polynomials of degree 8 in x, y, z). "
    "Where it comes close, the concept is largely a matter of where on the globe a place is.",
    "- **calibration error**: mean distance of the calibrated score from the share of places with the label (ECE).",
    "- **map**: percentile among the concept's reference places: pale below 50, then darker at 50, 75, 90, 95, 98 and "
    "99. Cells are 1.2 degrees; blue-grey is water, left out unless the concept is about it.",
    "- **known failure**: where most of the held-out errors are. High are the places that score highest, as many as "
    "carry the label.",
)


def _mean(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.3f}" if known else ""


def _control(concept: Concept, name: str) -> float | None:
    return concept.validity.controls.get(name) if concept.validity else None


def _family_page(family: str, concepts: list[Concept]) -> str:
    lines = [f"# Atlas: {family}", "", "[How to read an entry](index.md#how-to-read-an-entry)", ""]
    for concept in sorted(concepts, key=lambda c: (c.grade or "E", -(c.validity.value if c.validity else 0.0))):
        lines += _entry(concept)
    return "\n".join(lines)


def _entry(concept: Concept) -> list[str]:
    title = f"## {concept.name}" + (f" ({concept.grade})" if concept.grade else "")
    lines = [title, "", f"![map of {concept.name}](maps/{concept.variable}.png)", "", concept.description]
    if concept.aliases:
        lines[-1] += f" Also: {', '.join(concept.aliases)}."
    lines.append("")
    validity, calibration = concept.validity, concept.calibration
    if validity:
        value = f"**{validity.metric} {validity.value:.3f}**"
        if validity.interval:
            value += " ({:.3f} to {:.3f})".format(*validity.interval)
        controls = "; ".join(f"{name} {number:.3f}" for name, number in validity.controls.items())
        lines += [
            f"{value}, {validity.n_positive:,} places with the label, {validity.n_negative:,} without "
            f"({validity.negatives}); {validity.folds}. {controls}.",
            "",
        ]
    if calibration and calibration.ece is not None and calibration.prevalence is not None:
        lines += [
            f"Calibration error {calibration.ece:.4f}; {_percent(calibration.prevalence)} of the reference places "
            f"({concept.reference.replace('_', ' ')}) carry the label.",
            "",
        ]
    if concept.head:
        head = concept.head
        lines += [
            f"At places a head on the encoder's hidden layers reads it: **{head.validity.metric} "
            f"{head.validity.value:.3f}** (grade {head.grade}, calibration error {head.calibration.ece:.4f}). Photos, "
            "words and stored embeddings are read by the vector above.",
            "",
        ]
    if concept.failure:
        lines += [f"Known failure: {concept.failure}", ""]
    lines += [f"Truth: {concept.provenance.get('truth', 'not stated')}.", ""]
    return lines


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{share:.2%}"


def small_maps(model: GeoConceptModel) -> dict[str, bytes]:
    """Draw one small world map a concept, as PNG files with a palette.

    Returns
    -------
    dict of str to bytes
        By the concept's slug; 300 by 150 pixels, plate carree.
    """
    lon = (np.arange(_WIDTH) + 0.5) * 360.0 / _WIDTH - 180.0
    lat = 90.0 - (np.arange(_HEIGHT) + 0.5) * 180.0 / _HEIGHT
    lonlat = np.stack(np.meshgrid(lon, lat), axis=-1).reshape(-1, 2)
    land = on_land(lonlat)
    concepts = [c for c in model.bank if c.percentiles is not None]
    scorer = model.scorer(concepts, "percentile")
    shades = np.zeros((len(lonlat), len(concepts)), dtype=np.uint8)
    for part, vectors in model.iter_encode(lonlat):
        shades[part] = 1 + np.digitize(scorer(vectors), STEPS)
    for k, concept in enumerate(concepts):
        if concept.reference != _SEA_REFERENCE:
            shades[~land, k] = 0
    return {c.variable: _png(shades[:, k].reshape(_HEIGHT, _WIDTH)) for k, c in enumerate(concepts)}


def _png(shades: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    image = Image.frombytes("P", (shades.shape[1], shades.shape[0]), shades.tobytes())
    image.putpalette([channel for colour in (_WATER, *_COLOURS) for channel in colour])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True, bits=4)
    return buffer.getvalue()
