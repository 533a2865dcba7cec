"""The teaching loop: from any step on, with the same result."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ...errors import Cancelled, ConfigError
from ...fitting import weighted_auroc
from ...progress import report
from ..checkpoint import Checkpoint, latest_checkpoint, load_optimizer, optimizer_tensors, write_checkpoint
from ..encoders import TablesTwin, make_encoder
from ..log import CsvLog
from .lessons import SETS
from .numbers import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from ...progress import Progress
    from .config import TeachConfig
    from .lessons import Lessons

__all__ = ["Pupil", "teach"]

#: Places whose region is asked of each batch: the head is wide.
_REGION_ROWS = 256
_HEADS_DECAY = 1e-3
#: Weight of a rare label's places, at most: 3 * sqrt of how many more places are without it, up to 100 times.
_RAREST = 100.0
_STEP = 4096


class Pupil(nn.Module):
    """The encoder that is taught, with what is taken off when it is done: linear heads that read its 512 numbers.

    Parameters
    ----------
    config : TeachConfig
    lessons : Lessons

    Notes
    -----
    The encoder's numbers are those of the shared space's unit vectors, less their mean, over their spread; `vectors`
    turns them back. Heads are linear, so that what they read lies open in the numbers, for any linear model to find.
    """

    mean: Tensor
    spread: Tensor
    rarity: Tensor
    asked: Tensor
    counted: Tensor

    def __init__(self, config: TeachConfig, lessons: Lessons) -> None:
        super().__init__()
        self.encoder = make_encoder(config.encoder, config.seed)
        if isinstance(self.encoder, TablesTwin):
            self.encoder.choose_knots(lessons.lonlat[lessons.drawn != SETS.index("earth")])
        sample = torch.from_numpy(lessons.meaning[:100_000]).float()
        unit = nn.functional.normalize(sample, dim=1)
        self.register_buffer("mean", unit.mean(0))
        self.register_buffer("spread", (unit - self.mean).square().mean().sqrt())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed + 1)
            self.labels = nn.Linear(self.encoder.dim, lessons.labels.shape[1])
            self.numbers = nn.Linear(self.encoder.dim, lessons.numbers.shape[1])
            self.regions = nn.Linear(self.encoder.dim, max(1, lessons.regions))
        with_label, without = (torch.from_numpy((lessons.labels == value).sum(0)).float() for value in (1, 0))
        self.register_buffer("rarity", 3.0 * (without / with_label.clamp(min=1)).clamp(max=_RAREST).sqrt())
        families = {family for source in config.teachers.without for family in SOURCES[source][0]}
        numbers = {name for source in config.teachers.without for name in SOURCES[source][1]}
        self.register_buffer("asked", torch.tensor([float(f not in families) for f in lessons.label_families]))
        self.register_buffer("counted", torch.tensor([float(n not in numbers) for n in lessons.number_names]))
        self._weights = config.teachers
        self._regions_asked = "countries" not in config.teachers.without

    def vectors(self, lonlat: Tensor) -> Tensor:
        """Return vectors (N, 512) of the shared space."""
        vectors: Tensor = self.encoder(lonlat) * self.spread + self.mean
        return vectors

    def forward(self, batch: dict[str, Tensor], precision: str) -> dict[str, Tensor]:
        """Return ``loss`` and what it is made of."""
        weights = self._weights
        with torch.autocast(self.mean.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            numbers = self.encoder(batch["lonlat"])
            labels, values = self.labels(numbers), self.numbers(numbers)
            regions = self.regions(numbers[:_REGION_ROWS])
        aim = (nn.functional.normalize(batch["meaning"].float(), dim=1) - self.mean) / self.spread
        losses = {"meaning": (numbers.float() - aim).square().mean()}
        known = (batch["labels"] >= 0).float() * self.asked
        each = nn.functional.binary_cross_entropy_with_logits(
            labels.float(), (batch["labels"] == 1).float(), pos_weight=self.rarity, reduction="none"
        )
        losses["labels"] = (each * known).sum() / known.sum().clamp(min=1)
        known = (~batch["numbers"].isnan()).float() * self.counted
        wrong = (values.float() - batch["numbers"].nan_to_num()).square()
        losses["numbers"] = (wrong * known).sum() / known.sum().clamp(min=1)
        region = batch["region"][:_REGION_ROWS]
        if self._regions_asked and bool((region >= 0).any()):
            losses["regions"] = nn.functional.cross_entropy(regions.float(), region, ignore_index=-1)
        total = sum(getattr(weights, name) * loss for name, loss in losses.items())
        return {"loss": torch.as_tensor(total), **losses}


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
                    self.history.append({"step": self.step, **measure(self.pupil, self.lessons)})
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
        self.optimizer.step()
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not math.isfinite(values["loss"]):
            raise ConfigError(f"the loss is {values['loss']} at step {self.step + 1}: lower optim.lr")
        return values

    def _batch(self, rows: NDArray[np.integer], rng: np.random.Generator) -> dict[str, Tensor]:
        rows = rng.permutation(rows)  # the first rows are asked for their region
        lessons = self.lessons
        arrays = {
            "lonlat": lessons.lonlat[rows],
            "meaning": lessons.meaning[rows],
            "labels": lessons.labels[rows],
            "numbers": lessons.numbers[rows],
            "region": lessons.region[rows].astype(np.int64),
        }
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


def measure(pupil: Pupil, lessons: Lessons) -> dict[str, float]:
    """Measure what was learnt at the places that were held out.

    Returns
    -------
    dict of str to float
        ``cosine SET``: mean centred cosine with the teacher's vectors; ``auroc FAMILY``: mean over the labels of a
        family; ``r2 NUMBER``: share of the variance that the head explains.
    """
    rows = np.flatnonzero(lessons.held)
    with torch.no_grad():
        device = pupil.mean.device
        parts = [
            pupil.encoder(torch.from_numpy(lessons.lonlat[rows[start : start + _STEP]]).to(device))
            for start in range(0, len(rows), _STEP)
        ]
        numbers = torch.cat(parts)
        labels, values = pupil.labels(numbers).cpu().numpy(), pupil.numbers(numbers).cpu().numpy()
        mean = pupil.mean.cpu()
        learnt = nn.functional.normalize((numbers * pupil.spread + pupil.mean).cpu(), dim=1) - mean
        aim = nn.functional.normalize(torch.from_numpy(lessons.meaning[rows]).float(), dim=1) - mean
        cosine = nn.functional.cosine_similarity(learnt, aim).numpy()
    found = {f"cosine {name}": float(cosine[lessons.drawn[rows] == k].mean()) for k, name in enumerate(SETS)}
    truths, families = lessons.labels[rows], np.array(lessons.label_families)
    aurocs = np.array([_auroc(labels[:, k], truths[:, k]) for k in range(truths.shape[1])])
    for family in dict.fromkeys(lessons.label_families):
        if not np.isnan(aurocs[families == family]).all():
            found[f"auroc {family}"] = float(np.nanmean(aurocs[families == family]))
    for k, name in enumerate(lessons.number_names):
        known = ~np.isnan(lessons.numbers[rows, k])
        truth = lessons.numbers[rows[known], k]
        found[f"r2 {name}"] = float(1.0 - ((values[known, k] - truth) ** 2).mean() / truth.var())
    return found


def _auroc(scores: NDArray[np.float32], label: NDArray[np.int8]) -> float:
    known = label >= 0
    y = label[known] == 1
    return float(weighted_auroc(scores[known], y)[0]) if min(y.sum(), (~y).sum()) >= 5 else float("nan")


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
