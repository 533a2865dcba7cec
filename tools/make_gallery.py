"""Run every example, and write docs/gallery.md and its pictures.

    python tools/make_gallery.py [NAME ...] [--page]

Names are examples without ``.py``; none means all. ``--page`` writes the page alone. Needs the extras plot, notebook
and dask, DuckDB and pillow. Examples whose data are not in the package keep the picture that their own page has.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "gallery.md"
PICTURES = ROOT / "docs" / "images" / "gallery"
#: Widths in pixels, and the bytes that a picture may have: it is as wide as fits.
WIDTHS, MOST_BYTES = (1000, 850, 700, 550), 150_000
#: How many of the commonest colours are kept as they are.
COMMON = 24

#: Pictures of all shapes stand in one row.
CARD = '{ style="width:100%;height:11rem;object-fit:contain" loading=lazy }'

#: Heading, and the examples below it: name, title, and the picture that stands for it.
GALLERY = {
    "Maps": [
        ("world_map", "A world map", "world_map.png"),
        ("europe_projected", "A projected map", "europe_projected.png"),
        ("regional_map", "A region, three bands", "southern_africa_hot_steppe_climate.png"),
        ("pacific_map", "Across the antimeridian", "pacific_map.png"),
        ("zarr_world", "Zarr, chunk by chunk", "zarr_world.png"),
        ("covariate_stack", "Covariates as a stack", "covariate_stack.png"),
    ],
    "Tables": [
        ("score_points", "Points enriched", "score_points.png"),
        ("score_polygons", "Means over polygons", "score_polygons.png"),
        ("h3_cells", "H3 cells", "iberia_h3.png"),
        ("duckdb_h3", "DuckDB", "people_by_cell.png"),
        ("folium_map", "A map to click", "folium_map.png"),
        ("stac_items", "STAC items", "stac_items.png"),
    ],
    "Places": [
        ("explain_places", "A place explained", "explain_cairo.png"),
        ("compare_towns", "Two places compared", "compare_towns.png"),
        ("similar_places", "Where else is like here", "similar_places.png"),
        ("transect", "Along a line", "transect.png"),
        ("locate_mixture", "A vector to a heatmap", "locate_mixture.png"),
        ("locate_photos", "Photos to places", "../locate_sharp.png"),
    ],
    "Concepts": [
        ("map_of_words", "Words to a map", "map_of_words.png"),
        ("own_concept", "A concept of your own", "own_concept.png"),
        ("orchid_concept", "A species from records", "orchid.png"),
        ("erase_concept", "One concept taken away", "erase_concept.png"),
        ("concept_relations", "Which say the same", "concept_relations.png"),
    ],
    "Models": [
        ("regress_features", "Features for regressors", "regress_curves.png"),
        ("spatial_folds", "Spatial cross-validation", "spatial_folds.png"),
        ("train_regional", "A model of your own", "../train_regional.png"),
        ("species_model/species_model", "A species model", "../species_map.png"),
    ],
}
OPENING = """# Gallery

Pictures, and the whole script that makes each. A picture leads to its script. Where nothing else is said a script
needs no data but the package's own and no network, and takes some seconds. `python tools/make_gallery.py` makes this
page and its pictures anew. What the colours mean stands in [Concepts and scores](scores.md).
"""


def main() -> None:
    """Make the pictures, then the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="examples to run; none means all")
    parser.add_argument("--page", action="store_true", help="write the page alone")
    args = parser.parse_args()
    entries = [entry for group in GALLERY.values() for entry in group]
    unknown = set(args.names) - {name for name, _, _ in entries}
    if unknown:
        parser.error(f"no such example: {', '.join(sorted(unknown))}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, _, picture in entries:
        if not args.page and not picture.startswith("..") and (not args.names or name in args.names):
            make_picture(name, picture)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


def make_picture(name: str, picture: str) -> None:
    """Run an example in a folder of its own, without data from elsewhere, and keep its picture, made small."""
    environment = {key: value for key, value in os.environ.items() if key != "GEOCONCEPT_DATA"}
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, ROOT / "examples" / f"{name}.py", folder],
            check=True,
            cwd=folder,  # data are also looked for beside the folder one works in
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        target = PICTURES / picture
        shrink(Path(folder) / picture, target)
    print(f"{target}: {target.stat().st_size // 1000} kB, {time.perf_counter() - begun:.0f} s", flush=True)


def shrink(source: Path, target: Path) -> None:
    """Write a picture in few colours, and as wide as its file may be large."""
    from PIL import Image

    with Image.open(source) as image:
        full = image.convert("RGB")
    for width in WIDTHS:
        size = (min(width, full.width), round(full.height * min(width, full.width) / full.width))
        in_few_colours(full.resize(size, Image.Resampling.LANCZOS)).save(target, optimize=True)
        if target.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{target} is larger than {MOST_BYTES // 1000} kB")


def in_few_colours(picture: Any) -> Any:
    """Return it in 256 colours: the commonest as they are, so that white stays white, and an octree for the rest."""
    from PIL import Image

    common = sorted(picture.getcolors(picture.width * picture.height), reverse=True)[:COMMON]
    octree = picture.quantize(256 - COMMON, Image.Quantize.FASTOCTREE).getpalette()
    palette = np.array([channel for _, colour in common for channel in colour] + octree).reshape(-1, 3)
    pixels, where = np.unique(np.asarray(picture, dtype=np.int64).reshape(-1, 3), axis=0, return_inverse=True)
    nearest = ((palette**2).sum(axis=1) - 2 * pixels @ palette.T).argmin(axis=1).astype(np.uint8)
    few = Image.fromarray(nearest[where].reshape(picture.height, picture.width))
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


def page() -> str:
    """Return the page: grids of pictures, then a section with the script for each."""
    grids = [OPENING]
    sections = ["## The scripts\n"]
    for heading, entries in GALLERY.items():
        cards = []
        for name, title, picture in entries:
            caption, anchor = summary(name), Path(name).name.replace("_", "-")
            image = f"images/gallery/{picture}" if not picture.startswith("..") else f"images/{picture[3:]}"
            cards.append(
                f"-   [![{caption}]({image}){CARD}](#{anchor})\n\n    **[{title}](#{anchor})**  \n    {caption}\n"
            )
            command = f"```bash\npython examples/{name}.py\n```"
            sections.append(
                f"### {title} {{ #{anchor} }}\n\n{caption}\n\n{command}\n\n"
                f'```python\n--8<-- "examples/{name}.py"\n```\n'
            )
        grids.append(f'## {heading}\n\n<div class="grid cards" markdown>\n\n' + "\n".join(cards) + "\n</div>\n")
    return "\n".join([*grids, *sections])


def summary(name: str) -> str:
    """Return the first paragraph of an example's docstring, in one line."""
    source = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    return " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    main()
