"""Real photos with photographers held out, and what is measured on them: for benchmarks of image heads."""

import numpy as np
import torch

from geoconcept_gis import load_model
from geoconcept_gis.bank.scenes import HERITAGE_SCENES, SCENES
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.evaluation import distance_km
from geoconcept_gis.evaluation.search import searched_area
from geoconcept_gis.gallery import open_gallery
from geoconcept_gis.h3cells import areas_of, cells_of
from geoconcept_gis.train.concept_basis import ConceptBasis, random_basis
from geoconcept_gis.train.seen import SeenConcepts

FOLDS = 5
#: H3 cells in which the true one is to be probable: some 330 km across.
RESOLUTION = 2
#: Share of the probability that goes to the gallery's own density, so that no cell is ruled out.
FLOOR = 0.05
#: Every which place of the gallery: to choose settings on, to measure learning curves on.
CHOOSING, CURVE = 25, 10
MEASURES = ("200 km", "750 km", "2,500 km", "median km", "own place beats", "-log p", "log10 km2")


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
        scenes = {name: names for name, names in (SCENES | HERITAGE_SCENES).items() if names}
        self.seen = [concept for concept in model.bank.shown if concept.name in scenes]
        named = scene_names()[photos["scene"]]
        tags = np.stack([np.isin(named, scenes[concept.name]) for concept in self.seen], axis=1).astype(np.float32)
        self.tags = tags / np.maximum(tags.sum(axis=1, keepdims=True), 1.0)
        #: Places of the gallery that settings are chosen on.
        self.chosen = np.arange(CURVE // 2, len(self.places), CHOOSING)
        self.whole, self.part = Cells(self, 1), Cells(self, CURVE)

    def log_scores(self, seed=None):
        """Log calibrated scores of gallery and own places for concepts that tags name; with a seed, rotated ones."""
        likely = SeenConcepts(self.bank, self.seen)
        if seed is not None:
            likely.basis = random_basis(likely.basis, seed)
        with torch.inference_mode():
            return [likely(torch.from_numpy(vectors)) for vectors in (self.vectors, self.own)]

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
            "Own place beats: share of the gallery that a photo's own place is ahead of. -log p: of the true H3 cell "
            f"of resolution {RESOLUTION}, under a softmax over the gallery with {FLOOR:.0%} of its density mixed in. "
            "log10 km2: area searched, densest cells first, until the true cell is found (Recall vs Area), mean of its "
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
