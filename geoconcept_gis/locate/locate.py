"""`geolocate`: photos, texts and vectors in, geolocations out."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GeoConceptError, InputError, ModelFileError
from ..model import CLIP_TOWER, DEFAULT_SPACE, as_model
from ..progress import report
from .density import open_surface
from .geolocation import Geolocation
from .photos import SUFFIXES, find_photos, read_photo, ten_crops
from .priors import make_prior
from .vectors import Query, locate_queries, query_of, to_shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..progress import Progress
    from .density import Surface

__all__ = ["TOWERS", "geolocate", "surface_of"]

TOWERS = ("auto", "clip", "weak")
#: Name of the weak tower (`geoconcept_gis.towers.weak.WeakTower`), which a model's image head may read.
_WEAK_TOWER = "weak-efficientnet-lite2"
_BATCH = 16
#: Pixels of the shorter side of photos that wait in memory for their batch: at least so many, where JPEG can do it.
_SHORTEST = 1024


def geolocate(
    what: Any,
    *,
    tower: str = "auto",
    model: GeoConceptModel | str | PathLike[str] | None = None,
    weights: str | PathLike[str] | None = None,
    download: bool = False,
    prior: Any = "photos",
    rerank: float = 0.0,
    crops: int = 1,
    precision_km: float | None = None,
    errors: str = "raise",
    progress: Progress | None = None,
) -> Geolocation | list[Geolocation | GeoConceptError]:
    """Say where a photo may have been taken, as a calibrated probability over the Earth.

    Parameters
    ----------
    what : path, PIL image, text, or array of shape (D,), (N, D), (512,) or (N, 512); or a list or folder of these
        D numbers are features for the model's image head; of the bundled model's they are 768, from CLIP ViT-L/14, at
        their native length (or of length one, which is scaled to it). 512 are vectors of the shared space. A string is
        a file or a folder if there is one of that name, else a text.
    tower : {"auto", "clip", "weak"}
        What reads photos. ``auto`` is the tower that the model's image head reads: CLIP for the bundled model.
        ``clip`` needs its weights, see `load_clip`; ``weak`` works offline and finds little, for tests and
        demonstrations only.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default.
    weights : path-like, optional
        File or folder with CLIP's weights, as in `load_clip`.
    download : bool, default False
        Whether they may be fetched.
    prior : {"photos", "land", "population"}, shape, path or DataArray
        How likely a photo is to come from a place before one has looked at it: where photos are taken, evenly over
        land, where people live, within a shape only (an analyst often knows the country), or in proportion to a raster.
    rerank : float, default 0
        Weight of the agreement of photo and place in concept space. It did not help on the vectors we have; see the
        documentation.
    crops : {1, 10}
        Read the middle of each photo, or its middle and four corners, each mirrored as well, and take the mean of their
        unit vectors, as GeoCLIP's published results do: ten times the work.
    precision_km : float, optional
        Coarsen all that comes out to cells at least this far across, to share no more than meant.
    errors : {"raise", "return"}
        What to do with what cannot be read, of several: stop, or put its error into the list in its place.
    progress : callable, optional
        Called as ``progress(done, total)`` in photos; return true to cancel. The first time for a model it is called
        before that in places, while the galleries are made, which takes minutes.

    Returns
    -------
    Geolocation, or list of them
        A list where a list, a folder or an array of several rows was given, in its order.

    Raises
    ------
    InputError
        It is none of these, a photo cannot be read, the model does not read that tower, or the prior leaves no place.
    ModelFileError
        CLIP's weights are not at hand; the message says how to get them.

    Notes
    -----
    With cosines s of the photo and places and a temperature T, the likelihood of a cell (some 45 km across) is
    ``mean(exp(s / T))`` over the places in it, so that it does not grow with their number. The posterior is prior times
    likelihood, of which a small fixed share goes back to the prior, for photos that say nothing. T and that share
    were fitted on photos and texts whose country is known. An EXIF position is reported, never used.

    Examples
    --------
    >>> import numpy as np
    >>> vector = np.load("clip_vector.npy")                                       # doctest: +SKIP
    >>> found = geolocate(vector, prior="land")                                   # doctest: +SKIP
    >>> found.points.head(3), found.areas, found.concepts                         # doctest: +SKIP
    """
    if tower not in TOWERS:
        raise InputError(f"tower must be one of {', '.join(map(repr, TOWERS))}; got {tower!r}")
    if errors not in ("raise", "return"):
        raise InputError(f"errors must be 'raise' or 'return'; got {errors!r}")
    if not 0.0 <= rerank <= 10.0:
        raise InputError(f"rerank must be 0 to 10; got {rerank!r}")
    if crops not in (1, 10):
        raise InputError(f"crops must be 1 or 10; got {crops!r}")
    model = as_model(model)
    tower = _tower_for(model, tower)
    items, several = _items(what, model.image_tower["dim"])
    if tower == "weak" and any(_is_text(item) for item in items):
        raise InputError("the weak tower reads photos only: a text needs tower='clip'")
    read = partial(_read, model=model, tower=tower, weights=weights, download=download, crops=crops, errors=errors)
    located: list[Geolocation | GeoConceptError] = []
    check_ready(items, model, tower=tower, weights=weights, download=download, errors=errors)
    surface = surface_of(model, progress)
    prior_weight, prior_name = make_prior(surface, prior)
    for start in range(0, len(items), _BATCH):
        queries = read(items[start : start + _BATCH], first=start)
        good = [one for one in queries if isinstance(one, Query)]
        found = iter(locate_queries(good, surface, model, prior_weight, prior_name, rerank=rerank, kind=Geolocation))
        for one in queries:
            result = next(found) if isinstance(one, Query) else one
            if precision_km is not None and isinstance(result, Geolocation):
                result = result.coarsened(precision_km)
            located.append(result)
        report(progress, len(located), len(items))
    if several:
        return located
    [only] = located
    if isinstance(only, GeoConceptError):
        raise only
    return only


def check_ready(
    items: Sequence[Any],
    model: GeoConceptModel,
    *,
    tower: str,
    weights: str | PathLike[str] | None,
    download: bool,
    errors: str,
) -> None:
    """Refuse what cannot work before the galleries are opened, which may take minutes the first time.

    Raises
    ------
    PhotoError
        The first photo cannot be read, and errors are raised.
    ModelFileError, MissingDependencyError
        What reads photos is not there.
    """
    photos = [item for item in items if not isinstance(item, np.ndarray) and not _is_text(item)]
    try:
        if photos:
            read_photo(photos[0], shortest=_SHORTEST)
    except GeoConceptError:
        if errors == "raise":
            raise
        return  # there may be none to read
    if not photos and not (errors == "raise" and any(_is_text(item) for item in items)):
        return
    needed = _tower_for(model, tower) if tower in TOWERS else tower
    if needed == "clip":
        _clip_tower(weights, download)
    elif needed == "weak":
        _weak_tower()


def surface_of(model: GeoConceptModel, progress: Progress | None = None) -> Surface:
    """Return the model's surface, opened once; `progress` sees places while a gallery is made."""
    opened = _opened(model)
    if not opened:
        opened.append(open_surface(model, progress=progress))
    return opened[0]


@lru_cache(maxsize=2)
def _opened(model: GeoConceptModel) -> list[Surface]:
    """Return an empty list, the same one for the same model."""
    return []


def _tower_for(model: GeoConceptModel, tower: str) -> str:
    """Return the tower that reads photos for a model: ``clip``, ``weak``, or ``none`` where only vectors will do."""
    reads = model.image_tower["tower"]
    own = {CLIP_TOWER: "clip", _WEAK_TOWER: "weak"}.get(reads, "none")
    # The weak tower's own map to places leads into the bundled model's space.
    fits = {"auto", own} | ({"weak"} if model.space == DEFAULT_SPACE else set())
    if tower not in fits:
        raise InputError(
            f"model {model.name!r} reads photos through tower {reads!r}, and tower={tower!r} does not fit it: use "
            "tower='auto'"
        )
    return own if tower == "auto" else tower


def _items(what: Any, dim: int = 768) -> tuple[list[Any], bool]:
    """Return what was given as a list, and whether it was several; `dim` is the width of the model's image features."""
    if _is_array(what):
        try:
            array = np.asarray(what, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(f"vectors must be numbers: {error}") from None
        if array.ndim not in (1, 2) or array.shape[-1] not in (512, dim) or not array.size:
            raise InputError(f"vectors must have shape ({dim},), (N, {dim}), (512,) or (N, 512); got {array.shape}")
        # One row is one photo, as CLIP towers return it.
        rows = np.atleast_2d(array)
        return list(rows), len(rows) > 1
    if isinstance(what, str) and not what.strip():
        raise InputError("there is nothing to locate: the text is empty")
    if isinstance(what, (str, Path)) and _on_disk(what) and Path(what).is_dir():
        return list(find_photos([what])), True
    if isinstance(what, (list, tuple)):
        if not what:
            raise InputError("there is nothing to locate: the list is empty")
        return [part for one in what for part in _items(one, dim)[0]], True
    return [what], False


def _is_array(what: Any) -> bool:
    """Whether these are numbers: an array, a tensor of torch, or a list of plain numbers."""
    if isinstance(what, (list, tuple)):
        return bool(what) and isinstance(what[0], (int, float, np.number))
    return hasattr(what, "__array__") and not hasattr(what, "getbands")


def _on_disk(name: str | Path) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a file's name
        return False


def _read(
    items: Sequence[Any],
    *,
    first: int,
    model: GeoConceptModel,
    tower: str,
    weights: str | PathLike[str] | None,
    download: bool,
    crops: int,
    errors: str,
) -> list[Query | GeoConceptError]:
    """Turn items into vectors; photos go through their tower together."""
    out: list[Any] = [None] * len(items)
    photos: list[tuple[int, Any]] = []
    for k, item in enumerate(items):
        try:
            if isinstance(item, np.ndarray):
                out[k] = replace(query_of(item, model, f"vector {first + k} (counted from 0)"), name="vector")
            elif _is_text(item):
                if tower != "clip":
                    raise InputError(f"model {model.name!r} reads no texts: that needs a head for CLIP's features")
                out[k] = _from_text(item, model, weights, download)
            else:
                photos.append((k, read_photo(item, shortest=_SHORTEST)))
        except GeoConceptError as error:
            if errors == "raise":
                raise
            out[k] = error
    if photos:
        images = [photo.image for _, photo in photos]
        if crops > 1:
            images = [crop for image in images for crop in ten_crops(image)]
        vectors, kind, name = _through_tower(images, model, tower, weights, download)
        if crops > 1:
            vectors = vectors.reshape(len(photos), crops, -1).mean(axis=1)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            name += f", mean of {crops} crops"
        for (k, photo), vector in zip(photos, vectors, strict=True):
            out[k] = Query(Path(photo.name).name, kind, vector, name, photo.exif_lonlat)
    return out


def _is_text(item: Any) -> bool:
    if not isinstance(item, str):
        return False
    return not _on_disk(item) and not item.lower().endswith(SUFFIXES)


def _from_text(text: str, model: GeoConceptModel, weights: Any, download: bool) -> Query:
    clip = _clip_tower(weights, download)
    return Query(text, "text", to_shared(clip.encode_text([text]), model)[0], f"{clip.name}, sha256 {clip.sha256}")


def _through_tower(
    images: list[Any], model: GeoConceptModel, tower: str, weights: Any, download: bool
) -> tuple[NDArray[np.float32], str, str]:
    reads = model.image_tower
    if tower == "none":
        raise InputError(
            f"model {model.name!r} reads photos through tower {reads['tower']!r}, which is not part of this package: "
            f"give its features, (N, {reads['dim']}), in place of photos"
        )
    if tower == "weak":
        weak = _weak_tower()
        if reads["tower"] != _WEAK_TOWER:  # then by the weak tower's own map
            return weak.encode_images(images), "weak", f"{weak.name} (weak), sha256 {weak.sha256}"
        network = weak.features_record()["sha256"]
        if reads.get("sha256", network) != network:
            raise ModelFileError(
                f"model {model.name!r} was trained on features of {_WEAK_TOWER} with weights "
                f"{reads['sha256'][:12]}..., those installed are {network[:12]}..."
            )
        return to_shared(weak.features(images), model), "image", f"{weak.name} (weak), sha256 {network}"
    clip = _clip_tower(weights, download)
    return to_shared(clip.encode_images(images), model), "image", f"{clip.name}, sha256 {clip.sha256}"


def _clip_tower(weights: str | PathLike[str] | None, download: bool) -> Any:
    from ..towers.clip_weights import find

    return _loaded_clip(find(weights), download)


@lru_cache(maxsize=1)
def _loaded_clip(weights: Path | None, download: bool) -> Any:
    from ..towers import clip

    return clip.load_clip(weights, download=download)


@lru_cache(maxsize=1)
def _weak_tower() -> Any:
    from ..towers.weak import WeakTower

    return WeakTower.load()
