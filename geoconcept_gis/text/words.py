"""Phrases to words: spelling made alike, and names of several words found.

Numpy alone, Python 3.9: the QGIS plugin ships this file as it is.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from numpy.typing import NDArray

__all__ = ["LONGEST", "key_of", "keys_of", "merge", "singulars", "split_words"]

#: A name has at most so many words.
LONGEST = 4

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['\u2019`]s\b")
#: Latin letters that no accent turns into another.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
)


def split_words(text: str) -> list[str]:
    """Split a phrase into words, spelled alike: lower case, no accents, no punctuation.

    Parameters
    ----------
    text : str
        Any text, in any script.

    Returns
    -------
    list of str
        Empty if there is no letter or digit.

    Examples
    --------
    >>> split_words("Snow-capped peaks of São Tomé's coast")
    ['snow', 'capped', 'peaks', 'of', 'sao', 'tome', 'coast']
    """
    plain = _POSSESSIVE.sub("", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).translate(_LETTERS)
    return _WORD.findall(unicodedata.normalize("NFC", plain))


def key_of(term: str) -> int:
    """Return the 32-bit number that stands for a word, or for a name with its words joined by spaces.

    Parameters
    ----------
    term : str
        Spelled as `split_words` spells.

    Returns
    -------
    int
        CRC-32 of its UTF-8 bytes.

    Examples
    --------
    >>> key_of("new york")
    1023335536
    """
    return zlib.crc32(term.encode("utf-8"))


def keys_of(terms: Sequence[str]) -> NDArray[np.uint32]:
    """Return `key_of` each term.

    Parameters
    ----------
    terms : sequence of str

    Returns
    -------
    ndarray of uint32, shape (N,)

    Examples
    --------
    >>> keys_of(["sea", "land"]).dtype
    dtype('uint32')
    """
    return np.array([key_of(term) for term in terms], dtype=np.uint32)


def merge(words: Sequence[str], names: Container[str]) -> list[str]:
    """Join words that are one name, the longest first.

    Parameters
    ----------
    words : sequence of str
        As `split_words` returns them.
    names : container of str
        Names of several words, joined by spaces.

    Returns
    -------
    list of str

    Examples
    --------
    >>> merge(["cold", "new", "york", "city"], {"new york"})
    ['cold', 'new york', 'city']
    """
    out, start = [], 0
    while start < len(words):
        for count in range(min(LONGEST, len(words) - start), 0, -1):
            term = " ".join(words[start : start + count])
            if count == 1 or term in names:
                break
        out.append(term)
        start += count
    return out


def singulars(word: str) -> list[str]:
    """Return what a plural may be the plural of.

    Parameters
    ----------
    word : str

    Returns
    -------
    list of str
        Candidates, the likeliest first; empty for a word that is no plural.

    Examples
    --------
    >>> singulars("valleys"), singulars("cities"), singulars("moss")
    (['valley'], ['city'], [])
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return []
    if word.endswith("ies"):
        return [word[:-3] + "y"]
    return [word[:-1], word[:-2]] if word.endswith("es") else [word[:-1]]
