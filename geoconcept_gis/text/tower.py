"""`BundledTower`: phrases to directions, offline and without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError
from ..storage import read_arrays
from .lookup import ADAPTER, ADAPTER_JSON, WordLookup
from .static import StaticWords

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["ADAPTER", "ADAPTER_JSON", "BundledTower"]

FORMAT = "geoconcept-text"


class BundledTower:
    """Words to directions in the shared space: a table of words, wordllama for the others, a small network.

    Made by `BundledTower.load`. The table holds the words and names that the tower was trained on and the most frequent
    English words. Any other word is guessed from its pieces; `unknown` names it.

    Attributes
    ----------
    name : str
    space : str
        The vector space, as `GeoConceptModel.space`.
    sha256 : str
        Of the adapter's weights.
    record : dict
        ``adapter.json``: how it was trained and what was measured.

    Examples
    --------
    >>> tower = BundledTower.load()
    >>> tower.encode(["olive groves by the sea", "Sahara"]).shape
    (2, 512)
    """

    def __init__(self, arrays: dict[str, NDArray[Any]], record: dict[str, Any]) -> None:
        self.record = record
        self.name, self.space, self.sha256 = str(record["name"]), str(record["space"]), str(record["sha256"])
        self._static = StaticWords()
        matrix, bias = arrays["static"].astype(np.float32), arrays["static_bias"].astype(np.float32)

        def outside(words: Sequence[str]) -> NDArray[np.float32]:
            return np.asarray(self._static.vectors(words) @ matrix + bias)

        self._lookup = WordLookup(arrays, {"name": self.name, "space": self.space}, outside=outside)

    def __repr__(self) -> str:
        return f"<BundledTower {self.name!r}: {len(self._lookup):,} words, sha256 {self.sha256[:12]}>"

    @classmethod
    def load(cls, folder: str | PathLike[str] | None = None) -> BundledTower:
        """Read the tower that ships with the package, or one that `build_text` made.

        Parameters
        ----------
        folder : path-like, optional
            Folder with ``adapter.safetensors`` and ``adapter.json``.

        Returns
        -------
        BundledTower

        Raises
        ------
        ModelFileError
            A file is missing, corrupt or of another format.
        MissingDependencyError
            wordllama is not installed.

        Examples
        --------
        >>> BundledTower.load().space
        'geoclip-1.3.0'
        """
        home = Path(__file__).parent if folder is None else Path(folder)
        try:
            record = json.loads((home / ADAPTER_JSON).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelFileError(f"{home / ADAPTER_JSON} is missing: {home} holds no text tower") from None
        except ValueError as error:
            raise ModelFileError(f"{home / ADAPTER_JSON} is not valid JSON: {error}") from None
        if not isinstance(record, dict) or record.get("format") != FORMAT or record.get("format_version") != 1:
            raise ModelFileError(f"{home / ADAPTER_JSON} is no {FORMAT} file of version 1")
        lacking = [key for key in ("name", "space", "sha256") if key not in record]
        if lacking:
            raise ModelFileError(f"{home / ADAPTER_JSON} lacks {', '.join(lacking)}")
        return cls(read_arrays(home / ADAPTER, str(record["sha256"])), record)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Turn phrases into directions that read centred place vectors; see `WordLookup.encode`.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Unit rows, for places centred on reference "uniform_land".

        Raises
        ------
        InputError
            A phrase has no word. Words that are not known are guessed from their pieces: ask `unknown` first.

        Examples
        --------
        >>> hot, hotter, ice = BundledTower.load().encode(["hot desert", "very hot desert", "ice sheet"])
        >>> bool(hot @ hotter > hot @ ice)
        True
        """
        return self._lookup.encode(texts)

    def geographic(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Say how surely each phrase is about places, 0..1; see `WordLookup.geographic`.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (N,)

        Examples
        --------
        >>> BundledTower.load().geographic(["mountains of Asia"]).round() == 1.0
        array([ True])
        """
        return self._lookup.geographic(texts)

    def unknown(self, texts: Sequence[str]) -> list[list[str]]:
        """List the words of each phrase that the tower was not trained on.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of list of str

        Examples
        --------
        >>> BundledTower.load().unknown(["a qwrtzx coast"])
        [['qwrtzx']]
        """
        return self._lookup.unknown(texts)

    def known(self, texts: Sequence[str]) -> list[list[str]]:
        """List the words of each phrase that the tower knows, names of several words joined by spaces.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of list of str

        Examples
        --------
        >>> BundledTower.load().known(["a qwrtzx coast in New Zealand"])
        [['a', 'coast', 'in', 'new zealand']]
        """
        return self._lookup.known(texts)
