"""The training loop: on one CPU, one GPU or many, from any step on, with the same result."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import Cancelled, ConfigError, InputError, MissingDependencyError
from ..gallery import photo_places
from ..model import as_model
from ..progress import report
from .alignment import Alignment
from .checkpoint import Checkpoint, latest_checkpoint, load_optimizer, optimizer_tensors, write_checkpoint
from .geocells import make_geocells
from .job import Job, learning_rate
from .log import Log
from .sampler import ShardSampler
from .seen import read_seen
from .validation import Validation, encode_photos, take_features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ..concepts import Concept
    from ..model import GeoConceptModel
    from ..progress import Progress
    from .alignment import Batch
    from .config import TrainConfig
    from .sources import Source

__all__ = ["Fitted", "fit", "make_fabric"]

#: Photos that mean and spread of the features are taken from.
_STANDARDISED_ON = 20_000


@dataclass(frozen=True, eq=False)
class Fitted:
    """What training left. Made by `fit`.

    Attributes
    ----------
    alignment : Alignment
        With the weights of the best epoch, on the CPU, in evaluation mode.
    history : list of dict
        One a validated epoch: ``epoch``, ``step``, ``score`` (mean GeoGuessr score, 0 to 5,000, higher is better),
        ``median_km``, ``loss`` (of the validation photos).
    best_epoch : int
        Counted from 1; the last one where nothing was validated.
    steps : int
        Steps done.
    samples_per_s : float
        Photos a second, over this call, validation left out.
    """

    alignment: Alignment
    history: list[dict[str, float]]
    best_epoch: int
    steps: int
    samples_per_s: float

    def encode(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Bring features of photos into the shared space.

        Parameters
        ----------
        features : ndarray, shape (N, D)
            As the image tower gives them.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Unit vectors.
        """
        return encode_photos(self.alignment, features)


@dataclass
class _State:
    """Counters that a checkpoint holds."""

    step: int = 0
    best_score: float = -math.inf
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def fit(
    source: Source,
    config: TrainConfig,
    *,
    rows: NDArray[np.integer] | None = None,
    validation: Source | None = None,
    validation_rows: NDArray[np.integer] | None = None,
    model: GeoConceptModel | None = None,
    folder: Path | None = None,
    fabric: Any = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train in memory; with `folder`, from the last checkpoint there.

    Parameters
    ----------
    source : Source
        Photos and their places.
    config : TrainConfig
        Its ``data`` is not read: `source` stands for it.
    rows : ndarray of int, optional
        The photos of `source` to train on; all by default.
    validation : Source, optional
        Photos to measure on after every epoch; `source` where only `validation_rows` are given.
    validation_rows : ndarray of int, optional
        Which of them.
    model : GeoConceptModel, optional
        Instead of ``config.model``, already open.
    folder : pathlib.Path, optional
        For checkpoints and ``metrics.csv``.
    fabric : lightning_fabric.Fabric, optional
        A launched one; by default `make_fabric` makes it.
    progress : callable, optional
        Called as ``progress(done, total)`` in steps; return true to cancel. A checkpoint is then written.

    Returns
    -------
    Fitted

    Raises
    ------
    ConfigError
        Settings, features and checkpoint do not fit each other.
    InputError
        There are too few photos for one batch.
    Cancelled
        `progress` asked to stop.

    Notes
    -----
    A step depends on the seed, its number and the process alone: its rows, views, noise and dropout are drawn anew from
    those. So training that was killed and resumed gives, on the same machine, the same bits.

    Examples
    --------
    >>> from geoconcept_gis.train import open_source, read_config
    >>> fitted = fit(open_source("shards"), read_config("regional.yaml"))                   # doctest: +SKIP
    >>> fitted.history[-1]["score"]                                                         # doctest: +SKIP
    """
    rows = np.arange(len(source)) if rows is None else np.asarray(rows)
    if validation is None and validation_rows is not None:
        validation = source
    if validation is not None and validation_rows is None:
        validation_rows = np.arange(len(validation))
    fabric = make_fabric(config) if fabric is None else fabric
    model = as_model(config.model) if model is None else model
    seen, concepts = None, None
    if config.concepts.used == "seen":
        assert config.concepts.seen is not None
        seen, concepts = read_seen(config.concepts.seen, list(source.names), model.bank)
    optim, world = config.optim, fabric.world_size
    sampler = ShardSampler(source.shard[rows], optim.batch_size, config.seed, world=world, rank=fabric.global_rank)
    job = Job(source, rows, config, sampler, seen)
    if job.steps_per_epoch == 0:
        raise InputError(
            f"{len(rows):,} photos make no batch of {optim.batch_size} x {optim.accumulate} on {world} process(es): "
            "lower optim.batch_size"
        )
    check = None
    if validation is not None and validation_rows is not None and len(validation_rows):
        check = Validation(validation, validation_rows, config, fabric.device)
    alignment = _alignment(config, model, source, rows, concepts)
    return _Training(config, job, alignment, check, fabric, folder).run(progress)


class _Training:
    """A run: what changes from step to step, and the loop that changes it."""

    def __init__(
        self,
        config: TrainConfig,
        job: Job,
        alignment: Alignment,
        check: Validation | None,
        fabric: Any,
        folder: Path | None,
    ) -> None:
        self.config, self.job, self.check, self.fabric = config, job, check, fabric
        self.alignment = alignment
        #: Only the first process writes.
        self.folder = folder if fabric.is_global_zero else None
        trained = [(name, value) for name, value in alignment.named_parameters() if value.requires_grad]
        self.names = {value: name for name, value in trained}
        self.optimizer = torch.optim.AdamW(_groups(trained, config), lr=config.optim.lr)
        found = _resume(folder, config, alignment)
        self.wrapped, self.stepper = fabric.setup(alignment, self.optimizer)
        self.state, self.best = _State(), {}
        if found is not None:
            load_optimizer(self.optimizer, self.names, found.optimizer)
            self.state, self.best = _state_of(found), found.best
        self.gather = _gatherer(fabric) if fabric.world_size > 1 else None
        self.log = Log(self.folder, self.state.step, config)
        self.photos, self.seconds = 0, 0.0

    def run(self, progress: Progress | None) -> Fitted:
        """Train until all epochs are done or nothing gets better; return the best epoch."""
        try:
            while True:
                epoch = self.state.step // self.job.steps_per_epoch
                # An epoch that was stopped before it was validated is validated now.
                if self.check is not None and len(self.state.history) < epoch:
                    self._validate(self.check, epoch)
                if epoch >= self.config.optim.epochs or _out_of_patience(self.state, self.config):
                    break
                self._train_epoch(epoch, progress)
        except Cancelled:  # between two steps, so that the checkpoint is whole
            self._save()
            raise
        finally:
            self.log.close()
        alignment = self.alignment.cpu()
        if self.best:
            alignment.load_state_dict(self.best, strict=False)
        speed = self.photos / self.seconds if self.seconds else 0.0
        best_epoch = self.state.best_epoch or self.state.step // self.job.steps_per_epoch
        return Fitted(alignment.eval(), self.state.history, best_epoch, self.state.step, speed)

    def _train_epoch(self, epoch: int, progress: Progress | None) -> None:
        state, optim = self.state, self.config.optim
        first = state.step % self.job.steps_per_epoch
        self.alignment.train()
        with self.job.batches(epoch, first, self.fabric.global_rank) as batches:
            for _ in range(first, self.job.steps_per_epoch):
                start = time.perf_counter()
                rate = learning_rate(self.config, state.step, self.job.steps_per_epoch)
                values = self._step(batches, rate)
                state.step += 1
                self.seconds += time.perf_counter() - start
                self.photos += optim.batch_size * optim.accumulate * self.fabric.world_size
                scale = float(self.alignment.scale.detach())
                self.log.write(state.step, epoch + 1, rate, values, scale, self.photos / self.seconds)
                if state.step % self.config.run.checkpoint_steps == 0:
                    self._save()
                report(progress, state.step, self.job.steps_per_epoch * optim.epochs)
        self._save()

    def _step(self, batches: Iterator[Batch], rate: float) -> dict[str, float]:
        """Change the weights once; return the losses, averaged over the accumulated batches."""
        for group in self.stepper.param_groups:
            group["lr"] = rate
        accumulate, step = self.config.optim.accumulate, self.state.step
        sums: dict[str, torch.Tensor] = {}
        for part in range(accumulate):
            batch = next(batches).to(self.fabric.device)
            # Noise and dropout of a step never depend on the steps before it.
            key = (self.config.seed, step, part, self.fabric.global_rank)
            seed = int(np.random.SeedSequence(key).generate_state(1)[0])
            torch.manual_seed(seed)
            with self.fabric.no_backward_sync(self.wrapped, enabled=part + 1 < accumulate):
                losses = self.wrapped(batch, self.gather, torch.Generator().manual_seed(seed))
                self.fabric.backward(losses["loss"] / accumulate)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value.detach() / accumulate
        if self.config.optim.clip_norm:
            self.fabric.clip_gradients(self.wrapped, self.stepper, max_norm=self.config.optim.clip_norm)
        self.stepper.step()
        self.stepper.zero_grad()
        values = {name: float(value) for name, value in sums.items()}
        if not math.isfinite(values["loss"]):
            raise ConfigError(f"the loss is {values['loss']} at step {step + 1}: lower optim.lr or set optim.clip_norm")
        return values

    def _validate(self, check: Validation, epoch: int) -> None:
        # All processes must agree on when to stop.
        found = self.fabric.broadcast(check(self.alignment) if self.fabric.is_global_zero else None)
        measured = {"epoch": epoch, "step": self.state.step, **found}
        self.state.history.append(measured)
        self.log.validated(measured)
        if measured["score"] > self.state.best_score:
            self.state.best_score, self.state.best_epoch = measured["score"], epoch
            self.best = {name: value.detach().cpu().clone() for name, value in _kept(self.alignment).items()}
        self._save()

    def _save(self) -> None:
        if self.folder is not None:
            optimizer = optimizer_tensors(self.optimizer, self.names)
            tensors = {"model": _kept(self.alignment), "optimizer": optimizer, "best": self.best}
            write_checkpoint(self.folder / "checkpoints", self.state.step, _record(self.state, self.config), tensors)


def _gatherer(fabric: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    def gather(tensor: torch.Tensor) -> torch.Tensor:
        return fabric.all_gather(tensor, sync_grads=tensor.requires_grad).flatten(0, 1)

    return gather


def _groups(trained: list[tuple[str, Any]], config: TrainConfig) -> list[dict[str, Any]]:
    """Decay matrices, not biases, scales or the concepts' offset."""
    decayed = [value for name, value in trained if value.ndim > 1 and name != "basis.offset"]
    others = [value for name, value in trained if value.ndim < 2 or name == "basis.offset"]
    return [{"params": decayed, "weight_decay": config.optim.weight_decay}, {"params": others, "weight_decay": 0.0}]


# ---------------------------------------------------------------- beginning and end


def make_fabric(config: TrainConfig) -> Any:
    """Start the processes that ``config.run`` asks for.

    Parameters
    ----------
    config : TrainConfig

    Returns
    -------
    lightning_fabric.Fabric
        Launched. With several devices this very command is started once more for each of them.

    Raises
    ------
    MissingDependencyError
        lightning-fabric is not installed.
    ConfigError
        There is no such accelerator here, or not so many devices.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise MissingDependencyError("training needs lightning-fabric: pip install 'geoconcept-gis[train]'") from None

    run = config.run
    several = run.nodes > 1 or (run.devices == "auto" or run.devices > 1)
    try:
        fabric = Fabric(
            accelerator=run.accelerator,
            devices=run.devices,
            num_nodes=run.nodes,
            strategy="ddp" if several else "auto",
            precision=run.precision,
        )
    except (RuntimeError, ValueError, ImportError) as error:
        # Lightning's own classes derive from these: no such accelerator, or fewer devices.
        raise ConfigError(f"run.accelerator, run.devices: {' '.join(str(error).split())}") from None
    fabric.launch()
    return fabric


def _alignment(
    config: TrainConfig,
    model: GeoConceptModel,
    source: Source,
    rows: NDArray[np.integer],
    seen: list[Concept] | None,
) -> Alignment:
    rng = np.random.default_rng(config.seed)
    some = np.sort(rng.choice(rows, min(len(rows), _STANDARDISED_ON), replace=False))
    geocells = None
    if config.places.loss == "geocells":
        settings = config.places
        geocells = make_geocells(source.lonlat[rows], most=settings.geocell_most, fewest=settings.geocell_fewest)
    gallery = photo_places() if config.negatives.kind == "gallery" else None
    return Alignment(config, model, take_features(source, some), geocells=geocells, gallery=gallery, seen=seen)


def _kept(alignment: Alignment) -> dict[str, torch.Tensor]:
    """Return what changes: a frozen location encoder, which the model's file has, stays out."""
    return {
        name: value
        for name, value in alignment.state_dict().items()
        if not (alignment.frozen and name.startswith("location_encoder."))
    }


def _record(state: _State, config: TrainConfig) -> dict[str, Any]:
    return {
        "best_score": state.best_score if state.best_epoch else None,
        "best_epoch": state.best_epoch,
        "history": state.history,
        "config": _fingerprint(config),
    }


def _fingerprint(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that a resumed run must share: all but where it runs and how long."""
    record = json.loads(config.model_dump_json())
    for key in ("run", "data", "licence"):
        record.pop(key)
    record["optim"].pop("epochs") if config.optim.schedule != "cosine" else None
    return dict(record)


def _resume(folder: Path | None, config: TrainConfig, alignment: Alignment) -> Checkpoint | None:
    """Give the module the weights of the last checkpoint, if there is one of the same settings."""
    found = None if folder is None else latest_checkpoint(folder / "checkpoints")
    if found is None:
        return None
    wanted = _fingerprint(config)
    differing = sorted(key for key in wanted if wanted[key] != found.state["config"].get(key))
    if differing:
        raise ConfigError(
            f"{folder} holds checkpoints of other settings ({', '.join(differing)} differ): "
            "choose another output folder, or remove that one"
        )
    missing, unexpected = alignment.load_state_dict(found.model, strict=False)
    if unexpected or any(not name.startswith("location_encoder.") for name in missing):
        raise ConfigError(f"{folder} holds checkpoints of another model: choose another output folder")
    return found


def _state_of(found: Checkpoint) -> _State:
    score = found.state["best_score"]
    return _State(
        found.state["step"], -math.inf if score is None else score, found.state["best_epoch"], found.state["history"]
    )


def _out_of_patience(state: _State, config: TrainConfig) -> bool:
    patience = config.run.patience
    return patience is not None and bool(state.history) and len(state.history) - state.best_epoch >= patience
