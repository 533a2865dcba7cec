"""`WordLookup`: phrases to directions from one table of words. What the QGIS plugin uses.

Numpy alone, Python 3.9: the plugin ships this file as it is, with ``lookup.safetensors``; the package reads the tower's
own table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, ModelFileError
from ..tensors import content_sha256, read_tensors
from .words import key_of, merge, singulars, split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike
    from typing import Any

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["ADAPTER", "ADAPTER_JSON", "LOOKUP", "WordLookup"]

#: The tower's arrays, its table of words among them, and their record; not in the QGIS plugin.
ADAPTER, ADAPTER_JSON = "adapter.safetensors", "adapter.json"
#: The same with fewer numbers a word. Only the QGIS plugin ships it, whose size is limited.
LOOKUP = Path(__file__).with_name("lookup.safetensors")

_NEEDED = (
    "keys",
    "rows",
    "scales",
    "gate",
    "gate_bias",
    "direct",
    "hidden_in",
    "hidden_bias",
    "hidden_out",
    "geo_in",
    "geo_in_bias",
    "geo_out",
    "geo_out_bias",
)


class WordLookup:
    """Words and names, each with a short vector, and the small network that joins them to a direction.

    A phrase becomes the mean of its words' vectors, weighted by how much each word matters, then a direction in the
    shared space that reads centred place vectors, like `Concept.vector`. Words that are not in the table do not count.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        ``keys`` (K,) uint32, sorted; ``rows`` (K, D) int8; ``scales`` (K,) float16; the network's matrices.
    about : mapping of str to str
        ``name`` and ``space``.
    outside : callable, optional
        Gives vectors (N, D) float32 for words that are not in the table.

    Attributes
    ----------
    name, space : str
        Of the tower, and of the vectors it reads.

    Raises
    ------
    ModelFileError
        An array or a field is missing.

    Examples
    --------
    >>> lookup = WordLookup.load()
    >>> lookup.encode(["olive groves by the sea"]).shape
    (1, 512)
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        about: Mapping[str, str],
        *,
        outside: Callable[[Sequence[str]], Floats] | None = None,
    ) -> None:
        missing = [name for name in _NEEDED if name not in arrays]
        missing += [name for name in ("name", "space") if name not in about]
        if missing:
            raise ModelFileError(f"the table of words lacks {', '.join(missing)}: install geoconcept_gis again")
        self.name, self.space = about["name"], about["space"]
        self._keys = arrays["keys"]
        self._rows, self._scales = arrays["rows"], arrays["scales"]
        small = (name for name in _NEEDED if name not in ("keys", "rows", "scales"))
        self._net = {name: arrays[name].astype(np.float32) for name in small}
        self._outside = outside
        #: Digest of every array, or of the file it was read from.
        self.sha256 = about.get("sha256", "")

    @classmethod
    def load(cls, path: str | PathLike[str] | None = None) -> WordLookup:
        """Read a table from a file.

        Parameters
        ----------
        path : path-like, optional
            An ``adapter.safetensors`` with its ``adapter.json`` beside it, or a ``lookup.safetensors``. Default: the
            tower's own in the package, the smaller one in the QGIS plugin.

        Returns
        -------
        WordLookup

        Raises
        ------
        ModelFileError
            The file is missing or malformed.

        Examples
        --------
        >>> WordLookup.load().space
        'geoclip-1.3.0'
        """
        if path is None:
            own = LOOKUP.with_name(ADAPTER)
            path = own if own.is_file() else LOOKUP
        path = Path(path)
        arrays, metadata = read_tensors(path)
        try:
            record = path.with_name(ADAPTER_JSON).read_text("utf-8") if path.name == ADAPTER else metadata["about"]
            about = dict(json.loads(record))
        except (OSError, KeyError, ValueError, TypeError):
            raise ModelFileError(f"{path} is no table of words: it says nothing about itself") from None
        return cls(arrays, {**about, "sha256": content_sha256(path)})

    def __contains__(self, term: object) -> bool:
        """Say whether a word, or a name with its words joined by spaces, has a row."""
        return isinstance(term, str) and self._row(term) >= 0

    def __len__(self) -> int:
        return len(self._keys)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Turn phrases into directions.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Unit rows. With u = x / |x| of an embedding x and the mean m of reference "uniform_land", a place scores
            ``(u - m) / |u - m| . row``.

        Raises
        ------
        InputError
            A phrase has no word, or none in the table and nothing to guess it from; it and its words are named.

        Examples
        --------
        >>> import numpy as np
        >>> hot, hotter, ice = WordLookup.load().encode(["hot desert", "very hot desert", "ice sheet"])
        >>> bool(hot @ hotter > hot @ ice)
        True
        """
        self._check(texts)
        h = self._joined(texts)
        net = self._net
        hidden = np.maximum(h @ net["hidden_in"] + net["hidden_bias"], 0.0)
        out = h @ net["direct"] + hidden @ net["hidden_out"]
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), dtype=np.float32)

    def geographic(self, texts: Sequence[str]) -> Floats:
        """Say how surely each phrase is about places.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (N,)
            0..1; below 0.5 a phrase is more likely about no place. 0 if nothing can be read.

        Examples
        --------
        >>> near, far = WordLookup.load().geographic(["mountains of Asia", "jealousy"])
        >>> bool(near > 0.5 > far)
        True
        """
        net, h = self._net, self._joined(texts)
        hidden = np.maximum(h @ net["geo_in"] + net["geo_in_bias"], 0.0)
        sure = 1.0 / (1.0 + np.exp(-(hidden @ net["geo_out"] + net["geo_out_bias"][0])))
        return np.where(h.any(axis=1), sure, 0.0).astype(np.float32)

    def unknown(self, texts: Sequence[str]) -> list[list[str]]:
        """List the words of each phrase that are not known.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of list of str
            Spelled as `split_words` spells.

        Examples
        --------
        >>> WordLookup.load().unknown(["a qwrtzx coast"])
        [['qwrtzx']]
        """
        return [[term for term in self._terms(text) if not self._is_known(term)] for text in texts]

    def known(self, texts: Sequence[str]) -> list[list[str]]:
        """List the words of each phrase that are known, names of several words joined by spaces.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of list of str

        Examples
        --------
        >>> WordLookup.load().known(["a qwrtzx coast in New Zealand"])
        [['a', 'coast', 'in', 'new zealand']]
        """
        return [[term for term in self._terms(text) if self._is_known(term)] for text in texts]

    def _is_known(self, term: str) -> bool:
        # Single letters and numbers say nothing, so nothing is lost with them.
        return self._row(term) >= 0 or len(term) == 1 or term.isdigit()

    def _terms(self, text: str) -> list[str]:
        return merge(split_words(text), self)

    def _row(self, term: str) -> int:
        for one in (term, *singulars(term)):
            key = key_of(one)
            row = int(np.searchsorted(self._keys, key))
            if row < len(self._keys) and int(self._keys[row]) == key:
                return row
        return -1

    def _check(self, texts: Sequence[str]) -> None:
        for text in texts:
            words = self._terms(text)
            if not words:
                raise InputError(f"phrase {text!r} has no word")
            if self._outside is None and not any(self._row(word) >= 0 for word in words):
                raise InputError(
                    f"phrase {text!r} cannot be placed: none of its words is known ({', '.join(words)}); "
                    "use common English words or names"
                )

    def _joined(self, texts: Sequence[str]) -> Floats:
        """Return the weighted mean of the words of each phrase, unit length; zero where there is no word."""
        width = self._rows.shape[1]
        out = np.zeros((len(texts), width), dtype=np.float32)
        for i, text in enumerate(texts):
            vectors = self._vectors(self._terms(text))
            if len(vectors):
                weight = np.logaddexp(0.0, vectors @ self._net["gate"] + self._net["gate_bias"][0])
                out[i] = weight @ vectors
        length = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out / np.maximum(length, np.float32(1e-9)))

    def _vectors(self, terms: Sequence[str]) -> Floats:
        rows = np.array([self._row(term) for term in terms], dtype=np.intp)
        inside = rows >= 0
        vectors = self._rows[rows[inside]].astype(np.float32) * self._scales[rows[inside], None].astype(np.float32)
        if self._outside is None or inside.all():
            return np.asarray(vectors)
        out = np.empty((len(terms), self._rows.shape[1]), dtype=np.float32)
        out[inside] = vectors
        out[~inside] = self._outside([term for term, there in zip(terms, inside) if not there])
        return out
