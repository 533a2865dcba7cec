"""Time to import the package and to show help: the bars are 0.3 s and 0.5 s.

    python benchmarks/startup.py [--runs 7]

Whole processes, so Python's own start is in every row.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

CASES = {
    "python -c pass": ["-c", "pass"],
    "import geoconcept_gis": ["-c", "import geoconcept_gis"],
    "import numpy": ["-c", "import numpy"],
    "geoconcept --help": ["-m", "geoconcept_gis", "--help"],
    "load_model() and one place": ["-c", "import geoconcept_gis as gc; gc.load_model().score([[31.2, 30.0]])"],
}


def main() -> None:
    """Print best and median of several runs, every case in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(parser.parse_args().runs):
        for name, args in CASES.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *args], check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    print("| whole process | best, s | median, s |")
    print("| --- | --- | --- |")
    for name, values in times.items():
        print(f"| {name} | {min(values):.3f} | {statistics.median(values):.3f} |")


if __name__ == "__main__":
    main()
