"""`build_text`: from text-place pairs to the adapter and the lookup table (`geoconcept text build`)."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import atomic_file, sha256_of
from ..progress import report
from ..storage import write_arrays, write_json
from ..tensors import tensors_bytes
from .lookup import LOOKUP, WordLookup
from .network import Batches, Network, train
from .pairs import HELD_OUT, HeldOut, Whitening, common_words, training_pairs
from .pairs_places import open_places
from .static import StaticWords
from .tower import ADAPTER, ADAPTER_JSON, FORMAT
from .words import LONGEST, keys_of, merge, singulars, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..progress import Progress
    from .minilm import MiniLM
    from .pairs import Pairs

    Floats = NDArray[np.float32]

__all__ = ["TextBuild", "build_text"]

#: Rows of the table, and the numbers that the lookup keeps of each.
_ROWS, _LOOKUP_WIDTH = 30_000, 96
_STEPS = 4_000
#: Texts of each group in a step, and what a word of it adds to its claim to a row.
_A_STEP = {"phrases": 160, "compositions": 192, "names": 128, "towns": 64, "points": 32, "taught": 64}
_CLAIM = {"phrases": 3.0, "compositions": 0.2, "names": 1.0, "towns": 0.5, "points": 0.3}
#: Claims of a word common in writing about places, of the most frequent English words, of others, about no place.
_COMMON, _FREQUENT, _RARER, _OTHER = 5.0, 3.0, 0.6, 3.0
_MOST_FREQUENT = 13_000
#: What static vectors are divided by, so that both kinds weigh alike.
_STATIC_SCALE, _MEANING_SCALE = 16.0, 20.0
#: The teacher: kernel regression on so many names and towns beside all phrases, kernel exp(b (cos - 1)), its ridge.
_TEACHER_NAMES, _TEACHER_TOWNS, _TEACHER_B, _TEACHER_RIDGE = 2_600, 500, 4.0, 2.0
#: MiniLM sees a word in these sentences: they bring out what it means on a map.
_TEACHER_TEMPLATES = ("{} landscape and climate", "a photo taken in {}", "the geography of {}")
#: An answer shorter than the first is a guess; a word with one shorter than the second is like no text about places.
_TEACHER_SURE, _TEACHER_UNLIKE = 0.165, 0.165
#: Texts about no place that are made by joining two or three others.
_JOINED_OTHERS = 4_000


@dataclass(frozen=True)
class TextBuild:
    """A tower that was built, before it is saved.

    Attributes
    ----------
    adapter, lookup : dict of str to ndarray
        What the two files hold.
    record : dict
        What ``adapter.json`` says, but for the hashes.
    """

    adapter: dict[str, NDArray[Any]]
    lookup: dict[str, NDArray[Any]]
    record: dict[str, Any]

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write ``adapter.safetensors``, ``adapter.json`` and ``lookup.safetensors``.

        Parameters
        ----------
        folder : path-like
            Made if it is not there.

        Returns
        -------
        pathlib.Path
            The folder.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        about = {"name": f"{self.record['name']} lookup", "space": str(self.record["space"])}
        with atomic_file(folder / LOOKUP.name) as part:
            part.write_bytes(tensors_bytes(self.lookup, {"about": json.dumps(about, sort_keys=True)}))
        record = {
            **self.record,
            "sha256": write_arrays(self.adapter, folder / ADAPTER),
            "lookup_sha256": sha256_of(folder / LOOKUP.name),
        }
        write_json(record, folder / ADAPTER_JSON)
        return folder


def build_text(
    model: GeoConceptModel,
    *,
    hold_out: bool = False,
    seed: int = 0,
    steps: int = _STEPS,
    progress: Progress | None = None,
) -> TextBuild:
    """Train the bundled text tower anew: 15 minutes on two cores; the same machine gives the same bytes.

    Parameters
    ----------
    model : GeoConceptModel
        Its encoder embeds the places, its bank reads what only photos show. Give ``backend="numpy"``.
    hold_out : bool, default False
        Leave the phrases and words of ``held_out.txt`` out of training, as the benchmark's numbers want it. The tower
        that ships is trained on them, too: users type them.
    seed : int, default 0
    steps : int, default 4,000
        Of the training; fewer for a trial.
    progress : callable, optional
        Called as ``progress(done, total)``; return true to cancel.

    Returns
    -------
    TextBuild

    Raises
    ------
    InputError
        The data folder (environment variable ``GEOCONCEPT_DATA``) is not there, or the phrases have a mistake.
    MissingDependencyError
        torch, or a package with names or vectors, is missing; the message says how to install it.
    """
    import torch
    from threadpoolctl import threadpool_limits

    from .minilm import MiniLM

    threads = torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    try:
        # How a product is split between threads changes its last bits, and with them the tower.
        with threadpool_limits(1):
            return _build(model, MiniLM(), hold_out=hold_out, seed=seed, steps=steps, progress=progress)
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)


def _build(
    model: GeoConceptModel, minilm: MiniLM, *, hold_out: bool, seed: int, steps: int, progress: Progress | None
) -> TextBuild:
    total = steps + 3_000
    places, sample = open_places(model, seed=seed)
    report(progress, 1_000, total)
    whitening = Whitening(places.z[sample])
    pairs = training_pairs(places, whitening, HeldOut(HELD_OUT) if hold_out else HeldOut(), seed=seed)
    report(progress, 2_000, total)
    shown = None if progress is None else lambda done, _: progress(2_000 + done, total)
    adapter, record = fit_tower(pairs, whitening, minilm, seed=seed, steps=steps, progress=shown)
    lookup = _lookup(adapter)
    record = {
        "format": FORMAT,
        "format_version": 1,
        "name": "bundled",
        "space": model.space,
        "encoder_sha256": model.sha256,
        "wordllama": version("wordllama"),
        "hold_out": hold_out,
        **record,
        "lookup": _loss(adapter, lookup, whitening, [entry[0] for entry in pairs.texts["compositions"][::20]]),
        "licence": "MIT; learnt from GeoNames (CC BY 4.0), Natural Earth (public domain) and what NOTICE lists",
        "script": "geoconcept text build",
    }
    return TextBuild(adapter, lookup, record)


def fit_tower(
    pairs: Pairs,
    whitening: Whitening,
    minilm: MiniLM,
    *,
    seed: int = 0,
    steps: int = _STEPS,
    progress: Progress | None = None,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Train the network on pairs; return the adapter's arrays, and what to record.

    Parameters
    ----------
    pairs : Pairs
    whitening : Whitening
    minilm : MiniLM
    seed : int, default 0
    steps : int, default 4,000
    progress : callable, optional
        Called as ``progress(done, steps + 1,000)``.

    Returns
    -------
    tuple of dict
    """
    vocabulary = Vocabulary(pairs, minilm.whole_words(), common_words())
    static = StaticWords()
    texts = {group: vocabulary.numbers(entry[0] for entry in entries) for group, entries in pairs.texts.items()}
    others = vocabulary.numbers(pairs.other)
    meaning = minilm.encode(vocabulary.terms)
    plain, pieces = static.vectors(vocabulary.terms), static.vectors(vocabulary.outside)
    centre, spread = plain.mean(axis=0), float(plain.std()) * _STATIC_SCALE
    report(progress, 1_000, steps + 1_000)
    taught, directions, unlike = _taught(pairs, vocabulary, minilm, seed=seed)
    network = Network(
        (plain - centre) / spread,
        (meaning - meaning.mean(axis=0)) / (meaning.std(axis=0).mean() * _MEANING_SCALE),
        (pieces - centre) / spread,
        seed=seed,
    )
    others = _joined(others + [[row] for row in unlike], seed=seed)
    batches = _batches(pairs, texts, others, taught, directions)
    train(
        network,
        batches,
        steps=steps,
        seed=seed,
        progress=None if progress is None else lambda done, _: progress(1_000 + done, steps + 1_000),
    )
    texts_used = {group: len(entries) for group, entries in pairs.texts.items()}
    return _adapter(network, vocabulary, whitening, centre, spread), {
        "texts": {**texts_used, "taught": len(taught)},
        "about_no_place": len(pairs.other),
        "words": len(vocabulary.terms),
        "seed": seed,
        "steps": steps,
    }


class Vocabulary:
    """Which words and names have a row, and texts as numbers of words.

    Attributes
    ----------
    terms : list of str
        Words and names with a row, those with the best claim first.
    outside : list of str
        Words met in texts that have none.
    trained : set of str
        Terms that occur in a training text.
    """

    def __init__(self, pairs: Pairs, frequent: Sequence[str], common: set[str]) -> None:
        claims: defaultdict[str, float] = defaultdict(float)
        for group, entries in pairs.texts.items():
            for text, _, weight in entries:
                for word in split_words(text):
                    claims[word] += _CLAIM[group] * weight
        for text in pairs.other:
            for word in split_words(text):
                claims[word] += _OTHER
        self.trained = set(claims)
        for name, weight in pairs.names:
            words = split_words(name)
            if 1 < len(words) <= LONGEST:
                self.trained.add(" ".join(words))
                claims[" ".join(words)] = max(claims[" ".join(words)], weight)
        for rank, word in enumerate(frequent):
            claims[word] = max(claims[word], _FREQUENT if rank < _MOST_FREQUENT else _RARER)
        for word in common:
            claims[word] = max(claims[word], _COMMON)
        self.terms = sorted(claims, key=lambda term: (-claims[term], term))[:_ROWS]
        self.outside: list[str] = []
        self._row = {term: row for row, term in enumerate(self.terms)}
        self._outside: dict[str, int] = {}
        self._names = {term for term in self.terms if " " in term}

    def numbers(self, texts: Any) -> list[list[int]]:
        """Return each text as numbers of words; a word without a row is -1 - its place in `outside`."""
        return [[self._number(term) for term in merge(split_words(text), self._names)] for text in texts]

    def _number(self, term: str) -> int:
        for one in (term, *singulars(term)):
            if one in self._row:
                return self._row[one]
        if term not in self._outside:
            self._outside[term] = len(self.outside)
            self.outside.append(term)
        return -1 - self._outside[term]


def _taught(pairs: Pairs, vocabulary: Vocabulary, minilm: MiniLM, *, seed: int) -> tuple[list[int], Floats, list[int]]:
    """Guess directions of words that no text has, from MiniLM's vectors of texts that are trained.

    Kernel regression (the mean of a Gaussian process): a word unlike every text gets a short answer. Returns the rows
    of words with an answer, the answers, and the rows of words unlike any text about places.
    """
    from scipy.linalg import cho_factor, cho_solve

    rng = np.random.default_rng(seed)
    known = [(text, row, 1.0) for text, row, weight in pairs.texts["phrases"] if weight >= 2.0]
    names = [(text, row, 0.7) for text, row, weight in pairs.texts["names"] if weight >= 1.0]
    towns = sorted(pairs.texts["towns"], key=lambda entry: -entry[2])[:_TEACHER_TOWNS]
    chosen = rng.choice(len(names), min(_TEACHER_NAMES, len(names)), replace=False)
    known += [names[i] for i in chosen] + [(text, row, 0.3) for text, row, _ in towns]
    rows = [i for i, term in enumerate(vocabulary.terms) if term not in vocabulary.trained]

    def seen(texts: list[str]) -> Floats:
        vectors = [minilm.encode([one.format(text) for text in texts]) for one in _TEACHER_TEMPLATES]
        return np.asarray(np.sum(vectors, axis=0))

    inside = seen([" ".join(split_words(text)) for text, _, _ in known])
    asked = seen([vocabulary.terms[row] for row in rows])
    middle = inside.mean(axis=0)
    inside, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (inside - middle, asked - middle))
    kernel = np.exp(_TEACHER_B * (inside @ inside.T - 1.0)).astype(np.float64)
    kernel[np.diag_indices_from(kernel)] += _TEACHER_RIDGE / np.array([weight for _, _, weight in known])
    targets = np.array([pairs.targets[row] for _, row, _ in known], dtype=np.float64)
    solved = cho_solve(cho_factor(kernel), targets)
    answers = np.exp(_TEACHER_B * (asked @ inside.T - 1.0)) @ solved
    length = np.linalg.norm(answers, axis=1)
    sure = np.flatnonzero(length > _TEACHER_SURE)
    unlike = [rows[i] for i in np.flatnonzero(length < _TEACHER_UNLIKE)]
    return [rows[i] for i in sure], (answers[sure] / length[sure, None]).astype(np.float32), unlike


def _joined(others: list[list[int]], *, seed: int) -> list[list[int]]:
    """Add texts of several words that are about no place."""
    rng = np.random.default_rng(seed)
    chosen = [rng.integers(0, len(others), rng.integers(2, 4)) for _ in range(_JOINED_OTHERS)]
    return others + [[word for i in one for word in others[i]] for one in chosen]


def _batches(
    pairs: Pairs, texts: dict[str, list[list[int]]], others: list[list[int]], taught: list[int], directions: Floats
) -> Batches:
    groups = {}
    for group, entries in pairs.texts.items():
        cumulative = np.cumsum([weight for _, _, weight in entries])
        groups[group] = (texts[group], np.array([row for _, row, _ in entries]), cumulative, _A_STEP[group])
    first = len(pairs.targets)
    groups["taught"] = (
        [[row] for row in taught],
        first + np.arange(len(taught)),
        np.arange(1.0, len(taught) + 1.0),
        _A_STEP["taught"],
    )
    return Batches(groups, others, np.concatenate([np.array(pairs.targets), directions]))


def _adapter(
    network: Network, vocabulary: Vocabulary, whitening: Whitening, centre: Floats, spread: float
) -> dict[str, NDArray[Any]]:
    """Round the table to int8 and the network to float16, with the whitening folded in."""
    keys = keys_of(vocabulary.terms)
    order = np.argsort(keys, kind="stable")
    if (np.diff(keys[order].astype(np.int64)) == 0).any():
        # Two terms with one key: the one with the better claim stands first and is the one that is found.
        order = order[np.r_[True, np.diff(keys[order].astype(np.int64)) > 0]]
    net = network.matrices()
    for name in ("direct", "hidden_out"):
        net[name] = net[name] @ whitening.to_direction
    static = net.pop("static") / np.float32(spread)
    net["static"], net["static_bias"] = static, -centre @ static
    return {**_rounded(network.table()[order]), "keys": keys[order], **_halves(net)}


def _rounded(table: Floats) -> dict[str, NDArray[Any]]:
    scales = (np.abs(table).max(axis=1) / 127.0).astype(np.float16)
    rows = np.rint(table / scales[:, None].astype(np.float32)).clip(-127, 127)
    return {"rows": rows.astype(np.int8), "scales": scales}


def _halves(arrays: dict[str, Floats]) -> dict[str, NDArray[Any]]:
    return {name: array.astype(np.float16) for name, array in arrays.items()}


def _lookup(adapter: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Keep the main axes of the table of words; the network takes the turn in."""
    table = adapter["rows"].astype(np.float32) * adapter["scales"][:, None].astype(np.float32)
    _, axes = np.linalg.eigh(table.T.astype(np.float64) @ table)
    turn = axes[:, ::-1][:, :_LOOKUP_WIDTH].astype(np.float32)
    net = {
        name: array.astype(np.float32)
        for name, array in adapter.items()
        if name not in ("rows", "scales", "keys", "static", "static_bias")
    }
    for name in ("gate", "direct", "hidden_in", "geo_in"):
        net[name] = turn.T @ net[name]
    return {**_rounded(table @ turn), "keys": adapter["keys"], **_halves(net)}


def _loss(
    adapter: dict[str, NDArray[Any]], lookup: dict[str, NDArray[Any]], whitening: Whitening, texts: list[str]
) -> dict[str, float]:
    """Say how like the lookup's maps of the land are to the tower's: correlation over texts."""
    about = {"name": "", "space": ""}
    back = np.linalg.inv(whitening.to_direction.astype(np.float64))
    full, small = (WordLookup(arrays, about).encode(texts) @ back for arrays in (adapter, lookup))
    like = (full * small).sum(axis=1) / np.linalg.norm(full, axis=1) / np.linalg.norm(small, axis=1)
    return {
        "width": _LOOKUP_WIDTH,
        "texts": len(texts),
        "median_correlation": round(float(np.median(like)), 4),
        "lowest_percent_correlation": round(float(np.percentile(like, 1)), 4),
    }
