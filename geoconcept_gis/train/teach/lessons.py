"""What an encoder is taught: places, the vectors another encoder has for them, and what is true of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bank.definitions import PHOTOS, definitions
from ...bank.sources import Truths, _settlements, countries, data_folder, gallery_places
from ...encoder import LocationEncoder
from ...errors import ConfigError
from ...files import atomic_file
from ...progress import report
from ...reference import reference_places
from ...tensors import read_tensors, tensors_bytes
from .numbers import NUMBERS, Settlements

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...model import GeoConceptModel
    from ...progress import Progress
    from .config import LessonsConfig
    from .photos import Photos
    from .scenes import Scenes
    from .texts import Texts

__all__ = ["SETS", "Lessons", "gather_lessons", "meaning_of", "near"]

#: Where places are drawn: where photos were taken, at settlements, evenly over the land, evenly over the Earth.
SETS = ("photos", "settlements", "land", "earth")
#: How far from a photo and from a settlement places are drawn too, km (spread of a normal distribution).
_NEAR_PHOTOS_KM, _NEAR_SETTLEMENTS_KM = 15.0, 5.0
_FORMAT = "geoconcept-lessons-1"
#: A region with fewer places cannot be learnt; places further from any settlement have no region.
_FEWEST_OF_REGION, _REGION_KM = 20, 100.0
_STEP = 2048


@dataclass(frozen=True, eq=False)
class Lessons:
    """Places and what is known of each.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326, in an order drawn once.
    drawn : ndarray of uint8, shape (N,)
        Which of `SETS` each is from.
    held : ndarray of bool, shape (N,)
        Not to be learnt: what is learnt is measured there.
    meaning : ndarray of float16, shape (N, 512)
        The teacher's vectors without its finest capsule, see `meaning_of`.
    labels : ndarray of int8, shape (N, K)
        1 with the label, 0 without, -1 not known.
    numbers : ndarray of float32, shape (N, M)
        See `geoconcept_gis.train.teach.numbers`; mean 0 and spread 1 over the places to learn, NaN where not known.
    region : ndarray of int32, shape (N,)
        First-level region, -1 where there is none.
    label_names, label_families, number_names : tuple of str
    scenes : Scenes, optional
        What photos show.
    texts : Texts, optional
        Phrases about these places.
    photos : Photos, optional
        Of the user's own.
    """

    lonlat: NDArray[np.float64]
    drawn: NDArray[np.uint8]
    held: NDArray[np.bool_]
    meaning: NDArray[np.float16]
    labels: NDArray[np.int8]
    numbers: NDArray[np.float32]
    region: NDArray[np.int32]
    label_names: tuple[str, ...]
    label_families: tuple[str, ...]
    number_names: tuple[str, ...]
    scenes: Scenes | None = None
    texts: Texts | None = None
    photos: Photos | None = None

    def __len__(self) -> int:
        return len(self.lonlat)

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return int(self.region.max(initial=-1)) + 1


def gather_lessons(
    config: LessonsConfig, teacher: GeoConceptModel, folder: Path, *, progress: Progress | None = None
) -> Lessons:
    """Draw the places and look up what is known of them; kept in `folder` for the next run.

    Parameters
    ----------
    config : LessonsConfig
    teacher : GeoConceptModel
        With an encoder of capsules.
    folder : pathlib.Path
        Of ``lessons.safetensors``; written where it is missing or of other settings.
    progress : callable, optional
        Called as ``progress(done, total)`` in places; return true to cancel.

    Returns
    -------
    Lessons

    Raises
    ------
    ConfigError
        The teacher's encoder has no capsules to leave out.
    InputError, MissingDependencyError
        Ground truth is missing; the message says how to get it.
    """
    record = {"format": _FORMAT, "teacher": teacher.sha256, **config.model_dump()}
    key = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    path = folder / f"lessons-{key[:16]}.safetensors"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        made = _make(config, teacher, progress)
        with atomic_file(path) as part:
            part.write_bytes(_packed(made))
    return _unpacked(path)


def _make(config: LessonsConfig, teacher: GeoConceptModel, progress: Progress | None) -> Lessons:
    if not isinstance(teacher.encoder, LocationEncoder):
        raise ConfigError(f"model {teacher.name!r} has no capsules: only GeoCLIP's encoder can be taught from")
    data = data_folder()
    lonlat, drawn, held = _draw(config)
    truths = Truths(lonlat, data)
    wanted = [one for one in definitions(countries(data)) if one.universe != PHOTOS]
    labels = np.empty((len(lonlat), len(wanted)), dtype=np.int8)
    for k, one in enumerate(wanted):
        label = one.label(truths)
        labels[:, k] = np.where(np.isnan(label), -1, label)
    near = Settlements(lonlat)
    numbers = np.stack([make(truths, near) for make in NUMBERS.values()], axis=1)
    numbers -= np.nanmean(numbers[~held], axis=0)
    numbers /= np.nanstd(numbers[~held], axis=0)
    return Lessons(
        lonlat,
        drawn,
        held,
        meaning_of(teacher.encoder, lonlat, progress).astype(np.float16),
        labels,
        numbers.astype(np.float32),
        _regions(near, held),
        tuple(one.name for one in wanted),
        tuple(one.family for one in wanted),
        tuple(NUMBERS),
    )


def _draw(config: LessonsConfig) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw all places; of each set every so-many-th is held out, and none that was drawn near it is learnt."""
    rng = np.random.default_rng(config.seed)
    photos, towns = gallery_places(), _settlements(500)
    held_photos = photos[-config.held :]
    photos = photos[: -config.held]
    near_photos = photos[rng.integers(len(photos), size=max(0, config.photos - len(photos)))]
    near_towns = towns[rng.integers(len(towns), size=config.settlements + config.held)]
    parts = {
        "photos": [photos[: config.photos], near(near_photos, _NEAR_PHOTOS_KM, rng), held_photos],
        "settlements": [near(near_towns, _NEAR_SETTLEMENTS_KM, rng)],
        "land": [reference_places("uniform_land", config.land + config.held, seed=config.seed)],
        "earth": [reference_places("uniform_earth", config.earth + config.held, seed=config.seed + 1)],
    }
    sets = [np.concatenate(parts[name]) for name in SETS]
    lonlat = np.concatenate(sets)
    drawn = np.repeat(np.arange(len(SETS), dtype=np.uint8), [len(one) for one in sets])
    held = np.concatenate([np.arange(len(one)) >= len(one) - config.held for one in sets])
    order = rng.permutation(len(lonlat))
    return lonlat[order], drawn[order], held[order]


def near(lonlat: NDArray[np.float64], km: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Move every place by a normal distribution of this spread, (N, 2) to (N, 2)."""
    north, east = rng.standard_normal((2, len(lonlat))) * (km / 111.2)
    lat = np.clip(lonlat[:, 1] + north, -89.99, 89.99)
    lon = lonlat[:, 0] + east / np.maximum(np.cos(np.radians(lat)), 0.01)
    return np.stack([(lon + 180.0) % 360.0 - 180.0, lat], axis=1)


def meaning_of(
    encoder: LocationEncoder, lonlat: NDArray[np.float64], progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return an encoder's vectors with the finest capsule's part replaced by its mean over photo places.

    Parameters
    ----------
    encoder : LocationEncoder
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    progress : callable, optional
        Called as ``progress(done, total)`` in places; return true to cancel.

    Returns
    -------
    ndarray of float32, shape (N, 512)

    Notes
    -----
    The finest capsule of GeoCLIP (waves of some 78 km) tells places apart and says next to nothing of them: country@1
    of CLIP's vectors is .665 without it and .683 with it.
    """
    photos = gallery_places()[:10_000]
    mean = np.zeros(encoder.dim, dtype=np.float64)
    for start in range(0, len(photos), _STEP):
        part = photos[start : start + _STEP]
        whole = encoder.encode_chunk(part)[:, : encoder.dim]
        mean += (whole - _coarse(encoder, part)).sum(axis=0, dtype=np.float64)
    mean /= len(photos)
    out = np.empty((len(lonlat), encoder.dim), dtype=np.float32)
    report(progress, 0, len(lonlat))
    for start in range(0, len(lonlat), _STEP):
        out[start : start + _STEP] = _coarse(encoder, lonlat[start : start + _STEP]) + mean
        report(progress, min(start + _STEP, len(lonlat)), len(lonlat))
    return out


def _coarse(encoder: LocationEncoder, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
    heads = [encoder.weights[f"LocEnc{k}.head.0.{part}"] for k in range(2) for part in ("weight", "bias")]
    hidden = encoder.hidden(lonlat, 2)
    return hidden[:, 0] @ heads[0].T + heads[1] + hidden[:, 1] @ heads[2].T + heads[3]


def _regions(near: Settlements, held: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give each region with enough places to learn a number."""
    names, which = np.unique(near.region(_REGION_KM), return_inverse=True)
    often = np.bincount(which[~held], minlength=len(names)) >= _FEWEST_OF_REGION
    often &= names != ""
    number = np.where(often, np.cumsum(often) - 1, -1)
    return number[which].astype(np.int32)


_ARRAYS = ("lonlat", "drawn", "held", "meaning", "labels", "numbers", "region")
_NAMES = ("label_names", "label_families", "number_names")


def _packed(lessons: Lessons) -> bytes:
    arrays: dict[str, Any] = {name: getattr(lessons, name) for name in _ARRAYS}
    arrays["held"] = arrays["held"].astype(np.uint8)
    return tensors_bytes(arrays, {name: json.dumps(getattr(lessons, name)) for name in _NAMES})


def _unpacked(path: Path) -> Lessons:
    arrays, metadata = read_tensors(path)
    arrays["held"] = arrays["held"].astype(bool)
    fields: dict[str, Any] = {name: tuple(json.loads(metadata[name])) for name in _NAMES}
    fields |= {name: arrays[name] for name in _ARRAYS}
    return Lessons(**fields)
