"""What each teacher and each source is worth: short runs of the same seed, each without one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...files import atomic_file
from ...model import load_model
from ...progress import report
from .gather import all_lessons
from .loop import teach
from .measures import by_source
from .numbers import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...progress import Progress
    from .config import TeachConfig

__all__ = ["ablate", "variants"]

_TEACHERS = ("meaning", "labels", "numbers", "regions", "texts", "scenes", "photos")
_PAGE = """# What each teacher and each source is worth

{steps:,} steps each, seed {seed}, measured at places that were held out. The first column has all teachers; the others
say what changes without one. What is left out has a head that the encoder does not learn from, so its rows say how much
of it lies open all the same. `ablation.csv` has every number.

{table}
"""


def variants(config: TeachConfig) -> dict[str, TeachConfig]:
    """Return the settings as they are, then without each teacher that has a weight, then without each source.

    Parameters
    ----------
    config : TeachConfig

    Returns
    -------
    dict of str to TeachConfig

    Examples
    --------
    >>> from geoconcept_gis.train.config import parse_config
    >>> list(variants(parse_config("{name: a, teachers: {without: [people]}}")))[1:6]
    ['no meaning', 'no labels', 'no numbers', 'no regions', 'no climate']
    """
    teachers = config.teachers
    found = {"all": config}
    for name in _TEACHERS:
        if getattr(teachers, name) and (name != "photos" or config.photos is not None):
            # A weight of zero is refused in settings where it would make no model; here it is what is asked.
            found[f"no {name}"] = config.model_copy(update={"teachers": teachers.model_copy(update={name: 0.0})})
    for source in SOURCES:
        if source not in teachers.without:
            without = [*teachers.without, source]
            found[f"no {source}"] = config.model_copy(
                update={"teachers": teachers.model_copy(update={"without": without})}
            )
    return found


def ablate(config: TeachConfig, folder: Path, steps: int, *, progress: Progress | None = None) -> Path:
    """Train each of `variants` for some steps and write down what was learnt; a run that is done is not run again.

    Parameters
    ----------
    config : TeachConfig
    folder : pathlib.Path
        Of the whole run; this writes ``ablation.csv``, ``ablation.md`` and a file a run in ``ablation``.
    steps : int
        Of each run.
    progress : callable, optional
        Called as ``progress(done, total)`` in steps of all runs; return true to stop.

    Returns
    -------
    pathlib.Path
        ``ablation.md``.

    Raises
    ------
    InputError
        Ground truth is missing.
    Cancelled
        `progress` asked to stop.
    """
    optim = config.optim.model_copy(update={"steps": steps})
    runs = variants(config.model_copy(update={"optim": optim}))
    lessons = None
    measured: dict[str, dict[str, float]] = {}
    (folder / "ablation").mkdir(parents=True, exist_ok=True)
    for k, (name, settings) in enumerate(runs.items()):
        path = folder / "ablation" / f"{name.replace(' ', '-')}.json"
        record = settings.model_dump(mode="json")
        done = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if done.get("config") != record:
            if lessons is None:
                lessons = all_lessons(config, load_model(config.model, backend="numpy"), folder.parent / "lessons")

            def step(now: int, _: int, before: int = k * steps) -> bool:
                report(progress, before + now, len(runs) * steps)
                return False

            _, history = teach(lessons, settings, progress=step)
            done = {"config": record, "measured": history[-1]}
            with atomic_file(path) as part:
                part.write_text(json.dumps(done, indent=1), encoding="utf-8")
        measured[name] = done["measured"]
    return _write(folder, measured, steps, config.seed)


def _write(folder: Path, measured: dict[str, dict[str, float]], steps: int, seed: int) -> Path:
    import pandas as pd

    with atomic_file(folder / "ablation.csv") as part:
        pd.DataFrame(measured).drop("step").to_csv(part, index_label="measured")
    table = pd.DataFrame({name: by_source(found) for name, found in measured.items()})
    with atomic_file(folder / "ablation.md") as part:
        part.write_text(_PAGE.format(steps=steps, seed=seed, table=_markdown(table)), encoding="utf-8")
    return folder / "ablation.md"


def _markdown(table: pd.DataFrame) -> str:
    """Lay out the first column as it is and the others as differences from it."""
    lines = [f"| measured | {' | '.join(table.columns)} |", "| --- " * (len(table.columns) + 1) + "|"]
    for name, row in table.iterrows():
        first, *others = row
        lines.append(f"| {name} | {first:.3f} | " + " | ".join(f"{one - first:+.3f}" for one in others) + " |")
    return "\n".join(lines)
