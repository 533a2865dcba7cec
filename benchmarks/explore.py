"""Speed of `geoconcept explore`, through its own address: the bars are in docs/explore.md.

    python benchmarks/explore.py [--model geoclip] [--clicks 40] [--chromium /usr/bin/chromium] [--save]

The model is the one that the explorer takes by itself, unless one is named. The world's embeddings go into an empty
folder first, as for a new user, and are then read from it, as ever after.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

import numpy as np
from machine import machine, page_of

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
WORDS = ["wine", "lava", "mosque", "rice fields", "cold desert", "fjord", "harbour", "monsoon", "old town", "coral"]


class Running:
    """A running explorer."""

    def __init__(self, cache: str, model: str | None) -> None:
        self.began = time.perf_counter()
        named = ["--model", model] if model else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "geoconcept_gis", "explore", "--no-browser", *named],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "GEOCONCEPT_CACHE": cache},
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        [self.address] = re.findall(r"http://\S+", line)

    def since(self) -> float:
        return time.perf_counter() - self.began

    def get(self, path: str, **parameters: object) -> tuple[bytes, dict[str, str]]:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.address}{path}?{query}") as answer:
            return answer.read(), dict(answer.headers)

    def stop(self) -> float:
        """Press Ctrl-C, and return how long the end took."""
        import signal

        start = time.perf_counter()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        return time.perf_counter() - start


def whole(running: Running) -> bool:
    """Tell whether all of the world is embedded."""
    told = json.loads(running.get("api/progress")[0])["world"]
    return bool(told["done"] == told["total"])


def first_map(running: Running) -> float:
    """Return the seconds from the start of the process to a grid in which something is known."""
    while int(running.get("api/grid", concept="hot desert climate")[1]["x-done"]) == 0:
        time.sleep(0.02)
    return running.since()


def in_chromium(running: Running, chromium: str | None) -> float | None:
    """Return the seconds from the start of the process to a map drawn in Chromium, which is started before."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if chromium is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(running.address)
        page.wait_for_selector("html[data-shown]")
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


def times(action: Callable[[int], object], count: int) -> list[float]:
    out = []
    for k in range(count):
        start = time.perf_counter()
        action(k)
        out.append(time.perf_counter() - start)
    return out


def spell(values: list[float]) -> str:
    worst = sorted(values)[int(0.95 * (len(values) - 1))]
    return f"{statistics.median(values) * 1000:.0f} ms, 95 %: {worst * 1000:.0f} ms"


def main() -> None:
    """Print one row a bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--model", help="name or folder")
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    options = parser.parse_args()
    about = machine()
    rng = np.random.default_rng(0)
    clicks = [{"lon": rng.uniform(-120, 140), "lat": rng.uniform(-50, 65)} for _ in range(options.clicks)]
    rows: list[tuple[str, str, str]] = []

    with tempfile.TemporaryDirectory() as cache:
        new = Running(cache, options.model)
        answers = new.since()
        rows.append(("first grid, first start ever", "2 s", f"{first_map(new):.2f} s (address after {answers:.2f} s)"))
        while not whole(new):
            time.sleep(0.1)
        rows.append(("world of half a degree, first start ever", "5 s", f"{new.since():.1f} s after the start"))
        time.sleep(2)  # the file is written
        ended = new.stop()

        with tempfile.TemporaryDirectory() as empty:
            other = Running(empty, options.model)
            first_map(other)
            other.get("api/place", **clicks[0])
            busy = times(lambda k: other.get("api/place", **clicks[k]), len(clicks))  # which holds the embedding up
            rows.append(("click, while the world is embedded", "100 ms", spell(busy)))
            other.stop()

        kept = Running(cache, options.model)
        model = json.loads(kept.get("start.json")[0])["model"]
        rows.append(("first grid, later starts", "2 s", f"{first_map(kept):.2f} s"))
        drawn = in_chromium(kept, options.chromium)
        if drawn is not None:
            rows.append(("page opened to map drawn, Chromium without graphics card", "2 s", f"{drawn:.2f} s"))
        kept.get("api/search", q="land")
        quiet = times(lambda k: kept.get("api/place", **clicks[k]), len(clicks))
        rows.append(("click", "100 ms", spell(quiet)))
        found = times(lambda k: kept.get("api/search", q=WORDS[k]), len(WORDS))
        rows.append(("search by meaning", "50 ms", spell(found)))
        names = ["tundra climate", "vineyard", "volcano", "savanna", "city", "Sahara", "Alps", "mosque"]
        grids = times(lambda k: kept.get("api/grid", concept=names[k]), len(names))
        rows.append(("world of one more concept", "5 s", spell(grids)))
        again = times(lambda k: kept.get("api/grid", concept=names[k]), len(names))
        rows.append(("the same again", "", spell(again)))
        rows.append(("Ctrl-C to the end", "", f"{max(ended, kept.stop()):.2f} s"))

    versions = about["versions"]
    lines = [
        f"# The explorer, on {about['cpu']}",
        "",
        f"Measured {about['date']} by benchmarks/explore.py: {about['cores']} cores, load {about['load_before']},",
        f"python {versions['python']}, numpy {versions['numpy']}. "
        f"Model {model['name']}, sha256 {model['sha256'][:12]}.",
        "",
        "| what | bar | measured |",
        "| --- | --- | --- |",
        *("| {} | {} | {} |".format(*row) for row in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.save:
        page_of("explore", about["cpu"]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
