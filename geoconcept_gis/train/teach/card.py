"""The model card of an encoder that was taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...model import GeoConceptModel
    from .config import TeachConfig

__all__ = ["card_of"]

_TEMPLATE = """# Model card: {name}

**What it is.** A location encoder of kind `{kind}` in a space near {teacher}'s, with
{teacher}'s image head. It maps any (lon, lat) to 512 numbers. No jump at the antimeridian or at the poles.

| | |
| --- | --- |
| Source | taught by `geoconcept train`, {steps:,} steps of {batch:,} places, seed {seed} |
| Taught by | vectors of model {teacher}, sha256 {sha256} |
| and by | {truths} |
| Licence | {licence}; image head and what was taught of vectors: {teacher}'s, MIT |
| Settings | {settings} |
| Files | sha256 in `config.json`; checked on every load |
| Scale | {scale}; nothing finer is told apart |

**Measured at places that were held out.** {measured}

**Concepts.** `provenance` of each concept says whether it was carried from {teacher}'s bank, and how well
it agrees, or fitted anew on truths.

**Mind.**
- A score is an association learned from photos and fitted on a raster. It observes nothing: no claim that a place
  contains a thing, and no cause.
- Truths that were taught are near to what a model may be asked to predict (climate to temperature): compare with one
  that was taught without them (`teachers.without`) before you say how well places explain your numbers.
- Vectors are never mixed with those of another model.
- Not for locating people, nor for decisions about a person.
"""
_TRUTHS = {
    "labels": "labels of the concept bank (climate, vegetation, terrain, water, people, places)",
    "numbers": "climate, heights, plants, coasts and settlements as numbers",
    "regions": "first-level regions",
    "texts": "phrases about places",
    "scenes": "scenes of photos outside the held blocks",
}


def card_of(config: TeachConfig, teacher: GeoConceptModel, measured: Mapping[str, float]) -> str:
    """Write the card.

    Parameters
    ----------
    config : TeachConfig
    teacher : GeoConceptModel
    measured : mapping of str to float
        The last of what `geoconcept_gis.train.teach.measures.measure` found.

    Returns
    -------
    str
        Markdown.
    """
    weights, record = config.teachers, config.encoder
    left_out = f" Left out: {', '.join(weights.without)}." if weights.without else ""
    truths = [f"{what} (weight {getattr(weights, k):g})" for k, what in _TRUTHS.items() if getattr(weights, k) > 0]
    low, high = teacher.scale_km
    return _TEMPLATE.format(
        name=config.name,
        kind=record["kind"],
        teacher=teacher.name,
        steps=config.optim.steps,
        batch=config.optim.batch_size,
        seed=config.seed,
        sha256=teacher.sha256,
        truths=("; ".join(truths) or "no truth") + "." + left_out,
        licence=config.licence,
        settings=", ".join(f"{k} {v}" for k, v in record.items() if k != "kind") or "as they are by default",
        scale=f"{low:g} to {high:g} km",
        measured="; ".join(f"{k} {v:.3f}" for k, v in measured.items() if k.startswith(("cosine", "auroc"))) + ".",
    )
