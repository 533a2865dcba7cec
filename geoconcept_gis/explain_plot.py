"""Explanations and comparisons as horizontal bars, grouped and coloured by family.

Needs matplotlib, the extra ``plot``. Nothing here touches pyplot, so backends and open figures stay as they are.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .files import atomic_file
from .plot import require_matplotlib

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import pandas as pd
    from matplotlib.axes import Axes

    from .comparison import Comparison
    from .explanation import Explanation

__all__ = ["plot_comparison", "plot_explanation", "save_bars"]

_GREY = "#5a6167"
_INK = "#263036"
#: Okabe and Ito's palette, which the colour-blind can tell apart; the same family has the same colour in every picture.
_COLOURS = {
    "climate": "#e69f00",
    "vegetation": "#009e73",
    "terrain": "#8c6d46",
    "water and ice": "#56b4e9",
    "people": "#d55e00",
    "culture": "#cc79a7",
    "place": "#7a858c",
    "scene": "#0072b2",
}
_MORE_COLOURS = ("#6f5fa8", "#a8a03c", "#b5485d", "#3c8f8f")
_FORMATS = (".png", ".pdf", ".svg")
#: Inches: a row, the room above and below the rows, the names, the bars, one column of figures.
_ROW, _ABOVE, _BELOW, _NAMES, _BARS, _COLUMN = 0.27, 0.75, 0.95, 2.9, 3.9, 0.72


def plot_explanation(explanation: Explanation, ax: Axes | None, title: str | None) -> Axes:
    """Draw an explanation: how likely the labels are among like places, with a tick for how common they are at all."""
    require_matplotlib()
    table = explanation.table
    calibrated = bool(table["calibrated"].notna().all())
    columns = {
        "percentile": [_figure(value, "{:.0f}") for value in table["percentile"]],
        "lift": [_times(value) for value in table["lift"]],
        "grade": [grade or "\u2013" for grade in table["grade"]],
    }
    own = ax is None
    ax, rows = _layout(ax, table, columns)
    scale, values = (100.0, table["calibrated"]) if calibrated else (1.0, table["percentile"])
    _bars(ax, rows, table["family"], [value * scale for value in values])
    if calibrated:
        for y, prevalence in zip(rows, table["prevalence"], strict=True):
            ax.plot([prevalence * 100.0] * 2, [y - 0.36, y + 0.36], color=_INK, linewidth=1.4)
    ax.set_xlim(0.0, 100.0)
    ax.set_xlabel(
        "of the reference places with this score, % that carry the label (line: of all reference places)"
        if calibrated
        else "% of the reference places that score lower",
        fontsize=8,
        color=_GREY,
    )
    used = len(explanation.decomposition)
    _finish(
        ax,
        own,
        explanation.place if title is None else title,
        f"{_model(explanation.provenance)}\nassociated with, not observed  \u00b7  a sum of {used} "
        f"concept{'' if used == 1 else 's'} leaves {explanation.residual:.0%} of the vector untold",
    )
    return ax


def plot_comparison(comparison: Comparison, ax: Axes | None, title: str | None) -> Axes:
    """Draw a comparison: differences in percentile, to the right where A scores higher."""
    require_matplotlib()
    table = comparison.table
    columns = {
        "A": [_figure(value, "{:.0f}") for value in table["a"]],
        "B": [_figure(value, "{:.0f}") for value in table["b"]],
        "grade": [grade or "\u2013" for grade in table["grade"]],
    }
    own = ax is None
    ax, rows = _layout(ax, table, columns)
    _bars(ax, rows, table["family"], table["difference"])
    ax.axvline(0.0, color=_INK, linewidth=0.8)
    ax.set_xlim(-100.0, 100.0)
    ax.set_xlabel(
        "difference in mean percentile: higher in B to the left, higher in A to the right", fontsize=8, color=_GREY
    )
    _finish(
        ax,
        own,
        f"A: {comparison.a}\nB: {comparison.b}" if title is None else title,
        f"{_model(comparison.provenance)}\nassociated with, not observed  \u00b7  a sum of "
        f"{len(comparison.decomposition)} concepts leaves {comparison.residual:.0%} of the difference untold",
    )
    return ax


def save_bars(draw: Callable[[], Axes], path: str | PathLike[str]) -> Path:
    """Draw and write a picture; the name is checked first."""
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"a picture's name must end in {', '.join(_FORMATS)}; got {path.name!r}")
    canvas = draw().figure.canvas
    with atomic_file(path) as part:
        canvas.print_figure(part, dpi=160, facecolor="white")
    return path


def _layout(ax: Axes | None, table: pd.DataFrame, columns: dict[str, list[str]]) -> tuple[Axes, list[float]]:
    """Return axes with a heading a family, a name a row, figures to the right; and the height of each row."""
    families = list(dict.fromkeys(table["family"]))  # the family of the strongest concept comes first
    heights, headings, y = [0.0] * len(table), [], 0.0
    for family in families:
        headings.append((y, family))
        for row in (k for k, other in enumerate(table["family"]) if other == family):
            y += 1.0
            heights[row] = y
        y += 1.25
    y = max(y, 1.25)  # a table may be empty
    if ax is None:
        ax = _new_axes(y, len(columns))
    ax.set_ylim(y - 0.6, -0.75)
    ax.set_yticks(heights, [_short(name) for name in table["concept"]], fontsize=9, color=_INK)
    ax.tick_params(axis="y", length=0, pad=5)
    ax.tick_params(axis="x", length=3, labelsize=8, color=_GREY, labelcolor=_GREY)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set(color="#9aa2a8", linewidth=0.6)
    ax.grid(axis="x", color="#e3e7e9", linewidth=0.7)
    ax.set_axisbelow(True)
    across = ax.get_yaxis_transform()
    for height, family in headings:
        ax.annotate(
            family,
            (0.0, height),
            xycoords=across,
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=_colour(family, families),
        )
    for k, (name, texts) in enumerate(columns.items()):
        offset = (12.0 + (k + 0.5) * _COLUMN * 60.0, 0.0)
        for height, text in [(-0.45, name), *zip(heights, texts, strict=True)]:
            ax.annotate(
                text,
                (1.0, height),
                xycoords=across,
                xytext=offset,
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=8 if text == name else 9,
                color=_GREY if text == name else _INK,
            )
    return ax, heights


def _new_axes(units: float, columns: int) -> Axes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = _NAMES + _BARS + columns * _COLUMN + 0.2, _ABOVE + units * _ROW + _BELOW
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure.add_axes((_NAMES / width, _BELOW / height, _BARS / width, units * _ROW / height))


def _bars(ax: Axes, rows: Sequence[float], families: pd.Series[Any], values: Sequence[float] | pd.Series[Any]) -> None:
    order = list(dict.fromkeys(families))
    ax.barh(rows, values, height=0.68, color=[_colour(family, order) for family in families])


def _colour(family: str, families: Sequence[str]) -> str:
    """Return a family's own colour, or one of the spare ones in order."""
    spare = [other for other in families if other not in _COLOURS]
    return _COLOURS[family] if family in _COLOURS else _MORE_COLOURS[spare.index(family) % len(_MORE_COLOURS)]


def _finish(ax: Axes, own: bool, title: str, note: str) -> None:
    """Add title and note; on a figure of our own they start at its left edge, not at the bars'."""
    left = -(_NAMES - 0.2) if own else 0.0
    ax.set_title(title, loc="left", x=left / _BARS, fontsize=13, color=_INK, pad=12)
    ax.annotate(
        note,
        (0.0, 0.0),
        xycoords="axes fraction",
        xytext=(left * 72.0, -38.0),
        textcoords="offset points",
        va="top",
        fontsize=7,
        linespacing=1.4,
        color=_GREY,
        annotation_clip=False,
    )


def _model(provenance: dict[str, str]) -> str:
    references = provenance["reference_mean"].replace("_", " ")
    low, high = provenance["scale_km"].split("-")
    return (
        f"model {provenance['model']}, sha256 {provenance['model_sha256'][:8]}  \u00b7  reference: {references}"
        f"  \u00b7  scale {low}\u2013{high} km"
    )


def _short(name: str) -> str:
    return name if len(name) <= 38 else name[:37] + "\u2026"


def _figure(value: float, pattern: str) -> str:
    return "\u2013" if math.isnan(value) else pattern.format(value)


def _times(lift: float) -> str:
    """Write ``7.1x``, ``138x``."""
    return _figure(lift, "{:.1f}\u00d7" if lift < 10.0 else "{:,.0f}\u00d7")
