"""The teaching loop: from any step on, with the same result."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import Cancelled, ConfigError
from ...progress import report
from ..checkpoint import Checkpoint, latest_checkpoint, load_optimizer, optimizer_tensors, write_checkpoint
from ..log import CsvLog
from .blocks import in_held_blocks
from .lessons import near
from .measures import measure
from .pupil import Pupil

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from ...progress import Progress
    from .config import TeachConfig
    from .lessons import Lessons

__all__ = ["teach"]

_HEADS_DECAY = 1e-3
#: Scenes and phrases of a step.
_SCENES, _PHRASES = 192, 128
#: How far scenes are moved in each step, km (spread of a normal distribution): there are so few that fine tables would
#: learn them by heart.
_MOVED_KM = 5.0


def teach(
    lessons: Lessons, config: TeachConfig, *, folder: Path | None = None, progress: Progress | None = None
) -> tuple[Pupil, list[dict[str, float]]]:
    """Teach an encoder; with `folder`, from the last checkpoint there.

    Parameters
    ----------
    lessons : Lessons
    config : TeachConfig
    folder : pathlib.Path, optional
        For checkpoints, ``metrics.csv`` and ``validation.csv``.
    progress : callable, optional
        Called as ``progress(done, total)`` in steps; return true to stop, with a checkpoint.

    Returns
    -------
    pupil : Pupil
        On the CPU, in evaluation mode.
    history : list of dict
        What was measured at places that were held out, every so many steps, see `measure`.

    Raises
    ------
    ConfigError
        The loss is not finite, or a checkpoint is of other settings.
    Cancelled
        `progress` asked to stop.
    """
    return _Teaching(lessons, config, folder).run(progress)


class _Teaching:
    def __init__(self, lessons: Lessons, config: TeachConfig, folder: Path | None) -> None:
        self.lessons, self.config, self.folder = lessons, config, folder
        self.rows = np.flatnonzero(~lessons.held)
        self.untold = in_held_blocks(lessons.lonlat) if config.teachers.held_blocks else np.zeros(len(lessons), bool)
        self.device = _device(config.run.device)
        self.pupil = Pupil(config, lessons).to(self.device)
        self.names = {value: name for name, value in self.pupil.named_parameters()}
        self.optimizer = torch.optim.AdamW(self._groups(), betas=(0.9, 0.99), fused=True)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.step = 0
        self.history: list[dict[str, float]] = []
        found = latest_checkpoint(folder / "checkpoints") if folder is not None else None
        if found is not None:
            self._resume(found)
        self.log = CsvLog(folder, self.step)

    def _groups(self) -> list[dict[str, Any]]:
        optim = self.config.optim
        named = [(name, value) for name, value in self.pupil.named_parameters() if value.requires_grad]
        tables = [value for name, value in named if ".tables." in name]
        heads = [value for name, value in named if not name.startswith("encoder.")]
        layers = [value for name, value in named if name.startswith("encoder.") and ".tables." not in name]
        groups = [
            {"params": layers, "lr": optim.lr, "weight_decay": optim.weight_decay},
            {"params": tables, "lr": optim.table_lr, "weight_decay": 0.0},
            {"params": heads, "lr": optim.lr, "weight_decay": _HEADS_DECAY},
        ]
        return [group for group in groups if group["params"]]

    def run(self, progress: Progress | None) -> tuple[Pupil, list[dict[str, float]]]:
        optim, run = self.config.optim, self.config.run
        report(progress, self.step, optim.steps)
        try:
            while self.step < optim.steps:
                start = time.perf_counter()
                losses = self._one_step()
                self.step += 1
                speed = optim.batch_size / (time.perf_counter() - start)
                self.log.metrics({"step": self.step, **losses, "places_per_s": speed})
                if self.step % run.validate_steps == 0 or self.step == optim.steps:
                    self.history.append({"step": self.step, **self._measure()})
                    self.log.validated(self.history[-1])
                if self.step % run.checkpoint_steps == 0 or self.step == optim.steps:
                    self._save()
                report(progress, self.step, optim.steps)
        except Cancelled:
            self._save()
            raise
        finally:
            self.log.close()
        return self.pupil.cpu().eval(), self.history

    def _measure(self) -> dict[str, float]:
        return measure(self.pupil, self.lessons, held_blocks=self.config.teachers.held_blocks)

    def _one_step(self) -> dict[str, float]:
        optim = self.config.optim
        warm = min(1.0, (self.step + 1) / (optim.warmup_steps + 1))
        share = warm * (0.5 + 0.5 * math.cos(math.pi * self.step / optim.steps))
        for rate, group in zip(self.rates, self.optimizer.param_groups, strict=True):
            group["lr"] = rate * share
        # The places of a step depend on the seed and its number alone.
        rng = np.random.default_rng((self.config.seed, self.step))
        batch = self._batch(np.sort(self.rows[rng.integers(len(self.rows), size=optim.batch_size)]), rng)
        losses = self.pupil(batch, self.config.run.precision)
        self.optimizer.zero_grad()
        losses["loss"].backward()
        if optim.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(list(self.names), optim.clip_norm)
        self.optimizer.step()
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not math.isfinite(values["loss"]):
            raise ConfigError(
                f"the loss is {values['loss']} at step {self.step + 1}: lower optim.lr or set optim.clip_norm"
            )
        return values

    def _batch(self, rows: NDArray[np.integer], rng: np.random.Generator) -> dict[str, Tensor]:
        rows = rng.permutation(rows)  # the first rows are asked for their region and for phrases
        lessons, places = self.lessons, [self.lessons.lonlat[rows]]
        arrays = {
            "meaning": lessons.meaning[rows],
            "labels": lessons.labels[rows],
            "numbers": lessons.numbers[rows],
            "region": lessons.region[rows].astype(np.int64),
        }
        untold = self.untold[rows]
        arrays["labels"][untold] = arrays["region"][untold] = -1
        arrays["numbers"][untold] = np.nan
        if lessons.texts is not None and len(self.pupil.phrases):
            taught = self.pupil.phrases.cpu().numpy()
            arrays["phrases"] = taught[rng.integers(len(taught), size=_PHRASES)]
        if lessons.scenes is not None:
            seen = _some(~lessons.scenes.held, _SCENES, rng)
            places.append(near(lessons.scenes.lonlat[seen], _MOVED_KM, rng))
            arrays["scenes"] = lessons.scenes.labels[seen]
        if lessons.photos is not None and self.config.photos is not None:
            taken = _some(~lessons.photos.held, self.config.photos.batch_size, rng)
            places.append(lessons.photos.lonlat[taken])
            arrays["photos"] = lessons.photos.vectors[taken]
        arrays["lonlat"] = np.concatenate(places)
        return {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}

    def _save(self) -> None:
        if self.folder is not None:
            state = {"config": self.config.model_dump(mode="json"), "history": self.history}
            tensors = {
                "model": dict(self.pupil.state_dict()),
                "optimizer": optimizer_tensors(self.optimizer, self.names),
                "best": {},
            }
            write_checkpoint(self.folder / "checkpoints", self.step, state, tensors)

    def _resume(self, found: Checkpoint) -> None:
        if found.state["config"] != self.config.model_dump(mode="json"):
            raise ConfigError(f"the checkpoints in {self.folder} are of other settings: choose another folder")
        self.pupil.load_state_dict(found.model)
        load_optimizer(self.optimizer, self.names, found.optimizer)
        self.step, self.history = int(found.state["step"]), list(found.state["history"])


def _some(of: NDArray[np.bool_], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw so many of the true rows, with repeats."""
    rows = np.flatnonzero(of)
    return rows[rng.integers(len(rows), size=count)]


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
