"""Build geoconcept_gis/data/land_50m.parquet: Natural Earth's 1:50m land, as polygons.

    python tools/build_land.py [--tarball world-atlas-2.0.2.tgz]

The source is land-50m.json (TopoJSON) of the npm package world-atlas 2.0.2: Natural Earth data, public domain, in an
ISC-licensed package. Without ``--tarball``, ``npm pack`` downloads it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import shapely.affinity

from geoconcept_gis.files import atomic_file

PACKAGE = "world-atlas@2.0.2"
TARBALL = "world-atlas-2.0.2.tgz"
TARBALL_SHA256 = "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"
MEMBER = "package/land-50m.json"
OUT = Path(__file__).parents[1] / "geoconcept_gis" / "data" / "land_50m.parquet"


def main() -> None:
    """Fetch, convert, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tarball", type=Path, help=f"{TARBALL}; downloaded with npm when left out")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        content = (args.tarball or download(Path(folder))).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != TARBALL_SHA256:
        sys.exit(f"this is not {TARBALL}: sha256 {found}, expected {TARBALL_SHA256}")
    land = build(read_topology(content))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(args.out) as part:
        land.to_parquet(part, compression="zstd", write_covering_bbox=False, index=False)
    digest = hashlib.sha256(args.out.read_bytes()).hexdigest()
    print(f"{args.out}: {len(land):,} polygons, {args.out.stat().st_size:,} bytes, sha256 {digest}")


def download(folder: Path) -> Path:
    """Fetch the package with npm."""
    command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / TARBALL


def read_topology(content: bytes) -> dict[str, Any]:
    """Take the TopoJSON out of the tarball, in memory."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        member = tar.extractfile(MEMBER)
        if member is None:
            sys.exit(f"{TARBALL} has no file {MEMBER}")
        topology: dict[str, Any] = json.load(member)
    return topology


def build(topology: dict[str, Any]) -> gpd.GeoDataFrame:
    """Turn a TopoJSON of land into valid polygons, sorted west to east.

    Parameters
    ----------
    topology : dict
        Quantised TopoJSON with one object, ``land``.

    Returns
    -------
    geopandas.GeoDataFrame
        One polygon a row, EPSG:4326, inside [-180, 180] x [-90, 90].
    """
    arcs = decode_arcs(topology)
    polygons = [
        shapely.Polygon(*unroll([join_arcs(ring, arcs) for ring in polygon]))
        for geometry in topology["objects"]["land"]["geometries"]
        for polygon in geometry["arcs"]
    ]
    # Polygons that run past 180 are cut there; what lies beyond comes back in from the other side.
    world = shapely.box(-180.0, -90.0, 180.0, 90.0)
    turned = [shapely.affinity.translate(polygon, turn) for polygon in polygons for turn in (-360.0, 0.0, 360.0)]
    parts = shapely.get_parts(shapely.intersection(shapely.make_valid(turned), world))
    parts = parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)]
    order = np.lexsort(shapely.bounds(parts).T)
    return gpd.GeoDataFrame(geometry=shapely.normalize(parts[order]), crs="EPSG:4326")


def unroll(rings: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Undo the jumps from 180 to -180 in a shell and its holes.

    A shell that runs once around the Earth, Antarctica, is closed along the South Pole.
    """
    shell, *holes = [centre(np.unwrap(ring[:, 0], period=360.0), ring[:, 1]) for ring in rings]
    if abs(shell[-1, 0] - shell[0, 0]) > 180.0:
        shell = np.vstack([shell, [shell[-1, 0], -90.0], [shell[0, 0], -90.0], shell[0]])
    return shell, holes


def centre(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Turn a ring by whole circles until its middle lies within [-180, 180], so that holes meet their shells."""
    middle = (lon.min() + lon.max()) / 2.0
    return np.column_stack([lon - 360.0 * np.round(middle / 360.0), lat])


def decode_arcs(topology: dict[str, Any]) -> list[np.ndarray]:
    """Undo TopoJSON's differences and integer grid: arrays (n, 2) of lon, lat."""
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [np.cumsum(arc, axis=0) * scale + shift for arc in topology["arcs"]]


def join_arcs(ring: list[int], arcs: list[np.ndarray]) -> np.ndarray:
    """Join arcs to a ring; a negative index means the arc's complement, reversed."""
    pieces = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


if __name__ == "__main__":
    main()
