"""Geolocation: speed beside geoclip, calibration on real CLIP vectors, concept re-ranking, and whether reasons matter.

    GEOCONCEPT_DATA=path/to/data python benchmarks/locate.py [--save] [--part speed ...]

Needs geoclip 1.3.0 (installed without its dependencies) and torch for the comparison. Some ten minutes on two cores;
the galleries are embedded first if they are not in the cache.
"""

import argparse
import sys
import time

import numpy as np

try:
    from benchmarks.machine import RESULTS, machine, page_of
    from benchmarks.original import encode, load_original, zero_subnormals
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from machine import RESULTS, machine, page_of
    from original import encode, load_original, zero_subnormals

from geoconcept_gis import geolocate, load_model
from geoconcept_gis.bank.sources import Truths, country_codes, data_folder
from geoconcept_gis.evaluation import distance_km
from geoconcept_gis.gallery import open_gallery
from geoconcept_gis.h3cells import cells_of
from geoconcept_gis.locate.density import Calibration, open_surface
from geoconcept_gis.locate.geolocation import Geolocation
from geoconcept_gis.locate.priors import PRIORS, make_prior
from geoconcept_gis.locate.vectors import _agreement, calibration_of, mean_of

TEMPERATURES = (0.01, 0.0125, 0.015, 0.0175, 0.02, 0.025, 0.03)
FLOORS = (0.02, 0.05, 0.1, 0.2)
RERANKS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
FOLDS = 5


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="*", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found, model = machine(), load_model(backend="numpy")
    lines = [f"# Geolocation, on {found['cpu']}", "", f"Measured {found['date']} by `benchmarks/locate.py`."]
    for part in arguments.part:
        lines += ["", *PARTS[part](model)]
        print("\n".join(lines[-30:]), flush=True)
    if arguments.save:
        page_of("locate", found["cpu"]).write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- speed


def speed(model):
    """Search of the 100,000 photo places, and the same answers as geoclip's predict gives."""
    import torch

    gallery = open_gallery(model, "photos")
    vectors = units(model, "text")
    batch = np.tile(vectors, (2, 1))[:256]
    gallery.search(batch, 5)
    one = min(timed(lambda row=row: gallery.search(row, 5)) for row in vectors[:20])
    many = min(timed(lambda: gallery.search(batch, 5)) for _ in range(5)) / len(batch)
    # What predict does for every photo, after CLIP: embed the gallery, compare, take the best.
    original, stock = load_original(), []
    for clean in (False, True):
        if clean:
            zero_subnormals(original)
        start = time.perf_counter()
        with torch.inference_mode():
            places = encode(original, gallery.lonlat.astype(np.float64))
            places = torch.nn.functional.normalize(places, dim=1)
            scores = torch.from_numpy(vectors[:1]) @ places.T
            scores.softmax(dim=-1).topk(5)
        stock.append(time.perf_counter() - start)
    with torch.inference_mode():
        theirs = (torch.from_numpy(vectors) @ places.T).topk(5, dim=1).indices.numpy()
    # By place: the gallery holds some places twice, and which of two equals comes first is nobody's rule.
    ours = gallery.lonlat[gallery.search(vectors, 5)[0]]
    same = (ours == gallery.lonlat[theirs]).all(axis=(1, 2)).mean()
    model_again = load_model(backend="numpy")
    start = time.perf_counter()
    open_gallery(model_again, "photos").search(vectors[0], 5)
    opened = time.perf_counter() - start
    start = time.perf_counter()
    geolocate(vectors[0], model=model_again)
    first = time.perf_counter() - start
    start = time.perf_counter()
    geolocate(vectors[1], model=model_again)
    again = time.perf_counter() - start
    return [
        "## Speed",
        "",
        f"100,000 places, all scores, the five best; {len(vectors)} real CLIP vectors of captions.",
        "",
        "| what | time | bar |",
        "| --- | --: | --- |",
        f"| geoclip's predict after CLIP, a photo (gallery embedded each time) | {stock[0]:.1f} s | |",
        f"| the same with subnormal weights set to zero | {stock[1]:.1f} s | |",
        f"| ours, one vector | {one * 1e3:.1f} ms | 15 ms: {verdict(one * 1e3, 15)} |",
        f"| ours, each of 256 | {many * 1e3:.2f} ms | 0.3 ms: {verdict(many * 1e3, 0.3)} |",
        f"| opening the gallery from the cache, first search included | {opened * 1e3:.0f} ms | |",
        f"| `geolocate`, first of a process (both galleries opened) | {first:.1f} s | |",
        f"| `geolocate`, later ones (density over the Earth, no products) | {again * 1e3:.0f} ms | |",
        "",
        f"Identical five best places in the same order: {same:.1%} of the vectors. The weights in the package are "
        "rounded to float16, which moves cosines by some 4e-5: places closer than that may change their order.",
    ]


def verdict(value, bar):
    """Whether a time is within its bar."""
    return "met" if value <= bar else f"short by {value - bar:.2f} ms"


def timed(work):
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# ---------------------------------------------------------------- calibration


def units(model, kind):
    """Unit vectors of the real CLIP features in the shared space."""
    vectors = np.load(data_folder() / "clip" / "clip_vitl14_country_vectors.npz")[kind].astype(np.float32)
    shared = model.image_head(vectors)
    return shared / np.linalg.norm(shared, axis=1, keepdims=True)


class Countries:
    """What each vector says of the country, under any calibration and prior; cosines are worked out once."""

    def __init__(self, model, kind):
        self.model, self.surface = model, open_surface(model)
        codes = country_codes(data_folder())
        of_cell = np.array([codes.get(name, "") for name in Truths(self.surface.lonlat, data_folder()).country()])
        self.names, self._row = np.unique(of_cell, return_inverse=True)
        labels = np.load(data_folder() / "clip" / "clip_vitl14_country_vectors.npz")[f"{kind}_country"].astype(str)
        known = np.isin(labels, self.names)
        self.vectors, self.truth = units(model, kind)[known], np.searchsorted(self.names, labels[known])
        self._cosines = [g.scores(self.vectors) for g in (self.surface.photos, self.surface.land)]
        nearest = Truths(self.surface.photos.lonlat.astype(np.float64), data_folder()).country()
        self.nearest = np.array([codes.get(name, "") for name in nearest])[self._cosines[0].argmax(axis=1)]
        self.kind = "text" if kind == "text" else "image"

    def likelihood(self, temperature):
        return self.surface.mean_likelihood(*self._cosines, temperature)

    def agreement(self):
        mean = mean_of(self.kind, self.model)
        return np.stack([_agreement(v, mean, self.model, self.surface) for v in self.vectors])

    def of(self, likelihood, calibration, prior="photos"):
        """Probability of each country, (rows, countries)."""
        posterior = self.surface.posterior(likelihood, make_prior(self.surface, prior)[0], calibration)
        return np.stack([np.bincount(self._row, row, minlength=len(self.names)) for row in posterior])


def folds(count):
    """Rows of each test part."""
    return np.array_split(np.random.default_rng(0).permutation(count), FOLDS)


def loss(chances, truth):
    """Mean negative log probability of the truth."""
    return float(-np.log(chances[np.arange(len(truth)), truth]).mean())


def covered(chances, truth, level):
    """Share of rows whose truth is in the smallest set of countries that holds `level`."""
    order = np.argsort(-chances, axis=1)
    before = np.cumsum(np.take_along_axis(chances, order, axis=1), axis=1) - np.take_along_axis(chances, order, axis=1)
    rank = (order == truth[:, None]).argmax(axis=1)
    return float((before[np.arange(len(truth)), rank] <= level).mean())


def calibration(model):
    """Country of real CLIP vectors: accuracy, and whether the probabilities mean what they say."""
    lines = [
        "## Calibration on vectors whose country is known",
        "",
        "Temperature and floor are fitted on four fifths of the rows, everything is measured on the fifth left out. "
        "Only countries are known here, so coverage is that of the smallest set of countries that holds 50 % or 90 %; "
        "a set of whole countries holds a little more than asked. Confidence: mean probability of the first country.",
        "",
        "| vectors | prior | n | country of the best gallery place | first country right | confidence | among five "
        "| -log p | 50 % set covers | 90 % set covers |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for kind in ("image", "text"):
        data = Countries(model, kind)
        likelihoods = {t: data.likelihood(t) for t in TEMPERATURES}
        for prior in PRIORS:
            chances = {(t, f): data.of(likelihoods[t], Calibration(t, f), prior) for t in TEMPERATURES for f in FLOORS}
            held_out = held_out_choice(chances, data.truth)
            first = held_out.argmax(axis=1)
            lines.append(
                f"| {kind} | {prior} | {len(data.truth)} | {np.mean(data.nearest == data.names[data.truth]):.3f} "
                f"| {np.mean(first == data.truth):.3f} | {held_out.max(axis=1).mean():.3f} "
                f"| {np.mean((np.argsort(-held_out, axis=1)[:, :5] == data.truth[:, None]).any(axis=1)):.3f} "
                f"| {loss(held_out, data.truth):.3f} | {covered(held_out, data.truth, 0.5):.2f} "
                f"| {covered(held_out, data.truth, 0.9):.2f} |"
            )
    fitted = {kind: calibration_of(kind) for kind in ("image", "text")}
    told = "; ".join(f"{k}: temperature {c.temperature:g}, floor {c.floor:g}" for k, c in fitted.items())
    return [*lines, "", f"Shipped, fitted on all rows: {told}."]


def held_out_choice(chances, truth):
    """Chances of each row under the setting that is best on the other folds."""
    some = next(iter(chances.values()))
    out = np.empty_like(some)
    for test in folds(len(truth)):
        train = np.setdiff1d(np.arange(len(truth)), test)
        best = min(chances, key=lambda key: loss(chances[key][train], truth[train]))
        out[test] = chances[best][test]
    return out


def rerank(model):
    """Does agreement in concept space help?"""
    lines = [
        "## Concept-aware re-ranking",
        "",
        "Agreement of photo and place over the whole bank (mean product of standardised concept scores, standardised "
        "over land) times a weight, added to the log likelihood. The weight of the last row is chosen on the other "
        "folds.",
        "",
        "| vectors | weight | first country right | among five | -log p |",
        "| --- | --: | --: | --: | --: |",
    ]
    for kind in ("image", "text"):
        data = Countries(model, kind)
        fitted = calibration_of(data.kind)
        plain, agreement = data.likelihood(fitted.temperature), data.agreement()
        chances = {w: data.of(plain + w * agreement, fitted) for w in RERANKS}
        nested = held_out_choice(chances, data.truth)
        for name, found in [*chances.items(), ("nested", nested)]:
            five = (np.argsort(-found, axis=1)[:, :5] == data.truth[:, None]).any(axis=1).mean()
            lines.append(
                f"| {kind} | {name} | {np.mean(found.argmax(axis=1) == data.truth):.3f} | {five:.3f} "
                f"| {loss(found, data.truth):.3f} |"
            )
    return lines


def reasons(model):
    """Do the concepts that are named move more probability than random directions as long?"""
    lines = [
        "## Deletion test",
        "",
        "Each vector's named concepts are taken out of it one by one. Moved: share of the probability that then lies "
        "elsewhere; chance: the mean of 16 random directions as long. First: the concept that moves most.",
        "",
        "| vectors | n | concepts named | moved by the first | by chance | by all named, mean | by chance "
        "| named that beat chance |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for kind in ("image", "text"):
        tables = [geolocate(v, model=model).concepts for v in units(model, kind)[:40]]
        tables = [table for table in tables if len(table)]
        first = np.array([table.loc[0, ["moved", "moved_by_chance"]].astype(float) for table in tables])
        every = np.concatenate([table[["moved", "moved_by_chance"]].to_numpy(float) for table in tables])
        lines.append(
            f"| {kind} | {len(tables)} | {np.mean([len(t) for t in tables]):.1f} | {first[:, 0].mean():.3f} "
            f"| {first[:, 1].mean():.3f} | {every[:, 0].mean():.3f} | {every[:, 1].mean():.3f} "
            f"| {np.mean(every[:, 0] > every[:, 1]):.0%} |"
        )
    return lines


def places(model):
    """The weak tower on 400 real photos whose place is known: is the area where the photo was taken?"""
    sys.path.insert(0, str(RESULTS.parents[1] / "tools"))
    from fit_locate import FLOORS, WEAK_TEMPERATURES, weak_photos

    from geoconcept_gis.locate.calibrate import fit_calibration

    surface = open_surface(model)
    vectors, lonlat, fold = weak_photos(model)
    cells = cells_of(lonlat, 4)
    row = np.searchsorted(surface.cells, cells).clip(max=len(surface) - 1)
    prior = make_prior(surface)[0]
    chances = np.empty((len(vectors), len(surface)))
    for k in np.unique(fold):
        kept = fold != k
        one = fit_calibration(surface, vectors[kept], lonlat[kept], temperatures=WEAK_TEMPERATURES, floors=FLOORS)
        chances[fold == k] = surface.posterior(surface.log_likelihood(vectors[fold == k], one.temperature), prior, one)
    lines = [
        "## Areas and points on photos whose place is known, with the weak tower",
        "",
        "Every fifth of 2,000 photos (Im2GPS3k), each read by a weak map that was fitted without its photographer; "
        "temperature and floor from the other folds. The tower is weak: this tests the probability, not the tower.",
        "",
        "| what | -log p of the true cell | 50 % area covers | 90 % area covers | within 200 km | 750 km | 2,500 km |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    gallery = surface.photos.lonlat[surface.photos.search(vectors, 1)[0][:, 0]].astype(np.float64)
    inside = surface.cells[row] == cells
    for name, found in (("the prior alone", np.broadcast_to(prior, chances.shape)), ("ours", chances)):
        density = found / surface.area_km2
        before = np.array([one[d > d[r]].sum() for one, d, r in zip(found, density, row, strict=True)])
        best = (
            np.array([_best(surface, one) for one in found])
            if name == "ours"
            else np.tile(_best(surface, prior), (len(found), 1))
        )
        p = np.where(inside, found[np.arange(len(found)), row], np.nan)
        lines.append(
            f"| {name} | {-np.nanmean(np.log(p)):.3f} | {np.mean(inside & (before <= 0.5)):.3f} "
            f"| {np.mean(inside & (before <= 0.9)):.3f} | {accuracies(best, lonlat)}"
        )
    return [*lines, f"| best gallery place | | | | {accuracies(gallery, lonlat)}"]


def _best(surface, chances):
    one = Geolocation("photo", surface.cells, surface.lonlat, surface.area_km2, chances)
    return surface.lonlat[one._modes(1)[0][0]]


def accuracies(found, truth):
    """Shares within the usual distances, as cells of a table."""
    distance = distance_km(found, truth)
    return " | ".join(f"{np.mean(distance <= km):.3f}" for km in (200, 750, 2500)) + " |"


PARTS = {"speed": speed, "calibration": calibration, "places": places, "rerank": rerank, "reasons": reasons}

if __name__ == "__main__":
    main()
