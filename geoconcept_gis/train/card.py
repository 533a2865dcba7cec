"""The model card of a trained model: what it is, what it was trained on, what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from ..model import GeoConceptModel
    from .config import TrainConfig
    from .loop import Fitted
    from .report import Report

__all__ = ["concept_page", "model_card"]


def model_card(
    config: TrainConfig,
    teacher: GeoConceptModel,
    fitted: Fitted,
    report: Report | None,
    *,
    photos: int,
    held_out: int,
    tower: dict[str, Any],
) -> str:
    """Return the model card as Markdown.

    Parameters
    ----------
    config : TrainConfig
    teacher : GeoConceptModel
    fitted : Fitted
    report : Report, optional
        Of photos that were held out; None where there are none.
    photos, held_out : int
        How many.
    tower : dict
        Whose features the image head reads.

    Returns
    -------
    str
    """
    frozen = config.location_encoder.frozen
    encoder = f"that of {teacher.name}, unchanged" if frozen else f"trained ({config.location_encoder.kind})"
    concepts = "off" if config.concepts.used == "none" else f"{config.concepts.used}, weight {config.concepts.weight:g}"
    lines = [
        f"# Model card: {config.name}",
        "",
        f"Trained by geoconcept_gis {__version__}. It maps photos (as features of {tower['name']}) and any (lon, lat) "
        "to 512 numbers in one space.",
        "",
        "| | |",
        "| --- | --- |",
        f"| Started from | {teacher.name}, sha256 {teacher.sha256} |",
        f"| Location encoder | {encoder} |",
        f"| Photos | {photos:,} trained on, {held_out:,} held out (by {config.data.split_by}) |",
        f"| Image tower | {tower['name']}, {tower['dim']} numbers, sha256 {tower.get('sha256') or 'unknown'} |",
        f"| Loss between photos and places | {config.places.loss}, weight {config.places.weight:g} |",
        f"| Loss between their concepts | {concepts} |",
        f"| Steps | {fitted.steps:,}; weights of epoch {fitted.best_epoch} |",
        f"| Seed | {config.seed} |",
        f"| Scale | {teacher.scale_km[0]:g} km where photos are dense, {teacher.scale_km[1]:g} km elsewhere, at best |",
        f"| Licence | {config.licence} |",
        "",
        "All settings are in `config.yaml` beside this folder.",
        "",
    ]
    if report is None:
        lines += ["**Not measured**: no photos were held out.", ""]
    else:
        # The evaluation's own title goes, its parts become parts of this one.
        measured = str(report.evaluation).partition("\n")[2].replace("\n## ", "\n### ")
        lines += ["## Photos that were held out", measured, "### Concepts", "", *_concept_lines(report.concepts), ""]
    lines += [
        "## Mind",
        "",
        "- A score is an association learned from photos. It observes nothing: no claim that a place contains a thing, "
        "and no cause.",
        "- It knows the places and the kinds of photos that it was trained on, and guesses elsewhere.",
        "- Not for locating people, nor for decisions about a person.",
        "",
    ]
    return "\n".join(lines)


def concept_page(
    config: TrainConfig, teacher: GeoConceptModel, report: Report | None, validity: pd.DataFrame | None
) -> str:
    """Return the concept report as Markdown.

    Parameters
    ----------
    config : TrainConfig
    teacher : GeoConceptModel
    report : Report, optional
    validity : pandas.DataFrame, optional
        Columns ``concept``, ``family``, ``before``, ``after``: the bank's benchmark on both models; None where the
        location encoder did not change or the truths are not at hand.

    Returns
    -------
    str
    """
    lines = [f"# Concepts of {config.name}", "", "## Places", ""]
    if config.location_encoder.frozen:
        lines += [
            f"The location encoder is that of {teacher.name}, byte for byte: every concept reads places as before, and "
            "the bank's tests hold unchanged.",
        ]
    elif validity is None:
        lines += [
            f"The location encoder was trained. The bank of {teacher.name} was carried into the new space; how well "
            "each concept agrees with the old reading on places held out is in the model's `concepts.json` "
            "(`provenance`). The bank's own benchmark needs its truths: set GEOCONCEPT_DATA, see CONTRIBUTING.md.",
        ]
    else:
        lines += ["AUROC against the bank's truths, mean by family, before and after training:", ""]
        lines += ["| family | concepts | before | after |", "| --- | --- | --- | --- |"]
        for family, rows in validity.groupby("family", sort=False):
            lines += [f"| {family} | {len(rows)} | {rows['before'].mean():.3f} | {rows['after'].mean():.3f} |"]
    lines += ["", "## Photos", ""]
    if report is None:
        return "\n".join([*lines, "No photos were held out.", ""])
    return "\n".join([*lines, *_concept_lines(report.concepts), ""])


def _concept_lines(concepts: pd.DataFrame) -> list[str]:
    """Return how well photos and their places agree on concepts, by family, and on the best and worst concepts."""
    by_family = concepts.groupby("family", sort=False)["agreement"].mean()
    ranked = concepts.dropna(subset="agreement").sort_values("agreement", ascending=False, kind="stable")
    best, worst = ("; ".join(f"{row.name_} {row.agreement:.2f}" for row in part.itertuples()) for part in _ends(ranked))
    return [
        "Agreement on concepts: the rank correlation, over photos that were held out, between what a photo shows of a "
        "concept and what its place does (0 is chance).",
        "",
        "| family | mean agreement |",
        "| --- | --- |",
        *(f"| {family} | {value:.2f} |" for family, value in by_family.items()),
        f"| all {len(concepts)} concepts | {concepts['agreement'].mean():.2f} |",
        "",
        f"Best: {best}. Worst: {worst}.",
    ]


def _ends(ranked: pd.DataFrame, count: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    named = ranked.rename(columns={"name": "name_"})
    return named.head(count), named.tail(count)
