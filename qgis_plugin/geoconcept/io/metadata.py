# SPDX-License-Identifier: GPL-2.0-or-later
"""What every product says of itself: tags of rasters, fields of layer metadata, the same as the package writes."""

from .. import service
from ..core.style import look_of

__all__ = ["abstract_of", "band_of", "tags_of"]


def tags_of(concepts, kind):
    """Return the provenance of scores, as GDAL tags.

    Parameters
    ----------
    concepts : list of Concept
    kind : str

    Returns
    -------
    dict of str to str
        Names as the package writes them into GeoTIFFs, so that ``geoconcept info`` reads a raster of ours.
    """
    record = service.model().provenance(concepts, kind)
    tags = {f"GEOCONCEPT_{key.upper()}": value for key, value in record.items()}
    tags["TIFFTAG_SOFTWARE"] = f"{record['software']}, QGIS plugin"
    tags["TIFFTAG_IMAGEDESCRIPTION"] = "; ".join(concept.name for concept in concepts) + f" ({kind})"
    return tags


def band_of(concept, kind):
    """Return name and tags of the band of a concept."""
    look = look_of(kind)
    return {
        "name": f"{concept.name} ({kind})",
        "long_name": concept.name,
        "units": {"calibrated": "1", "percentile": "percent", "cosine": "1"}[kind],
        "comment": look.meaning.format(concept=concept.name, reference=concept.reference),
        "concept_description": concept.description,
        "concept_family": concept.family,
        "reference": concept.reference,
        "grade": concept.grade or "not graded",
    }


def abstract_of(concepts, kind):
    """Return what a layer of scores says about itself, in sentences."""
    engine, look = service.model(), look_of(kind)
    parts = [look.meaning.format(concept=c.name, reference=c.reference) for c in concepts[:20]]
    parts += [c.failure for c in concepts[:20] if c.failure]
    low, high = engine.scale_km
    parts.append(
        f"Scores say what places are associated with, at a scale of {low:g} to {high:g} km; they are no observation."
    )
    parts.append(f"Model {engine.name}, sha256 {engine.sha256}.")
    return "\n".join(parts)
