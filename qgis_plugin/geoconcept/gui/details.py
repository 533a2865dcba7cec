# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known about a concept, as a short text for the dock."""

from html import escape

from ..compat import tr
from ..core.concepts.concept import GRADES

__all__ = ["details_of"]


def details_of(concept):
    """Return what is known about a concept, as HTML.

    Parameters
    ----------
    concept : Concept

    Returns
    -------
    str
    """
    grade = concept.grade_at_places
    tested = grade and concept.family != "text"
    rows = [
        (tr("Details", "Grade"), f"{grade}: {GRADES[grade]}" if tested else grade or tr("Details", "not graded")),
        *_test(concept),
        *_evidence(concept),
        (tr("Details", "Compared with"), concept.reference.replace("_", " ")),
        (tr("Details", "Scale"), tr("Details", "{0:g} to {1:g} km").format(*concept.scale_km)),
        (tr("Details", "Also called"), ", ".join(concept.aliases)),
        (tr("Details", "Truth"), concept.provenance.get("truth", "")),
    ]
    table = "".join(
        f"<tr><td style='padding-right:8px'><i>{escape(name)}</i></td><td>{escape(str(value))}</td></tr>"
        for name, value in rows
        if value
    )
    parts = [f"<b>{escape(concept.name)}</b> &nbsp;<span>{escape(concept.family)}</span>"]
    parts += [escape(concept.description)] if concept.description else []
    parts += [f"<span style='color:#b26a00'>\u26a0 {escape(concept.failure)}</span>"] if concept.failure else []
    return "<p style='margin:0 0 4px 0'>" + "<br>".join(parts) + f"</p><table cellspacing='1'>{table}</table>"


def _test(concept):
    """How well places are read, in blocks of the globe that were held out."""
    found = concept.validity_at_places
    if found is None:
        return []
    low, high = found.interval or (None, None)
    interval = "" if low is None else f" ({low:.3f} \u2013 {high:.3f})"
    rows = [(tr("Details", "Tested"), f"{found.metric} {found.value:.3f}{interval}, {found.folds}")]
    controls = ", ".join(f"{name} {value:.2f}" for name, value in found.controls.items())
    return [*rows, (tr("Details", "Controls"), controls)]


def _evidence(concept):
    """What speaks for and against a concept made of words, which nobody has tested."""
    facts = concept.provenance
    names = {
        "unknown_words": tr("Details", "Unknown words"),
        "nearest": tr("Details", "Most alike"),
        "geographic": tr("Details", "About a place"),
        "peak": tr("Details", "Peak"),
    }
    rows = [(name, facts[key]) for key, name in names.items() if facts.get(key)]
    return rows if concept.family == "text" else []
