"""The training loop: on one CPU, one GPU or many, from any step on, with the same result."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import Cancelled, ConfigError, InputError, MissingDependencyError
from ..gallery import photo_places
from ..model import as_model
from ..progress import report
from .alignment import Alignment, Batch
from .checkpoint import Checkpoint, latest_checkpoint, load_optimizer, optimizer_tensors, write_checkpoint
from .geocells import make_geocells
from .log import Log
from .sampler import Prefetcher, ShardSampler
from .seen import read_seen
from .validation import Validation, encode_photos, take_features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ..concepts import Concept
    from ..model import GeoConceptModel
    from ..progress import Progress
    from .config import TrainConfig
    from .sources import Source

__all__ = ["Fitted", "fit", "learning_rate", "make_fabric", "split"]

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
    if validation_rows is not None and validation is None:
        validation = source
    if validation is not None and validation_rows is None:
        validation_rows = np.arange(len(validation))
    fabric = make_fabric(config) if fabric is None else fabric
    world = fabric.world_size
    sampler = ShardSampler(
        source.shard[rows], config.optim.batch_size, config.seed, world=world, rank=fabric.global_rank
    )
    model = as_model(config.model) if model is None else model
    seen, concepts = None, None
    if config.concepts.used == "seen":
        assert config.concepts.seen is not None
        seen, concepts = read_seen(config.concepts.seen, list(source.names), model.bank)
    job = _Job(source, rows, config, sampler, seen)
    if job.steps_per_epoch == 0:
        raise InputError(
            f"{len(rows):,} photos make no batch of {config.optim.batch_size} x {config.optim.accumulate} on {world} "
            "process(es): lower optim.batch_size"
        )
    alignment = _alignment(config, model, source, rows, concepts)
    trained = [(name, value) for name, value in alignment.named_parameters() if value.requires_grad]
    names = {value: name for name, value in trained}
    optimizer = torch.optim.AdamW(_groups(trained, config), lr=config.optim.lr)
    found = _resume(folder, config, alignment)
    wrapped, stepper = fabric.setup(alignment, optimizer)
    state, best = _State(), {}
    if found is not None:
        load_optimizer(optimizer, names, found.optimizer)
        state, best = _state_of(found), found.best
    check = None
    if validation is not None and validation_rows is not None and len(validation_rows):
        check = Validation(validation, validation_rows, config, fabric.device)

    def save() -> None:
        if folder is not None and fabric.is_global_zero:
            tensors = {"model": _kept(alignment), "optimizer": optimizer_tensors(optimizer, names), "best": best}
            write_checkpoint(folder / "checkpoints", state.step, _record(state, config), tensors)

    log = Log(folder if fabric.is_global_zero else None, state.step, config)
    gather = _gatherer(fabric) if world > 1 else None
    photos, seconds = 0, 0.0
    total = job.steps_per_epoch * config.optim.epochs
    try:
        while True:
            epoch, first = divmod(state.step, job.steps_per_epoch)
            if check is not None and len(state.history) < epoch:
                # All processes must agree on when to stop.
                found_by_first = check(alignment) if fabric.is_global_zero else None
                measured = {"epoch": epoch, "step": state.step, **fabric.broadcast(found_by_first)}
                state.history.append(measured)
                log.validated(measured)
                if measured["score"] > state.best_score:
                    state.best_score, state.best_epoch = measured["score"], epoch
                    best = {name: value.detach().cpu().clone() for name, value in _kept(alignment).items()}
                save()
            if state.step >= total or _out_of_patience(state, config):
                break
            alignment.train()
            with job.batches(epoch, first, fabric.global_rank) as batches:
                for _ in range(first, job.steps_per_epoch):
                    start = time.perf_counter()
                    rate = learning_rate(config, state.step, job.steps_per_epoch)
                    values = _step(fabric, wrapped, stepper, batches, config, state.step, rate, gather)
                    state.step += 1
                    seconds += time.perf_counter() - start
                    photos += config.optim.batch_size * config.optim.accumulate * world
                    log.write(state.step, epoch + 1, rate, values, float(alignment.scale.detach()), photos / seconds)
                    if state.step % config.run.checkpoint_steps == 0:
                        save()
                    report(progress, state.step, total)
            save()
    except Cancelled:  # between two steps, so that the checkpoint is whole
        save()
        raise
    finally:
        log.close()
    alignment = alignment.cpu()
    if best:
        alignment.load_state_dict(best, strict=False)
    epochs_done = math.ceil(state.step / job.steps_per_epoch)
    return Fitted(
        alignment.eval(),
        state.history,
        state.best_epoch or epochs_done,
        state.step,
        photos / seconds if seconds else 0.0,
    )


def split(source: Source, share: float, by: str, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Hold out a share of the photos for validation, whole photographers or whole cells of the Earth at a time.

    Parameters
    ----------
    source : Source
    share : float
        0 to 0.5.
    by : {"group", "cell", "photo"}
        See `geoconcept_gis.train.config.DataConfig.split_by`; photos where photographers are not known.
    seed : int

    Returns
    -------
    rows, validation_rows : ndarray of int
        In rising order.
    """
    if by == "cell":
        from ..h3cells import cells_of

        group = np.unique(cells_of(source.lonlat, 3), return_inverse=True)[1]
    elif by == "group" and source.group is not None:
        group = np.unique(source.group, return_inverse=True)[1]
    else:
        group = np.arange(len(source))
    order = np.random.default_rng(seed).permutation(group.max(initial=0) + 1)
    counts = np.bincount(group, minlength=len(order))[order]
    # Groups are taken while their photos fit into the share.
    held = np.isin(group, order[np.cumsum(counts) <= share * len(source)])
    return np.flatnonzero(~held), np.flatnonzero(held)


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step, which depends on its number alone.

    Examples
    --------
    >>> from geoconcept_gis.train.config import parse_config
    >>> config = parse_config("{name: a, data: {train: b}, optim: {lr: 0.1, gamma: 0.5}}")
    >>> learning_rate(config, 25, 10)
    0.025
    """
    optim = config.optim
    warm = min(1.0, (step + 1) / (optim.warmup_steps + 1))
    if optim.schedule == "cosine":
        return optim.lr * warm * 0.5 * (1.0 + math.cos(math.pi * step / (steps_per_epoch * optim.epochs)))
    if optim.schedule == "step":
        return float(optim.lr * warm * optim.gamma ** (step // steps_per_epoch))
    return optim.lr * warm


# ---------------------------------------------------------------- one step


@dataclass(frozen=True)
class _Job:
    """Which photos each step sees."""

    source: Source
    rows: NDArray[np.integer]
    config: TrainConfig
    sampler: ShardSampler
    seen: NDArray[np.bool_] | None

    @cached_property
    def partner(self) -> NDArray[np.integer] | None:
        """For the control with shuffled concepts: to each photo another one, the same in all epochs."""
        if self.config.concepts.control != "shuffled":
            return None
        order = np.random.default_rng(self.config.seed).permutation(len(self.rows))
        partner = np.empty_like(self.rows)
        partner[order] = self.rows[np.roll(order, 1)]
        return partner

    @property
    def steps_per_epoch(self) -> int:
        return len(self.sampler) // self.config.optim.accumulate

    def batches(self, epoch: int, first: int, rank: int) -> Prefetcher[Batch]:
        """Return the epoch's batches from step `first` on, made ready in the background."""
        start = first * self.config.optim.accumulate
        keys = enumerate(self.sampler.batches(epoch, start), start)
        return Prefetcher(partial(self._load, epoch, rank), keys, depth=self.config.data.prefetch)

    def _load(self, epoch: int, rank: int, key: tuple[int, NDArray[np.int64]]) -> Batch:
        number, picked = key
        rows = self.rows[picked]
        other = rows if self.partner is None else self.partner[picked]
        rng = np.random.default_rng((self.config.seed, epoch, number, rank))
        return Batch(
            torch.from_numpy(rows.astype(np.int64)),
            torch.from_numpy(self.source.take(rows, rng)),
            torch.from_numpy(self.source.lonlat[rows].astype(np.float64)),
            None if self.partner is None else torch.from_numpy(self.source.lonlat[other]),
            None if self.seen is None else torch.from_numpy(self.seen[other]),
        )


def _step(
    fabric: Any,
    wrapped: Any,
    optimizer: Any,
    batches: Iterator[Batch],
    config: TrainConfig,
    step: int,
    rate: float,
    gather: Callable[[torch.Tensor], torch.Tensor] | None,
) -> dict[str, float]:
    """Change the weights once; return the losses, averaged over the accumulated batches."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    accumulate = config.optim.accumulate
    sums: dict[str, torch.Tensor] = {}
    for part in range(accumulate):
        batch = next(batches).to(fabric.device)
        # Noise and dropout of a step never depend on the steps before it.
        seed = int(np.random.SeedSequence((config.seed, step, part, fabric.global_rank)).generate_state(1)[0])
        torch.manual_seed(seed)
        with fabric.no_backward_sync(wrapped, enabled=part + 1 < accumulate):
            losses = wrapped(batch, gather, torch.Generator().manual_seed(seed))
            fabric.backward(losses["loss"] / accumulate)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value.detach() / accumulate
    if config.optim.clip_norm:
        fabric.clip_gradients(wrapped, optimizer, max_norm=config.optim.clip_norm)
    optimizer.step()
    optimizer.zero_grad()
    values = {name: float(value) for name, value in sums.items()}
    if not math.isfinite(values["loss"]):
        raise ConfigError(f"the loss is {values['loss']} at step {step + 1}: lower optim.lr or set optim.clip_norm")
    return values


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
