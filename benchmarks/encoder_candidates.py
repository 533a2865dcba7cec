"""Which network learns GeoCLIP's vectors best at equal cost? Each candidate is taught alike, by the vectors alone.

    GEOCONCEPT_DATA=path/to/data python benchmarks/encoder_candidates.py [--steps N] [--lessons FOLDER] [--save]

Every candidate has some 1.2 million products and sums a place. They see the same places in the same order. Cosines are
centred, at places that were held out. The lessons are made first (a quarter of an hour) if they are not in the folder
that training keeps them in. Four minutes a candidate on one core.
"""

import argparse
import time
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

try:
    from benchmarks.machine import machine, page_of
    from benchmarks.own_encoder import megaflop
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from machine import machine, page_of
    from own_encoder import megaflop

from geoconcept_gis import load_model
from geoconcept_gis.encoder import open_encoder
from geoconcept_gis.reference import reference_places
from geoconcept_gis.train.config import read_config
from geoconcept_gis.train.teach.lessons import SETS
from geoconcept_gis.train.teach.loop import teach
from geoconcept_gis.train.teach.run import all_lessons, encoder_weights

CONFIG = Path(__file__).parents[1] / "configs" / "encoder.yaml"
#: Settings of each, where they are not those of configs/encoder.yaml.
CANDIDATES = {
    "tables, coarse to fine": {"knots": [0, 0, 0, 0, 60_000, 150_000, 60_000]},
    "tables of all knots": {"cells": [8, 4, 2, 1, 0.5], "widths": [32, 32, 32, 24, 8], "knots": [0] * 5},
    "Fourier features and MLP": {"cells": [], "widths": [], "knots": [], "waves": 140},
    "harmonics and SIREN": {"kind": "sh-siren", "degree": 20, "hidden": 416, "layers": 2},
    "sphereC+ and MLP": {"kind": "spherec+", "scales": 24, "hidden": 408, "blocks": 1},
    "x, y, z and MLP": {"kind": "xyz", "hidden": 448, "blocks": 1},
}


def main():
    """Teach, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--lessons", type=Path, default=Path("runs/lessons"))
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found, teacher = machine(), load_model(backend="numpy")
    config = read_config(
        CONFIG,
        [f"optim.steps={arguments.steps}", f"run.validate_steps={arguments.steps}", "encoder.details=0"]
        + [f"teachers.{name}=0" for name in ("labels", "numbers", "regions", "texts", "scenes")],
    )
    lessons = all_lessons(config, teacher, arguments.lessons)
    lines = [
        f"# Candidates for a location encoder, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/encoder_candidates.py`, {arguments.steps:,} steps of "
        f"{config.optim.batch_size:,} places each, one thread, {found['cores']} cores, load before "
        f"{found['load_before']}. Centred cosine with GeoCLIP's vectors at held-out places.",
        "",
        "| candidate | MFLOP a place | MB | " + " | ".join(SETS) + " | places a second, numpy |",
        "| --- | --: | --: |" + " --: |" * (len(SETS) + 1),
    ]
    print("\n".join(lines), flush=True)
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for name, settings in CANDIDATES.items():
            lines.append(row(name, one(config, settings), lessons))
            print(lines[-1], flush=True)
    if arguments.save:
        page_of("encoder-candidates", found["cpu"]).write_text("\n".join(lines) + "\n", encoding="utf-8")


def one(config, settings):
    """The same teaching with another encoder; settings without a kind change those of the file."""
    record = settings if "kind" in settings else {**config.encoder, **settings}
    return config.model_copy(update={"encoder": record})


def row(name, config, lessons):
    """Teach a candidate and say what it learnt and costs."""
    pupil, history = teach(lessons, config)
    weights, record = encoder_weights(pupil)
    encoder = open_encoder(record, weights)
    places, fastest = reference_places("uniform_land", 10_000, seed=8), 0.0
    for _ in range(3):
        start = time.perf_counter()
        for first in range(0, len(places), encoder.chunk_size):
            encoder.encode_chunk(places[first : first + encoder.chunk_size])
        fastest = max(fastest, len(places) / (time.perf_counter() - start))
    cosines = " | ".join(f"{history[-1][f'cosine {one}']:.3f}" for one in SETS)
    stored = sum(array.nbytes for array in weights.values()) / 1e6
    return f"| {name} | {megaflop(encoder):.2f} | {stored:.1f} | {cosines} | {fastest:,.0f} |"


if __name__ == "__main__":
    main()
