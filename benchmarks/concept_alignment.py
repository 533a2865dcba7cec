"""Does aligning photos with concepts help to place them? 2,000 real photos, photographers held out, with controls.

    GEOCONCEPT_DATA=path/to/data python benchmarks/concept_alignment.py [--save] [--part heads ...] [--seeds 3]

Two parts. `heads` trains small image heads with and without each concept loss, `closed` fits ridge regressions for
several numbers of photos. Photos are read as features of a network for ImageNet (1,280 numbers), GeoCLIP's location
encoder is frozen. Some 25 minutes on one core. Needs torch and the data; stops with a message where they are absent.
"""

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

try:
    from benchmarks.encoder import RESULTS, machine
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from encoder import RESULTS, machine

from geoconcept_gis import load_model
from geoconcept_gis.bank.definitions import _HERITAGE_SCENES, _SCENES
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.evaluation import distance_km
from geoconcept_gis.evaluation.search import searched_area
from geoconcept_gis.gallery import open_gallery
from geoconcept_gis.h3cells import areas_of, cells_of
from geoconcept_gis.train.concept_basis import ConceptBasis, random_basis, shuffled
from geoconcept_gis.train.geocells import make_geocells
from geoconcept_gis.train.losses import (
    CONCEPT_LOSSES,
    concept_bce,
    geocell_cross_entropy,
    haversine_km,
    info_nce,
    smoothed_info_nce,
)

FOLDS, INNER = 5, 6
#: H3 cells in which the true one is to be probable: some 330 km across.
RESOLUTION = 2
#: Share of the probability that goes to the gallery's own density, so that no cell is ruled out.
FLOOR = 0.05
TEMPERATURES = (0.05, 0.07, 0.1, 0.14, 0.2, 0.28)
#: Every which place of the gallery: to choose settings on, to measure learning curves on.
CHOOSING, CURVE = 25, 10
#: Keeps the logarithm of a calibrated score finite.
LEAST = 1e-4
MEASURES = ("200 km", "750 km", "2,500 km", "median km", "own place beats", "-log p", "log10 km2")


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="*", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3, help="how often photographers are divided and heads trained")
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found, data = machine(), Photos()
    lines = [f"# Concept alignment, on {found['cpu']}", "", f"Measured {found['date']} by `{PAGE}`.", *data.about()]
    for part in arguments.part:
        start = time.perf_counter()
        lines += ["", *PARTS[part](data, arguments.seeds), "", f"{(time.perf_counter() - start) / 60:.0f} minutes."]
        print("\n".join(lines), flush=True)
    if arguments.save:
        slug = "-".join("".join(c if c.isalnum() else " " for c in found["cpu"].lower()).split())
        (RESULTS / f"concept-alignment-{slug}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


PAGE = "benchmarks/concept_alignment.py"


# ---------------------------------------------------------------- photos and places


class Photos:
    """Photos, the places they were taken at, the gallery, and what the bank says of both."""

    def __init__(self):
        path = data_folder() / "photos" / "im2gps3k_dev_features.npz"
        if not path.is_file():
            raise SystemExit(f"{path} is missing: set GEOCONCEPT_DATA to the folder with the fitting data")
        photos, model = np.load(path), load_model(backend="numpy")
        self.features = np.sqrt(photos["features"].astype(np.float32))
        self.lonlat, self.group = photos["latlon"][:, ::-1].astype(np.float64), photos["group"]
        gallery = open_gallery(model, "photos")
        self.places = gallery.lonlat.astype(np.float64)
        self.vectors = gallery.scores(np.eye(512, dtype=np.float32)).T.copy()
        self.own = unit(model.encode(self.lonlat))
        self.bank = model.bank
        self.basis = ConceptBasis.from_bank(model.bank, offset=False)
        # Concepts that are defined by scenes a classifier names, and which of them it saw in each photo.
        scenes = {name: names for name, names in (_SCENES | _HERITAGE_SCENES).items() if names}
        self.seen = [concept for concept in model.bank.shown if concept.name in scenes]
        named = scene_names()[photos["scene"]]
        tags = np.stack([np.isin(named, scenes[concept.name]) for concept in self.seen], axis=1).astype(np.float32)
        self.tags = tags / np.maximum(tags.sum(axis=1, keepdims=True), 1.0)
        self.whole, self.part = Cells(self, 1), Cells(self, CURVE)

    def log_scores(self, seed=None):
        """Log calibrated scores of gallery and own places for concepts that tags name; with a seed, rotated ones."""
        basis = ConceptBasis.from_bank(self.bank, self.seen, offset=False)
        basis = basis if seed is None else random_basis(basis, seed)
        slope, intercept = (
            torch.tensor([getattr(concept.calibration, name) for concept in self.seen], dtype=torch.float32)
            for name in ("slope", "intercept")
        )
        with torch.inference_mode():
            return [
                torch.log(torch.sigmoid(slope * basis(torch.from_numpy(vectors)) + intercept) + LEAST).numpy()
                for vectors in (self.vectors, self.own)
            ]

    def about(self):
        """What is measured, for the page."""
        tagged = (self.tags > 0.0).any(axis=1)
        return [
            "",
            f"{len(self.lonlat):,} photos of {len(np.unique(self.group)):,} photographers, {FOLDS} folds of "
            f"photographers; every setting is chosen on photographers left out *inside* the training folds. The answer "
            f"is the best of the {len(self.places):,} places of GeoCLIP's gallery, to which nothing was added. The "
            "features are those of a small network for ImageNet: a small-data experiment, never to stand beside "
            "published numbers.",
            "",
            f"Tags: the scene that a Places365 classifier saw in a photo, as the {len(self.seen)} concepts of the bank "
            f"that are defined by such scenes; {tagged.mean():.0%} of the photos have one. Only tags of training "
            "photos are used: no photo that is placed brings its own.",
            "",
            "Own place beats: share of the gallery that a photo's own place is ahead of. -log p: of the true H3 cell of "
            f"resolution {RESOLUTION}, under a softmax over the gallery with {FLOOR:.0%} of its density mixed in. log10 "
            "km2: area searched, densest cells first, until the true cell is found (Recall vs Area), mean of its "
            "logarithm. Differences are paired, with 95 % intervals from photographers drawn again.",
        ]


def scene_names():
    """Names of the Places365 scenes, by number."""
    import pandas as pd

    table = pd.read_csv(data_folder() / "photos" / "places365_categories.csv")
    return table.sort_values("index")["name"].to_numpy(str)


def unit(rows):
    """Rows of length one, float32."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def folds(group, count, seed):
    """A fold for every photo: photographers in the order of their photos, ties at random, to the smallest fold."""
    rng = np.random.default_rng(seed)
    names, of_photo, photos = np.unique(group, return_inverse=True, return_counts=True)
    fold, load = np.empty(len(names), dtype=int), np.zeros(count)
    for name in np.lexsort((rng.random(len(names)), -photos)):
        fold[name] = np.lexsort((rng.random(count), load))[0]
        load[fold[name]] += photos[name]
    return fold[of_photo]


def some(group, rows, count, seed):
    """About `count` of the rows, photographer by photographer."""
    names, of_row = np.unique(group[rows], return_inverse=True)
    turn = np.random.default_rng(seed).permutation(len(names))[of_row]
    return rows[np.argsort(turn, kind="stable")[:count]]


# ---------------------------------------------------------------- measures


class Cells:
    """Every `step`-th place of the gallery, gathered in H3 cells."""

    def __init__(self, photos, step):
        chosen = np.arange(0, len(photos.places), step)
        found, own = cells_of(photos.places[chosen], RESOLUTION), cells_of(photos.lonlat, RESOLUTION)
        self.cells, row = np.unique(np.concatenate([found, own]), return_inverse=True)
        self.own, row = row[len(found) :], row[: len(found)]
        order = np.argsort(row, kind="stable")
        self.places = chosen[order]
        self._starts = np.flatnonzero(np.diff(row[order], prepend=-1))
        self._held = row[order][self._starts]
        density = np.bincount(row, minlength=len(self.cells)) + 0.5
        self._density, self.km2 = density / density.sum(), areas_of(self.cells)

    def probability(self, scores):
        """Probability of each cell from log likelihoods of `places`."""
        weight = np.exp(scores - scores.max(axis=1, keepdims=True))
        out = np.zeros((len(scores), len(self.cells)))
        out[:, self._held] = np.add.reduceat(weight, self._starts, axis=1)
        return (1.0 - FLOOR) * out / out.sum(axis=1, keepdims=True) + FLOOR * self._density

    def measure(self, photos, rows, scores, own):
        """Distance, share beaten, -log p and log10 of the area searched, of `rows` (n,), as (n, 4)."""
        best = photos.places[self.places[scores.argmax(axis=1)]]
        chances = self.probability(scores)
        true = np.take_along_axis(chances, self.own[rows, None], axis=1)
        density = chances / self.km2
        as_dense = density >= density[np.arange(len(rows)), self.own[rows], None] * (1.0 - 1e-9)
        return np.stack(
            [
                distance_km(best, photos.lonlat[rows]),
                (scores < own[:, None]).mean(axis=1),
                -np.log(true[:, 0]),
                np.log10((as_dense * self.km2).sum(axis=1)),
            ],
            axis=1,
        )

    def check(self, photos, row, scores):
        """Stop unless the package's Recall vs Area gives the same area."""
        import pandas as pd

        table = pd.DataFrame({"h3": self.cells, "probability": self.probability(scores[None])[0]})
        area = searched_area(table, photos.lonlat[row])["area_km2"].iloc[0]
        assert np.isclose(np.log10(area), self.measure(photos, np.array([row]), scores[None], np.zeros(1))[0, 3])


def surprise(scores, own):
    """-log of the softmax over the own place and the places with `scores`."""
    scores = np.concatenate([own[:, None], scores], axis=1)
    top = scores.max(axis=1)
    return top + np.log(np.exp(scores - top[:, None]).sum(axis=1)) - own


def columns(measured):
    """Measures whose mean is shown, (n, 6)."""
    near = [measured[:, 0] <= km for km in (200, 750, 2500)]
    return np.stack([*near, *measured[:, 1:].T], axis=1).astype(float)


def difference(photos, ours, base):
    """Mean difference of each measure and the ends of its interval, (3, 6)."""
    each = np.mean([columns(a) - columns(b) for a, b in zip(ours, base, strict=True)], axis=0)
    names, of_photo = np.unique(photos.group, return_inverse=True)
    total, count = np.stack([np.bincount(of_photo, c) for c in each.T], axis=1), np.bincount(of_photo)
    drawn = np.random.default_rng(0).integers(0, len(names), (2000, len(names)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)[:, None]
    return np.stack([each.mean(axis=0), *np.quantile(means, [0.025, 0.975], axis=0)])


def table(photos, found, base_of):
    """Rows of Markdown: measures, and differences to the base of each row."""
    heads = [*MEASURES, "beats, difference", "-log p, difference", "log10 km2, difference"]
    lines = [f"| what | {' | '.join(heads)} |", f"| --- |{' --: |' * len(heads)}"]
    for name, runs in found.items():
        means = np.mean([columns(run).mean(axis=0) for run in runs], axis=0)
        median = np.mean([np.median(run[:, 0]) for run in runs])
        cells = [*(f"{m:.1%}" for m in means[:3]), f"{median:,.0f}", f"{means[3]:.1%}"]
        cells += [f"{m:.3f}" for m in means[4:]]
        base = base_of(name)
        if base is None:
            cells += [""] * 3
        else:
            middle, low, high = difference(photos, runs, found[base])
            cells.append(f"{100 * middle[3]:+.1f} ({100 * low[3]:+.1f}, {100 * high[3]:+.1f})")
            cells += [f"{middle[k]:+.3f} ({low[k]:+.3f}, {high[k]:+.3f})" for k in (4, 5)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


# ---------------------------------------------------------------- heads that are trained


@dataclass(frozen=True)
class Recipe:
    """How a head is trained."""

    place: str = "one-sided"
    concept: str | None = None
    weight: float = 0.0
    width: float = 0.1
    basis: object = None
    mixed: bool = False
    #: Log scores of gallery and own places to read tags with; None for no such loss.
    tables: object = None
    tags: object = None
    tau_km: float = 300.0


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


class CellAnswer:
    """The same from classes: the probability of a class is shared by the gallery's places in it."""

    def __init__(self, photos, logits, geocells):
        self.logits, self.own_cell = logits, geocells.assign(photos.lonlat)
        self.of_place = geocells.assign(photos.places)
        self.shared = np.log(np.bincount(self.of_place, minlength=len(geocells)) + 1.0).astype(np.float32)

    def scores(self, rows, places):
        return (self.logits[rows] - self.shared)[:, self.of_place[places]]

    def own(self, rows):
        return (self.logits - self.shared)[rows, self.own_cell[rows]]


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
        self.chosen = np.arange(CURVE // 2, len(photos.places), CHOOSING)

    def fit(self, recipe, train, check, seed):
        """Return the answer of the best epoch, and its surprise on `check`."""
        torch.manual_seed(seed)
        features = torch.from_numpy(self.photos.features)
        features = (features - features[train].mean(dim=0)) / features[train].std()
        geocells = None
        if recipe.place == "geocells":
            geocells = make_geocells(self.photos.lonlat[train], most=40, fewest=5)
        tags = torch.from_numpy(self.photos.tags if recipe.tags is None else recipe.tags)
        width = len(geocells) if geocells else 512
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
                target = geocells.assign(self.photos.lonlat[rows]) if geocells else None
                loss = self.loss(recipe, output[:, :width], output[:, width:], rows, tags[rows], target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                plan.step()
            head.eval()
            with torch.inference_mode():
                output = head(features)[:, :width]
            answer, now = self.answer(output, geocells, check)
            since += 1
            if now < best:
                best, kept, since = now, answer, 0
            elif since == PATIENCE:
                break
        return kept, best

    def answer(self, output, geocells, check):
        """Turn outputs into an answer, at the temperature that is best on `check`."""
        if geocells:
            answer = CellAnswer(self.photos, output.log_softmax(dim=1).numpy(), geocells)
            return answer, surprise(answer.scores(check, self.chosen), answer.own(check)).mean()
        answer = Answer(self.photos, functional.normalize(output).numpy(), 1.0)
        cosines, own = answer.scores(check, self.chosen), answer.own(check)
        losses = {t: surprise(cosines / t, own / t).mean() for t in TEMPERATURES}
        answer.temperature = min(losses, key=losses.get)
        return answer, losses[answer.temperature]

    def loss(self, recipe, output, classes, rows, tags, target):
        """Place loss and weighted concept loss of a batch."""
        if recipe.place == "geocells":
            return geocell_cross_entropy(output, torch.from_numpy(target))
        others = torch.randint(len(self.vectors), (NEGATIVES,))
        keys = torch.cat([self.own[rows], self.vectors[others]])
        if recipe.place == "smoothed":
            km = haversine_km(self.lonlat[rows], torch.cat([self.lonlat[rows], self.places[others]]))
            loss = smoothed_info_nce(output, keys, km, scale=SCALE, tau_km=recipe.tau_km)
        else:
            loss = info_nce(output, keys, scale=SCALE, two_sided=recipe.place == "two-sided")
        tagged = tags.sum(dim=1) > 0.0
        if recipe.concept == "map":
            log_scores = torch.cat([recipe.tables[1][rows], recipe.tables[0][others]])
            # Targets are exp(-distance / 1): here the "distance" is how improbable the tags are at a place.
            far = -tags[tagged] @ log_scores.T
            soft = smoothed_info_nce(output[tagged], keys, far, scale=SCALE, tau_km=1.0) if tagged.any() else 0.0
            loss = loss + recipe.weight * tagged.float().mean() * soft
        elif recipe.concept == "classes":
            loss = loss + recipe.weight * concept_bce(classes, (tags > 0.0).float())
        elif recipe.concept:
            ours, theirs = recipe.basis(output), recipe.basis(self.own[rows])
            theirs = shuffled(theirs) if recipe.mixed else theirs
            loss = loss + recipe.weight * CONCEPT_LOSSES[recipe.concept](ours, theirs, width=recipe.width)
        return loss


#: Width of each loss between activations: cosines spread over 0.1, profiles of 343 concepts are some 2 apart.
WIDTHS = {"divergence": 1.0, "cauchy-schwarz": 1.0, "kl": 0.1, "mse": 0.1, "infonce": 0.1}
WEIGHTS, MAP_WEIGHTS, CLASS_WEIGHTS = (0.1, 1.0), (2.0, 4.0), (1.0, 10.0)
ALONE = "alignment alone"
MAP = "map of the tags"


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
    rng, (tables, rotated) = np.random.default_rng(seed), (torch_tables(photos, s) for s in (None, seed))
    seen = {
        "tags of others": {"tags": photos.tags[rng.permutation(len(photos.tags))]},
        "renamed concepts": {"tags": photos.tags[:, rng.permutation(photos.tags.shape[1])]},
        "rotated concepts": {"tables": rotated},
    }
    add(MAP, [Recipe("one-sided", "map", weight, tables=tables) for weight in MAP_WEIGHTS], seen)
    add("+ tags as classes, no bank", [Recipe("one-sided", "classes", weight) for weight in CLASS_WEIGHTS], {})
    return out


def torch_tables(photos, seed):
    """`Photos.log_scores` as tensors."""
    return [torch.from_numpy(scores) for scores in photos.log_scores(seed)]


def heads(photos, seeds):
    """Heads with each loss, on photographers held out."""
    trainer, found, chosen = Trainer(photos), {}, {}
    for seed in range(seeds):
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
        f"{name} {np.mean([recipes[chosen[name, seed, k]].weight for seed in range(seeds) for k in range(FOLDS)]):.2g}"
        for name, recipes, like in arms(photos, 0)
        if like is None and recipes[0].concept
    )
    return [
        "## Heads that are trained",
        "",
        f"1,280-{HIDDEN}-512, dropout {DROPOUT[0]} and {DROPOUT[1]}, AdamW ({RATE:g}, weight decay {DECAY:g}), batches "
        f"of {BATCH} with {NEGATIVES:,} places of the gallery, temperature 0.07, at most {EPOCHS} epochs, stopped where "
        f"the photographers left out are best. {seeds} seeds. Lines with + add a concept loss to alignment alone; its "
        f"weight is chosen from two. Mean weights chosen: {taken}. A control follows the line it belongs to. "
        "Differences are to alignment alone.",
        "",
        *table(photos, found, lambda name: None if name == ALONE else ALONE),
    ]


# ---------------------------------------------------------------- closed form

STRENGTHS, TAG_WEIGHTS = (300.0, 1000.0), (0.0, 0.25, 0.5, 1.0, 2.0)
COUNTS = (250, 500, 1000, None)


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
    some_places = np.arange(CURVE // 2, len(photos.places), CHOOSING)
    seen = None if tags is None else ridge(photos.features, tags, known, STRENGTHS[0])
    for strength in STRENGTHS:
        vectors = unit(ridge(photos.features, photos.own, place_rows[inner != 0], strength))
        cosine = Answer(photos, vectors, 1.0)
        scores, own = cosine.scores(check, some_places), cosine.own(check)
        more, own_more = 0.0, 0.0
        if tags is not None:
            more, own_more = seen[check] @ tables[0][some_places].T, (seen[check] * tables[1][check]).sum(axis=1)
        for temperature in TEMPERATURES:
            for weight in TAG_WEIGHTS if tags is not None else (0.0,):
                now = surprise(scores / temperature + weight * more, own / temperature + weight * own_more).mean()
                if now < least:
                    least, best = now, (strength, temperature, weight)
    strength, temperature, weight = best
    vectors = unit(ridge(photos.features, photos.own, place_rows, strength))
    seen = None if tags is None else ridge(photos.features, tags, tag_rows, STRENGTHS[0])
    return Answer(photos, vectors, temperature, seen, tables, weight)


def closed(photos, seeds):
    """Ridge regression to places, and to tags that are read through the bank; by number of photos."""
    found, tables = {}, photos.log_scores()
    for seed in range(seeds):
        rng, fold, rotated = np.random.default_rng(seed), folds(photos.group, FOLDS, seed), photos.log_scores(seed)
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
        "Ridge regression from photos to the vectors of their places (alone), and a second one from photos to their "
        "tags (concepts), whose predictions are read through the bank: score of a place = cosine / temperature + weight "
        "* sum over concepts of predicted tag * log calibrated score of the place. Tags of all: places of few photos are "
        "known, tags of all training photos. Differences are to the same number of photos alone. Rows with fewer "
        f"than all (1,600) photos are measured on every {CURVE}th place of the gallery, so compare them with "
        f"each other. {seeds} seeds.",
        "",
        *table(photos, found, lambda name: None if name.endswith("alone") else f"{name.split(':')[0]}: alone"),
    ]


PARTS = {"heads": heads, "closed": closed}


if __name__ == "__main__":
    main()
