"""A world in chunks: planned by dask, written to Zarr chunk by chunk, and only one continent read back.

    python examples/zarr_world.py [FOLDER]

At 0.05 degrees the same lines make a map larger than memory. The store says what it holds, and where it came from.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import xarray as xr

import geoconcept_gis as gc


def main() -> None:
    """Plan, write, read a part, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "savanna.zarr"
    shutil.rmtree(store, ignore_errors=True)

    planned = gc.concept_map("tropical savanna climate", (-180, -60, 180, 84), resolution=2.0, chunks=36)
    chunks = planned["tropical_savanna_climate"].data.npartitions
    print(gc.write_zarr(planned, store))
    print(f"{chunks} chunks, made with model {gc.read_provenance(store)['model']}")

    africa = xr.open_zarr(store, consolidated=False).sel(lat=slice(38, -36), lon=slice(-20, 54))
    ax = africa.geoconcept.plot(title="Tropical savanna climate: one continent of a Zarr store")
    ax.figure.savefig(folder / "zarr_world.png", dpi=110)
    print(folder / "zarr_world.png")


if __name__ == "__main__":
    main()
