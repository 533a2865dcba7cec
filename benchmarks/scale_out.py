"""Scale-out on dask: time, processor time and memory of one worker process beside several, on the same H3 cells.

    python benchmarks/scale_out.py [--workers 1 2] [--partitions 16] [--repeats 3] [--backend numpy] [--save]

Each run has processes of its own and starts from an empty folder; its time begins when the workers are up and have
opened the model, and ends when the last file is in place. Runs with different numbers of workers take turns, so that
what else the machine does meets all of them. Beside each stands a control: as many bare processes, without dask, that
share the same partitions out among themselves. It shows what the machine gives to any program at that moment, and on a
machine with other work that is less than the number of cores. Memory is the largest resident size of any worker; the
job of four times as many partitions must not need more. ``--save`` writes the table to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import machine, page_of

CHILD = '''
import json, os, resource, sys, time
import geoconcept_gis as gc
from geoconcept_gis.scale.engine import workers

# 16,807 cells a partition, from the middle of the list of parents.
RESOLUTION, PARENT, FIRST = 7, 2, 3000

def use():
    """Processor seconds so far, and the largest resident size in MB."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    peak = found.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if sys.platform == "linux":  # where ru_maxrss starts at the size of the process that started this one
        with open("/proc/self/status") as status:
            peak = 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    return found.ru_utime + found.ru_stime, peak / 1e6

def on_dask(plan, ready, count, folder):
    with workers(count=count) as client:
        client.run(ready, [0.0], [0.0])
        before = client.run(use)
        start, load = time.time(), os.getloadavg()[0]
        rows = gc.write_partitions(plan, folder)
        end, after = time.time(), client.run(use)
    size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
    return {"rows": rows, "load": load, "bytes": size, "mb": max(mb for _, mb in after.values()),
            "cpu": sum(after[key][0] - before[key][0] for key in after), "start": start, "end": end}

def bare(plan, ready, share, count, folder):
    ready([0.0], [0.0])
    start = time.time()
    for k in range(share, plan.npartitions, count):
        gc.write_places(plan.partitions[k].compute(scheduler="synchronous"), f"{folder}-{k}.parquet")
    return {"start": start, "end": time.time()}

if __name__ == "__main__":
    count, partitions, concepts, share = (int(text) for text in sys.argv[1:5])
    backend, folder = sys.argv[5:]
    model = gc.load_model(backend=backend)
    names = model.bank.names[:concepts]
    cells = gc.h3_partitions(None, RESOLUTION, parent_resolution=PARENT).partitions[FIRST : FIRST + partitions]
    plan, ready = gc.embed(cells, concepts=names, model=model), gc.FeatureFunction(concepts=names, model=model)
    print(json.dumps(on_dask(plan, ready, count, folder) if share < 0 else bare(plan, ready, share, count, folder)))
'''


def main() -> None:
    """Run, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--concepts", type=int, default=30)
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--save", action="store_true", help="write the table to benchmarks/results/")
    arguments = parser.parse_args()
    turns = []
    for turn in range(arguments.repeats):
        order = arguments.workers[:: -1 if turn % 2 else 1]
        turns.append({count: run(count, arguments.partitions, arguments) for count in order})
    last = arguments.workers[-1]
    few = run(last, max(arguments.partitions // 4, last), arguments)
    text = report(turns, few, arguments)
    print(text)
    if arguments.save:
        page_of(f"scale-out-{arguments.backend}", machine()["cpu"]).write_text(text, encoding="utf-8")


def run(count: int, partitions: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Write the cells once with `count` workers, then once with as many bare processes."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "child.py"  # worker processes start by importing it again
        script.write_text(CHILD, encoding="utf-8")
        options = [str(count), str(partitions), str(arguments.concepts)]
        ends = [arguments.backend, str(Path(folder) / "out")]
        [row] = finish([start([script, *options, "-1", *ends])])
        bare = finish([start([script, *options, str(share), *ends]) for share in range(count)])
    row |= {
        "partitions": partitions,
        "seconds": row["end"] - row["start"],
        "bare": max(one["end"] for one in bare) - min(one["start"] for one in bare),
    }
    print(count, row, file=sys.stderr)
    return row


def start(command: list[str | Path]) -> subprocess.Popen[str]:
    """Start a child with one thread, as dask's workers have."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=os.environ | threads)


def finish(children: list[subprocess.Popen[str]]) -> list[dict[str, float]]:
    """Wait for children, and return what each printed."""
    texts = [child.communicate()[0] for child in children]
    if failed := [child.returncode for child in children if child.returncode]:
        raise SystemExit(f"a run failed with exit code {failed[0]}")
    return [json.loads(text.splitlines()[-1]) for text in texts]


def report(turns: list[dict[int, dict[str, float]]], few: dict[str, float], arguments: argparse.Namespace) -> str:
    """Set the runs as a Markdown page."""
    base, *more = arguments.workers
    first, last = turns[0][base], turns[-1][arguments.workers[-1]]
    lines = [
        f"# Scale-out on {machine()['cpu']}",
        "",
        f"{os.cpu_count()} logical cores, {platform.system()}, Python {platform.python_version()}. "
        f"{first['rows']:,} H3 cells in {first['partitions']} partitions, {arguments.concepts} concepts, backend "
        f"{arguments.backend}, one thread a worker, to GeoParquet. The load is that before each run: what else the "
        "machine did, which shares the cores with the workers. Bare: as many processes without dask.",
        "",
        "| turn | workers | load | seconds | processor seconds | cells a processor second | largest worker, MB "
        "| times as fast | bare, times as fast |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for turn, found in enumerate(turns, 1):
        for count in arguments.workers:
            row = found[count]
            lines.append(
                f"| {turn} | {count} | {row['load']:.1f} | {row['seconds']:.1f} | {row['cpu']:.1f} "
                f"| {row['rows'] / row['cpu']:,.0f} | {row['mb']:.0f} | {found[base]['seconds'] / row['seconds']:.2f} "
                f"| {found[base]['bare'] / row['bare']:.2f} |"
            )
    lines.append("")
    for count in more:
        ratios, bare, work = (
            [found[base][key] / found[count][key] for found in turns] for key in ("seconds", "bare", "cpu")
        )
        lines.append(
            f"{count} workers are {spread(ratios)} times as fast as {base}; bare processes at the same time "
            f"{spread(bare)}. {base} needs {spread(work)} times the processor seconds of {count}."
        )
    lines += [
        "",
        f"Memory: {few['mb']:.0f} MB with {few['partitions']} partitions, {last['mb']:.0f} MB with "
        f"{last['partitions']}. Files: {last['bytes'] / last['rows']:.0f} bytes a cell.",
        "",
    ]
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    """Write a median with its range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
