"""`geoconcept refit`: all that is fitted in the space of a model's encoder, made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import progress_bar, say, short_warnings


def refit(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model folder, or an installed model's name.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new model folder.", show_default=False)],
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="STEP",
            help="Leave out bank, text or photos, and keep what the old folder has; repeat for more.",
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many concepts at once.", show_default="one a core")
    ] = None,
) -> None:
    """Fit concepts, words and the calibration of photos anew in the space of a model's encoder.

    Reads ground truth from the folder named by GEOCONCEPT_DATA. Stop it with Ctrl-C and give the same command again: it
    goes on with the step that was not finished.

    Example: GEOCONCEPT_DATA=data geoconcept refit runs/mine/model -o mine
    """
    from ..refit import refit_model

    def told(step: str, seconds: float) -> None:
        say(f"{step}: {_time(seconds)}" if seconds else f"{step}: finished before")

    with progress_bar("refitting", "parts") as progress, short_warnings():
        folder = refit_model(model, out, without=without or (), processes=processes, progress=progress, on_step=told)
    say(f'{folder}: the model; open it with geoconcept_gis.load_model("{folder}") or --model {folder}')


def _time(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
