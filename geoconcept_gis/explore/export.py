"""The explorer as a static site: the same page with grids made beforehand, to be hosted anywhere."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..files import atomic_folder
from ..progress import report
from .explorer import start_record
from .server import PAGE, content_policy
from .world import World, one_blas_thread

if TYPE_CHECKING:
    from os import PathLike

    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["export_site"]

#: Side of a cell of the table that answers clicks, in cells of the world: 1.5 degrees.
_STEP = 3


def export_site(
    model: GeoConceptModel,
    folder: str | PathLike[str],
    *,
    tiles: str | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the explorer as files: one grid a concept and a coarse table of all of them, all packed with gzip.

    Parameters
    ----------
    model : GeoConceptModel
    folder : path-like
        Must not exist, or be empty.
    tiles : str, optional
        URL of raster tiles with ``{z}``, ``{x}`` and ``{y}``, to draw beneath.
    cache : pathlib.Path, optional
        Where the world's embeddings are kept; None is `cache_folder`.
    progress : callable, optional
        Called as ``progress(done, total)`` in cells while the world is embedded, then in concepts; return true to
        cancel.

    Returns
    -------
    pathlib.Path
        The folder. A web server must serve it: browsers read no grids from plain files.

    Raises
    ------
    InputError
        The folder holds something already, the folder it goes into does not exist, or `tiles` is no such URL.
    Cancelled
        `progress` asked to stop; nothing is left.
    """
    if not (PAGE / "index.html").is_file():
        raise InputError(f"the page is not built: run `npm ci && npm run build` in explorer/ (looked in {PAGE})")
    policy = content_policy(tiles)
    world = World(model, cache)
    with atomic_folder(folder) as part, one_blas_thread():
        world.fill(progress, workers=os.cpu_count() or 1)
        concepts = [concept for concept in model.bank if concept.percentiles is not None]
        shutil.copytree(PAGE, part, dirs_exist_ok=True)
        (part / "grids").mkdir()
        for k, concept in enumerate(concepts):
            _pack(part / "grids" / f"{k}.bin.gz", world.grid(concept).tobytes())
            report(progress, k + 1, len(concepts))
        cells, percentiles = world.table(concepts, _STEP)
        numbers = np.concatenate([[len(cells)], cells]).astype("<u4")
        _pack(part / "table.bin.gz", numbers.tobytes() + percentiles.tobytes())
        start = {
            **start_record(model, concepts),
            "mode": "static",
            "photos": None,
            "tiles": tiles,
            "table": {"step": _STEP},
        }
        (part / "start.json").write_text(json.dumps(start, separators=(",", ":")), encoding="utf-8")
        _add_policy(part / "index.html", policy)
    return Path(folder)


def _pack(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 6, mtime=0))


def _add_policy(page: Path, policy: str) -> None:
    """Put the Content-Security-Policy into the page, as nobody knows what headers its server will send."""
    # Browsers heed frame-ancestors in headers alone.
    told = policy.replace("; frame-ancestors 'none'", "")
    text = page.read_text(encoding="utf-8")
    tag = f'<meta http-equiv="Content-Security-Policy" content="{told}" />'
    page.write_text(
        text.replace('<meta charset="utf-8" />', f'<meta charset="utf-8" />\n    {tag}', 1), encoding="utf-8"
    )
