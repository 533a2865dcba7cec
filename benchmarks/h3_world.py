"""The whole world in H3 cells to GeoParquet: time and peak memory, at three resolutions.

    python benchmarks/h3_world.py [--backends auto onnx-int8] [--geometry center] [--concepts 30] [--save]

Each run has a process of its own, so that its peak memory is its own. From resolution 3 to 5 the number of cells grows
49-fold; memory must not. The first backend runs at all three, the others at the finest. ``--save`` writes the table to
benchmarks/results/.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import machine, page_of

# This process stays small: on Linux a child's peak memory starts at its parent's.
RESOLUTIONS = (3, 4, 5)
MOST_SECONDS, MOST_GB = 60.0, 1.5

CHILD = """
import json, os, resource, sys, time, warnings
resolution, backend, geometry, concepts, path = sys.argv[1:]
warnings.simplefilter("ignore")
start = time.perf_counter()
import geoconcept_gis as gc
model = gc.load_model(backend=backend)
names = model.bank.names[: int(concepts)]
cells = gc.write_h3(path, None, int(resolution), names, model=model, geometry=None if geometry == "none" else geometry)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "resolution": int(resolution), "cells": cells, "concepts": len(names), "backend": model.backend,
    "seconds": seconds, "gb": peak / (1e9 if sys.platform == "darwin" else 1e6), "mb": os.path.getsize(path) / 1e6,
}))
"""


def main():
    """Run every resolution, print the table and whether the bars are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", nargs="+", default=["auto", "onnx-int8"])
    parser.add_argument("--geometry", default="center", choices=("center", "boundary", "none"))
    parser.add_argument("--concepts", type=int, default=30)
    parser.add_argument("--save", action="store_true", help="write the table to benchmarks/results/")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    first, *others = arguments.backends
    jobs = [(first, resolution) for resolution in RESOLUTIONS] + [(name, RESOLUTIONS[-1]) for name in others]
    with tempfile.TemporaryDirectory() as folder:
        rows = [run(*job, arguments, Path(folder) / "world.parquet") for job in jobs]
    text = report(rows, arguments.geometry, load)
    print(text)
    if arguments.save:
        page_of("h3-world", machine()["cpu"]).write_text(text, encoding="utf-8")


def run(backend, resolution, arguments, path):
    """Write the world once in a fresh process; time includes imports and loading the model."""
    options = (str(resolution), backend, arguments.geometry, str(arguments.concepts), str(path))
    done = subprocess.run([sys.executable, "-c", CHILD, *options], check=True, stdout=subprocess.PIPE, text=True)
    row = json.loads(done.stdout.splitlines()[-1])
    row["asked"] = backend if row["backend"] == backend else f"{backend}: {row['backend']}"
    return row


def report(rows, geometry, load):
    """Set the rows as a Markdown page."""
    lines = [
        f"# The world in H3 cells on {machine()['cpu']}",
        "",
        f"{os.cpu_count()} logical cores, {platform.system()}, Python {platform.python_version()}; load {load:.1f} "
        f"before the run. {rows[0]['concepts']} concepts and geometry {geometry!r} to GeoParquet (zstd); seconds of "
        "the process's own work, imports and model included.",
        "",
        "| resolution | cells | backend | seconds | cells/s | peak memory, GB | file, MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['resolution']} | {row['cells']:,} | {row['asked']} | {row['seconds']:.1f} "
        f"| {row['cells'] / row['seconds']:,.0f} | {row['gb']:.2f} | {row['mb']:.0f} |"
        for row in rows
    ]
    world = [row for row in rows if row["resolution"] == RESOLUTIONS[-1]]
    best, before = min(world, key=lambda row: row["seconds"]), rows[len(RESOLUTIONS) - 2]
    most, met = max(row["gb"] for row in world), {True: "met", False: "missed"}
    lines += [
        "",
        f"Bars at resolution {RESOLUTIONS[-1]}: under {MOST_SECONDS:g} s with the best backend "
        f"{met[best['seconds'] < MOST_SECONDS]} ({best['backend']}: {best['seconds']:.1f} s); under {MOST_GB:g} GB "
        f"{met[most < MOST_GB]}. From {before['cells']:,} to {best['cells']:,} cells the peak "
        f"of {rows[0]['asked'].split(':')[0]} grew by {world[0]['gb'] - before['gb']:.2f} GB.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
