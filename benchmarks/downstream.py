"""What can a linear model tell of a place from each kind of features? One table, two protocols.

    GEOCONCEPT_DATA=path/to/data python benchmarks/downstream.py [--rows 4000] [--only NAME ...] [--save]

Protocols. ``random``: that of RANGE (arXiv 2502.19781): columns scaled to 0..1 on the training rows, RidgeCV with
alphas 0.1, 1, 10 and 3 folds (RidgeClassifierCV and 10 folds for classes), 80 % against 20 %, seed 42 (of numpy, so
not their very rows). ``blocks``: the same estimator, five folds of whole blocks; all predictions outside of training
make one score. Scores are R2, or accuracy. Of tables of more than 8,000 rows `--rows` are taken. Features see no label
of a task, but concepts were fitted on data close to some: there is a column without the concepts of that family.
"""

import argparse
import time

import numpy as np
from scipy.linalg import cho_factor, cho_solve

try:
    from benchmarks.downstream_tasks import load_tasks
    from benchmarks.machine import machine, page_of
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from downstream_tasks import load_tasks
    from machine import machine, page_of

from geoconcept_gis import load_model, spatial_folds
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.encoder.features import spherical_harmonics, unit_vectors
from geoconcept_gis.encoder.location import equal_earth
from geoconcept_gis.learn.layers import SteadyScorer, all_features, layer_features

ALPHAS = (0.1, 1.0, 10.0)
OURS = "ours (all)"
WITHOUT = "ours without family"
#: Kinds of features that this package made up; the others are rivals.
FROM_HERE = (OURS, WITHOUT, "percentiles", "concepts", "layers")
#: Degree of the harmonics (400 columns), and spread of the frequencies of 1,024 random Fourier features on the unit
#: sphere: both are the value, of those tried, that did best on training rows of the worldwide tasks.
DEGREE, FREQUENCY = 20, 10.0
#: RANGE's own figures (arXiv 2502.19781) on the same table.
PUBLISHED = {"air temperature": "GeoCLIP .916, SINR .942, RANGE+ .931"}


def fourier(lonlat):
    rng = np.random.default_rng(0)
    angles = unit_vectors(lonlat) @ rng.standard_normal((3, 512)) * FREQUENCY
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def every_layer(model, lonlat):
    """Hidden layers one to three of every capsule, and the output: 9,728 numbers, unweighted as BWS found best."""
    parts = []
    for start in range(0, len(lonlat), 1024):
        plane, row = equal_earth(lonlat[start : start + 1024]), []
        for phases, layers in model.encoder._capsules:
            angle = plane @ phases
            hidden = np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
            for weight, bias in layers[:-1]:
                hidden = np.maximum(hidden @ weight + bias, 0.0)
                row.append(hidden)
        parts.append(np.concatenate(row, axis=1))
    return np.concatenate([np.concatenate(parts), model.encode(lonlat)], axis=1)


def columns(model, task):
    """Name and maker of every kind of features."""
    made = {
        "lon, lat": lambda: task.lonlat,
        "xyz": lambda: unit_vectors(task.lonlat),
        "harmonics": lambda: spherical_harmonics(task.lonlat, DEGREE),
        "random Fourier": lambda: fourier(task.lonlat),
        "GeoCLIP": lambda: model.encode(task.lonlat),
        "GeoCLIP + BWS": lambda: every_layer(model, task.lonlat),
        "percentiles": lambda: model.score(task.lonlat, kind="percentile"),
        "concepts": lambda: concept_columns(*all_features(model, task.lonlat)),
        "layers": lambda: layer_features(model, task.lonlat),
        OURS: lambda: all_features(model, task.lonlat)[0],
    }
    if task.family:
        others = [c for c in SteadyScorer(model).concepts if c.family != task.family]
        made[WITHOUT] = lambda: all_features(model, task.lonlat, others)[0]
    return made


def concept_columns(values, names):
    return values[:, [name.startswith("concept_") for name in names]]


class Ridge:
    """RidgeCV behind a MinMaxScaler, in the smaller of its two forms; all alphas of a fold share its products.

    Agrees with scikit-learn's RidgeCV and RidgeClassifierCV, alpha and predictions, and is many times faster. Products
    of more columns than rows are float32. Where 0 lies after scaling changes nothing, so the mean is put there.
    """

    def __init__(self, X, Y, folds, classes):
        wide = X.shape[1] > len(X)
        X = X.astype(np.float32 if wide else np.float64)
        self.mean, span = X.mean(axis=0), np.ptp(X, axis=0)
        self.span = np.where(span > 0, span, X.dtype.type(1.0))
        self.X, self.Y = (X - self.mean) / self.span, Y
        self.K = (self.X @ self.X.T).astype(np.float64) if wide else None
        rows, agree = np.arange(len(X)), agreement if classes else r2
        scores = np.zeros(len(ALPHAS))
        for held in np.array_split(rows, folds):  # as KFold splits
            K = None if self.K is None else self.K[held]
            fits = self.fits(np.setdiff1d(rows, held), ALPHAS)
            scores += [agree(Y[held], fit(self.X[held], K)) for fit in fits]
        self.alpha = ALPHAS[int(scores.argmax())]

    def fits(self, rows, alphas):
        """Functions that predict from scaled columns, or from their products with the training rows."""
        Y = self.Y[rows]
        mean_y = Y.mean(axis=0)
        if self.K is None:
            mean = self.X[rows].mean(axis=0)
            X = self.X[rows] - mean
            gram, cross = X.T @ X, X.T @ (Y - mean_y)
            weights = [solve(gram, alpha, cross) for alpha in alphas]
            return [lambda X, _, w=w: (X - mean) @ w + mean_y for w in weights]
        K = self.K[np.ix_(rows, rows)]
        mean = K.mean(axis=0)
        K += mean.mean() - mean - mean[:, None]
        # The dual weights sum to zero, so of the centring only the mean row is left.
        duals = [solve(K, alpha, Y - mean_y) for alpha in alphas]
        return [lambda _, K, dual=dual: (K[:, rows] - mean) @ dual + mean_y for dual in duals]

    def predict(self, X):
        scaled = (X.astype(self.X.dtype) - self.mean) / self.span
        [fit] = self.fits(np.arange(len(self.X)), [self.alpha])
        return fit(scaled, None if self.K is None else scaled @ self.X.T)


def solve(matrix, alpha, right):
    matrix = matrix.copy()
    matrix.flat[:: len(matrix) + 1] += alpha
    return cho_solve(cho_factor(matrix, overwrite_a=True, check_finite=False), right, check_finite=False)


def r2(y, predicted):
    return 1.0 - ((y - predicted) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum()


def agreement(Y, predicted):
    """Share of rows with every class right, the score by which scikit-learn's RidgeClassifierCV picks its alpha."""
    return ((predicted > 0) == (Y > 0)).all(axis=1).mean()


def evaluate(X, task, train, test):
    """Predictions of the test rows."""
    Y = 2.0 * (task.y[:, None] == np.unique(task.y)) - 1.0 if task.classes else task.y[:, None]
    return Ridge(X[train], Y[train], 10 if task.classes else 3, task.classes).predict(X[test]), Y


def score(task, Y, predicted):
    if task.classes:
        return float((Y.argmax(axis=1) == predicted.argmax(axis=1)).mean())
    return float(r2(Y, predicted))


def both(X, task):
    """Scores of the random split and of the blocks."""
    order = np.random.default_rng(42).permutation(len(task.y))
    cut = int(0.8 * len(order))
    predicted, Y = evaluate(X, task, order[:cut], order[cut:])
    random = score(task, Y[order[cut:]], predicted)
    everything = np.empty(Y.shape)
    for train, test in spatial_folds("blocks", degrees=task.degrees, n_splits=5).split(task.lonlat):
        everything[test], _ = evaluate(X, task, train, test)
    return random, score(task, Y, everything)


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these tasks alone")
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found, model, start = machine(), load_model(backend="numpy"), time.perf_counter()
    tasks = [t for t in load_tasks(data_folder(), arguments.rows) if not arguments.only or t.name in arguments.only]
    results, widths = {}, {}
    for task in tasks:
        for name, make in columns(model, task).items():
            X = np.asarray(make())
            widths.setdefault(name, X.shape[1])
            results[task.name, name] = both(X, task)
            print(f"{task.name}: {name} {X.shape[1]}", *(f"{v:.3f}" for v in results[task.name, name]), flush=True)
    text = page(found, tasks, results, widths, time.perf_counter() - start)
    print(text)
    if arguments.save:
        page_of("downstream", found["cpu"]).write_text(text, encoding="utf-8")


def page(found, tasks, results, widths, seconds):
    """Both tables and where ours is not first."""
    kinds = list(widths)
    lines = [
        f"# Features for regressors, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/downstream.py`, {found['cores']} cores, load before "
        f"{found['load_before']}, {seconds / 60:.0f} minutes. Width: "
        + ", ".join(f"{kind} {width:,}" for kind, width in widths.items() if kind != WITHOUT)
        + ".",
    ]
    for k, protocol in enumerate(("random", "blocks")):
        lines += ["", f"## {protocol}", "", "| task | rows | " + " | ".join(kinds) + " |"]
        lines += ["| --- | --: |" + " --: |" * len(kinds)]
        behind = []
        for task in tasks:
            values = {kind: results[task.name, kind][k] for kind in kinds if (task.name, kind) in results}
            rivals = {kind: v for kind, v in values.items() if kind not in FROM_HERE}
            best = max(rivals, key=rivals.get)
            if values[OURS] <= rivals[best]:
                behind.append(f"{task.name} ({best} {rivals[best]:.3f}, ours {values[OURS]:.3f})")
            top = max(values.values())
            cells = [cell(values.get(kind), top) for kind in kinds]
            lines.append(f"| {task.name} | {len(task.y):,} | " + " | ".join(cells) + " |")
        lines += ["", f"Ours is not first on: {'; '.join(behind) or 'no task'}."]
        if k == 0:
            lines += [f"Published, same table and protocol, other split: {t} {v}." for t, v in PUBLISHED.items()]
    return "\n".join(lines) + "\n"


def cell(value, top):
    if value is None:
        return ""
    return f"**{value:.3f}**" if value == top else f"{value:.3f}"


if __name__ == "__main__":
    main()
