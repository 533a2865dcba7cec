"""What a run writes down as it goes: two CSV files, and TensorBoard files where asked for."""

from __future__ import annotations

import csv
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependencyError

if TYPE_CHECKING:
    from pathlib import Path

    from .config import TrainConfig

__all__ = ["CsvLog", "Log"]


class Log:
    """``metrics.csv`` and ``validation.csv`` in the run's folder, and TensorBoard files where asked for."""

    _METRICS = ("step", "epoch", "learning_rate", "loss", "places", "concepts", "offset", "scale", "samples_per_s")
    _VALIDATION = ("epoch", "step", "score", "median_km", "loss")

    def __init__(self, folder: Path | None, step: int, config: TrainConfig) -> None:
        self._files: dict[str, Any] = {}
        self._board: Any = None
        self._every = config.run.log_steps
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in (("metrics.csv", self._METRICS), ("validation.csv", self._VALIDATION)):
            kept = _lines_up_to(folder / name, step)
            file = (folder / name).open("w", encoding="utf-8", newline="")
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(kept)
            self._files[name] = (file, writer)
        if config.run.tensorboard:
            self._board = _tensorboard(folder / "tensorboard", step)

    def write(self, step: int, epoch: int, rate: float, values: dict[str, float], scale: float, speed: float) -> None:
        """Write down a step, if it is one of those that are."""
        if step % self._every == 0 or step == 1:
            row = {"learning_rate": rate, **values, "scale": scale, "samples_per_s": speed}
            self._add("metrics.csv", {"step": step, "epoch": epoch, **{k: f"{v:.6g}" for k, v in row.items()}})
            self._plot("train", row, step)

    def validated(self, measured: dict[str, float]) -> None:
        """Write down what validation found."""
        self._add("validation.csv", {key: f"{value:.6g}" for key, value in measured.items()})
        self._plot(
            "validation", {k: v for k, v in measured.items() if k not in ("epoch", "step")}, int(measured["step"])
        )

    def close(self) -> None:
        """Close the files."""
        for file, _ in self._files.values():
            file.close()
        if self._board is not None:
            self._board.close()

    def _add(self, name: str, row: dict[str, Any]) -> None:
        if name in self._files:
            file, writer = self._files[name]
            writer.writerow(row)
            file.flush()

    def _plot(self, part: str, row: dict[str, float], step: int) -> None:
        if self._board is not None:
            for name, value in row.items():
                self._board.add_scalar(f"{part}/{name}", value, step)


class CsvLog:
    """``metrics.csv`` and ``validation.csv`` in a folder; the first row names the columns.

    Parameters
    ----------
    folder : pathlib.Path or None
        None writes nothing.
    step : int
        Rows after this step are of a run that was killed, and go.
    every : int, default 10
        Steps between rows of ``metrics.csv``.
    """

    def __init__(self, folder: Path | None, step: int, every: int = 10) -> None:
        self._folder, self._step, self._every = folder, step, every
        self._files: dict[str, Any] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def metrics(self, row: dict[str, float]) -> None:
        """Write down a step, if it is one of those that are."""
        if row["step"] % self._every == 0:
            self._add("metrics.csv", row)

    def validated(self, row: dict[str, float]) -> None:
        """Write down what validation found."""
        self._add("validation.csv", row)

    def close(self) -> None:
        """Close the files."""
        for file, _ in self._files.values():
            file.close()

    def _add(self, name: str, row: dict[str, float]) -> None:
        if self._folder is None:
            return
        if name not in self._files:
            kept = _lines_up_to(self._folder / name, self._step)
            file = (self._folder / name).open("w", encoding="utf-8", newline="")
            writer = csv.DictWriter(file, list(row), restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(kept)
            self._files[name] = (file, writer)
        file, writer = self._files[name]
        writer.writerow({key: int(value) if key == "step" else f"{value:.6g}" for key, value in row.items()})
        file.flush()


def _lines_up_to(path: Path, step: int) -> list[dict[str, str]]:
    """Return the lines that a run which goes on at `step` has behind it; a torn last line is none of them."""
    if not path.is_file():
        return []
    kept = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            with suppress(TypeError, ValueError):
                if None not in row.values() and int(row["step"]) <= step:
                    kept.append(row)
    return kept


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise MissingDependencyError(
            "run.tensorboard needs tensorboardX: pip install 'geoconcept-gis[train]'"
        ) from None
    return SummaryWriter(str(folder), purge_step=step + 1)
