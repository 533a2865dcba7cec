"""Checkpoints: everything that the next step depends on, as safetensors and JSON, whole or not there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import GeoConceptError, ModelFileError
from ..files import atomic_folder, sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Checkpoint", "latest_checkpoint", "load_optimizer", "optimizer_tensors", "write_checkpoint"]

_STATE = "state.json"
_NAME = re.compile(r"step-(\d{9})")
#: Checkpoints that stay: the last one, and the one before it in case a disk fails.
_KEPT = 2


class Checkpoint:
    """A checkpoint on disk, read and verified.

    Attributes
    ----------
    state : dict
        Counters and settings.
    model, optimizer, best : dict of str to Tensor
        Weights and buffers; the optimizer's; the weights of the best epoch so far (empty before the first).
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.torch import load_file

        self.state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        for name, sha256 in self.state["files"].items():
            if sha256_of(folder / name) != sha256:
                raise ModelFileError(f"{folder / name} is not what was written: it is corrupt or was replaced")
        self.model, self.optimizer, self.best = (
            load_file(folder / f"{part}.safetensors") for part in ("model", "optimizer", "best")
        )


def write_checkpoint(folder: Path, step: int, state: dict[str, Any], tensors: dict[str, dict[str, Tensor]]) -> Path:
    """Write a checkpoint and remove all but the last two.

    Parameters
    ----------
    folder : pathlib.Path
        Where checkpoints lie.
    step : int
        Steps done; names the checkpoint.
    state : dict
        What `Checkpoint.state` gives back.
    tensors : dict of dict
        ``model``, ``optimizer`` and ``best``.

    Returns
    -------
    pathlib.Path
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{step:09d}"
    if target.exists():  # of this step before it was validated; the checkpoint before it is still there
        shutil.rmtree(target)
    with atomic_folder(target) as part:
        files = {}
        for name, content in tensors.items():
            path = part / f"{name}.safetensors"
            save_file({key: value.detach().cpu().contiguous() for key, value in content.items()}, path)
            files[path.name] = sha256_of(path)
        text = json.dumps({**state, "step": step, "files": files}, indent=1)
        (part / _STATE).write_text(text + "\n", encoding="utf-8")
    for old in _found(folder)[:-_KEPT]:
        shutil.rmtree(old)
    return target


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint that is whole; None where there is none.

    Raises
    ------
    ModelFileError
        There are checkpoints, and all of them are damaged.
    """
    problems = []
    for path in reversed(_found(folder)):
        try:
            return Checkpoint(path)
        except (GeoConceptError, OSError, ValueError, KeyError) as error:
            problems.append(str(error))
    if problems:
        raise ModelFileError(f"no checkpoint in {folder} can be read: {problems[0]}; remove the folder to start anew")
    return None


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: dict[nn.Parameter, str]) -> dict[str, Tensor]:
    """Return the optimizer's tensors, each named after its parameter.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    names : dict of Parameter to str

    Returns
    -------
    dict of str to Tensor
        ``"exp_avg/image_head.1.weight"``, for example.
    """
    return {
        f"{key}/{names[parameter]}": value if torch.is_tensor(value) else torch.tensor(value)
        for parameter, slots in optimizer.state.items()
        for key, value in slots.items()
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, names: dict[nn.Parameter, str], tensors: dict[str, Tensor]
) -> None:
    """Give an optimizer the tensors that `optimizer_tensors` took from one."""
    parameters = {name: parameter for parameter, name in names.items()}
    for key, value in tensors.items():
        slot, _, name = key.partition("/")
        parameter = parameters[name]
        # Counters stay on the CPU, as torch keeps them.
        optimizer.state[parameter][slot] = value.clone() if slot == "step" else value.to(parameter.device).clone()


def _found(folder: Path) -> list[Path]:
    """Return the checkpoints by step."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name)) if folder.is_dir() else []
