"""Where records, background and environmental layers come from: files, photographers' footsteps, virtual species."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import Truths, data_folder
from geoconcept_gis.errors import InputError
from geoconcept_gis.h3cells import cells_of
from geoconcept_gis.land import on_land

#: The layers that the niches below are made of.
NICHE_LAYERS = ["t_coldest_c", "t_warmest_c", "precip_mm", "precip_driest_mm", "relief_std_m", "ndvi_max"]
#: Layers that say much the same, but are not what the niches are made of: what one usually has.
PROXY_LAYERS = ["t_mean_c", "rain_itu_mm", "elev_etopo5_m", "ndvi_min"]
#: Column of Darwin Core that tells records from absences, where a table has it.
STATUS = "occurrenceStatus"

#: West, south, east, north; across the antimeridian east is above 180.
Bounds = tuple[float, float, float, float]
#: Without Antarctica: hardly anyone keeps records there, and no background mends that.
WORLD: Bounds = (-180.0, -60.0, 180.0, 84.0)


@dataclass(frozen=True)
class Species:
    """Presence-only records, (lon, lat), shape (N, 2); and the niche, where it is known because it was made up."""

    name: str
    records: np.ndarray
    niche: Callable[[pd.DataFrame], np.ndarray] | None = None


def rises(x: pd.Series, middle: float, width: float) -> pd.Series:
    """Logistic response, falling where width is negative."""
    return 1.0 / (1.0 + np.exp(-(x - middle) / width))


def peaks(x: pd.Series, middle: float, width: float) -> pd.Series:
    """Bell-shaped response."""
    return np.exp(-0.5 * ((x - middle) / width) ** 2)


#: Suitability is a product of responses to layers, as in the R package virtualspecies (Leroy et al. 2016).
NICHES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "rain forest palm": lambda e: (
        rises(e.t_coldest_c, 18, 1.5) * rises(e.precip_mm, 1700, 150) * rises(e.precip_driest_mm, 50, 10)
    ),
    "mediterranean shrub": lambda e: (
        peaks(e.t_coldest_c, 8, 3.5) * peaks(e.t_warmest_c, 25, 3) * rises(e.precip_driest_mm, 25, -5)
    ),
    "highland herb": lambda e: (
        peaks(e.t_warmest_c, 14, 4) * rises(e.relief_std_m, 250, 60) * rises(e.precip_mm, 500, 80)
    ),
    "steppe grass": lambda e: (
        peaks(e.ndvi_max, 0.45, 0.12) * peaks(e.t_coldest_c, -10, 7) * rises(e.precip_mm, 550, -60)
    ),
}


def environment(lonlat: np.ndarray) -> pd.DataFrame:
    """Return the environmental layers at (lon, lat): bilinear in a 1-degree table."""
    truths = Truths(lonlat, data_folder())
    return pd.DataFrame({name: truths.smooth(name) for name in NICHE_LAYERS + PROXY_LAYERS})


def visited_places(count: int, bounds: Bounds, seed: int) -> np.ndarray:
    """Return (lon, lat) where people took photos, on land: observers go to the same places, more or less."""
    path = data_folder() / "photos" / "mp16_500k_latlon.npz"
    if not path.is_file():
        raise InputError(f"there is no {path} to tell where observers go: give --background FILE, records of others")
    with np.load(path) as file:
        photos = file["latlon"][:, ::-1].astype(np.float64)
    drawn = photos[np.random.default_rng(seed).permutation(len(photos))]
    near = drawn[inside(drawn, bounds)][: 2 * count]
    return near[on_land(near)][:count]


def land_places(count: int, bounds: Bounds, seed: int) -> np.ndarray:
    """Return (lon, lat) evenly over the land of the study area."""
    drawn = gc.reference_places("uniform_land", 40 * count, seed=seed)
    return drawn[inside(drawn, bounds)][:count]


def inside(lonlat: np.ndarray, bounds: Bounds) -> np.ndarray:
    _, south, east, north = bounds
    lon, lat = from_west(lonlat[:, 0], bounds), lonlat[:, 1]
    return (lon <= east) & (south <= lat) & (lat <= north)


def from_west(lon: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Count longitude from the western edge on, so that a study area across the antimeridian is in one piece."""
    return bounds[0] + (lon - bounds[0]) % 360.0


def thin(lonlat: np.ndarray, resolution: int) -> np.ndarray:
    """Keep the first place in each H3 cell: ten people who saw the same tree are one record."""
    _, first = np.unique(cells_of(lonlat, resolution), return_index=True)
    return lonlat[np.sort(first)]


def read_records(path: Path, bounds: Bounds, resolution: int) -> np.ndarray:
    """Return the thinned records of a file, and print what became of its rows."""
    table = gc.read_places(path, invalid="null")
    # GBIF's column; its files hold absences, too.
    absent = table.get(STATUS, pd.Series("", index=table.index)).astype(str).str.upper().eq("ABSENT")
    there = table.geometry[~absent]
    points = there[~(there.isna() | there.is_empty)].to_crs("EPSG:4326").representative_point()
    lonlat = np.column_stack([points.x, points.y])
    near = lonlat[inside(lonlat, bounds)]
    kept = thin(near, resolution)
    print(
        f"{path.name}: {len(table):,} rows, {absent.sum():,} absences, "
        f"{len(there) - len(lonlat):,} without coordinates, "
        f"{len(lonlat) - len(near):,} outside the study area, {len(kept):,} left of the others, one an H3 cell"
    )
    return kept


def virtual_species(visited: np.ndarray, seed: int) -> list[Species]:
    """Let observers find each species at a visited place as often as the place suits it."""
    layers, rng = environment(visited), np.random.default_rng(seed)
    everywhere = environment(gc.reference_places("uniform_land", 20_000))
    found = []
    for name, response in NICHES.items():
        niche = scaled(response, everywhere)
        seen = rng.random(len(visited)) < niche(layers)
        found.append(Species(f"virtual {name}", visited[seen], niche))
    return found


def scaled(
    response: Callable[[pd.DataFrame], pd.Series], everywhere: pd.DataFrame
) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return the niche with 1 for the best place on land, 0 where a layer has no value."""
    best = float(np.nanmax(response(everywhere)))
    return lambda layers: np.clip(np.nan_to_num(response(layers).to_numpy() / best), 0.0, 1.0)
