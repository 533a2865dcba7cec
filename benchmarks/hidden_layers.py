"""Do heads on the encoder's hidden layers find a concept better than its vector among the 512 outputs?

    GEOCONCEPT_DATA=path/to/data python benchmarks/hidden_layers.py [--concepts 40] [--save]

Same places, folds and regression for both; strengths are chosen inside the training folds. The hidden layer is the last
one of each capsule (1,024 numbers each, after ReLU), standardised. Concepts are taken evenly from the bank's land
families. Some fifteen minutes on two cores.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

try:
    from benchmarks.machine import machine, page_of
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from machine import machine, page_of

from geoconcept_gis import load_model
from geoconcept_gis.bank.definitions import LAND, definitions
from geoconcept_gis.bank.sources import Truths, countries, data_folder
from geoconcept_gis.fitting import Examples, centre, fit_concept
from geoconcept_gis.reference import reference_places

PLACES = 24_000
STRENGTHS = (0.1, 1.0)
CAPSULES = {"coarse two capsules": (0, 1), "all three capsules": (0, 1, 2)}


def hidden(encoder, lonlat):
    """Last hidden layer of every capsule, (N, 3, 1024)."""
    return np.concatenate([encoder.hidden(lonlat[start : start + 1024], 3) for start in range(0, len(lonlat), 1024)])


def standardised(x):
    """Scale so that every number that varies weighs the same, and a row has length one on average."""
    spread = x.std(axis=0)
    x = x[:, spread > 1e-4]
    return ((x - x.mean(axis=0)) / x.std(axis=0) / np.sqrt(x.shape[1])).astype(np.float32)


def compare(name, y, lonlat, weight):
    """Held-out AUROC of each kind of feature."""
    return name, {
        kind: fit_concept(
            Examples(x, y, lonlat, weight), negatives="land", strengths=STRENGTHS, controls=False
        ).validity.value
        for kind, x in FEATURES.items()
    }


FEATURES = {}


def main():
    """Fit, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concepts", type=int, default=40)
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found, data, model = machine(), data_folder(), load_model(backend="numpy")
    lonlat = reference_places(LAND, PLACES, seed=21)
    layers = hidden(model.encoder, lonlat)
    FEATURES["512 outputs"] = centre(model.encode(lonlat), model.bank.references[LAND])
    for name, which in CAPSULES.items():
        FEATURES[name] = standardised(layers[:, which].reshape(PLACES, -1))
    truths = Truths(lonlat, data)
    jobs = []
    for one in definitions(countries(data)):
        if one.universe == LAND:
            label = one.label(truths)
            known = ~np.isnan(label)
            if (label == 1).sum() >= 200 and known.all():
                jobs.append((one, label == 1))
    jobs = jobs[:: max(1, len(jobs) // arguments.concepts)]
    families = {one.name: one.family for one, _ in jobs}
    with ProcessPoolExecutor(
        os.cpu_count(), initializer=threadpool_limits, initargs=(1,)
    ) as pool:  # forked: features are shared
        work = [pool.submit(compare, one.name, y, lonlat, np.ones(PLACES)) for one, y in jobs]
        rows = [future.result() for future in work]
    kinds = list(FEATURES)
    lines = [
        f"# Heads on hidden layers, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/hidden_layers.py`: held-out AUROC (10-degree blocks, strength chosen "
        f"inside the training folds), {PLACES:,} places on land that the bank was not fitted on.",
        "",
        "| family | concept | " + " | ".join(kinds) + " |",
        "| --- | --- |" + " --: |" * len(kinds),
    ]
    lines += [
        f"| {families[name]} | {name} | " + " | ".join(f"{values[k]:.3f}" for k in kinds) + " |"
        for name, values in rows
    ]
    for family in dict.fromkeys(families.values()):
        mine = [values for name, values in rows if families[name] == family]
        lines.append(
            f"| **{family}** | mean of {len(mine)} | "
            + " | ".join(f"**{np.mean([values[k] for values in mine]):.3f}**" for k in kinds)
            + " |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.save:
        page_of("hidden-layers", found["cpu"]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
