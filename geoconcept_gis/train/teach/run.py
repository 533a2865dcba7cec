"""A whole teaching run: settings in, a model folder out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._version import __version__
from ...bank.carry import carry_bank
from ...encoder import open_encoder
from ...errors import InputError
from ...model import load_model
from ...model_files import rounded, write_model
from ...storage import HEAD_FILE, read_arrays
from ..encoders import to_numpy
from .card import card_of
from .gather import all_lessons
from .loop import teach
from .report import write_report

if TYPE_CHECKING:
    from os import PathLike

    from ...progress import Progress
    from .config import TeachConfig
    from .pupil import Pupil

__all__ = ["teach_model"]


def teach_model(
    config: TeachConfig, folder: str | PathLike[str] | None = None, *, progress: Progress | None = None
) -> Path:
    """Teach an encoder, write its model and a report; go on where an earlier call was stopped.

    Parameters
    ----------
    config : TeachConfig
        As `geoconcept_gis.train.read_config` returns it.
    folder : path-like, optional
        For all that the run leaves (see `geoconcept_gis.train.teach.report`); None means ``runs/<name>``.
    progress : callable, optional
        Called as ``progress(done, total)``; return true to stop, with a checkpoint.

    Returns
    -------
    pathlib.Path
        The model's folder.

    Raises
    ------
    InputError
        There is a finished model in the folder already, or ground truth is missing.
    ConfigError
        Settings and checkpoints do not fit each other.
    Cancelled
        `progress` asked to stop.
    """
    folder = Path("runs") / config.name if folder is None else Path(folder)
    target = folder / "model"
    if target.exists():
        raise InputError(f"{target} is finished already: choose another folder, or remove it to train anew")
    teacher = load_model(config.model, backend="numpy")
    lessons = all_lessons(config, teacher, folder.parent / "lessons", progress=progress)
    pupil, history = teach(lessons, config, folder=folder, progress=progress)
    weights, record = encoder_weights(pupil)
    encoder = open_encoder(record, weights)
    digest = hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights))).hexdigest()
    bank = carry_bank(teacher, encoder, f"{config.name}-{digest[:12]}", seed=config.seed, progress=progress)
    head = read_arrays(teacher.folder / HEAD_FILE, teacher.config["files"][HEAD_FILE])
    settings: dict[str, Any] = {
        "name": config.name,
        "description": f"Taught by geoconcept_gis {__version__} from {teacher.name} ({teacher.sha256[:12]}) and truths",
        "scale_km": list(teacher.scale_km),
        "source": f"taught from model {teacher.name}, sha256 {teacher.sha256}",
        "licence": config.licence,
        "encoder": record,
    }
    card = card_of(config, teacher, history[-1])
    write_model(target, config=settings, encoder_weights=weights, image_head_weights=head, bank=bank, readme=card)
    write_report(folder)
    return target


def encoder_weights(pupil: Pupil) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the weights and record of the encoder, as stored; mean and spread are folded into its last layer."""
    weights, record = to_numpy(pupil.encoder)
    last = max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))
    spread, mean = float(pupil.spread), pupil.mean.numpy()
    for name in weights.keys() & {f"layers.{last}.weight", "details.2.weight", "details.2.bias"}:
        weights[name] = weights[name] * spread
    weights[f"layers.{last}.bias"] = weights[f"layers.{last}.bias"] * spread + mean
    return rounded(weights), record
