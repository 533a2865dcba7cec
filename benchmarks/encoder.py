"""Points per second of every backend, side by side with stock geoclip 1.3.0, in one process.

    python benchmarks/encoder.py [--points 4096] [--rounds 15] [--json out.json] [--save]

Needs ``pip install "geoconcept-gis[torch,onnx]"`` and ``pip install --no-deps geoclip==1.3.0``. Routes take turns
within each round, so that a disturbance of the machine hits them alike; ratios are between the best rounds, because
other work on the machine only ever slows a route. Alongside, plain matrix products show what the machine can do at
all: the encoder is 18.87 MFLOP a point, nearly all of it products. ``--save`` writes the tables to
benchmarks/results/.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

try:
    from benchmarks import original
    from benchmarks.machine import RESULTS, machine, page_of
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    import original
    from machine import RESULTS, machine, page_of

from geoconcept_gis import load_model
from geoconcept_gis.backends import BACKENDS, BackendChoice
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import GeoConceptError

STOCK = "stock geoclip 1.3.0"
MFLOP = 18.87
CHUNK = 1024
# Worker threads spin for a while after their last task; let them fall asleep before the next route starts.
PAUSE = 0.3
BARS = (("numpy", 4.0), ("torch", 5.0))
BEST_BAR = 20.0


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as JSON, too")
    parser.add_argument("--save", action="store_true", help="write the tables to benchmarks/results/")
    arguments = parser.parse_args()

    result = {"machine": machine(), "products": products()}
    result |= measure(arguments.points, arguments.rounds)
    text = report(result)
    print(text)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if arguments.save:
        RESULTS.mkdir(exist_ok=True)
        page_of("encoder", result["machine"]["cpu"]).write_text(text, encoding="utf-8")


def routes():
    """Return name -> (function from (lon, lat) to vectors, chunk size), and why others are left out."""
    encoder = load_model(backend="numpy").encoder
    stock = original.load_original()
    clean = original.zero_subnormals(original.load_original())
    found = {
        STOCK: (lambda chunk: original.encode(stock, chunk).numpy(), CHUNK),
        "stock, subnormals zeroed": (lambda chunk: original.encode(clean, chunk).numpy(), CHUNK),
    }
    left_out = {}
    for name in BACKENDS:
        try:
            backend = BackendChoice(encoder, name).pick(1)
        except GeoConceptError as error:
            left_out[name] = str(error)
            continue
        found[name] = (backend.encode_chunk, backend.chunk_size)
    weights = {name: tensor.numpy() for name, tensor in stock.state_dict().items()}
    exact = BackendChoice(LocationEncoder(weights), "torch").pick(1)
    found["torch, the original's float32 weights"] = (exact.encode_chunk, exact.chunk_size)
    return found, left_out


def measure(points, rounds):
    """Time every route in turn, round after round, and compare its vectors with stock's."""
    rng = np.random.default_rng(0)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, points)))
    lonlat = np.stack([rng.uniform(-180, 180, points), lat], axis=1)
    found, left_out = routes()
    vectors = {name: run(lonlat, *route) for name, route in found.items()}
    seconds = {name: [] for name in found}
    for _ in range(rounds):
        for name, route in found.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            run(lonlat, *route)
            seconds[name].append(time.perf_counter() - start)
    return {
        "points": points,
        "rounds": rounds,
        "routes": {
            name: {
                "best": points / min(seconds[name]),
                "median": points / statistics.median(seconds[name]),
                "identical": bool(np.array_equal(vectors[name], vectors[STOCK])),
            }
            | cosines(vectors[name], vectors[STOCK])
            for name in found
        },
        "left_out": left_out,
    }


def run(lonlat, encode, size):
    """Encode chunk by chunk, as `GeoConceptModel.encode` does."""
    return np.concatenate([encode(lonlat[i : i + size]) for i in range(0, len(lonlat), size)])


def cosines(vectors, reference):
    """Smallest and mean cosine between rows, in float64."""
    a, b = vectors.astype(np.float64), reference.astype(np.float64)
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return {"min_cosine": float(cosine.min()), "mean_cosine": float(cosine.mean())}


def products(size=2048):
    """GFLOP/s (for int8: Gop/s) of square matrix products: what the libraries get out of this CPU at best."""
    import onnxruntime
    import torch
    from onnx import TensorProto, helper

    rng = np.random.default_rng(0)
    a = rng.standard_normal((size, size), dtype=np.float32)
    single, short = torch.tensor(a), torch.tensor(a).bfloat16()
    whole = torch.randint(-127, 127, (size, size), dtype=torch.int8)
    square = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [size, size]) for name in "abc"]
    node = helper.make_node("MatMul", ["a", "b"], ["c"])
    model = helper.make_model(
        helper.make_graph([node], "product", square[:2], square[2:]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    calls = {
        "numpy float32": lambda: a @ a,
        "torch float32": lambda: single @ single,
        "onnxruntime float32": lambda: session.run(None, {"a": a, "b": a}),
        "torch bfloat16": lambda: short @ short,
        "torch int8": lambda: torch._int_mm(whole, whole),
    }
    return {name: 2e-9 * size**3 / best_of(call) for name, call in calls.items()}


def best_of(call, seconds=1.0):
    """Shortest time of a call, repeated for about a second."""
    time.sleep(PAUSE)
    call()
    times = []
    while sum(times) < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def report(result):
    """Everything as one markdown page."""
    found = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    lines = [
        f"# Encoder on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/encoder.py`: {result['points']:,} random places, "
        f"{result['rounds']} interleaved rounds, one process. {found['cores']} cores, {found['system']}; "
        f"{' '.join(found['flags']) or 'no known vector flags'}; load before: {found['load_before']}. {versions}.",
        "",
        "Ratios are between the best rounds; cosines are with stock's vectors.",
        "",
        "| route | points/s, best | median | ratio to stock | min cosine | mean cosine | same bits |",
        "| --- | --: | --: | --: | --: | --: | :-: |",
    ]
    stock = result["routes"][STOCK]["best"]
    for name, row in result["routes"].items():
        lines.append(
            f"| {name} | {row['best']:,.0f} | {row['median']:,.0f} | {row['best'] / stock:.2f} "
            f"| {row['min_cosine']:.7f} | {row['mean_cosine']:.7f} | {'yes' if row['identical'] else 'no'} |"
        )
    lines += [f"\nNot run: {name}: {reason}." for name, reason in result["left_out"].items()]
    lines += [
        "",
        "## What this CPU allows",
        "",
        f"A point costs {MFLOP} MFLOP. Plain 2048 x 2048 products, the best a library reached here, allow at most:",
        "",
        "| product | GFLOP/s | points/s | ratio to stock |",
        "| --- | --: | --: | --: |",
    ]
    for name, rate in result["products"].items():
        points = rate * 1e3 / MFLOP
        lines.append(f"| {name} | {rate:,.0f} | {points:,.0f} | {points / stock:.1f} |")
    return "\n".join([*lines, "", *verdict(result), ""])


def verdict(result):
    """Say which bars are met here, and why not."""
    rows, rates = result["routes"], result["products"]
    stock = rows[STOCK]["best"]
    gain = rows["stock, subnormals zeroed"]["best"] / stock
    lines = [
        "## Bars",
        "",
        f"Without its subnormal weights stock geoclip runs {gain:.2f} times as fast on this CPU. The bars were set on "
        "an Intel Xeon with AMX, where that factor is 5 to 6, and every route of ours has it on top.",
        "",
    ]
    ours = {name: row["best"] / stock for name, row in rows.items() if name in BACKENDS}
    single = max(rate for name, rate in rates.items() if "float32" in name) * 1e3 / MFLOP / stock
    top = max(rates.values()) * 1e3 / MFLOP / stock
    best = max(ours, key=ours.get)
    for name, bar, limit in [
        *((name, bar, single) for name, bar in BARS),
        (best, BEST_BAR, top),
    ]:
        kind = "the best backend" if bar == BEST_BAR else "float32"
        lines.append(
            f"* `{name}`: {ours[name]:.2f} times stock, bar {bar:g}: {'met' if ours[name] >= bar else 'not met'}; "
            f"the products above allow {kind} at most {limit:.1f}."
        )
    return lines


if __name__ == "__main__":
    main()
