"""Files of CLIP weights: found where the user says, read without running anything in them, named as open_clip does."""

from __future__ import annotations

import os
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import torch

__all__ = ["KNOWN", "WEIGHTS_VARIABLE", "fill", "find"]

#: Names a file or folder of weights, for machines without a network.
WEIGHTS_VARIABLE = "GEOCONCEPT_CLIP_WEIGHTS"
OPENAI_PT = "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"
#: Published files of OpenAI's weights by sha256. Other trainings have the same shapes: only the bytes tell them apart.
KNOWN = {
    OPENAI_PT: "ViT-L-14.pt of OpenAI",
    "9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e": "open_clip_model.safetensors of open_clip",
    "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb": "model.safetensors of Hugging Face",
    "f1a17cdbe0f36fec524f5cafb1c261ea3bbbc13e346e0f74fc9eb0460dedd0d3": "pytorch_model.bin of Hugging Face",
}
FILES_OF_FOLDER = (
    "open_clip_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
    "ViT-L-14.pt",
)


def find(weights: str | PathLike[str] | None) -> Path | None:
    """Return the file that the argument or the environment names; None where neither does."""
    source = "argument weights"
    if weights is None:
        weights, source = os.environ.get(WEIGHTS_VARIABLE) or None, f"environment variable {WEIGHTS_VARIABLE}"
    if weights is None:
        return None
    path = Path(weights).expanduser()
    if path.is_dir():
        inside = [path / name for name in FILES_OF_FOLDER if (path / name).is_file()]
        if not inside:
            raise ModelFileError(f"folder {path} ({source}) holds none of {', '.join(FILES_OF_FOLDER)}")
        return inside[0]
    if not path.is_file():
        raise ModelFileError(f"no CLIP weights at {path} ({source})")
    return path


def _read_tensors(path: Path, sha256: str) -> dict[str, torch.Tensor]:
    """Read a file of weights without running anything in it."""
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        if _is_program(path):
            return _read_program(path, sha256)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except ModelFileError:
        raise
    except Exception as error:  # safetensors, zip and pickle each have their own
        raise ModelFileError(f"{path} is not a readable file of CLIP weights: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ModelFileError(f"{path} holds no plain state dict: names to tensors are wanted")
    return content


def _is_program(path: Path) -> bool:
    """Whether this is a TorchScript archive, which holds code beside the weights."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.split("/")[1:2] == ["code"] for name in archive.namelist())


def _read_program(path: Path, sha256: str) -> dict[str, torch.Tensor]:
    import torch

    if sha256 != OPENAI_PT:
        raise ModelFileError(
            f"{path} is a TorchScript program, and the only one opened here is OpenAI's ViT-L-14.pt (sha256 "
            f"{OPENAI_PT[:12]}...; this is {sha256[:12]}...): give the weights as safetensors"
        )
    with warnings.catch_warnings():
        # torch means to retire TorchScript, but that is what OpenAI published.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        state = torch.jit.load(str(path), map_location="cpu").state_dict()
    return {
        name: value for name, value in state.items() if name not in ("input_resolution", "context_length", "vocab_size")
    }


# Hugging Face's names on the left, open_clip's on the right; both towers, then their layers.
_NAMES = (
    (r"^text_model\.embeddings\.token_embedding\.weight$", "token_embedding.weight"),
    (r"^text_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^text_model\.final_layer_norm\.", "ln_final."),
    (r"^text_projection\.weight$", "text_projection"),
    (r"^vision_model\.embeddings\.class_embedding$", "visual.class_embedding"),
    (r"^vision_model\.embeddings\.patch_embedding\.weight$", "visual.conv1.weight"),
    (r"^vision_model\.embeddings\.position_embedding\.weight$", "visual.positional_embedding"),
    (r"^vision_model\.pre_layrnorm\.", "visual.ln_pre."),
    (r"^vision_model\.post_layernorm\.", "visual.ln_post."),
    (r"^visual_projection\.weight$", "visual.proj"),
    (r"^text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"^vision_model\.encoder\.layers\.", "visual.transformer.resblocks."),
    (r"\.layer_norm([12])\.", r".ln_\1."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
    (r"\.self_attn\.", ".attn."),
)
_PROJECTIONS = ("text_projection", "visual.proj")


def _open_clip_names(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the state dict as open_clip names it; one of Hugging Face's ``CLIPModel`` is converted."""
    import torch

    if not any(name.startswith("text_model.") for name in state):
        return dict(state)
    out: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if name.endswith(".position_ids"):  # a count from zero, no weight
            continue
        for pattern, ours in _NAMES:
            name = re.sub(pattern, ours, name)
        out[name] = value.T if name in _PROJECTIONS else value
    # open_clip keeps query, key and value in one matrix.
    for query in [name for name in out if ".attn.q_proj." in name]:
        parts = [out.pop(query.replace(".q_proj.", f".{part}_proj."), None) for part in "qkv"]
        if all(part is not None for part in parts):
            out[query.replace(".q_proj.", ".in_proj_")] = torch.cat([part for part in parts if part is not None])
    return out


def fill(network: Any, path: Path, sha256: str) -> None:
    """Put the weights of a file into open_clip's network, all of them and no others."""
    state = _open_clip_names(_read_tensors(path, sha256))
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        first = wrong[0]
        raise ModelFileError(
            f"{path} is not CLIP ViT-L/14 (224 pixels): {len(wrong)} tensors are missing, left over or of another "
            f"shape, for example {first} (wanted {wanted.get(first)}, found {found.get(first)})"
        )
    network.load_state_dict(state)
