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
    rows = [
        (_tr("Grade"), f"{grade}: {GRADES[grade]}" if grade and concept.family != "text" else grade or _tr("not graded")),
        *_test(concept),
        *_evidence(concept),
        (_tr("Compared with"), concept.reference.replace("_", " ")),
        (_tr("Scale"), _tr("{0:g} to {1:g} km").format(*concept.scale_km)),
        (_tr("Also called"), ", ".join(concept.aliases)),
        (_tr("Truth"), concept.provenance.get("truth", "")),
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
    interval = " ({0:.3f} \u2013 {1:.3f})".format(*found.interval) if found.interval else ""
    rows = [(_tr("Tested"), f"{found.metric} {found.value:.3f}{interval}, {found.folds}")]
    controls = ", ".join(f"{name} {value:.2f}" for name, value in found.controls.items())
    return [*rows, (_tr("Controls"), controls)]


def _evidence(concept):
    """What speaks for and against a concept made of words, which nobody has tested."""
    facts = concept.provenance
    names = {
        "unknown_words": _tr("Unknown words"),
        "nearest": _tr("Most alike"),
        "geographic": _tr("About a place"),
        "peak": _tr("Peak"),
    }
    rows = [(name, facts[key]) for key, name in names.items() if facts.get(key)]
    return rows if concept.family == "text" else []


def _tr(text):
    return tr("Details", text)
