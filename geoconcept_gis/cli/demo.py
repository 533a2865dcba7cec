"""`geoconcept demo`: the main job on real input, in about a minute."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from .common import load, progress_bar, short_warnings


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the results go.")] = Path("geoconcept_demo"),
    concept: Annotated[str, typer.Option("--concept", "-c", help="The concept to map.")] = "hot desert climate",
    resolution: Annotated[float, typer.Option("--resolution", "-r", help="Cell size of the map in degrees.")] = 0.5,
) -> None:
    """Embed real places and map one concept of the world: a first look, no input needed."""
    from ..concepts import slug
    from ..datasets import WORLD_PLACES, world_places
    from ..maps import concept_map
    from ..places import embed
    from ..plot import require_matplotlib, save_concept_map
    from ..raster import write_raster
    from ..tables import write_places

    require_matplotlib()
    model = load(None, "auto")
    [chosen] = model.select(concept)
    folder.mkdir(parents=True, exist_ok=True)
    name = slug(chosen.name)
    table, raster, picture = folder / "world_places.parquet", folder / f"{name}.tif", folder / f"{name}.png"

    with short_warnings():
        with progress_bar("world places") as progress:
            places = embed(world_places(), "all", model=model, invalid="null", progress=progress)
            write_places(places, table)
        with progress_bar("world map") as progress:
            dataset = concept_map(chosen, resolution=resolution, model=model, progress=progress)
            write_raster(dataset, raster)
            save_concept_map(dataset, picture)
    shutil.copyfile(WORLD_PLACES, folder / WORLD_PLACES.name)

    best = places.nlargest(5, chosen.column)
    typer.echo(f"Places most associated with {chosen.name!r}:")
    for row in best.itertuples():
        typer.echo(f"  {getattr(row, chosen.column):.2f}  {row.name}, {row.country}")
    command = _command()
    typer.echo(f"""
{len(places):,} places x ({len(model.bank.shown)} concepts + 512 embedding columns)   {table}
world map, Cloud Optimized GeoTIFF, styled for QGIS     {raster}
the same as a picture                                   {picture}

Next:
  {command} embed {folder / WORLD_PLACES.name} -o places.gpkg -c "tundra climate"
  {command} map "oceanic climate" --bounds -12 35 30 62 -r 0.1 -o europe.tif --png europe.png
  {command} concepts""")


def _command() -> str:
    """Return how to call this command again: by name if that is found, else by the path it was called by."""
    if shutil.which("geoconcept"):
        return "geoconcept"
    called = Path(sys.argv[0])
    return str(called) if called.name.startswith("geoconcept") else "python -m geoconcept_gis"
