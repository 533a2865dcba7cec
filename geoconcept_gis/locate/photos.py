"""Photos from files, safely: upright 8-bit RGB, nothing else of the file kept but where its EXIF says it was taken.

Files come from anywhere, so only formats of photos are opened (Pillow knows many more, some of which run other
programs), sizes are checked before pixels are unpacked, and what cannot be read is refused by name.
"""

from __future__ import annotations

import importlib
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import MissingDependencyError, PhotoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

    from PIL import Image

    Source = Image.Image | str | PathLike[str]

__all__ = ["SUFFIXES", "Photo", "find_photos", "read_photo", "ten_crops"]

#: File names that `find_photos` takes for photos, in any case of letters.
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".jp2"),
    *(".heic", ".heif", ".hif", ".avif"),
)
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "JPEG2000", "AVIF", "HEIF")
# Brands of an ISO media file (bytes 8 to 12): HEIC is HEVC inside HEIF, AVIF is AV1 inside it.
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_SMALL = 32
# Scaled to a network's input by its shorter side, a longer strip would fill the memory.
_LONGEST = 100
# Tags of EXIF: TIFF's and those of the GPS directory, where a hemisphere goes before its number.
_ORIENTATION, _BITS_PER_SAMPLE, _GPS = 0x0112, 0x0102, 0x8825
_LAT, _LON = 2, 4
# EXIF's orientations and what undoes them; the last four swap the sides.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as the towers read it.

    Attributes
    ----------
    image : PIL.Image.Image
        Mode RGB, upright, without metadata: saving it tells nobody where it was taken.
    name : str
        The source's name, safe to print: control characters are escaped.
    exif_lonlat : tuple of float or None
        (lon, lat) in degrees, WGS 84, as the EXIF says it; None where it says nothing usable. Reported only: nothing
        here reads it.
    size : tuple of int
        (width, height) in pixels of the whole upright photo; `image` is smaller if `read_photo` was told it may be.
    notes : tuple of str
        What was done to the pixels or is wrong with the metadata, one sentence each.

    Examples
    --------
    >>> from PIL import Image
    >>> read_photo(Image.new("RGB", (640, 480))).size
    (640, 480)
    """

    image: Image.Image
    name: str
    exif_lonlat: tuple[float, float] | None
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def read_photo(source: Source, *, max_pixels: int | None = None, shortest: int | None = None) -> Photo:
    """Read a photo: upright, 8-bit RGB, with the position its EXIF reports.

    Parameters
    ----------
    source : path or PIL image
        JPEG, PNG, WebP, TIFF, GIF, BMP, JPEG 2000, AVIF, or HEIC where the package pillow-heif is installed. The
        content counts, not the suffix. Of an animation or several pages the first frame is read.
    max_pixels : int, optional
        Refuse larger photos before they are unpacked. Default: Pillow's own limit, ``PIL.Image.MAX_IMAGE_PIXELS``
        (89 million). Pillow itself refuses twice that number.
    shortest : int, optional
        The shorter side may come out smaller, but not below this: JPEG is then unpacked at 1/2, 1/4 or 1/8 of its size,
        which is several times faster. Default: every pixel.

    Returns
    -------
    Photo

    Raises
    ------
    PhotoError
        Missing, empty, a folder, no photo, cut off, corrupt, too large, a strip more than 100 times as long as wide,
        or of numbers whose scale is not known (32-bit integers, floats).
    MissingDependencyError
        Pillow is not installed.

    Notes
    -----
    Transparent parts become white. 16-bit greys are divided by 257, colours of 16 bits keep their upper 8. Colour
    profiles are not applied, as in the training of CLIP, so CMYK comes out approximately.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> path = Path(tempfile.mkdtemp()) / "fjord.jpg"
    >>> Image.new("RGB", (640, 480)).save(path)
    >>> photo = read_photo(path)
    >>> photo.image.mode, photo.size, photo.exif_lonlat
    ('RGB', (640, 480), None)
    >>> read_photo(path.with_name("gone.jpg"))
    Traceback (most recent call last):
    ...
    geoconcept_gis.errors.PhotoError: ...gone.jpg: there is no such file
    """
    pil = _pillow()
    name = _printable(getattr(source, "filename", "") or "image" if isinstance(source, pil.Image) else source)
    limit = max_pixels or pil.MAX_IMAGE_PIXELS
    try:
        # Pillow warns of odd metadata and of sizes; both are dealt with below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(source, pil.Image):
                return _photo(source, name, limit)
            with _open(Path(cast("str | PathLike[str]", source))) as image:
                return _photo(image, name, limit, shortest)
    except PhotoError as error:
        raise PhotoError(f"{name}: {error}") from error.__cause__
    except pil.DecompressionBombError as error:
        raise PhotoError(
            f"{name}: too large to unpack safely ({error}); if you trust it, raise max_pixels and "
            "PIL.Image.MAX_IMAGE_PIXELS, or scale it down"
        ) from error
    except Exception as error:  # each of Pillow's decoders has its own
        raise PhotoError(f"{name}: cannot be read as a photo, cut off or corrupt ({_printable(error)})") from error


def find_photos(paths: str | PathLike[str] | Iterable[str | PathLike[str]], *, recursive: bool = True) -> list[Path]:
    """List the photos among files and folders.

    Parameters
    ----------
    paths : path or iterable of paths
        A file is taken whatever its name; of a folder, the files with one of `SUFFIXES`.
    recursive : bool, default True
        Look into folders inside folders. Links to folders are not followed.

    Returns
    -------
    list of pathlib.Path
        Sorted, each once. Hidden files and folders (leading dot) are left out.

    Raises
    ------
    PhotoError
        A path does not exist, or a folder holds no photos.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg"):
    ...     (folder / name).touch()
    >>> [path.name for path in find_photos(folder)]
    ['a.png', 'b.JPG']
    """
    found: set[Path] = set()
    for path in [Path(paths)] if isinstance(paths, (str, os.PathLike)) else map(Path, paths):
        if path.is_dir():
            inside = set(_photos_in(path, recursive))
            if not inside:
                raise PhotoError(f"{_printable(path)}: no photos in this folder; read are {' '.join(SUFFIXES)}")
            found |= inside
        elif path.exists():
            found.add(path)
        else:
            raise PhotoError(f"{_printable(path)}: there is no such file or folder")
    return sorted(found)


def ten_crops(image: Image.Image, side: int = 224, shortest: int = 256) -> list[Image.Image]:
    """Cut the middle and the four corners out of a photo, each as it is and mirrored.

    Parameters
    ----------
    image : PIL image
        Upright, RGB.
    side : int, default 224
        Pixels of a crop's side.
    shortest : int, default 256
        The shorter side of the photo is scaled to this first.

    Returns
    -------
    list of PIL image
        Ten: top left, top right, bottom left, bottom right, middle, and the same mirrored.

    Notes
    -----
    The usual ten-crop test (Krizhevsky et al. 2012). GeoCLIP's paper names it; its authors say that they average the
    similarities of the crops, which is the same as averaging their unit vectors. They do not say to which size photos
    are scaled first.

    Examples
    --------
    >>> from PIL import Image
    >>> [crop.size for crop in ten_crops(Image.new("RGB", (400, 300)))][:2]
    [(224, 224), (224, 224)]
    """
    from PIL import Image, ImageOps

    scale = shortest / min(image.size)
    width, height = (max(side, round(length * scale)) for length in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    right, bottom = width - side, height - side
    corners = ((0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2))
    crops = [image.crop((left, top, left + side, top + side)) for left, top in corners]
    return crops + [ImageOps.mirror(crop) for crop in crops]


def _photos_in(folder: Path, recursive: bool) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(root, name)


# ---------------------------------------------------------------- opening


def _pillow() -> Any:
    try:
        return importlib.import_module("PIL.Image")
    except ImportError as error:
        raise MissingDependencyError('photos need Pillow: pip install "geoconcept-gis[images]"') from error


def _printable(value: object) -> str:
    """Return text that cannot steer a terminal: control, invisible and undecodable characters escaped."""
    text = str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:300])


def _open(path: Path) -> Image.Image:
    """Open a file without unpacking it; say what is wrong with one that is no photo."""
    if path.is_dir():
        raise PhotoError("this is a folder: name the photos in it, which find_photos lists")
    if not path.exists():
        raise PhotoError("there is no such file")
    if not path.is_file():  # a pipe or a device never ends
        raise PhotoError("this is no regular file")
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise PhotoError(f"the file cannot be opened ({error.strerror})") from error
    if not start:
        raise PhotoError("the file is empty")
    pil = _pillow()
    pil.init()
    if start[4:8] == b"ftyp":
        _need_decoder(start[8:12], pil)
    try:
        opened: Image.Image = pil.open(path, formats=[name for name in _FORMATS if name in pil.OPEN])
    except pil.UnidentifiedImageError as error:
        what = "text" if _is_text(start) else "none of these"
        raise PhotoError(f"no photo: {', '.join(_FORMATS)} are read, and the content is {what}") from error
    return opened


def _need_decoder(brand: bytes, pil: Any) -> None:
    """Register what reads HEIC, or say what to install for this kind of file."""
    if brand in _HEIF_BRANDS and "HEIF" not in pil.OPEN:
        try:
            importlib.import_module("pillow_heif").register_heif_opener()
        except ImportError as error:
            raise PhotoError("HEIC is read by the package pillow-heif: pip install pillow-heif") from error
    if brand in _AVIF_BRANDS and "AVIF" not in pil.OPEN:
        raise PhotoError('AVIF is read by Pillow 11.3 or newer: pip install --upgrade "pillow>=11.3"')


def _is_text(start: bytes) -> bool:
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in start)


# ---------------------------------------------------------------- pixels


def _photo(image: Image.Image, name: str, limit: int | None, shortest: int | None = None) -> Photo:
    width, height = image.size
    if limit and width * height > limit:
        raise PhotoError(
            f"{width:,} x {height:,} pixels are more than the limit of {limit:,}: scale it down, or raise max_pixels "
            "if you trust it"
        )
    if max(width, height) > _LONGEST * min(width, height):
        raise PhotoError(f"{width:,} x {height:,} pixels are a strip, not a photo: cut out the part that matters")
    if shortest and min(width, height) > shortest:
        scale = shortest / min(width, height)
        image.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
    image.load()
    # After loading: Pillow turns TIFF itself and takes the tag away, and PNG may have its EXIF at the end.
    orientation, lonlat, about_exif = _exif(image)
    upright, about_pixels = _to_rgb(image)
    if orientation in _TURNS:
        upright = upright.transpose(_pillow().Transpose[_TURNS[orientation]])
    size = (height, width) if orientation in _SIDEWAYS else (width, height)
    upright.info = {}
    return Photo(upright, name, lonlat, size, (*_about(image, size), *about_pixels, *about_exif))


def _about(image: Image.Image, size: tuple[int, int]) -> Iterator[str]:
    # The second picture of an MPO is a preview or a depth map.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        yield "of several frames or pages only the first is read"
    if min(size) < _SMALL:
        yield f"only {size[0]} x {size[1]} pixels: there is little to see"


def _to_rgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Return a new image in 8-bit RGB, and what had to be done for it."""
    pil = _pillow()
    if image.mode.startswith("I;16"):
        # 12-bit TIFF comes in the same mode.
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))[0]
        grey = np.asarray(image, dtype=np.float32) * (255 / (2**bits - 1))
        return pil.fromarray(np.rint(grey).astype(np.uint8)).convert("RGB"), (f"{bits}-bit greys scaled to 8 bits",)
    if image.mode in ("I", "F"):
        raise PhotoError(
            f"mode {image.mode} holds numbers of unknown scale: scale them to 0..255 and save them as 8-bit colours"
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if np.asarray(rgba.getchannel("A")).min() < 255:
            white = pil.new("RGBA", rgba.size, "white")
            return pil.alpha_composite(white, rgba).convert("RGB"), ("transparent parts made white",)
    return image.convert("RGB"), ("CMYK colours, approximately",) if image.mode == "CMYK" else ()


# ---------------------------------------------------------------- EXIF


def _exif(image: Image.Image) -> tuple[int, tuple[float, float] | None, tuple[str, ...]]:
    """Return orientation, position and what is wrong with them. Pixels are worth reading without either."""
    try:
        exif = image.getexif()
        orientation, gps = exif.get(_ORIENTATION, 1), exif.get_ifd(_GPS)
    except Exception:  # Pillow's parser fails in many ways on damaged metadata
        return 1, None, ("its EXIF is damaged and was not read",)
    try:
        return orientation, _lonlat(gps), ()
    except (TypeError, ValueError, ArithmeticError) as error:
        return orientation, None, (f"its EXIF position is unusable: {_printable(error)}",)


def _lonlat(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    """Return (lon, lat), None where no position was written; the altitude is not read."""
    if not gps.get(_LAT) and not gps.get(_LON):
        return None
    lonlat = _degrees(gps, _LON, "EW", 180), _degrees(gps, _LAT, "NS", 90)
    if lonlat == (0, 0):
        raise ValueError("0, 0, which cameras write before they know where they are")
    return lonlat


def _degrees(gps: Mapping[int, Any], tag: int, letters: str, most: int) -> float:
    """Turn degrees, minutes and seconds with their hemisphere (the tag before) into signed degrees."""
    letter = gps.get(tag - 1, "")
    letter = (letter.decode("ascii", "replace") if isinstance(letter, bytes) else str(letter)).strip("\0 ").upper()
    if letter not in tuple(letters):
        raise ValueError(f"the hemisphere is {letter!r}, not one of {letters}")
    value = gps.get(tag)
    parts = [float(part) for part in (value if isinstance(value, (tuple, list)) else (value,))]
    degrees = sum(part / 60.0**k for k, part in enumerate(parts))
    if not math.isfinite(degrees):
        raise ValueError("a number in it divides by zero")
    if len(parts) > 3 or min(parts) < 0 or max(parts[1:], default=0) > 60 or degrees > most:
        raise ValueError(f"degrees, minutes and seconds are out of range: {parts}")
    return -degrees if letter in "SW" else degrees
