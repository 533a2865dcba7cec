"""Photos with the places where they were taken, from folders and from WebDataset's .tar files."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coordinates import check_lonlat, status
from ..errors import InputError, PhotoError
from ..evaluation.formats import read_truth
from ..evaluation.match import _IDS, _first, _of_points, author_column
from ..locate.photos import find_photos, read_photo
from ..progress import report
from .tars import File, Place, few, find_tars, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ..locate.photos import Photo
    from ..progress import Progress

__all__ = ["Photos", "open_photos"]

#: Column names of tables of photos, beside those that data sets have.
_NAMES = (*_IDS, "path", "filepath", "imagepath", "imgpath", "key")


@dataclass(frozen=True, eq=False, repr=False)
class Photos:
    """Photos with places. Made by `open_photos`.

    Attributes
    ----------
    names : list of str
        N names, each once: the path inside the folder, or ``file.tar/key.jpg``.
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    group : ndarray of int or str, shape (N,), or None
        Who took each photo; an empty string where that is not known.
    shard : ndarray of int64, shape (N,)
        Which .tar file each lies in; zero for files in a folder.
    left_out : tuple of dict
        Photos and files that cannot be used, each with ``path`` and ``reason``.
    notes : tuple of str
        What else is worth knowing.
    """

    names: list[str]
    lonlat: NDArray[np.float64]
    group: NDArray[Any] | None
    shard: NDArray[np.int64]
    left_out: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    _files: list[File]

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Photos: {len(self):,} with places, {len(self.left_out):,} left out>"

    def read(self, row: int, *, shortest: int | None = None) -> Photo:
        """Read a photo.

        Parameters
        ----------
        row : int
            From 0 to N - 1.
        shortest : int, optional
            The shorter side may come out smaller, but not below this; see `read_photo`.

        Returns
        -------
        Photo

        Raises
        ------
        PhotoError
            It cannot be read; the message has its name.

        Examples
        --------
        >>> open_photos("photos").read(0).image.mode                                       # doctest: +SKIP
        'RGB'
        """
        return _read(self._files[row], shortest)

    @cached_property
    def sha256(self) -> str:
        """Of names, places and groups: another list of photos has another."""
        digest = hashlib.sha256(self.lonlat.tobytes())
        for name in self.names:
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        for one in () if self.group is None else self.group:
            digest.update(str(one).encode() + b"\0")
        return digest.hexdigest()


def open_photos(
    path: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    coordinates: str | PathLike[str] | None = None,
    exif: bool = False,
    group: str | None = None,
    progress: Progress | None = None,
) -> Photos:
    r"""List photos with the places where they were taken.

    Parameters
    ----------
    path : path-like or sequence of them
        A folder of photos; or .tar files as WebDataset has them: a path, a pattern such as ``train-{000..012}.tar`` or
        ``train-*.tar``, or a folder that holds them.
    coordinates : path-like, optional
        A table with a column that names the photos (``name``, ``IMG_ID``, ``path``, ...) and columns with
        coordinates, in any format that `evaluate` reads. By default a folder's own table, or what a .tar file says
        beside each photo in ``key.json``.
    exif : bool, default False
        Take the position that each photo's EXIF says instead. Only when asked: whoever took the photos may not know
        that they hold it.
    group : str, optional
        The column that says who took a photo. Default: one called ``AUTHOR``, ``photographer`` or the like, if any.
    progress : callable, optional
        Called as ``progress(done, total)`` in photos while EXIF is read; a true result stops.

    Returns
    -------
    Photos
        Those with a place on Earth, sorted by file; all others are in ``left_out``.

    Raises
    ------
    InputError
        There are no photos or no places, or the table does not fit the photos.

    Notes
    -----
    A table's names match with folders or without, with the suffix or without. A .tar file is walked through once, for
    where its members lie; compressed ones cannot be read from any place and are refused.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a.jpg", "b.jpg"):
    ...     (folder / name).touch()
    >>> _ = (folder / "places.csv").write_text("name,lon,lat\na.jpg,31.2,30.0\n")
    >>> photos = open_photos(folder)
    >>> photos.names, photos.left_out
    (['a.jpg'], ({'path': 'b.jpg', 'reason': 'no row in places.csv', 'row': None},))
    """
    if exif and (coordinates is not None or group is not None):
        raise InputError("exif takes places from the photos themselves: leave coordinates and group out")
    tars = find_tars(path)
    if tars:
        files, shard, beside, problems = walk(tars, group)
    else:
        files, problems = _in_folder(path), []
        shard, beside = np.zeros(len(files), dtype=np.int64), None
    notes: list[str] = []
    if exif:
        places = list(_from_exif(files, progress))
    elif coordinates is None and beside is not None:
        places = beside
    else:
        places = _from_table(files, _table_path(path, coordinates), group, notes)
    return _kept(files, shard, places, problems, notes)


def _kept(
    files: list[File],
    shard: NDArray[np.int64],
    places: list[Place],
    problems: list[tuple[str, str]],
    notes: list[str],
) -> Photos:
    """Part the photos into those with a place on Earth and those without."""
    lonlat = np.array([place[:2] for place in places], dtype=np.float64).reshape(-1, 2)
    states = status(lonlat)
    good = np.isin(states, ("ok", "near_seam", "near_pole"))
    for k in np.flatnonzero(~good):
        at = "" if states[k] == "missing" else f": {lonlat[k, 0]:g}, {lonlat[k, 1]:g}"
        problems.append((files[k].name, places[k].reason or f"its coordinates are {states[k].replace('_', ' ')}{at}"))
    left_out = tuple({"path": name, "reason": reason, "row": None} for name, reason in problems)
    if not good.any():
        few = "; ".join(f"{one['path']}: {one['reason']}" for one in left_out[:3])
        raise InputError(f"none of {len(files):,} photos has a place: {few}")
    rows = np.flatnonzero(good)
    groups = [places[k].group for k in rows]
    return Photos(
        names=[files[k].name for k in rows],
        lonlat=check_lonlat(lonlat[rows]),
        group=_groups(groups),
        shard=shard[rows],
        left_out=left_out,
        notes=tuple(notes),
        _files=[files[k] for k in rows],
    )


def _groups(values: list[Any]) -> NDArray[Any] | None:
    """Return who took each photo: whole numbers if all are, else text; None where nobody is named."""
    if all(value is None for value in values):
        return None
    if all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in values):
        return np.array(values, dtype=np.int64)
    return np.array(["" if value is None else str(value) for value in values])


def _read(file: File, shortest: int | None) -> Photo:
    if file.size < 0:
        return read_photo(file.path, shortest=shortest)
    # Through a file of its own, so that photos in .tar files pass the same checks and give the same pixels.
    with tempfile.TemporaryDirectory(prefix="geoconcept-") as folder:
        single = Path(folder) / "photo"
        try:
            with file.path.open("rb") as archive:
                archive.seek(file.start)
                single.write_bytes(archive.read(file.size))
        except OSError as error:
            raise PhotoError(f"{file.name}: cannot be read ({error.strerror})") from error
        try:
            return read_photo(single, shortest=shortest)
        except PhotoError as error:
            raise PhotoError(str(error).replace(str(single), file.name)) from error


# ---------------------------------------------------------------- folders and tables


def _in_folder(path: Any) -> list[File]:
    """List photos under a folder by their paths inside it."""
    root = Path(path) if isinstance(path, (str, Path)) or hasattr(path, "__fspath__") else None
    if root is None or not root.is_dir():
        raise InputError(f"{path} is no folder of photos, no .tar file and no pattern of .tar files that are there")
    return [File(found.relative_to(root).as_posix(), found) for found in find_photos(root)]


def _table_path(path: Any, coordinates: str | PathLike[str] | None) -> Path:
    if coordinates is not None:
        return Path(coordinates)
    try:
        read_truth(path)
    except InputError as error:
        raise InputError(
            f"where were the photos taken? Name a table with coordinates=FILE, or take the positions in the photos' "
            f"own EXIF with exif=True ({error})"
        ) from None
    return Path(path)


def _from_exif(files: list[File], progress: Progress | None) -> Iterator[Place]:
    for done, file in enumerate(files, 1):
        try:
            photo = _read(file, shortest=64)
        except PhotoError as error:
            yield Place(reason=str(error).removeprefix(f"{file.path}: ").removeprefix(f"{file.name}: "))
        else:
            said = "; ".join(note for note in photo.notes if "EXIF" in note)
            lon, lat = photo.exif_lonlat or (np.nan, np.nan)
            yield Place(lon, lat, reason=said or "no position in its EXIF")
        report(progress, done, len(files))


def _from_table(files: list[File], path: Path, group: str | None, notes: list[str]) -> list[Place]:
    """Return each photo's place by the table's row that names it."""
    table = read_truth(path)
    named = str(table.attrs["evaluated_file"]).split(", sha256")[0]
    key = _first(table, _NAMES)
    if key is None:
        raise InputError(
            f"{named} has no column that names the photos (such as 'name', 'IMG_ID' or 'path'); its columns are "
            f"{', '.join(map(repr, map(str, table.columns)))}"
        )
    if group is not None and group not in table.columns:
        raise InputError(
            f"{named} has no column {group!r}; its columns are {', '.join(map(repr, map(str, table.columns)))}"
        )
    group = group or author_column(table)
    if group is not None:
        notes.append(f"photos are grouped by the column {group!r} of {named}")
    lonlat = _of_points(table, named)
    groups = [None] * len(table) if group is None else [None if one != one else one for one in table[group]]
    ids = [str(one) for one in table[key]]
    row_of = _by_name(ids, named)
    found = [_row(file.name, row_of) for file in files]
    _refuse_doubles(files, found, ids, named)
    used = {row for row in found if row is not None}
    if not used:
        raise InputError(
            f"no photo is named in {named}: its column {key!r} has names such as {ids[:1]}, the photos are named "
            f"{[file.name for file in files[:1]]}"
        )
    if len(used) < len(ids):
        strangers = [ids[row] for row in range(len(ids)) if row not in used]
        notes.append(f"{len(strangers):,} rows of {named} have no photo: {few(strangers)}")
    places = []
    for row in found:
        if row is None:
            places.append(Place(reason=f"no row in {named}"))
        else:
            lon, lat = lonlat[row]
            empty = bool(np.isnan(lon) or np.isnan(lat))
            places.append(Place(lon, lat, groups[row], f"no coordinates in {named}" if empty else ""))
    return places


def _by_name(ids: list[str], named: str) -> dict[str, int | None]:
    """Return the row of each name, with its folders and without; None for a name that several rows share."""
    row_of: dict[str, int | None] = {}
    for row, name in enumerate(ids):
        if name in row_of:
            raise InputError(f"{named} has several rows for {name!r}: keep one")
        row_of[name] = row
    for row, name in enumerate(ids):
        short = re.split(r"[/\\]", name)[-1]
        if short != name:
            row_of[short] = row if short not in row_of else None
    return row_of


def _row(name: str, row_of: dict[str, int | None]) -> int | None:
    inside = name.partition(".tar/")[2] or name
    short = inside.rpartition("/")[2]
    forms = (name, inside, inside.rpartition(".")[0], short, short.rpartition(".")[0])
    return next((row_of[form] for form in forms if form in row_of), None)


def _refuse_doubles(files: list[File], found: list[int | None], ids: list[str], named: str) -> None:
    owner: dict[int, str] = {}
    for file, row in zip(files, found, strict=True):
        if row is not None and row in owner:
            raise InputError(
                f"{owner[row]} and {file.name} both fit the row {ids[row]!r} of {named}: write their folders into it"
            )
        if row is not None:
            owner[row] = file.name
