"""Recall vs Area as a picture: area searched on a logarithmic axis, and the circle of that area above it.

Needs matplotlib, the extra ``plot``. Nothing here touches pyplot, so backends and open figures stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..plot import require_matplotlib
from .metrics import THRESHOLDS_KM, circle_km2

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .result import Evaluation

__all__ = ["plot_curve"]

_GREY, _INK = "#5a6167", "#263036"
_COLOURS = {"circles": "#7a858c", "density": "#0072b2"}
_LABELS = {"circles": "circles round the predicted point", "density": "density, likeliest cells first"}
#: Inches.
_WIDTH, _HEIGHT = 8.4, 5.2
_LEFT, _RIGHT, _BELOW, _ABOVE = 0.8, 0.35, 0.95, 0.95


def plot_curve(evaluation: Evaluation, ax: Axes | None, title: str | None) -> Axes:
    """Draw one line a way of searching, with its 95 % band."""
    require_matplotlib()
    own = ax is None
    ax = _new_axes() if ax is None else ax
    curve = evaluation.curve
    for name in dict.fromkeys(curve["search"]):
        part = curve[curve["search"] == name]
        colour = _COLOURS[name]
        ax.fill_between(part["area_km2"], part["low"] * 100.0, part["high"] * 100.0, color=colour, alpha=0.18, lw=0)
        ax.plot(part["area_km2"], part["recall"] * 100.0, color=colour, linewidth=2.0, label=_LABELS[name])
    ax.set_xscale("log")
    ax.set_xlim(curve["area_km2"].min(), curve["area_km2"].max())
    ax.set_ylim(0.0, 100.0)
    ax.grid(color="#e3e7e9", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", labelsize=8.5, color=_GREY, labelcolor=_GREY)
    for spine in ax.spines.values():
        spine.set(color="#9aa2a8", linewidth=0.6)
    ax.set_xlabel("area searched, km\u00b2", fontsize=9.5, color=_INK)
    ax.set_ylabel("photos whose place is inside, %", fontsize=9.5, color=_INK)
    ax.legend(loc="upper left", fontsize=9, frameon=True, framealpha=0.9, edgecolor="none", labelcolor=_INK)
    _add_radii(ax)
    ax.set_title("Recall vs Area" if title is None else title, loc="left", fontsize=13, color=_INK, pad=12)
    if own:
        _add_note(ax, evaluation)
    return ax


def _new_axes() -> Axes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    FigureCanvasAgg(figure)
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BELOW - _ABOVE
    return figure.add_axes((_LEFT / _WIDTH, _BELOW / _HEIGHT, width / _WIDTH, height / _HEIGHT))


def _add_radii(ax: Axes) -> None:
    """Mark the circles of the usual distances, so that the usual accuracies can be read off the curve."""
    top = ax.twiny()
    top.set_xscale("log")
    top.set_xlim(ax.get_xlim())
    top.set_xticks(circle_km2(np.array(THRESHOLDS_KM, dtype=np.float64)), [f"{km:,} km" for km in THRESHOLDS_KM])
    top.minorticks_off()
    top.tick_params(labelsize=8.5, color=_GREY, labelcolor=_GREY)
    top.set_xlabel("radius of a circle of that area", fontsize=8.5, color=_GREY, labelpad=5)
    for spine in top.spines.values():
        spine.set_visible(False)


def _add_note(ax: Axes, evaluation: Evaluation) -> None:
    how = evaluation.provenance
    text = f"{how['photos']} photos  \u00b7  distance: {how['distance']}  \u00b7  intervals: {how['intervals']}"
    unanswered = int(np.isinf(evaluation.rows["distance_km"]).sum())
    if unanswered:
        text += f"\n{unanswered:,} photos have no prediction and are never found"
    ax.annotate(
        text,
        (0.0, 0.0),
        xycoords="axes fraction",
        xytext=(0.0, -38.0),
        textcoords="offset points",
        va="top",
        fontsize=7,
        linespacing=1.4,
        color=_GREY,
    )
