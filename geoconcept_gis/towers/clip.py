"""CLIP ViT-L/14, the tower that GeoCLIP's image head was trained behind: words and photos to 768 numbers.

The network and its tokenizer are open_clip's, the weights OpenAI's. Nothing is downloaded unless the user asks.
"""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import InputError, MissingDependencyError, ModelFileError, PhotoError, UnknownWeightsWarning
from ..files import sha256_of
from ..locate.photos import read_photo
from ..progress import report
from .clip_weights import KNOWN, WEIGHTS_VARIABLE, fill, find

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import torch
    from numpy.typing import NDArray
    from PIL import Image

    from ..progress import Progress

    Picture = Image.Image | str | PathLike[str]

__all__ = ["DOWNLOAD", "TEMPLATES", "WEIGHTS_VARIABLE", "ClipTower", "load_clip", "weights_at_hand"]

#: Sentences that a phrase is put into; their features are averaged.
TEMPLATES = ("{}", "a photo of {}.", "a photo of a place with {}.", "a view of {}.")

_DIM = 768
_SIDE = 224
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
_ARCHITECTURE = "ViT-L-14-quickgelu"
# 427,616,513 float32 numbers.
_SIZE = "1.71 GB"
#: What somebody who is asked for consent must know.
DOWNLOAD = f"CLIP's weights (OpenAI's ViT-L/14) are a download of {_SIZE}, by open_clip into the Hugging Face cache."


class ClipTower:
    """Words and photos to CLIP features at their native scale. Made by `load_clip`.

    Parameters
    ----------
    network : torch.nn.Module
        With ``encode_text(tokens)`` and ``encode_image(pixels)``, both to (N, 768).
    tokenizer : callable
        From a list of N strings to tokens (N, 77), with ``encode`` and ``context_length`` as open_clip's has.
    sha256 : str
        Of the file of weights.
    device : str or torch.device, default "cpu"
        Where `network` goes.

    Attributes
    ----------
    name : str
        ``"clip-vit-l-14-openai"``.
    sha256 : str
        What `load_clip` read, for provenance.
    dim, side : int
        Numbers a photo (768), and pixels of the side of the square that the network reads (224).
    shortest : None
        Photos are unpacked with all their pixels; see `read_photo`.

    Notes
    -----
    Features are never scaled to length one. `GeoConceptModel.image_head` has biases that drown unit vectors: on
    real captions the country of the best place is right for 78 % at native length and for 42 % at length one.

    Examples
    --------
    >>> import geoconcept_gis as gc
    >>> tower = gc.load_clip("ViT-L-14.pt")                                                 # doctest: +SKIP
    >>> features = tower.encode_text(["rice terraces", "fjord"])                            # doctest: +SKIP
    >>> gc.load_model().image_head(features).shape                                          # doctest: +SKIP
    (2, 512)
    """

    name = "clip-vit-l-14-openai"
    dim = _DIM
    side = _SIDE
    shortest = None

    def __init__(self, network: Any, tokenizer: Any, *, sha256: str, device: str | torch.device = "cpu") -> None:
        self.sha256 = sha256
        self._device = device
        self._network = network.to(device).eval()
        self._tokenizer = tokenizer

    def __repr__(self) -> str:
        return f"<ClipTower {self.name!r} on {self._device}, sha256 {self.sha256[:12]}>"

    def encode_text(
        self,
        texts: str | Sequence[str],
        templates: Sequence[str] = TEMPLATES,
        *,
        batch_size: int = 64,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Encode phrases, each as the average over templates.

        Parameters
        ----------
        texts : str or sequence of str
            N phrases, in English; CLIP knows few words of other languages.
        templates : sequence of str
            Sentences with ``{}`` where the phrase goes; ``("{}",)`` for whole sentences such as captions.
        batch_size : int, default 64
            Sentences that go through the network at once.
        progress : callable, optional
            Called as ``progress(done, total)`` in phrases; a true result stops.

        Returns
        -------
        ndarray of float32, shape (N, 768)
            For `GeoConceptModel.image_head`. The direction is that of the mean over the templates, the length the
            mean of their lengths: a plain mean is shorter the more the templates disagree.

        Raises
        ------
        InputError
            A phrase is empty or longer than CLIP reads, or a template has no ``{}``.

        Examples
        --------
        >>> load_clip("ViT-L-14.pt").encode_text("rice terraces").shape                     # doctest: +SKIP
        (1, 768)
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        if not templates or any("{}" not in template for template in templates):
            raise InputError(f"templates must be sentences with {{}} where the phrase goes; got {templates!r}")
        prompts = [self._prompts(text, k, templates) for k, text in enumerate(texts)]

        def encode(part: slice) -> NDArray[np.float32]:
            flat = [prompt for row in prompts[part] for prompt in row]
            return _native_mean(self._run(self._network.encode_text, self._tokenizer(flat)), len(templates))

        return _by_parts(encode, len(texts), -(-batch_size // len(templates)), progress)

    def encode_images(
        self, images: Picture | Sequence[Picture], *, batch_size: int = 16, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode photos.

        Parameters
        ----------
        images : PIL image, path, or sequence of them
            N pictures, read by `read_photo`: any size and mode, upright. The shorter side is scaled to 224 pixels
            and the middle square is read: what lies outside it is not seen.
        batch_size : int, default 16
            Pictures that are in memory and go through the network at once.
        progress : callable, optional
            Called as ``progress(done, total)`` in pictures; a true result stops.

        Returns
        -------
        ndarray of float32, shape (N, 768)
            For `GeoConceptModel.image_head`.

        Raises
        ------
        PhotoError
            A picture cannot be read; the message has its number and name.

        Examples
        --------
        >>> load_clip("ViT-L-14.pt").encode_images(["fjord.jpg"]).shape                     # doctest: +SKIP
        (1, 768)
        """
        pictures = [images] if _is_picture(images) else list(cast("Sequence[Picture]", images))

        def encode(part: slice) -> NDArray[np.float32]:
            import torch

            pixels = [_read_pixels(cast("Picture", pictures[k]), k) for k in range(part.start, part.stop)]
            return self._run(self._network.encode_image, torch.from_numpy(np.stack(pixels)))

        return _by_parts(encode, len(pictures), batch_size, progress)

    def view(self, image: Image.Image) -> Image.Image:
        """Return what the network sees of a photo: the middle square, scaled to 224 pixels.

        Parameters
        ----------
        image : PIL image
            Upright, RGB.

        Returns
        -------
        PIL image
            224 x 224 pixels; such an image comes back as it is.

        Examples
        --------
        >>> load_clip("ViT-L-14.pt").view(image).size                                       # doctest: +SKIP
        (224, 224)
        """
        return _view(image)

    def features(self, images: Sequence[Picture], *, batch_size: int = 16) -> NDArray[np.float32]:
        """Return what the frozen network says of photos, for an image head to be trained on: `encode_images`.

        Parameters
        ----------
        images : sequence of PIL images or paths
            N pictures.
        batch_size : int, default 16
            Pictures that go through the network at once.

        Returns
        -------
        ndarray of float32, shape (N, 768)

        Examples
        --------
        >>> load_clip("ViT-L-14.pt").features(["fjord.jpg"]).shape                          # doctest: +SKIP
        (1, 768)
        """
        return self.encode_images(images, batch_size=batch_size)

    def features_record(self) -> dict[str, Any]:
        """Say whose features `features` returns.

        Returns
        -------
        dict
            ``name``, ``sha256`` of the weights, ``dim``.

        Examples
        --------
        >>> load_clip("ViT-L-14.pt").features_record()["dim"]                               # doctest: +SKIP
        768
        """
        return {"name": self.name, "sha256": self.sha256, "dim": self.dim}

    def _run(self, encode: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor) -> NDArray[np.float32]:
        import torch

        # A GPU computes products in bfloat16, and keeps float32 where that would lose much; the CPU stays with float32.
        kind = torch.device(self._device).type
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            return np.asarray(encode(batch.to(self._device)).float().cpu().numpy())

    def _prompts(self, text: Any, index: int, templates: Sequence[str]) -> list[str]:
        """Put a phrase into the templates; refuse what the tokenizer would cut off or make nothing of."""
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"text {index} is empty or no text: {text!r}")
        prompts = [template.replace("{}", text) for template in templates]
        room = self._tokenizer.context_length - 2  # start and end
        longest = max(len(self._tokenizer.encode(prompt)) for prompt in prompts)
        if longest > room:
            raise InputError(
                f"text {index} ({text[:40]!r}...) has {longest} tokens with its template; CLIP reads {room}: shorten it"
            )
        return prompts


def load_clip(
    weights: str | PathLike[str] | None = None, *, download: bool = False, device: str | torch.device | None = None
) -> ClipTower:
    """Load CLIP ViT-L/14 with OpenAI's weights (extra ``images``).

    Parameters
    ----------
    weights : path-like, optional
        A file or folder: OpenAI's ``ViT-L-14.pt``, a state dict of open_clip or of Hugging Face's ``CLIPModel``
        (``.safetensors`` or ``.bin``), or a folder with one. Default: what the environment variable
        ``GEOCONCEPT_CLIP_WEIGHTS`` names.
    download : bool, default False
        Without such a path, let open_clip fetch the weights (1.71 GB, once, into its cache). Nothing is fetched
        otherwise.
    device : str or torch.device, optional
        Default: the GPU where torch sees one, else the CPU.

    Returns
    -------
    ClipTower

    Raises
    ------
    ModelFileError
        There are no weights, or they are corrupt, truncated or of another network.
    MissingDependencyError
        open_clip or torchvision is missing or does not fit the installed torch.

    Warns
    -----
    UnknownWeightsWarning
        The file is none of the published ones, so nobody can say that these are OpenAI's weights.

    References
    ----------
    Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, arXiv 2103.00020.

    Examples
    --------
    >>> load_clip("ViT-L-14.pt")
    Traceback (most recent call last):
    ...
    geoconcept_gis.errors.ModelFileError: no CLIP weights at ViT-L-14.pt (argument weights)
    """
    path = find(weights)
    if path is None and not download:
        raise ModelFileError(
            f"the CLIP tower has no weights here and fetches none unasked. {DOWNLOAD} Three ways: weights=PATH; the "
            f"environment variable {WEIGHTS_VARIABLE}; or download=True, which fetches them into {_cache_folder()}"
        )
    open_clip = _import_open_clip()
    path = path or _download(open_clip)
    sha256 = sha256_of(path)
    network = open_clip.CLIP(**open_clip.get_model_config(_ARCHITECTURE))
    fill(network, path, sha256)
    if sha256 not in KNOWN:
        warnings.warn(
            f"{path} (sha256 {sha256[:12]}...) is none of the published files of OpenAI's ViT-L/14. Weights of "
            "another training fit as well, but GeoCLIP's image head makes nonsense of them.",
            UnknownWeightsWarning,
            stacklevel=2,
        )
    return ClipTower(network, open_clip.get_tokenizer(_ARCHITECTURE), sha256=sha256, device=device or _best_device())


def weights_at_hand() -> bool:
    """Say whether `load_clip` would find weights without being told where: the environment variable is set.

    Returns
    -------
    bool

    Examples
    --------
    >>> weights_at_hand() == bool(os.environ.get(WEIGHTS_VARIABLE))
    True
    """
    return bool(os.environ.get(WEIGHTS_VARIABLE))


def _import_open_clip() -> Any:
    try:
        return importlib.import_module("open_clip")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f'the CLIP tower needs {error.name}, not installed here: pip install "geoconcept-gis[images]"'
        ) from error
    # A torchvision built for another torch fails in many ways, most often with RuntimeError.
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise MissingDependencyError(
            f"open_clip cannot be loaded ({error}): torch and torchvision must be builds for each other. Install both "
            "at once and from one place: pip install --force-reinstall torch torchvision"
        ) from error


def _download(open_clip: Any) -> Path:
    try:
        return Path(open_clip.download_pretrained(open_clip.get_pretrained_cfg(_ARCHITECTURE, "openai")))
    except Exception as error:  # the hub's client, urllib and open_clip each raise their own
        raise ModelFileError(
            f"open_clip could not fetch the CLIP weights ({_SIZE}): {error}. Where there is no network, copy the file "
            f"and name it: weights=PATH or the environment variable {WEIGHTS_VARIABLE}"
        ) from error


def _cache_folder() -> str:
    try:
        return str(importlib.import_module("huggingface_hub.constants").HF_HUB_CACHE)
    except ImportError:
        return "its cache folder"


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


# ---------------------------------------------------------------- numbers in, numbers out


def _by_parts(
    encode: Callable[[slice], NDArray[np.float32]], total: int, size: int, progress: Progress | None
) -> NDArray[np.float32]:
    """Fill (total, 768) part by part."""
    if size < 1:
        raise InputError(f"batch_size must be at least 1; got {size}")
    out = np.empty((total, _DIM), dtype=np.float32)
    for start in range(0, total, size):
        part = slice(start, min(start + size, total))
        out[part] = encode(part)
        report(progress, part.stop, total)
    return out


def _native_mean(features: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Average each run of `count` rows: direction of their mean, mean of their lengths."""
    runs = features.reshape(-1, count, features.shape[1])
    mean = runs.mean(axis=1)
    length = np.linalg.norm(runs, axis=2).mean(axis=1, keepdims=True)
    return np.asarray(mean * (length / np.linalg.norm(mean, axis=1, keepdims=True)))


def _is_picture(value: object) -> bool:
    from PIL import Image

    return isinstance(value, (str, os.PathLike, Image.Image))


def _read_pixels(picture: Picture, index: int) -> NDArray[np.float32]:
    try:
        return _pixels(read_photo(picture).image)
    except PhotoError as error:
        raise PhotoError(f"image {index}: {error}") from error


def _view(image: Image.Image) -> Image.Image:
    """Scale and cut as Hugging Face's CLIP processor does, which GeoCLIP uses."""
    from PIL import Image

    short = min(image.size)
    width, height = (_SIDE * side // short for side in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - _SIDE) // 2, (height - _SIDE) // 2
    return image.crop((left, top, left + _SIDE, top + _SIDE))


def _pixels(image: Image.Image) -> NDArray[np.float32]:
    """Turn 8-bit RGB into (3, 224, 224)."""
    values = np.asarray(_view(image), dtype=np.float32) / 255
    return np.ascontiguousarray(((values - _MEAN) / _STD).transpose(2, 0, 1))
