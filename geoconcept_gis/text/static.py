"""Static word vectors: the files that wordllama ships inside its package, opened without its loader."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["StaticWords"]

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"


class StaticWords:
    """Word vectors of wordllama (MIT): the mean of the vectors of a word's pieces.

    Attributes
    ----------
    width : int
        Numbers in a vector: 256.

    Raises
    ------
    MissingDependencyError
        wordllama or tokenizers is not installed, or this wordllama has no packaged files.
    """

    def __init__(self) -> None:
        self._pieces, self._tokenizer = _files()
        self.width = int(self._pieces.shape[1])

    def pieces(self, word: str) -> list[int]:
        """Return the pieces of a word, in the spelling that has the fewest: names are written with a capital.

        Parameters
        ----------
        word : str
            As `split_words` spells.

        Returns
        -------
        list of int
            Rows of the table of pieces.
        """
        spelled = (word, word.title(), word.upper())
        return min((self._tokenizer.encode(one, add_special_tokens=False).ids for one in spelled), key=len)

    def vectors(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector a term; the mean over its words for names of several words.

        Parameters
        ----------
        terms : sequence of str

        Returns
        -------
        ndarray of float32, shape (N, 256)
        """
        out = np.zeros((len(terms), self.width), dtype=np.float32)
        for i, term in enumerate(terms):
            words = [self._pieces[self.pieces(word)].astype(np.float32).mean(axis=0) for word in term.split()]
            if words:
                out[i] = np.mean(words, axis=0)
        return out


@lru_cache(maxsize=1)
def _files() -> tuple[NDArray[np.float16], Any]:
    found = importlib.util.find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError("text concepts need wordllama: pip install wordllama")
    folder = Path(found.submodule_search_locations[0])
    for name in (_WEIGHTS, _TOKENIZER):
        if not (folder / name).is_file():
            raise MissingDependencyError(f"this wordllama has no {name}: pip install --upgrade 'wordllama>=0.4'")
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingDependencyError("text concepts need tokenizers: pip install tokenizers") from None
    from ..storage import read_arrays

    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    [table] = read_arrays(folder / _WEIGHTS).values()
    return table, tokenizer
