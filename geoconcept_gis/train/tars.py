"""Photos inside WebDataset's .tar files: where their bytes lie, and what is said beside them."""

from __future__ import annotations

import json
import re
import tarfile
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..evaluation.formats import coordinate_columns, plain
from ..evaluation.match import _AUTHORS
from ..locate.photos import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["File", "Place", "few", "find_tars", "walk"]

_SHOWN = 3
_BLOCK = 512


class Place(NamedTuple):
    """Where a photo was taken, or in `reason` why nobody knows."""

    lon: float = np.nan
    lat: float = np.nan
    group: Any = None
    reason: str = ""


class File(NamedTuple):
    """A photo's bytes: a file, or a stretch of one."""

    name: str
    path: Path
    start: int = 0
    size: int = -1


def find_tars(path: Any) -> list[Path]:
    """Return the .tar files that a path, pattern, folder or list stands for; empty if it stands for none."""
    words = [path] if isinstance(path, (str, Path)) or hasattr(path, "__fspath__") else list(path)
    found: list[Path] = []
    for word in map(str, words):
        if Path(word).is_dir():
            found += sorted(Path(word).glob("*.tar"))
        elif word.lower().endswith(".tar") or ".tar." in word.lower():
            found += _expanded(word)
    if len(words) > 1 and len(found) < len(words):
        raise InputError(
            f"{few(list(map(str, words)))}: several paths must all be .tar files; name one folder of photos"
        )
    return found


def _expanded(pattern: str) -> list[Path]:
    """Write out ``{000..012}`` and look up ``*``."""
    span = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if span:
        first, last = span.groups()
        numbers = [f"{k:0{len(first)}d}" for k in range(int(first), int(last) + 1)]
        return [one for number in numbers for one in _expanded(pattern.replace(span[0], number, 1))]
    if has_magic(pattern) and not Path(pattern).exists():
        found = sorted(map(Path, glob(pattern)))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not found:
            raise InputError(f"no file fits {pattern}")
        return found
    if not Path(pattern).is_file():
        raise InputError(f"there is no file {pattern}")
    return [Path(pattern)]


def walk(
    tars: list[Path], group: str | None
) -> tuple[list[File], NDArray[np.int64], list[Place] | None, list[tuple[str, str]]]:
    """List the photos of all archives, what their .json says, and what is broken."""
    files: list[File] = []
    shard: list[int] = []
    places: list[Place] = []
    problems: list[tuple[str, str]] = []
    described = False
    for number, tar in enumerate(tars):
        label = tar.name if len({one.name for one in tars}) == len(tars) else str(tar)
        members, broken = _members(tar)
        problems += [(f"{label}/{name}" if name else label, reason) for name, reason in broken]
        with tar.open("rb") as archive:
            for key, parts in members.items():
                record = parts.get("json")
                described |= record is not None
                place = _described(archive, record, group)
                for suffix, (start, size) in parts.items():
                    if "." + suffix.rpartition(".")[2] in SUFFIXES:
                        files.append(File(f"{label}/{key}.{suffix}", tar, start, size))
                        shard.append(number)
                        places.append(place)
    if not files:
        broken_ones = "".join(f"; {name}: {reason}" for name, reason in problems[:_SHOWN])
        raise InputError(f"no photos in {few([tar.name for tar in tars])}{broken_ones}")
    return files, np.array(shard, dtype=np.int64), places if described else None, problems


def _members(tar: Path) -> tuple[dict[str, dict[str, tuple[int, int]]], list[tuple[str, str]]]:
    """Return, for each key of an archive, where its files begin and how long they are; and what is broken."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    broken: list[tuple[str, str]] = []
    size = tar.stat().st_size
    try:
        with tarfile.open(tar, "r:") as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # else it remembers every one
                folder, _, base = member.name.rpartition("/")
                stem, _, suffix = base.partition(".")
                if not member.isfile() or not stem:
                    continue
                if member.offset_data + member.size > size:
                    broken.append((member.name, "the archive is cut off inside it"))
                    continue
                parts = found.setdefault(f"{folder}/{stem}" if folder else stem, {})
                if suffix.lower() in parts:
                    broken.append((member.name, "a member of that name came before"))
                    continue
                parts[suffix.lower()] = (member.offset_data, member.size)
            end = archive.offset
    except (tarfile.TarError, EOFError) as error:
        reason = (
            f"no plain .tar, or cut off or damaged ({error}); what comes before is used. Compressed ones: unpack them"
        )
        return found, [*broken, ("", reason)]
    with tar.open("rb") as file:
        file.seek(end)
        if any(file.read(_BLOCK)):
            broken.append(("", f"damaged at byte {end:,}: members after that are not read"))
    return found, broken


def _described(archive: Any, record: tuple[int, int] | None, group: str | None) -> Place:
    """Return what the .json beside a photo says."""
    if record is None:
        return Place(reason="no .json beside it")
    archive.seek(record[0])
    try:
        said = json.loads(archive.read(record[1]))
        lon, lat = coordinate_columns([str(key) for key in said], "truth")
        who = said.get(group) if group else next((said[key] for key in said if plain(key) in _AUTHORS), None)
        return Place(float(said[lon]), float(said[lat]), who)
    except InputError as error:
        return Place(reason=f"its .json: {error}")
    except (ValueError, TypeError, AttributeError) as error:
        return Place(reason=f"its .json cannot be read as coordinates ({error})")


def few(names: Sequence[str]) -> str:
    """Write out the first few names, and how many more there are."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
