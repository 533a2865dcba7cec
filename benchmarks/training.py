"""What a step of training costs, and whether the input keeps up: samples a second of each, and of both together.

    python benchmarks/training.py [--device cuda] [--save]

`input`: cached features alone, as training reads them. `compute`: the same steps on one batch that is in memory
already. `loop`: training as users run it, both at once; its share of the slower of the two says what the loop itself
costs. The last table works out a run on all of MP-16 from the numbers measured here.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

try:  # as a module of this folder, or as a script
    from benchmarks.machine import RESULTS, machine
    from benchmarks.training_input import make, throughput
except ModuleNotFoundError:
    from machine import RESULTS, machine
    from training_input import make, throughput

from geoconcept_gis import load_model
from geoconcept_gis.train import fit
from geoconcept_gis.train.alignment import Alignment, Batch
from geoconcept_gis.train.config import parse_config

MP16 = 4_700_000
EPOCHS = 10
BATCH = 512
SETTINGS = f"""
name: cost
data: {{train: shards, validation: 0}}
optim: {{batch_size: {BATCH}, epochs: 1, lr: 3e-5}}
run: {{log_steps: 1000000}}
"""
FROZEN = ["location_encoder={kind: model, frozen: true}"]
RUNS = {
    "image head alone (frozen encoder)": FROZEN,
    "the same + concepts (kl)": [*FROZEN, "concepts={loss: kl, weight: 1.0}"],
    "GeoCLIP: image head and capsules, queue of 4,096": ["location_encoder={kind: model, frozen: false}"],
}
#: Steps that are timed: capsules with a queue take seconds each on a CPU.
STEPS = {True: 20, False: 2}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), default="32-true")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/training-*.md")
    options = parser.parse_args()
    where = f"run.accelerator={options.device}", f"run.precision={options.precision}"
    found = machine()
    device = found["cpu"] if options.device == "cpu" else torch.cuda.get_device_name()
    model = load_model(backend="numpy")
    with tempfile.TemporaryDirectory() as work:
        source = make(Path(work) / "shards", 60_000, 1, 768)
        read = max(throughput(source.folder, BATCH) for _ in range(3))
        rows = {}
        for name, settings in RUNS.items():
            config = parse_config(SETTINGS, overrides=[*settings, *where])
            steps = STEPS[config.location_encoder.frozen or options.device == "cuda"]
            rows[name] = compute(config, source, model, steps), loop(config, source, model, steps)
    lines = [
        f"# Training: cost of a step, {options.device}, {options.precision}",
        "",
        f"{device}, {found['cores']} cores, {found['date']}. "
        f"Batches of {BATCH}, CLIP features (768), random. The input alone gives {read:,.0f} photos/s "
        "(float16 shards, one view, in the page cache, one thread ahead).",
        "",
        "| what is trained | compute, photos/s | loop, photos/s | loop / slower of input and compute |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, (alone, both) in rows.items():
        lines.append(f"| {name} | {alone:,.0f} | {both:,.0f} | {both / min(alone, read):.2f} |")
    size = 768 * 2 * MP16 / 1e9
    lines += [
        "",
        f"## All of MP-16 on this machine: {MP16:,} photos, {EPOCHS} epochs of {MP16 // BATCH:,} steps",
        "",
        "| what is trained | hours |",
        "| --- | ---: |",
        *(f"| {name} | {MP16 * EPOCHS / both / 3600:,.1f} |" for name, (_, both) in rows.items()),
        "",
        f"The features are cached once: {size:.1f} GB a view on disk, mapped, not loaded.",
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if options.save:
        path = RESULTS / f"training-{options.device}-{name_of(device)}.md"
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}", file=sys.stderr)


def name_of(device: str) -> str:
    return re.sub(r"[^0-9a-z]+", "-", device.lower()).strip("-")


def compute(config, source, model, steps):
    """Photos per second of steps on one batch that is in memory."""
    device = config.run.accelerator
    rows = np.arange(BATCH)
    alignment = Alignment(config, model, source.plain(rows)).to(device).train()
    trained = [value for value in alignment.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=config.optim.lr)
    batch = Batch(
        torch.from_numpy(rows), torch.from_numpy(source.plain(rows)), torch.from_numpy(source.lonlat[rows])
    ).to(device)
    kind = torch.bfloat16 if config.run.precision == "bf16-mixed" else torch.float32

    def step():
        with torch.autocast(device, dtype=kind, enabled=kind is torch.bfloat16):
            loss = alignment(batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    for k in range(9):  # until the queue is full
        batch.row += 0 if k == 0 else BATCH
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * BATCH / (time.perf_counter() - start)


def loop(config, source, model, steps):
    """Photos per second of training itself, once the queue is full."""
    warm = 9
    rows = np.arange((warm + steps) * BATCH) % len(source)
    began = []

    def watch(done, total):
        if done == warm:
            began.append(time.perf_counter())

    fit(source, config, rows=rows, model=model, progress=watch)
    return steps * BATCH / (time.perf_counter() - began[0])


if __name__ == "__main__":
    main()
