"""What is each teacher and each source of truths worth? Short runs of one seed, each without one of them.

    GEOCONCEPT_DATA=path/to/data python benchmarks/encoder_ablation.py [--config PATH] [--steps N] [--lessons FOLDER] \\
        [--save]

The runs are those of ``geoconcept train CONFIG --ablate N``, and one more whose teacher's vectors lack the finest
capsule. Each is measured at places that were held out, and by ridge regression on every task of ``downstream.py``, so
that every row stands there also for an encoder that was not taught the source near to it. The lessons are made first (a
quarter of an hour) if they are not in the folder that training keeps them in. Some 20 minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

try:
    from benchmarks.downstream import both
    from benchmarks.downstream_tasks import load_tasks
    from benchmarks.machine import machine, page_of
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    from downstream import both
    from downstream_tasks import load_tasks
    from machine import machine, page_of

from geoconcept_gis import load_model
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.encoder import open_encoder
from geoconcept_gis.train.config import read_config
from geoconcept_gis.train.teach.ablation import variants
from geoconcept_gis.train.teach.gather import all_lessons
from geoconcept_gis.train.teach.loop import teach
from geoconcept_gis.train.teach.measures import by_source
from geoconcept_gis.train.teach.run import encoder_weights

CONFIG = Path(__file__).parents[1] / "configs" / "encoder_small.yaml"
FINEST = "no finest capsule"


def main():
    """Teach, measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--lessons", type=Path, default=Path("runs/lessons"))
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found, teacher, tasks = machine(), load_model(backend="numpy"), load_tasks(data_folder(), 4_000)
    config = read_config(arguments.config, [f"optim.steps={arguments.steps}", f"run.validate_steps={arguments.steps}"])
    torch.set_num_threads(1)
    measured, scores = {}, {}
    with threadpool_limits(1):
        lessons = all_lessons(config, teacher, arguments.lessons)
        for name, settings in variants(config).items():
            measured[name], scores[name] = one(settings, lessons, tasks)
            print(name, flush=True)
        del lessons
        coarse = config.model_copy(update={"teachers": config.teachers.model_copy(update={"finest": 0.0})})
        found_here, scores[FINEST] = one(coarse, all_lessons(coarse, teacher, arguments.lessons), tasks)
    # Its cosines are with other vectors than those of the others.
    measured[FINEST] = {name: value for name, value in found_here.items() if not name.startswith("cosine")}
    lines = [
        f"# What each teacher of an encoder is worth, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/encoder_ablation.py`: `{arguments.config.name}`, {arguments.steps:,} "
        f"steps of {config.optim.batch_size:,} places each, seed {config.seed}, {found['cores']} cores, load before "
        f"{found['load_before']}. The first column has all teachers; the others say what changes without one.",
        "",
        "## At places that were held out",
        "",
        "What is left out has a head that the encoder does not learn from, so its rows say how much of it lies open "
        "all the same.",
        "",
        *table({name: by_source(values) for name, values in measured.items()}, "measured"),
    ]
    for k, protocol in enumerate(("random", "blocks")):
        lines += [
            "",
            f"## Ridge regression on the 512 numbers, {protocol}",
            "",
            *table({name: {task: pair[k] for task, pair in each.items()} for name, each in scores.items()}, "task"),
        ]
    print("\n".join(lines))
    if arguments.save:
        page_of("encoder-ablation", found["cpu"]).write_text("\n".join(lines) + "\n", encoding="utf-8")


def one(config, lessons, tasks):
    """Teach an encoder; what it knows at held-out places, and both scores of every task."""
    pupil, history = teach(lessons, config)
    weights, record = encoder_weights(pupil)
    encoder = open_encoder(record, weights)
    return history[-1], {task.name: both(encode(encoder, task.lonlat), task) for task in tasks}


def encode(encoder, lonlat):
    """Vectors of places, chunk by chunk."""
    parts = np.array_split(lonlat, -(-len(lonlat) // encoder.chunk_size))
    return np.concatenate([encoder.encode_chunk(part) for part in parts]).astype(np.float64)


def table(columns, first):
    """Rows of a table: the first column as it is, the others as differences from it."""
    lead, *others = columns.values()
    lines = [f"| {first} | {' | '.join(columns)} |", "| --- |" + " --: |" * len(columns)]
    for row, value in lead.items():
        changes = (f"{other[row] - value:+.3f}" if row in other else "" for other in others)
        lines.append(f"| {row} | {value:.3f} | {' | '.join(changes)} |")
    return lines


if __name__ == "__main__":
    main()
