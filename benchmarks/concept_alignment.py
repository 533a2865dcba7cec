"""Does aligning photos with concepts help to place them? 2,000 real photos, photographers held out, with controls.

    GEOCONCEPT_DATA=path/to/data python benchmarks/concept_alignment.py [--save] [--part heads ...] [--seeds 3]

Two parts. `heads` trains small image heads with and without each concept loss, `closed` fits ridge regressions for
several numbers of photos. Photos are read as features of a network for ImageNet (1,280 numbers), GeoCLIP's location
encoder is frozen. Half an hour on one core that has nothing else to do. Needs torch and the data; stops with a message
where they are absent.
"""

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

try:
    from benchmarks.held_out_photos import CURVE, FOLDS, Photos, columns, folds, some, surprise, table, unit
    from benchmarks.machine import machine, page_of
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from held_out_photos import CURVE, FOLDS, Photos, columns, folds, some, surprise, table, unit
    from machine import machine, page_of

from geoconcept_gis.train.concept_basis import random_basis, shuffled
from geoconcept_gis.train.geocells import make_geocells
from geoconcept_gis.train.losses import (
    CONCEPT_LOSSES,
    concept_bce,
    geocell_cross_entropy,
    haversine_km,
    info_nce,
    smoothed_info_nce,
)
from geoconcept_gis.train.seen import seen_concept_loss

INNER = 6
TEMPERATURES = (0.05, 0.07, 0.1, 0.14, 0.2, 0.28)


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="*", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3, help="how often photographers are divided and heads trained")
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found, data = machine(), Photos()
    lines = [
        f"# Concept alignment, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/concept_alignment.py`.",
        *data.about(),
    ]
    for part in arguments.part:
        start = time.perf_counter()
        lines += [
            "",
            *PARTS[part](data, range(arguments.seeds)),
            "",
            f"{(time.perf_counter() - start) / 60:.0f} minutes.",
        ]
        print("\n".join(lines), flush=True)
    if arguments.save:
        page_of("concept-alignment", found["cpu"]).write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- heads that are trained


@dataclass(frozen=True)
class Recipe:
    """How a head is trained: the loss against places, and a weighted one against concepts."""

    place: str = "one-sided"
    concept: str | None = None
    weight: float = 0.0
    width: float = 0.1
    basis: object = None
    #: Whether photos get the concepts of other photos' places.
    mixed: bool = False
    #: Log scores of gallery and own places, for tags to be read with.
    tables: object = None
    #: Instead of the photos' own.
    tags: object = None
    tau_km: float = 75.0


HIDDEN, BATCH, NEGATIVES, EPOCHS, PATIENCE = 256, 256, 1024, 20, 4
RATE, DECAY, SCALE, DROPOUT = 2e-3, 0.05, 1 / 0.07, (0.3, 0.5)


class Answer:
    """Log likelihoods of places: cosines over a temperature, plus what tags say where there are any."""

    def __init__(self, photos, vectors, temperature, tags=None, tables=None, weight=0.0):
        self.photos, self.vectors, self.temperature = photos, vectors, temperature
        self.tags, self.tables, self.weight = tags, tables, weight

    def scores(self, rows, places):
        out = self.vectors[rows] @ self.photos.vectors[places].T / self.temperature
        return out + self.weight * self.tags[rows] @ self.tables[0][places].T if self.weight else out

    def own(self, rows):
        out = (self.vectors[rows] * self.photos.own[rows]).sum(axis=1) / self.temperature
        return out + self.weight * (self.tags[rows] * self.tables[1][rows]).sum(axis=1) if self.weight else out


class Classes:
    """Cells of the Earth as classes: which photos and places lie in each, and how common it is in training."""

    def __init__(self, photos, train):
        geocells = make_geocells(photos.lonlat[train], most=40, fewest=5, finest=3)
        self.of_photo, self.of_place = geocells.assign(photos.lonlat), geocells.assign(photos.places)
        self.log_usual = torch.from_numpy(np.bincount(self.of_photo[train]) / len(train)).float().log()


class ClassAnswer:
    """Log likelihoods of places from classes: how much likelier than usual a photo makes the one they lie in."""

    def __init__(self, classes, logits, temperature=1.0):
        self.classes, self.temperature = classes, temperature
        self.log_ratios = ((logits + classes.log_usual).log_softmax(dim=1) - classes.log_usual).numpy()

    def scores(self, rows, places):
        return (self.log_ratios[rows] / self.temperature)[:, self.classes.of_place[places]]

    def own(self, rows):
        return self.log_ratios[rows, self.classes.of_photo[rows]] / self.temperature


def measured(photos, cells, answer, rows):
    """What `Cells.measure` says of rows, 200 at a time."""
    parts = np.array_split(rows, -(-len(rows) // 200))
    return np.concatenate([cells.measure(photos, r, answer.scores(r, cells.places), answer.own(r)) for r in parts])


def make_head(inputs, outputs):
    """The image head, with heavy dropout."""
    first, second = DROPOUT
    return nn.Sequential(
        nn.Dropout(first), nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Dropout(second), nn.Linear(HIDDEN, outputs)
    )


class Trainer:
    """Trains heads on some photos; keeps the epoch that is best on others."""

    def __init__(self, photos):
        self.photos = photos
        self.own, self.vectors = torch.from_numpy(photos.own), torch.from_numpy(photos.vectors)
        self.lonlat, self.places = (torch.from_numpy(x).float() for x in (photos.lonlat, photos.places))

    def fit(self, recipe, train, check, seed):
        """Return the answer of the best epoch, and its surprise on `check`."""
        torch.manual_seed(seed)
        features = torch.from_numpy(self.photos.features)
        features = (features - features[train].mean(dim=0)) / features[train].std()
        classes = Classes(self.photos, train) if recipe.place == "geocells" else None
        tags = torch.from_numpy(self.photos.tags if recipe.tags is None else recipe.tags)
        width = len(classes.log_usual) if classes else 512
        head = make_head(features.shape[1], width + (tags.shape[1] if recipe.concept == "classes" else 0))
        optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
        steps = len(train) // BATCH
        plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=EPOCHS * steps, pct_start=0.1)
        best, kept, since = np.inf, None, 0
        for _ in range(EPOCHS):
            head.train()
            order = torch.from_numpy(train)[torch.randperm(len(train))]
            for rows in order[: steps * BATCH].split(BATCH):
                output = head(features[rows])
                if classes:
                    loss = geocell_cross_entropy(output + classes.log_usual, torch.from_numpy(classes.of_photo)[rows])
                else:
                    loss = self.loss(recipe, output[:, :width], output[:, width:], rows, tags[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                plan.step()
            head.eval()
            with torch.inference_mode():
                output = head(features)[:, :width]
            answer, now = self.answer(output, classes, check)
            since += 1
            if now < best:
                best, kept, since = now, answer, 0
            elif since == PATIENCE:
                break
        return kept, best

    def answer(self, output, classes, check):
        """Turn outputs into an answer, at the temperature that is best on `check`."""
        if classes:
            answer, temperatures = ClassAnswer(classes, output), (1.0, 2.0, 4.0, 8.0)
        else:
            answer, temperatures = Answer(self.photos, functional.normalize(output).numpy(), 1.0), TEMPERATURES
        scores, own = answer.scores(check, self.photos.chosen), answer.own(check)
        losses = {t: surprise(scores / t, own / t).mean() for t in temperatures}
        answer.temperature = min(losses, key=losses.get)
        return answer, losses[answer.temperature]

    def loss(self, recipe, output, seen, rows, tags):
        """Place loss and weighted concept loss of a batch."""
        others = torch.randint(len(self.vectors), (NEGATIVES,))
        keys = torch.cat([self.own[rows], self.vectors[others]])
        if recipe.place == "smoothed":
            km = haversine_km(self.lonlat[rows], torch.cat([self.lonlat[rows], self.places[others]]))
            loss = smoothed_info_nce(output, keys, km, scale=SCALE, tau_km=recipe.tau_km)
        else:
            loss = info_nce(output, keys, scale=SCALE, two_sided=recipe.place == "two-sided")
        if recipe.concept == "seen":
            log_scores = torch.cat([recipe.tables[1][rows], recipe.tables[0][others]])
            logits = SCALE * functional.normalize(output) @ keys.T
            loss = loss + recipe.weight * seen_concept_loss(logits, log_scores, tags > 0.0)
        elif recipe.concept == "classes":
            loss = loss + recipe.weight * concept_bce(seen, (tags > 0.0).float())
        elif recipe.concept:
            ours, theirs = recipe.basis(output), recipe.basis(self.own[rows])
            theirs = shuffled(theirs) if recipe.mixed else theirs
            loss = loss + recipe.weight * CONCEPT_LOSSES[recipe.concept](ours, theirs, width=recipe.width)
        return loss


#: Width of each loss between activations: cosines spread over 0.1, profiles of 343 concepts are some 2 apart.
WIDTHS = {"divergence": 1.0, "cauchy-schwarz": 1.0, "kl": 0.1, "mse": 0.1, "infonce": 0.1}
WEIGHTS, SEEN_WEIGHTS, CLASS_WEIGHTS = (0.1, 1.0), (2.0, 4.0), (1.0, 10.0)
ALONE = "alignment alone"
SEEN = "+ seen"


def arms(photos, seed):
    """All heads that are compared: name, recipes to choose from, and the arm whose choice a control takes over."""
    out = [
        (ALONE, [Recipe()], None),
        ("two-sided", [Recipe("two-sided")], None),
        ("smoothed over km", [Recipe("smoothed", tau_km=tau) for tau in (30.0, 100.0)], None),
        ("geocells", [Recipe("geocells")], None),
    ]

    def add(name, recipes, controls):
        out.append((name, recipes, None))
        for control, change in controls.items():
            out.append((f"{name}, {control}", [replace(recipe, **change) for recipe in recipes], name))

    places = {"rotated concepts": {"basis": random_basis(photos.basis, seed)}, "places of others": {"mixed": True}}
    for name, width in WIDTHS.items():
        recipes = [Recipe("one-sided", name, weight, width, photos.basis) for weight in WEIGHTS]
        add(f"+ {name}", recipes, places if name in ("kl", "mse", "infonce") else {})
    rng, (tables, rotated) = np.random.default_rng(seed), (photos.log_scores(which) for which in (None, seed))
    seen = {
        "tags of others": {"tags": photos.tags[rng.permutation(len(photos.tags))]},
        "renamed concepts": {"tags": photos.tags[:, rng.permutation(photos.tags.shape[1])]},
        "rotated concepts": {"tables": rotated},
    }
    add(SEEN, [Recipe("one-sided", "seen", weight, tables=tables) for weight in SEEN_WEIGHTS], seen)
    add("+ tags as classes, no bank", [Recipe("one-sided", "classes", weight) for weight in CLASS_WEIGHTS], {})
    return out


def heads(photos, seeds):
    """Heads with each loss, on photographers held out."""
    trainer, found, chosen = Trainer(photos), {}, {}
    for seed in seeds:
        fold = folds(photos.group, FOLDS, seed)
        for name, recipes, like in arms(photos, seed):
            run = np.empty((len(fold), 4))
            for k in range(FOLDS):
                rows, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
                inner = folds(photos.group[rows], INNER, seed)
                train, check = rows[inner != 0], rows[inner == 0]
                tried = recipes if like is None else [recipes[chosen[like, seed, k]]]
                fitted = [trainer.fit(recipe, train, check, seed * FOLDS + k) for recipe in tried]
                best = int(np.argmin([loss for _, loss in fitted]))
                chosen[name, seed, k] = best
                run[test] = measured(photos, photos.whole, fitted[best][0], test)
                if name == ALONE and seed == k == 0:
                    photos.whole.check(photos, test[0], fitted[best][0].scores(test[:1], photos.whole.places)[0])
            found.setdefault(name, []).append(run)
            print(name, np.round(columns(run).mean(axis=0), 4), flush=True)
    taken = ", ".join(
        f"{name} {np.mean([recipes[chosen[name, seed, k]].weight for seed in seeds for k in range(FOLDS)]):.2g}"
        for name, recipes, like in arms(photos, 0)
        if like is None and recipes[0].concept
    )
    return [
        "## Heads that are trained",
        "",
        f"1,280-{HIDDEN}-512, dropout {DROPOUT[0]} and {DROPOUT[1]}, AdamW ({RATE:g}, weight decay {DECAY:g}), batches "
        f"of {BATCH} with {NEGATIVES:,} places of the gallery, temperature 0.07, at most {EPOCHS} epochs, stopped "
        f"where photographers left out are best. {len(seeds)} seeds. Lines with + add a concept loss to alignment "
        f"alone; its weight is the better of two. Mean weights chosen: {taken}. Controls follow the line they belong "
        "to and take its weight. Divergence to infonce compare a photo with the concepts of its own place; seen holds "
        "it to all places where the concepts that it is tagged with are probable. Differences are to alignment alone.",
        "",
        *table(photos, found, lambda name: None if name == ALONE else ALONE),
    ]


# ---------------------------------------------------------------- closed form

STRENGTHS, TAG_WEIGHTS = (300.0, 1000.0), (0.0, 0.25, 0.5, 1.0, 2.0)
COUNTS = (250, 500, 1000, None)
#: Keeps the logarithm of a calibrated score finite.
LEAST = 1e-4


def ridge(features, targets, rows, strength):
    """Predictions for all photos of the ridge regression that is fitted on rows."""
    mean = features[rows].mean(axis=0)
    known = features[rows] - mean
    weights = np.linalg.solve(
        known @ known.T + strength * np.eye(len(rows)), targets[rows] - targets[rows].mean(axis=0)
    )
    return ((features - mean) @ (known.T @ weights)).astype(np.float32)


def fit_closed(photos, place_rows, tag_rows, tags, tables, seed):
    """Choose strength, temperature and weight of the tags on photographers left out, then fit on all rows."""
    inner, least = folds(photos.group[place_rows], INNER, seed), np.inf
    check = place_rows[inner == 0]
    # Tags of the photographers who are left out stay out too.
    known = tag_rows[~np.isin(photos.group[tag_rows], photos.group[check])]
    seen = None if tags is None else ridge(photos.features, tags, known, STRENGTHS[0])
    for strength in STRENGTHS:
        vectors = unit(ridge(photos.features, photos.own, place_rows[inner != 0], strength))
        cosine = Answer(photos, vectors, 1.0)
        scores, own = cosine.scores(check, photos.chosen), cosine.own(check)
        more, own_more = 0.0, 0.0
        if tags is not None:
            more, own_more = seen[check] @ tables[0][photos.chosen].T, (seen[check] * tables[1][check]).sum(axis=1)
        for temperature in TEMPERATURES:
            for weight in TAG_WEIGHTS if tags is not None else (0.0,):
                now = surprise(scores / temperature + weight * more, own / temperature + weight * own_more).mean()
                if now < least:
                    least, best = now, (strength, temperature, weight)
    strength, temperature, weight = best
    vectors = unit(ridge(photos.features, photos.own, place_rows, strength))
    seen = None if tags is None else ridge(photos.features, tags, tag_rows, STRENGTHS[0])
    return Answer(photos, vectors, temperature, seen, tables, weight)


def readable(log_scores):
    """Log scores that stay finite, as arrays."""
    return [torch.log(scores.exp() + LEAST).numpy() for scores in log_scores]


def closed(photos, seeds):
    """Ridge regression to places, and to tags that are read through the bank; by number of photos."""
    found, tables = {}, readable(photos.log_scores())
    for seed in seeds:
        rng, fold, rotated = (
            np.random.default_rng(seed),
            folds(photos.group, FOLDS, seed),
            readable(photos.log_scores(seed)),
        )
        for count in COUNTS:
            rest = {} if count is None else {"concepts, tags of all": (photos.tags, tables, True)}
            kinds = {
                "alone": (None, None, False),
                "concepts": (photos.tags, tables, False),
                **rest,
                "tags of others": (photos.tags[rng.permutation(len(photos.tags))], tables, False),
                "renamed concepts": (photos.tags[:, rng.permutation(photos.tags.shape[1])], tables, False),
                "rotated concepts": (photos.tags, rotated, False),
            }
            cells = photos.whole if count is None else photos.part
            for kind, (tags, read, every) in kinds.items():
                run = np.empty((len(fold), 4))
                for k in range(FOLDS):
                    rows, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
                    few = rows if count is None else some(photos.group, rows, count, seed)
                    answer = fit_closed(photos, few, rows if every else few, tags, read, seed)
                    run[test] = measured(photos, cells, answer, test)
                found.setdefault(f"{count or 'all'}: {kind}", []).append(run)
                print(count, kind, np.round(columns(run).mean(axis=0), 4), flush=True)
    return [
        "## Closed form, by number of photos",
        "",
        "Alone: ridge regression from photos to the vectors of their places. Concepts: a second one from photos to "
        "their tags, whose predictions are read through the bank; score of a place = cosine / temperature + weight * "
        "sum over concepts of predicted tag * log calibrated score of the place. Tags of all: places of few photos are "
        "known, tags of all training photos. Every line, controls too, chooses its own weight from "
        f"{', '.join(f'{w:g}' for w in TAG_WEIGHTS)}. Differences are to the same number of photos alone. Lines with "
        f"fewer than all photos are measured on every {CURVE}th place of the gallery: compare them among themselves. "
        f"{len(seeds)} seeds.",
        "",
        *table(photos, found, lambda name: None if name.endswith("alone") else f"{name.split(':')[0]}: alone"),
    ]


PARTS = {"heads": heads, "closed": closed}


if __name__ == "__main__":
    main()
