"""Training pairs: texts, and the places they are about.

Building a tower only. Every text has a target: the direction that tells its places from the rest of the land best.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bank.definitions import definitions
from ..bank.sources import EARTH_RADIUS_KM, _layer, _on_sphere, _tree_of, countries, data_folder
from ..errors import InputError
from .pairs_points import features, heritage, spelled_out, towns
from .pairs_truths import Places, read_phrases
from .words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["HELD_OUT", "HeldOut", "Pairs", "Whitening", "common_words", "training_pairs"]

#: What no training text may be (``= phrase``) or use (``~ words``): the benchmark's phrases.
HELD_OUT = Path(__file__).with_name("held_out.txt")
#: Ordinary words that are about no place.
OTHER_WORDS = Path(__file__).with_name("other_words.txt")

#: Ridge of the target directions, in units of the mean variance; any of 0.01 to 3 does as well.
RIDGE = 0.3
#: A truth with fewer places in the sample of the land is told from all places at hand.
_FEWEST = 50
#: A composition needs so many places, and at most this share of the land.
_FEWEST_COMPOSED, _LARGEST_SHARE = 30, 0.5

_TEMPLATES = {
    "adjectives": ("{} places", "a {} place", "{} land", "{} regions", "{} areas", "{} landscape", "where it is {}"),
    "landforms": (
        "places with {}",
        "land with {}",
        "areas of {}",
        "a photo of {}",
        "{} landscape",
        "the {}",
        "where there are {}",
        "view of {}",
        "a landscape of {}",
    ),
    "relations": ("places {}", "somewhere {}", "land {}", "regions {}"),
    "names": (
        "in {}",
        "a place in {}",
        "a photo taken in {}",
        "somewhere in {}",
        "travel to {}",
        "landscapes of {}",
        "parts of {}",
        "the region of {}",
    ),
}
#: Words that say nothing about where: put before a phrase now and then, so that they are learnt to be passed over.
_NEUTRAL = (
    "beautiful {}", "typical {}", "famous {}", "the most beautiful {}", "large {}", "small {}", "many {}", "some {}",
    "lots of {}", "a lot of {}", "all {}", "great {}", "nice {}", "old {}", "real {}", "show me {}", "where is {}",
    "find {}", "map of {}", "pictures of {}", "looks like {}", "similar to {}", "something like {}", "the world of {}",
    "a trip to {}", "life in {}", "people in {}", "nature of {}", "environment of {}", "scenery of {}", "view of {}",
    "i want to see {}", "surrounded by {}", "full of {}", "typically {}", "natural {}", "picturesque {}", "scenic {}",
)  # fmt: skip
#: What a text about no place is said in.
_OTHER_TEMPLATES = (
    "a {}", "an {}", "the {}", "my {}", "your {}", "this {}", "about {}", "how to {}", "a lot of {}", "what is {}",
    "{} of the {}", "{} and {}", "{} with {}", "{} in my {}", "a photo of {}", "very {}", "i have {}", "places with {}",
)  # fmt: skip


class HeldOut:
    """Phrases and words that may not be trained on.

    Parameters
    ----------
    *paths : pathlib.Path
        Files with lines ``= phrase`` (not as a whole text) and ``~ words`` (nowhere in a text).
    """

    def __init__(self, *paths: Path) -> None:
        lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
        self._phrases = {" ".join(split_words(line[2:])) for line in lines if line.startswith("= ")}
        self._words = {f" {' '.join(split_words(line[2:]))} " for line in lines if line.startswith("~ ")}
        self._single = {word.strip() for word in self._words if " " not in word.strip()}
        self._several = self._words - {f" {word} " for word in self._single}

    def forbids(self, text: str) -> bool:
        """Say whether a text may not be trained on.

        Parameters
        ----------
        text : str
            Spelled anyhow.

        Returns
        -------
        bool
        """
        return " ".join(split_words(text)) in self._phrases or self.forbids_words(text)

    def forbids_words(self, text: str) -> bool:
        """Say whether a text uses words that may occur in no text, alone or with others.

        Parameters
        ----------
        text : str
            Spelled anyhow.

        Returns
        -------
        bool
        """
        words = split_words(text)
        joined = f" {' '.join(words)} "
        return not self._single.isdisjoint(words) or any(several in joined for several in self._several)


class Whitening:
    """Coordinates in which the cosine of two directions is the correlation of their maps of the land.

    Parameters
    ----------
    z : ndarray of float32, shape (N, 512)
        Centred unit vectors of places, mostly an even sample of the land.
    """

    def __init__(self, z: NDArray[np.float32]) -> None:
        self.mean = z.mean(axis=0, dtype=np.float64)
        variance, axes = np.linalg.eigh(np.cov(z.astype(np.float64).T))
        ridged = variance + RIDGE * variance.mean()
        # float32: these meet large matrices.
        self.to_direction = ((axes / np.sqrt(ridged)) @ axes.T).astype(np.float32)

    def target(self, mean: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the whitened direction to places with this mean vector; unit length, rows alike."""
        white = (mean - self.mean) @ self.to_direction
        return np.asarray(white / np.linalg.norm(white, axis=-1, keepdims=True), dtype=np.float32)


@dataclass
class Pairs:
    """Texts by group, each with the row of its target.

    Attributes
    ----------
    texts : dict of str to list
        Group to (text, row of `targets`, weight).
    targets : list of ndarray of float32, shape (512,)
        Whitened directions.
    other : list of str
        Texts that are about no place.
    names : list of (str, float)
        Names with their weight: what deserves a row of its own in the table of words.
    """

    texts: dict[str, list[tuple[str, int, float]]] = field(default_factory=dict)
    targets: list[NDArray[np.float32]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    names: list[tuple[str, float]] = field(default_factory=list)

    def target(self, direction: NDArray[np.float32]) -> int:
        """Keep a direction and return its row."""
        self.targets.append(direction)
        return len(self.targets) - 1

    def add(self, group: str, text: str, row: int, weight: float = 1.0) -> None:
        """Add a text to a group."""
        self.texts.setdefault(group, []).append((text, row, weight))


class _Truths:
    """Masks and targets of truths, each worked out once."""

    def __init__(self, places: Places, whitening: Whitening) -> None:
        self.places, self.whitening = places, whitening
        self._land = np.flatnonzero(places.land)
        self._rows: dict[str, NDArray[np.intp]] = {}
        self._masks: dict[str, NDArray[np.uint8]] = {}

    def mask(self, truth: str) -> NDArray[np.bool_]:
        if truth not in self._masks:
            self._masks[truth] = np.packbits(self.places.mask(truth))
        return np.unpackbits(self._masks[truth], count=len(self.places.z)).astype(bool)

    def target_of(self, mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32] | None:
        """Return the whitened direction to some places; None if there are too few of them or it is about everywhere."""
        rows = np.flatnonzero(mask & self.places.land)
        if len(rows) > _LARGEST_SHARE * len(self._land):
            return None
        if len(rows) < _FEWEST:
            rows = np.flatnonzero(mask)
        if len(rows) < _FEWEST_COMPOSED:
            return None
        if len(rows) > 2000:
            rows = rng.choice(rows, 2000, replace=False)
        return self.whitening.target(self.places.z[rows].mean(axis=0))


def training_pairs(places: Places, whitening: Whitening, held: HeldOut, *, seed: int = 0) -> Pairs:
    """Collect every training text with its target.

    Parameters
    ----------
    places : Places
        Where truths are read.
    whitening : Whitening
    held : HeldOut
        What may not be used.
    seed : int, default 0
        Of the compositions drawn.

    Returns
    -------
    Pairs
    """
    rng = np.random.default_rng(seed)
    pairs = Pairs()
    truths = _Truths(places, whitening)
    spoken = _phrases(pairs, truths, held, rng)
    _bank(pairs, truths, held, rng)
    _areas(pairs, truths, held, rng)
    _points(pairs, places, whitening, held)
    _compositions(pairs, truths, spoken, held, rng)
    pairs.other = [text for text in _others(rng) if not held.forbids(text)]
    return pairs


def _others(rng: np.random.Generator) -> list[str]:
    """List texts about no place: words and phrases as they are, then in templates."""
    lines = OTHER_WORDS.read_text(encoding="utf-8").splitlines()
    plain = [line for line in lines if line and not line.startswith("#")]
    return plain + [
        template.format(*rng.choice(plain, template.count("{}"))) for template in _OTHER_TEMPLATES for _ in range(100)
    ]


def common_words() -> set[str]:
    """Return words that deserve a row even if no text is trained on them: they are common in writing about places."""
    texts = [phrase for lines in read_phrases().values() for phrases in lines.values() for phrase in phrases]
    for one in definitions(countries(data_folder())):
        texts += [one.name, *one.aliases]
    regions = _layer(data_folder(), "ne_10m_geography_regions_polys")
    texts += [spelled_out(name) for name in regions.loc[regions["scalerank"] <= 4, "name"]]
    return {word for text in texts for word in split_words(text) if not word.isdigit()}


def _phrases(
    pairs: Pairs, truths: _Truths, held: HeldOut, rng: np.random.Generator
) -> dict[str, list[tuple[str, str]]]:
    """Add the phrases of the list, plain and in templates; return (phrase, truth) by section."""
    spoken: dict[str, list[tuple[str, str]]] = {}
    for section, lines in read_phrases().items():
        if section == "names":
            continue
        kind = section if section in _TEMPLATES else "names"
        for truth, phrases in lines.items():
            mask = truths.mask(truth)
            rows = np.flatnonzero(mask & truths.places.land)
            rows = rows if len(rows) >= _FEWEST else np.flatnonzero(mask)
            if not len(rows):
                raise InputError(f"truth {truth!r} of {phrases[0]!r} holds for none of the places at hand: mend it")
            row = pairs.target(truths.whitening.target(truths.places.z[rows].mean(axis=0)))
            for phrase in phrases:
                if held.forbids_words(phrase):
                    continue
                spoken.setdefault(section, []).append((phrase, truth))
                if not held.forbids(phrase):
                    pairs.add("phrases" if kind != "names" else "names", phrase, row, 3.0)
                pairs.names.append((phrase, 6.0 if kind == "names" or len(phrase.split()) == 1 else 0.0))
                templates = [*rng.choice(_TEMPLATES[kind], 3, replace=False), rng.choice(_NEUTRAL)]
                for template in templates:
                    text = str(template).format(phrase)
                    if not held.forbids(text):
                        pairs.add("phrases" if kind != "names" else "names", text, row)
    return spoken


def _bank(pairs: Pairs, truths: _Truths, held: HeldOut, rng: np.random.Generator) -> None:
    """Add names, aliases, prompts and descriptions of the bank's concepts."""
    for one in definitions(countries(data_folder())):
        target = truths.target_of(truths.mask(one.name), rng)
        if target is None:
            continue
        row = pairs.target(target)
        for text in (one.name, *one.aliases, *one.prompts, one.description):
            if not held.forbids(text):
                pairs.add("phrases", text, row, 2.0)


def _areas(pairs: Pairs, truths: _Truths, held: HeldOut, rng: np.random.Generator) -> None:
    """Add countries, regions and provinces by name."""
    for names, mask, weight in (*_countries(truths.places), *_regions(truths.places), *_provinces(truths.places)):
        rows = np.flatnonzero(mask & truths.places.land)
        rows = rows if len(rows) >= _FEWEST else np.flatnonzero(mask)
        if not len(rows):  # an islet of a province that no place at hand is nearest to
            continue
        row = pairs.target(truths.whitening.target(truths.places.z[rows].mean(axis=0)))
        for name in sorted(names):  # the order of a set changes from run to run, and with it every draw
            if held.forbids(name) or not split_words(name):
                continue
            pairs.add("names", name, row, weight)
            pairs.names.append((name, 3.0 * weight))
            text = str(rng.choice(_TEMPLATES["names"])).format(name)
            if not held.forbids(text):
                pairs.add("names", text, row, 0.5 * weight)


def _countries(places: Places) -> Iterator[tuple[set[str], NDArray[np.bool_], float]]:
    frame = _layer(data_folder(), "ne_50m_admin_0_countries")
    masks = places.truths.regions("ne_50m_admin_0_countries", "ADMIN")
    for record in frame.to_dict("records"):
        names = {str(record[column]) for column in ("ADMIN", "NAME_LONG", "FORMAL_EN", "NAME_CIAWF")}
        yield {name for name in names if name not in ("None", "nan")}, masks[record["ADMIN"]], 3.0


def _regions(places: Places) -> Iterator[tuple[set[str], NDArray[np.bool_], float]]:
    layer = "ne_10m_geography_regions_polys"
    frame = _layer(data_folder(), layer)
    masks = places.truths.regions(layer, "name", "mended")
    for name, rows in frame.groupby("name"):
        names = {str(name), *(str(other) for other in rows["namealt"].dropna())}
        rank = int(rows["scalerank"].min())
        yield {spelled_out(one) for one in names}, masks[str(name)], 3.0 if rank <= 2 else 1.0


def _provinces(places: Places) -> Iterator[tuple[set[str], NDArray[np.bool_], float]]:
    towns = _layer(data_folder(), "ne_10m_populated_places")
    near = places.nearest(np.column_stack([towns.geometry.x, towns.geometry.y]))
    land = places.on_land()
    owner = towns["ADM0NAME"].fillna("") + "|" + towns["ADM1NAME"].fillna("")
    codes, labels = owner.factorize()
    at = codes[near]
    for code, label in enumerate(labels):
        country, _, name = str(label).partition("|")
        if name and name != country:
            yield {name, f"{name}, {country}"}, (at == code) & land, 1.0


def _points(pairs: Pairs, places: Places, whitening: Whitening, held: HeldOut) -> None:
    """Add what stands at one point: towns, lakes, summits, volcanoes, parks, World Heritage."""
    found = [*towns(), *features(), *heritage()]
    lonlat = np.array([point for _, _, point, _, _ in found])
    tree = _tree_of(places.lonlat)
    # A name stands for its surroundings: the nearest of the places at hand, up to some 100 km away.
    chord, near = tree.query(_on_sphere(lonlat), k=24)
    weight = np.exp(-((chord * EARTH_RADIUS_KM / 60.0) ** 2)) + 1e-9
    weight /= weight.sum(axis=1, keepdims=True)
    for start in range(0, len(found), 4096):
        part = slice(start, start + 4096)
        targets = whitening.target(np.einsum("nk,nkd->nd", weight[part], places.z[near[part]]))
        for (group, texts, _, strength, name), target in zip(found[part], targets, strict=True):
            allowed = [text for text in texts if not held.forbids(text) and split_words(text)]
            if not allowed:
                continue
            row = pairs.target(target)
            for text in allowed:
                pairs.add(group, text, row, strength / len(allowed))
            if not held.forbids(name):
                pairs.names.append((name, strength))


#: Patterns of compositions, and how many of each are tried.
_PATTERNS = (
    ("{adjectives} {landforms}", 9_000),
    ("{landforms} in {where}", 9_000),
    ("{adjectives} {landforms} in {where}", 9_000),
    ("{landforms} {relations}", 5_000),
    ("{adjectives} {landforms} {relations}", 4_000),
    ("{adjectives} {adjectives} {landforms}", 3_000),
    ("{adjectives} and {adjectives} places", 3_000),
    ("{where} {landforms}", 4_000),
    ("{adjectives} {where}", 4_000),
    ("{landforms} and {landforms}", 4_000),
    ("{where} {relations}", 3_000),
    ("{adjectives} parts of {where}", 3_000),
    ("places {relations} {relations}", 2_000),
)


def _compositions(
    pairs: Pairs,
    truths: _Truths,
    spoken: dict[str, list[tuple[str, str]]],
    held: HeldOut,
    rng: np.random.Generator,
) -> None:
    """Add phrases that join others; their truth holds where all the parts hold."""
    areas = [*spoken["regions"], *spoken["countries"]]
    areas += [(name, f"@{name}") for name in countries(data_folder()) if not held.forbids(name)] * 2
    parts = {**spoken, "where": areas}
    # Truths with many synonyms are not drawn more often than others.
    by_truth = {key: _grouped(items) for key, items in parts.items()}
    seen: set[str] = set()
    for pattern, count in _PATTERNS:
        slots = re.findall(r"{(\w+)}", pattern)
        for _ in range(count):
            chosen = [by_truth[slot][rng.integers(len(by_truth[slot]))] for slot in slots]
            phrases = [names[rng.integers(len(names))] for _, names in chosen]
            text = re.sub(r"{\w+}", "{}", pattern).format(*phrases)
            if text in seen or held.forbids(text) or len({truth for truth, _ in chosen}) < len(chosen):
                continue
            mask = np.logical_and.reduce([truths.mask(truth) for truth, _ in chosen])
            target = truths.target_of(mask, rng)
            if target is not None:
                seen.add(text)
                pairs.add("compositions", text, pairs.target(target))


def _grouped(items: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    out: dict[str, list[str]] = {}
    for phrase, truth in items:
        out.setdefault(truth, []).append(phrase)
    return list(out.items())
