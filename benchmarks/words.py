"""Do words find their places? Every phrase of phrases.py, its direction against its truth, on land no fit has seen.

    GEOCONCEPT_DATA=path/to/data geoconcept text build --hold-out -o tower
    GEOCONCEPT_DATA=path/to/data python benchmarks/words.py --tower tower [--lookup] [--save]
    GEOCONCEPT_DATA=path/to/data python benchmarks/words.py --ceiling [--save]

A phrase becomes a direction; 20,000 fresh places, evenly over land, are scored with it; AUROC says how often a place
that the phrase is about scores above one that it is not about. The tower that ships was trained on these phrases, too:
without ``--tower`` the page says so, and its numbers test nothing but memory. ``--lookup`` takes the numpy-only table
of words. ``--ceiling`` asks no words at all: it fits a direction to each truth, and so says what any words could reach.
A minute on one core; the ceilings take some five.
"""

import argparse
import re
import warnings
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

try:
    from benchmarks.machine import machine, page_of
    from benchmarks.phrases import KINDS, PHRASES, SEED, labels, normalise
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from machine import machine, page_of
    from phrases import KINDS, PHRASES, SEED, labels, normalise

from geoconcept_gis import concept_from_text, load_model
from geoconcept_gis.bank.sources import Truths, data_folder
from geoconcept_gis.errors import ConceptError, InputError, PhraseWarning
from geoconcept_gis.fitting import Examples, centre, fit_concept, weighted_auroc
from geoconcept_gis.reference import reference_places
from geoconcept_gis.text import concept as concept_module
from geoconcept_gis.text.lookup import LOOKUP, WordLookup
from geoconcept_gis.text.tower import BundledTower

PLACES = 20_000
LAND = "uniform_land"
MEAN_BAR, COMMON_BAR, FINDABLE = 0.93, 0.75, 0.8
GEOGRAPHIC = [one for one in PHRASES if one.truth is not None]
SMALL_WORDS = frozenset(["a", "and", "any", "by", "from", "in", "near", "of", "on", "the", "to"])


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tower", help="folder of a tower that was built with --hold-out")
    parser.add_argument("--lookup", action="store_true", help="take the numpy-only table of words")
    parser.add_argument("--ceiling", action="store_true", help="fit a direction to each truth instead")
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found, model = machine(), load_model(backend="numpy")
    with threadpool_limits(1):
        z, found_labels, _ = land(model, SEED)
        if arguments.ceiling:
            what, page = "ceiling", ceiling_page(z, found_labels, land(model, SEED + 1))
        else:
            what, tower, warning = load_tower(arguments)
            page = [*warning, *words_page(tower, model, z, found_labels)]
            if not arguments.lookup:
                page += ["", *by_grade(tower, model, z, found_labels)]
    text = "\n".join(
        [
            f"# Words to places ({what}), on {found['cpu']}",
            "",
            f"Measured {found['date']} by `benchmarks/words.py`: {len(PHRASES)} phrases, {PLACES:,} places evenly over "
            "land that nothing was fitted on. AUROC of a phrase's scores, its places against all other land.",
            "",
            *page,
            "",
        ]
    )
    print(text)
    if arguments.save:
        page_of(f"words-{re.sub(r'[^a-z]+', '-', what)}", found["cpu"]).write_text(text, encoding="utf-8")


def load_tower(arguments):
    """What it is called, the tower, and a warning if it has seen the phrases."""
    folder = arguments.tower
    tower = BundledTower.load(folder)
    seen = not tower.record.get("hold_out")
    what = ("lookup" if arguments.lookup else "tower") + (", trained on these phrases" if seen else ", held out")
    warning = (
        ["**This tower was trained on these phrases: the numbers say nothing of unseen words.**", ""] if seen else []
    )
    if arguments.lookup:
        tower = WordLookup.load(LOOKUP if folder is None else Path(folder) / LOOKUP.name)
    return what, tower, warning


def by_grade(tower, model, z, found_labels):
    """Does the grade that a text concept gets say how well it does?"""
    concept_module._loaded = lambda kind: tower
    grades = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhraseWarning)
        for one in PHRASES:
            try:
                grades[one.text] = concept_from_text(one.text, model=model).grade
            except ConceptError:  # it knows none of the words, and says so
                grades[one.text] = "refused"
    directions = np.asarray(tower.encode([one.text for one in GEOGRAPHIC]), dtype=np.float32)
    found = aurocs(z @ directions.T, found_labels)
    lines = [
        "Grades of `concept_from_text`; refused: it knows none of the words.",
        "",
        "| grade | phrases about places | mean AUROC | below 0.75 | phrases about no place |",
        "| --- | --: | --: | --: | --: |",
    ]
    for grade in ("B", "C", "D", "refused"):
        mine = np.array([grades[one.text] == grade for one in GEOGRAPHIC])
        nowhere = sum(grades[one.text] == grade for one in PHRASES if one.truth is None)
        told = f"{found[mine].mean():.3f} | {(found[mine] < COMMON_BAR).mean():.0%}" if mine.any() else " | "
        lines.append(f"| {grade} | {mine.sum()} | {told} | {nowhere} |")
    return lines


def land(model, seed, count=PLACES):
    """Centred vectors of fresh land places, the label of every phrase there, and the places."""
    lonlat = reference_places(LAND, count, seed=seed)
    z = centre(model.encode(lonlat), model.bank.references[LAND])
    return z, labels(Truths(lonlat, data_folder())), lonlat


def aurocs(scores, found_labels):
    """AUROC of every geographic phrase; `scores` (N, P), in their order."""
    return np.array(
        [weighted_auroc(column, found_labels[one.text])[0] for column, one in zip(scores.T, GEOGRAPHIC, strict=True)]
    )


# ---------------------------------------------------------------- words


def words_page(tower, model, z, found_labels):
    """Bars, kinds, controls, what is flagged, and every phrase."""
    texts = [one.text for one in GEOGRAPHIC]
    directions = read(tower.encode, texts, z.shape[1])
    found = aurocs(z @ directions.T, found_labels)
    sure = read(tower.geographic, [one.text for one in PHRASES], 0) >= 0.5
    rng = np.random.default_rng(0)
    bank, names = nearest_concepts(model, z)
    controls = {
        "the truth itself": aurocs(
            np.stack([found_labels[text] for text in texts], axis=1).astype(float), found_labels
        ),
        "directions of other phrases": aurocs(z @ directions[derangement(len(texts), rng)].T, found_labels),
        "random directions": aurocs(z @ rng.normal(size=(z.shape[1], len(texts))).astype(np.float32), found_labels),
        "nearest concept by shared words": aurocs(bank, found_labels),
    }
    return [
        *bars(found, sure),
        "",
        *kinds(found),
        "",
        *control_table(controls, names),
        "",
        *flags(sure),
        "",
        *every_phrase(found, controls["nearest concept by shared words"], names, found_labels),
    ]


def read(method, texts, width):
    """What a tower says of each text; nothing (zeros, an AUROC of 0.5) where it knows none of the words and says so."""
    out = np.zeros((len(texts), width) if width else len(texts), dtype=np.float32)
    for k, text in enumerate(texts):
        try:
            out[k] = method([text])[0]
        except InputError:
            continue
    return out


def bars(found, sure):
    """What is wanted, what was found, and whether that is enough."""
    common = np.array([one.common for one in GEOGRAPHIC])
    nowhere = np.array([one.truth is None for one in PHRASES])
    rows = [
        ("mean AUROC", f"at least {MEAN_BAR}", f"{found.mean():.3f}", found.mean() >= MEAN_BAR),
        (
            "worst common word",
            f"at least {COMMON_BAR}",
            f"{found[common].min():.3f}, {(found[common] < COMMON_BAR).sum()} of {common.sum()} below",
            found[common].min() >= COMMON_BAR,
        ),
        (
            "phrases with no place that are flagged",
            "all",
            f"{(~sure[nowhere]).sum()} of {nowhere.sum()}",
            not sure[nowhere].any(),
        ),
    ]
    return [
        "| bar | wanted | found | verdict |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {wanted} | {value} | {'met' if met else 'missed'} |" for name, wanted, value, met in rows),
    ]


def kinds(found):
    """AUROC by kind of phrase."""
    lines = [
        "| kind | phrases | mean | median | worst | below 0.75 |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for name in (*KINDS[:-1], "all"):
        mine = found[[name in (one.kind, "all") for one in GEOGRAPHIC]]
        worst = [one for one in GEOGRAPHIC if name in (one.kind, "all")][int(mine.argmin())]
        lines.append(
            f"| {name} | {len(mine)} | {mine.mean():.3f} | {np.median(mine):.3f} | {mine.min():.3f} ({worst.text}) "
            f"| {(mine < COMMON_BAR).mean():.0%} |"
        )
    return lines


def control_table(controls, names):
    """Mean AUROC of scores that should do perfectly, no better than chance, or worse than words."""
    lines = [
        "Controls, mean AUROC. A phrase that shares no word with a concept of the bank counts 0.5 in the last row; "
        f"{sum(name != '' for name in names)} of {len(names)} share one.",
        "",
        "| scored by | " + " | ".join((*KINDS[:-1], "all")) + " |",
        "| --- |" + " --: |" * len(KINDS),
    ]
    for name, values in controls.items():
        means = [values[[kind in (one.kind, "all") for one in GEOGRAPHIC]].mean() for kind in (*KINDS[:-1], "all")]
        lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in means) + " |")
    return lines


def flags(sure):
    """Which phrases come back on the wrong side of "about places"."""
    judged = list(zip(PHRASES, sure, strict=True))
    return [
        "About no place, yet not flagged: " + listed(one.text for one, ok in judged if one.truth is None and ok),
        "",
        "About places, yet flagged: " + listed(one.text for one, ok in judged if one.truth is not None and not ok),
    ]


def listed(texts):
    """How many, and which."""
    texts = list(texts)
    return f"{len(texts)} ({', '.join(texts)})." if texts else "none."


def every_phrase(found, bank, names, found_labels):
    """Every phrase, worst first."""
    lines = [
        "| phrase | kind | share of land | AUROC | nearest concept by shared words | its AUROC |",
        "| --- | --- | --: | --: | --- | --: |",
    ]
    for k in np.argsort(found, kind="stable"):
        one = GEOGRAPHIC[k]
        lines.append(
            f"| {one.text} | {one.kind} | {found_labels[one.text].mean():.1%} | {found[k]:.3f} | {names[k] or '-'} "
            f"| {f'{bank[k]:.3f}' if names[k] else '-'} |"
        )
    return lines


def derangement(count, rng):
    """An order in which nothing stays where it was."""
    order = rng.permutation(count)
    other = np.empty(count, dtype=int)
    other[order] = np.roll(order, 1)
    return other


def nearest_concepts(model, z):
    """Score each phrase with the concept whose name or alias shares most words with it, (N, P); and their names."""
    concepts = model.bank.shown
    words = [
        (concept, set(normalise(name).split()) - SMALL_WORDS)
        for concept in concepts
        for name in (concept.name, *concept.aliases)
    ]
    scores, names = np.zeros((len(z), len(GEOGRAPHIC))), []
    for k, one in enumerate(GEOGRAPHIC):
        mine = set(normalise(one.text).split()) - SMALL_WORDS
        concept, theirs = max(words, key=lambda pair: len(mine & pair[1]) / len(mine | pair[1]))
        names.append(concept.name if mine & theirs else "")
        if names[-1]:
            scores[:, k] = z @ concept.vector
    return scores, names


# ---------------------------------------------------------------- ceilings


def ceiling_page(z, found_labels, others):
    """What a direction fitted to each truth reaches: on other places of the same parts of the Earth, and elsewhere."""
    fitted = [fit(others, one) for one in GEOGRAPHIC]
    reached = aurocs(z @ np.stack([one.vector for one in fitted]).T, found_labels)
    held_out = np.array([one.validity.value for one in fitted])
    lines = [
        "No words here: a direction is fitted to each truth on other places (logistic regression, as for the bank). "
        "*Same parts*: it is tested on the places of this test, anywhere. *Held-out blocks*: it is tested in blocks of "
        "the globe that it did not see; for a place, which has nothing of its kind elsewhere, that is too strict.",
        "",
        f"Hard to find for any direction (under {FINDABLE} in held-out blocks, places left out): "
        + listed(
            f"{one.text} {value:.2f}"
            for one, value in zip(GEOGRAPHIC, held_out, strict=True)
            if value < FINDABLE and one.kind != "place"
        ),
        "",
        "| kind | phrases | same parts, mean | worst | held-out blocks, mean | worst |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for name in (*KINDS[:-1], "all"):
        mine = np.array([name in (one.kind, "all") for one in GEOGRAPHIC])
        lines.append(
            f"| {name} | {mine.sum()} | {reached[mine].mean():.3f} | {reached[mine].min():.3f} "
            f"| {held_out[mine].mean():.3f} | {held_out[mine].min():.3f} |"
        )
    lines += [
        "",
        "| phrase | kind | share of land | same parts | held-out blocks | truth |",
        "| --- | --- | --: | --: | --: | --- |",
    ]
    for k in np.argsort(reached, kind="stable"):
        one = GEOGRAPHIC[k]
        lines.append(
            f"| {one.text} | {one.kind} | {found_labels[one.text].mean():.1%} | {reached[k]:.3f} | {held_out[k]:.3f} "
            f"| {one.truth.says} |"
        )
    return lines


def fit(places, phrase):
    """A direction that tells the places of a phrase's truth from the rest."""
    z, found_labels, lonlat = places
    examples = Examples(z, found_labels[phrase.text], lonlat, np.ones(len(z)))
    return fit_concept(examples, negatives="all other land", strengths=(0.3,), controls=False)


if __name__ == "__main__":
    main()
