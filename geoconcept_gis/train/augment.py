"""Random views of photos, as GeoCLIP's training takes them, with Pillow alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

__all__ = ["random_view", "view_rng"]

# torchvision's defaults of RandomResizedCrop, then GeoCLIP's numbers.
_AREA = (0.08, 1.0)
_RATIO = (3 / 4, 4 / 3)
_TRIES = 10
_FLIP = 0.5
_JITTER, _STRENGTH, _HUE = 0.8, 0.4, 0.1
_GREY = 0.2


def view_rng(seed: int, row: int, view: int) -> np.random.Generator:
    """Return the random numbers of one view of one photo: the same whenever it is asked for.

    Parameters
    ----------
    seed, row, view : int
        Not negative.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> view_rng(0, 7, 1).random() == view_rng(0, 7, 1).random() != view_rng(0, 7, 2).random()
    True
    """
    return np.random.default_rng([seed, row, view])


def random_view(image: Image.Image, side: int, rng: np.random.Generator) -> Image.Image:
    """Cut a random part out of a photo and change its colours, as GeoCLIP's training does.

    Parameters
    ----------
    image : PIL image
        Upright, RGB, of any size.
    side : int
        Pixels of the result's side.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    PIL image
        (side, side), RGB.

    Notes
    -----
    A part of 8 to 100 % of the area, 3:4 to 4:3 in shape, scaled to the square (bilinear); mirrored half of the time;
    in 8 of 10 cases brightness, contrast and saturation by up to 40 % and the hue by up to a tenth of the circle, in
    random order; grey in 2 of 10. In torchvision's words: RandomResizedCrop, RandomHorizontalFlip,
    RandomApply(ColorJitter(.4, .4, .4, .1), .8), RandomGrayscale(.2).

    References
    ----------
    Vivanco Cepeda et al. 2023, GeoCLIP, arXiv 2309.16020: the transform is that of the authors' training code.

    Examples
    --------
    >>> from PIL import Image
    >>> random_view(Image.new("RGB", (640, 480)), 224, view_rng(0, 0, 1)).size
    (224, 224)
    """
    from PIL import Image, ImageOps

    box = _box(*image.size, rng)
    image = image.resize((side, side), Image.Resampling.BILINEAR, box=box)
    if rng.random() < _FLIP:
        image = ImageOps.mirror(image)
    if rng.random() < _JITTER:
        image = _jittered(image, rng)
    if rng.random() < _GREY:
        image = image.convert("L").convert("RGB")
    return image


def _box(width: int, height: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a part; the middle of a photo in which no part drawn fits."""
    for _ in range(_TRIES):
        area = width * height * rng.uniform(*_AREA)
        ratio = math.exp(rng.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return left, top, left + w, top + h
    w = min(width, max(1, round(height * _RATIO[1])))
    h = min(height, max(1, round(width / _RATIO[0])))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def _jittered(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    from PIL import ImageEnhance

    steps: list[Callable[[Image.Image], Image.Image]] = []
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        factor = rng.uniform(1 - _STRENGTH, 1 + _STRENGTH)
        steps.append(lambda image, enhance=enhance, factor=factor: enhance(image).enhance(factor))  # type: ignore[misc]
    turn = int(rng.uniform(-_HUE, _HUE) * 255)
    steps.append(lambda image: _turned(image, turn))
    for k in rng.permutation(len(steps)):
        image = steps[k](image)
    return image


def _turned(image: Image.Image, turn: int) -> Image.Image:
    """Turn the hue by so many of 256 steps of the circle."""
    from PIL import Image

    hue, saturation, value = image.convert("HSV").split()
    hue = hue.point([(level + turn) % 256 for level in range(256)])
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")
