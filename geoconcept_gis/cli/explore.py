"""`geoconcept explore`: the world map of every concept in the browser, or as a static site."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from .common import BackendOption, load, progress_bar, say

#: Taken where it is installed: the first map of the world is there in seconds.
_QUICK = "geoconcept-small"


def explore(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="An installed model's name or a model folder.",
            show_default=f"{_QUICK} where it is installed, else geoclip",
        ),
    ] = None,
    backend: BackendOption = "auto",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    tiles: Annotated[
        str | None,
        typer.Option(
            "--tiles", metavar="URL", help="Raster tiles to draw beneath, with {z}, {x} and {y}.", show_default=False
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", metavar="FOLDER", help="Write a static site there instead of serving.", show_default=False
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="File with CLIP's weights, for photos.", show_default=False)
    ] = None,
) -> None:
    """Look at every concept on a world map: choose, type words, click places, drop tables and photos.

    The page is served on this machine alone, at an address with a random token, until Ctrl-C.
    """
    from ..explore.explorer import Explorer
    from ..explore.server import content_policy, serve
    from ..model import bundled_models

    content_policy(tiles)  # refuses what is no address of tiles before any work
    if model is None and _QUICK in bundled_models():
        model = _QUICK
    if export is not None:
        from ..explore.export import export_site

        with progress_bar("world", "cells") as progress:
            path = export_site(load(model, backend), export, tiles=tiles, progress=progress)
        say(f"wrote {path}: open it through any web server, for example python -m http.server -d {path}")
        return
    explorer = Explorer(load(model, backend), weights=weights, tiles=tiles)

    def ready(address: str) -> None:
        say(f"The explorer runs at {address}\nEnd it with Ctrl-C.")
        if browser:
            webbrowser.open(address)

    serve(explorer, port=port, ready=ready)
