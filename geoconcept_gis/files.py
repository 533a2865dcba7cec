"""Files that are either whole or not there at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_file", "atomic_folder", "sha256_of"]


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write to a temporary name beside `path`; move it into place only on success.

    Parameters
    ----------
    path : path-like
        Where the finished file goes; an existing file is replaced in one step.

    Yields
    ------
    pathlib.Path
        A name with the same suffix, in a hidden folder beside `path`. On any failure, Ctrl-C included,
        it is deleted and `path` stays as it was.

    Raises
    ------
    InputError
        The target's folder does not exist.
    """
    target = Path(path)
    with _workspace(target) as work:
        part = work / target.name
        yield part
        part.replace(target)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Fill a temporary folder beside `path`; move it into place only on success.

    Raises
    ------
    InputError
        `path` exists and is not an empty folder, or its parent does not exist.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target} exists already: choose another name or remove it first")
    with _workspace(target) as work:
        part = work / target.name
        part.mkdir()
        yield part
        if target.exists():
            target.rmdir()
        part.replace(target)


@contextmanager
def _workspace(target: Path) -> Iterator[Path]:
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: folder {target.parent} does not exist")
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the hexadecimal sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
