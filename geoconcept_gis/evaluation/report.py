"""An `Evaluation` as Markdown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from .result import Evaluation

__all__ = ["figure", "interval", "markdown", "wide"]

#: Metrics of the breakdowns, where there is no room for all.
_SHOWN = ("within 1 km", "within 25 km", "within 200 km", "within 750 km", "within 2,500 km", "median distance")


def markdown(evaluation: Evaluation) -> str:
    """Write tables, notes and provenance."""
    lines = ["# Evaluation", "", "| metric | value | 95 % interval | photos |", "| --- | --: | --: | --: |"]
    for row in evaluation.table.to_dict("records"):
        value = figure(row["value"], row["unit"])
        lines.append(f"| {row['metric']} | {value} | {interval(row['low'], row['high'], row['unit'])} | {row['n']:,} |")
    for name, table in wide(evaluation.by).items():
        header = [name, *table.columns]
        lines += ["", f"## By {name}", "", f"| {' | '.join(header)} |", "| --- |" + " --: |" * len(table.columns)]
        lines += [f"| {' | '.join([group, *cells])} |" for group, *cells in table.itertuples()]
    lines += ["", "## Notes", "", *(f"- {note}" for note in evaluation.notes), "", "## How it was made", ""]
    lines += [f"- {key}: {value}" for key, value in evaluation.provenance.items()]
    return "\n".join(lines) + "\n"


def wide(by: pd.DataFrame, *, intervals: bool = True) -> dict[str, pd.DataFrame]:
    """Return one table of text a breakdown: groups down, the main metrics across, intervals in brackets or not."""
    import pandas as pd

    tables = {}
    for name, part in by.groupby("breakdown", sort=False):
        rows = {}
        for group, metrics in part.groupby("group", sort=False):
            shown = metrics.set_index("metric").loc[list(_SHOWN)]
            cells = {"photos": f"{shown['n'].iloc[0]:,}"}
            for metric, row in shown.iterrows():
                ends = interval(row["low"], row["high"], row["unit"]) if intervals else ""
                cells[str(metric)] = figure(row["value"], row["unit"]) + (f" ({ends})" if ends else "")
            rows[str(group)] = cells
        tables[str(name)] = pd.DataFrame.from_dict(rows, orient="index")
    return tables


def figure(value: float, unit: str, *, bare: bool = False) -> str:
    """Write a value with its unit; ``none`` for infinity, which more than half of the photos then have."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "none"
    if unit == "%":
        text = f"{value:.1f}"
    elif abs(value) >= 100.0:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text if bare or unit == "of 5000" else f"{text} {unit}"


def interval(low: float, high: float, unit: str) -> str:
    """Write ``14.6 to 18.9``; empty where there is none."""
    if math.isnan(low):
        return ""
    return f"{figure(low, unit, bare=True)} to {figure(high, unit, bare=True)}"
