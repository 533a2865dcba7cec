"""Writing the folder of a model that is not the bundled one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .encoder import ImageHead, open_encoder
from .errors import InputError
from .files import atomic_folder
from .model import CLIP_TOWER, DEFAULT_MODEL, DEFAULT_SPACE, load_model
from .storage import (
    CONFIG,
    ENCODER_FILE,
    FORMAT_VERSION,
    HEAD_FILE,
    MODEL_FORMAT,
    PHOTOS_FILE,
    write_arrays,
    write_bank,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import NDArray

    from .concepts import ConceptBank

__all__ = ["rounded", "write_model"]

#: Phase matrices: half precision would move places by kilometres.
_EXACT = re.compile(r"LocEnc\d+\.capsule\.0\.b|(details\.)?waves")


def rounded(weights: Mapping[str, NDArray[np.floating]]) -> dict[str, NDArray[np.floating]]:
    """Return weights as float16, which halves a model's files; phase matrices stay as they are.

    Parameters
    ----------
    weights : mapping of str to ndarray

    Returns
    -------
    dict of str to ndarray
        Carry a bank into the space of the encoder with *these*, so that the bank fits what is stored.

    Raises
    ------
    InputError
        A weight is too large for float16.

    Examples
    --------
    >>> rounded({"layers.0.bias": np.ones(2, np.float32)})["layers.0.bias"].dtype
    dtype('float16')
    """
    out: dict[str, NDArray[np.floating]] = {}
    for name, weight in weights.items():
        exact = _EXACT.fullmatch(name) or not np.issubdtype(weight.dtype, np.floating)
        if not exact and np.abs(weight).max(initial=0.0) > np.finfo(np.float16).max:
            raise InputError(f"weight {name!r} is too large for float16: store this model in float32")
        out[name] = weight if exact else weight.astype(np.float16)
    return out


def write_model(
    folder: str | PathLike[str],
    *,
    config: Mapping[str, Any],
    encoder_weights: Mapping[str, NDArray[np.floating]],
    image_head_weights: Mapping[str, NDArray[np.floating]],
    bank: ConceptBank,
    photo_mean: NDArray[np.floating] | None = None,
    readme: str = "",
    licence: str = "",
) -> Path:
    """Write a model folder that `load_model` opens; whole, or not at all.

    Parameters
    ----------
    folder : path-like
        One that does not exist yet, or is empty.
    config : mapping of str to object
        ``name``, ``scale_km`` (two numbers), ``encoder`` (its record; absent means ``capsules``), ``image`` (``tower``,
        ``sha256``, ``dim``; absent means CLIP ViT-L/14), ``calibration`` (``temperature``, ``floor``; absent means the
        bundled one in the bundled space, none in another), and whatever else belongs on record: ``source``,
        ``description``, ``licence``. Format, space and the sha256 of every file are filled in.
    encoder_weights, image_head_weights : mapping of str to ndarray
        Stored in the type they have: float32, or float16 by `rounded`.
    bank : ConceptBank
        Its space is the model's.
    photo_mean : ndarray, shape (512,), optional
        Mean unit vector of photos in the shared space: what the reasons of a geolocation are told from.
    readme, licence : str
        Texts of ``README.md`` and ``LICENSE``; an empty one is not written.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        The folder holds something already, or the space is that of the bundled model and the encoder another.
    ModelFileError
        Weights and records do not fit each other, or a field of `config` is missing.

    Examples
    --------
    >>> import tempfile
    >>> model = load_model()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_model(
    ...         Path(folder) / "mine", config={"name": "mine", "scale_km": [5, 10]}, bank=model.bank,
    ...         encoder_weights=rounded(model.encoder.weights), image_head_weights=model.image_head.weights,
    ...     )
    ...     load_model(path).name
    'mine'
    """
    # All of it is checked before anything is written.
    encoder = open_encoder(config.get("encoder"), encoder_weights, bank.heads())
    ImageHead(image_head_weights)
    if bank.space == DEFAULT_SPACE and not _is_bundled(encoder.weights):
        raise InputError(
            f"space {DEFAULT_SPACE!r} is that of the bundled model, whose vectors this encoder does not make: carry "
            "the bank into a space of its own (geoconcept_gis.bank.carry.carry_bank)"
        )
    with atomic_folder(folder) as part:
        files = {
            ENCODER_FILE: write_arrays(dict(encoder_weights), part / ENCODER_FILE),
            HEAD_FILE: write_arrays(dict(image_head_weights), part / HEAD_FILE),
        }
        if photo_mean is not None:
            files[PHOTOS_FILE] = write_arrays({"mean": _mean(photo_mean)}, part / PHOTOS_FILE)
        record = {
            "format": MODEL_FORMAT,
            "format_version": FORMAT_VERSION,
            **config,
            "space": bank.space,
            "image": config.get("image") or {"tower": CLIP_TOWER, "dim": 768},
            "files": files,
        }
        write_json(record, part / CONFIG)
        write_bank(bank, part)
        for name, text in (("README.md", readme), ("LICENSE", licence)):
            if text:
                (part / name).write_text(text, encoding="utf-8")
        load_model(part).image_head  # noqa: B018 - it must open before anyone sees it
    return Path(folder)


def _is_bundled(weights: Mapping[str, NDArray[np.float32]]) -> bool:
    known = load_model(DEFAULT_MODEL).encoder.weights
    return weights.keys() == known.keys() and all(np.array_equal(weights[name], known[name]) for name in known)


def _mean(mean: NDArray[np.floating]) -> NDArray[np.float32]:
    out = np.asarray(mean, dtype=np.float32)
    if out.shape != (512,) or not np.isfinite(out).all() or np.linalg.norm(out) >= 1.0:
        raise InputError("photo_mean must be (512,), finite and shorter than 1 (a mean of unit vectors)")
    return out
