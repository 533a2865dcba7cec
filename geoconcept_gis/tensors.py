"""Safetensors files on numpy alone: the QGIS plugin reads and writes what the package does, without the library.

A file is eight bytes with the length of a JSON header, the header, then raw arrays without gaps. A file may also lie in
two planes, ``NAME.planes``: all even bytes, then all odd ones. The halves of float16 numbers compress better apart, and
an archive gets a megabyte smaller.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["PLANES", "content_sha256", "is_there", "join_planes", "read_tensors", "split_planes", "tensors_bytes"]

PLANES = ".planes"
#: Types by their name in files, in the order in which the library's writer lays arrays out, last first.
_KINDS = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "I16": "<i2",
    "U16": "<u2",
    "F16": "<f2",
    "I32": "<i4",
    "U32": "<u4",
    "F32": "<f4",
    "F64": "<f8",
    "I64": "<i8",
    "U64": "<u8",
}
_NAMES = {np.dtype(kind): name for name, kind in _KINDS.items()}
_ORDER = {name: k for k, name in enumerate(reversed(_KINDS))}
#: No header of ours comes near it; a corrupt length must not ask for gigabytes.
_LONGEST_HEADER = 1 << 27


def read_tensors(
    path: str | PathLike[str], sha256: str | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Read a safetensors file.

    Parameters
    ----------
    path : path-like
        Where there is none, ``path + ".planes"`` is read.
    sha256 : str, optional
        Refuse the file unless its bytes have this hash.

    Returns
    -------
    arrays : dict of str to ndarray
        Writable views of one buffer.
    metadata : dict of str to str
        What the file says about itself.

    Raises
    ------
    ModelFileError
        Missing, truncated, corrupt, or not the file that was promised.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.safetensors"
    ...     _ = path.write_bytes(tensors_bytes({"x": np.arange(3)}, {"about": "a test"}))
    ...     arrays, metadata = read_tensors(path)
    >>> arrays["x"].tolist(), metadata
    ([0, 1, 2], {'about': 'a test'})
    """
    content = _content(Path(path))
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ModelFileError(
            f"{path} is not the file its folder describes (sha256 {found[:12]}..., expected {sha256[:12]}...): "
            "it is corrupt, truncated or was replaced; install or copy the model again"
        )
    try:
        return _parse(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} is not a readable safetensors file: {error!r}") from None


def tensors_bytes(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return a safetensors file, byte for byte as the library writes it.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Booleans, integers or floats.
    metadata : mapping of str to str, optional
        What the file says about itself.

    Returns
    -------
    bytes
        The same for equal arrays and metadata, in whatever order they come.

    Raises
    ------
    ModelFileError
        An array is of another type.

    Examples
    --------
    >>> len(tensors_bytes({"x": np.zeros(4, np.float32)}))
    80
    """
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in plain.items():
        if array.dtype.newbyteorder("<") not in _NAMES:
            raise ModelFileError(f"array {name!r} is of type {array.dtype}, which safetensors does not know")
    kinds = {name: _NAMES[array.dtype.newbyteorder("<")] for name, array in plain.items()}
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    parts, end = [], 0
    for name in sorted(plain, key=lambda name: (_ORDER[kinds[name]], name)):
        raw = plain[name].astype(_KINDS[kinds[name]], copy=False).tobytes()
        header[name] = {"dtype": kinds[name], "shape": list(arrays[name].shape), "data_offsets": [end, end + len(raw)]}
        parts.append(raw)
        end += len(raw)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def is_there(path: Path) -> bool:
    """Tell whether a file is there, whole or in planes."""
    return path.is_file() or _in_planes(path).is_file()


def content_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, the same whether it lies whole or in planes.

    Parameters
    ----------
    path : pathlib.Path
        Where there is none, ``path + ".planes"`` is read.

    Returns
    -------
    str

    Raises
    ------
    ModelFileError
        There is neither, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     whole, apart = Path(folder) / "a", Path(folder) / "b"
    ...     _ = whole.write_bytes(b"aAbBc"), Path(f"{apart}.planes").write_bytes(split_planes(b"aAbBc"))
    ...     content_sha256(whole) == content_sha256(apart)
    True
    """
    return hashlib.sha256(_content(path)).hexdigest()


def split_planes(content: bytes) -> bytes:
    """Return all even bytes, then all odd ones.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    bytes

    Examples
    --------
    >>> split_planes(b"aAbBc")
    b'abcAB'
    """
    return content[::2] + content[1::2]


def join_planes(planes: bytes) -> bytearray:
    """Undo `split_planes`.

    Parameters
    ----------
    planes : bytes

    Returns
    -------
    bytearray

    Examples
    --------
    >>> join_planes(b"abcAB")
    bytearray(b'aAbBc')
    """
    out, even = bytearray(len(planes)), (len(planes) + 1) // 2
    apart, joined = np.frombuffer(planes, np.uint8), np.frombuffer(out, np.uint8)
    joined[::2], joined[1::2] = apart[:even], apart[even:]  # by numpy: bytes alone take several times as long
    return out


def _in_planes(path: Path) -> Path:
    return path.with_name(path.name + PLANES)


def _content(path: Path) -> bytearray:
    try:
        if not path.is_file() and _in_planes(path).is_file():
            return join_planes(_in_planes(path).read_bytes())
        return bytearray(path.read_bytes())
    except FileNotFoundError:
        raise ModelFileError(f"{path} is missing: install it again") from None
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from None


def _parse(content: bytearray) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    size = int.from_bytes(content[:8], "little")
    start = 8 + size
    if len(content) < 8 or size > min(_LONGEST_HEADER, len(content)):
        raise ValueError("it ends within its header")
    header = json.loads(content[8:start])
    metadata = dict(header.pop("__metadata__", None) or {})
    arrays: dict[str, NDArray[Any]] = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        if first != end or last < first or start + last > len(content):
            raise ValueError(f"array {name!r} does not lie where it should: the file is cut off or damaged")
        raw = memoryview(content)[start + first : start + last]
        arrays[name] = np.frombuffer(raw, dtype=_KINDS[entry["dtype"]]).reshape(entry["shape"])
        end = last
    if start + end != len(content):
        raise ValueError("there are bytes after the last array")
    return arrays, metadata
