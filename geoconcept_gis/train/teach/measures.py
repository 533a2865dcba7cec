"""What a pupil has learnt, measured where it was not taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cosine_similarity, normalize

from ...fitting import weighted_auroc
from .blocks import in_held_blocks
from .lessons import SETS
from .numbers import SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from .lessons import Lessons
    from .photos import Photos
    from .pupil import Pupil

__all__ = ["by_source", "measure"]

_STEP = 4096
#: Fewer places with a label, or without, say nothing of it.
_FEWEST = 5
#: Places of the held blocks, phrases taught and phrases not taught, and photos that are looked at, at most (about).
_BLOCK_PLACES, _PHRASES, _PHOTOS = 20_000, 100, 4_000


def measure(pupil: Pupil, lessons: Lessons, *, held_blocks: bool = False) -> dict[str, float]:
    """Measure what was learnt at the places that were held out.

    Parameters
    ----------
    pupil : Pupil
    lessons : Lessons
    held_blocks : bool, default False
        Also in the blocks whose truths were held back.

    Returns
    -------
    dict of str to float
        ``cosine SET``: mean centred cosine with the teacher's vectors; ``auroc FAMILY``: mean over the labels of a
        family; ``r2 NUMBER``: share of the variance that the head explains. ``auroc scene`` and ``auroc culture``: at
        photo places of held blocks. ``auroc phrases`` and ``auroc phrases held``: mean over phrases that were taught,
        and that were not. ``auroc photos``: share of other held photos' places that are less like a photo than its own.
        With ``, held blocks``: in blocks whose truths were held back.
    """
    rows = np.flatnonzero(lessons.held)
    numbers = _numbers(pupil, lessons.lonlat[rows])
    cosine = _cosine(pupil, numbers, lessons.meaning[rows])
    found = {f"cosine {name}": float(cosine[lessons.drawn[rows] == k].mean()) for k, name in enumerate(SETS)}
    found |= _truths(pupil, lessons, rows, numbers)
    if lessons.scenes is not None:
        scenes = lessons.scenes
        with torch.no_grad():
            scores = pupil.scenes(_numbers(pupil, scenes.lonlat[scenes.held])).cpu().numpy()
        found |= _by_family(scores, scenes.labels[scenes.held], scenes.families)
    if lessons.texts is not None:
        found |= _phrases(pupil, lessons, rows, numbers)
    if lessons.photos is not None and lessons.photos.held.any():
        found["auroc photos"] = _photos(pupil, lessons.photos)
    if held_blocks:
        rows = np.flatnonzero(in_held_blocks(lessons.lonlat))
        rows = rows[:: max(1, len(rows) // _BLOCK_PLACES)]
        unseen = _truths(pupil, lessons, rows, _numbers(pupil, lessons.lonlat[rows]))
        found |= {f"{name}, held blocks": value for name, value in unseen.items()}
    return found


def by_source(found: dict[str, float]) -> dict[str, float]:
    """Shorten what `measure` returns: one mean for the numbers of each source, and one for all others.

    Examples
    --------
    >>> by_source({"step": 9, "r2 elevation": 0.5, "r2 relief": 1.0, "r2 land": 0.25, "auroc place": 0.75})
    {'r2 terrain': 0.75, 'r2 other': 0.25, 'auroc place': 0.75}
    """
    groups: dict[str, list[float]] = {}
    source_of = {number: source for source, (_, numbers) in SOURCES.items() for number in numbers}
    for name, value in found.items():
        what, _, held = name.partition(",")
        if what.startswith("r2 "):
            what = f"r2 {source_of.get(what[3:], 'other')}"
        if name != "step":
            groups.setdefault(f"{what},{held}" if held else what, []).append(value)
    return {name: float(np.mean(values)) for name, values in groups.items()}


def _numbers(pupil: Pupil, lonlat: NDArray[np.float64]) -> Tensor:
    with torch.no_grad():
        return torch.cat([pupil.encoder(part.to(pupil.mean.device)) for part in torch.from_numpy(lonlat).split(_STEP)])


def _cosine(pupil: Pupil, numbers: Tensor, meaning: NDArray[np.float16]) -> NDArray[np.float32]:
    mean = pupil.mean.cpu()
    learnt = normalize((numbers * pupil.spread + pupil.mean).cpu(), dim=1) - mean
    aim = normalize(torch.from_numpy(meaning).float(), dim=1) - mean
    return np.asarray(cosine_similarity(learnt, aim).numpy())


def _truths(pupil: Pupil, lessons: Lessons, rows: NDArray[np.intp], numbers: Tensor) -> dict[str, float]:
    with torch.no_grad():
        labels, values = pupil.labels(numbers).cpu().numpy(), pupil.numbers(numbers).cpu().numpy()
    found = _by_family(labels, lessons.labels[rows], lessons.label_families)
    for k, name in enumerate(lessons.number_names):
        known = ~np.isnan(lessons.numbers[rows, k])
        truth = lessons.numbers[rows[known], k]
        found[f"r2 {name}"] = float(1.0 - ((values[known, k] - truth) ** 2).mean() / truth.var())
    return found


def _by_family(scores: NDArray[np.float32], labels: NDArray[np.int8], families: Sequence[str]) -> dict[str, float]:
    aurocs, family_of = _aurocs(scores, labels), np.array(families)
    found = {}
    for family in dict.fromkeys(families):
        these = aurocs[family_of == family]
        if not np.isnan(these).all():
            found[f"auroc {family}"] = float(np.nanmean(these))
    return found


def _phrases(pupil: Pupil, lessons: Lessons, rows: NDArray[np.intp], numbers: Tensor) -> dict[str, float]:
    assert lessons.texts is not None
    labels = torch.from_numpy(lessons.labels[rows]).to(numbers.device)
    found = {}
    for name, chosen in (
        ("auroc phrases", pupil.phrases),
        ("auroc phrases held", torch.from_numpy(np.flatnonzero(lessons.texts.held)).to(numbers.device)),
    ):
        some = chosen[:: max(1, len(chosen) // _PHRASES)]
        with torch.no_grad():
            scores, truth = pupil.read(numbers, some), pupil.truth(labels, some)
        aurocs = _aurocs(scores.cpu().numpy(), truth.cpu().numpy())
        if not np.isnan(aurocs).all():
            found[name] = float(np.nanmean(aurocs))
    return found


def _photos(pupil: Pupil, photos: Photos) -> float:
    """Return how many of the other held photos' places are less like a photo than its own, on average."""
    rows = np.flatnonzero(photos.held)[:_PHOTOS]
    places = _numbers(pupil, photos.lonlat[rows]) * pupil.spread + pupil.mean
    cosine = normalize(torch.from_numpy(photos.vectors[rows]), dim=1) @ normalize(places.cpu(), dim=1).T
    return float((cosine < cosine.diagonal()[:, None]).float().sum(1).mean() / max(1, len(rows) - 1))


def _aurocs(scores: NDArray[np.float32], labels: NDArray[np.int8]) -> NDArray[np.float64]:
    return np.array([_auroc(scores[:, k], labels[:, k]) for k in range(labels.shape[1])])


def _auroc(scores: NDArray[np.float32], label: NDArray[np.int8]) -> float:
    known = label >= 0
    y = label[known] == 1
    return float(weighted_auroc(scores[known], y)[0]) if min(y.sum(), (~y).sum()) >= _FEWEST else float("nan")
