"""Make the pictures of docs/explore.md from the page itself, in Chromium.

    GEOCONCEPT_DATA=data python tools/explore_pictures.py [FOLDER] [--model geoclip]

The model is the one that the explorer takes by itself, unless one is named. The photo of unknown place is a vector of
the data folder. Needs playwright, pillow and chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from geoconcept_gis.bank.sources import data_folder

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
WIDE, PHONE = {"width": 1100, "height": 660}, {"width": 390, "height": 760}
#: Each picture's size, and the part of the address that says what is seen.
PICTURES = {
    "explore_words": (WIDE, "w=olive+groves+by+the+sea&z=20,30,0.9&s=1"),
    "explore_places": (WIDE, "c=hot+desert+climate&a=31.2,30&b=-0.1,51.5&z=20,30,1.8&t=places"),
    "explore_phone": (PHONE, "c=vineyard&z=7,46,3.3"),
    "explore_photo": (WIDE, "c=volcano&t=files"),
}
#: Which of the data folder's photos is the one of unknown place.
PHOTO = 3


def open_page(browser: Browser, address: str, size: dict[str, int], state: str) -> Page:
    """Open the page once its world is embedded; what changes slowly is at rest."""
    page = browser.new_context(viewport=size).new_page()
    page.set_default_timeout(600_000)
    page.goto(f"{address}#{state}")
    page.wait_for_function(
        "fetch('api/progress').then(r => r.json()).then(p => p.world.done === p.world.total)", polling=1000
    )
    page.reload()
    page.wait_for_selector("html[data-shown]")
    page.wait_for_timeout(3000)
    return page


def save(page: Page, path: Path) -> None:
    """Write a PNG as small as it goes with all of its colours."""
    page.screenshot(path=path)
    with Image.open(path) as picture:
        plain = picture.convert("RGB")
    plain.save(path, optimize=True)
    print(f"{path.name}: {plain.width} x {plain.height}, {path.stat().st_size:,} bytes")


def locate(page: Page, work: Path) -> None:
    """Drop CLIP's vector of a photo, and wait for where it may be from."""
    with np.load(data_folder() / "clip" / "clip_vitl14_country_vectors.npz") as data:
        np.save(work / "photo.npy", data["image"][PHOTO])
    page.locator("#file").set_input_files(work / "photo.npy")
    page.wait_for_selector("text=Likely places")
    page.wait_for_timeout(2000)


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--model", help="name or folder")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "geoconcept_gis", "explore", "--no-browser"]
    command += ["--model", options.model] if options.model else []
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as explorer,
        tempfile.TemporaryDirectory() as work,
        sync_playwright() as playwright,
    ):
        assert explorer.stderr is not None
        address = explorer.stderr.readline().split()[-1]
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, (size, state) in PICTURES.items():
            page = open_page(browser, address, size, state)
            if name == "explore_words":
                page.locator("#search").fill("olive")
                page.wait_for_timeout(1500)
            if name == "explore_photo":
                locate(page, Path(work))
            save(page, options.folder / f"{name}.png")
            page.context.close()
        browser.close()
        explorer.terminate()


if __name__ == "__main__":
    main()
