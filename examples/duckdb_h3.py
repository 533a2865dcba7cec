"""How many people live in which climate? DuckDB adds up, our function scores, UBIGINT cells join the two.

    python examples/duckdb_h3.py [FOLDER]

Needs DuckDB (`pip install duckdb`) and nothing from the network: H3 cells come from h3ronpy, as a function that DuckDB
calls on whole columns, instead of DuckDB's own H3 extension, which it would have to download.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import h3ronpy.vector
import pandas as pd
import pyarrow as pa
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import geoconcept_gis as gc
from geoconcept_gis.land import coastlines

CONCEPTS = ["BWh", "Cfb"]
RESOLUTION = 3


# --8<-- [start:recipe]
def cell(lon: pa.Array, lat: pa.Array) -> pa.Array:
    """Return the H3 cell of each place, as UBIGINT."""
    return pa.array(h3ronpy.vector.coordinates_to_cells(lat.to_numpy(), lon.to_numpy(), RESOLUTION))


def score_cells(towns: Path, out: Path) -> list[str]:
    """Write the cells of a table of places with their people and their scores; return the scores' columns."""
    function = gc.FeatureFunction(concepts=CONCEPTS)
    with duckdb.connect() as base:
        base.create_function("cell", cell, ["DOUBLE", "DOUBLE"], "UBIGINT", type="arrow")
        # 1. DuckDB brings a billion rows down to the cells in which there is something.
        base.execute(
            f"""create table cells as
            select cell(lon, lat) as h3, count(*) as towns, sum(population) as people
            from read_parquet('{towns}') group by h3"""
        )
        # 2. Each cell is scored once; the function is arrays in, arrays out.
        cells = base.execute("select h3 from cells").fetchnumpy()["h3"]
        columns = dict(zip(function.names, function.of_cells(cells).T, strict=True))
        scores = pa.table({"h3": cells, **columns})  # noqa: F841 - DuckDB finds it by its name
        # 3. The join, into a file that says where its numbers come from.
        record = json.dumps(function.provenance()).replace("'", "''")
        base.execute(
            f"""copy (select * from cells join scores using (h3) order by h3)
            to '{out}' (format parquet, compression zstd, kv_metadata {{geoconcept: '{record}'}})"""
        )
    return function.names


# --8<-- [end:recipe]
def main() -> None:
    """Add up, score, join, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)
    places = gc.world_places().get_coordinates().join(gc.world_places()[["name", "population"]])
    places.rename(columns={"x": "lon", "y": "lat"}).to_parquet(folder / "towns.parquet")

    out = folder / "people_by_cell.parquet"
    names = score_cells(folder / "towns.parquet", out)
    rows = pd.read_parquet(out)
    print(f"{out}: {len(rows):,} cells, made with model {gc.read_provenance(out)['model']}")
    for concept, name in zip(CONCEPTS, names, strict=True):
        share = (rows["people"] * rows[name]).sum() / rows["people"].sum()
        print(f"share of these towns' people in {gc.load_model().bank[concept].name}: {share:.1%}")
    print(draw(rows, names, folder / "people_by_cell.png"))


def draw(rows: pd.DataFrame, names: list[str], path: Path) -> Path:
    """Draw a map a concept: the cells' people as area, their score as colour."""
    figure = Figure(figsize=(9, 6.8), layout="constrained")
    FigureCanvasAgg(figure)
    centres = pa.record_batch(h3ronpy.vector.cells_to_coordinates(pa.array(rows["h3"])))
    rows = rows.assign(lon=centres["lng"].to_numpy(), lat=centres["lat"].to_numpy())
    for ax, concept, name in zip(figure.subplots(len(names), 1), CONCEPTS, names, strict=True):
        ax.set_facecolor("0.88")
        ax.plot(*coastlines().T, color="white", linewidth=0.5)
        rows = rows.sort_values(name)  # the strongest on top
        size = 1 + 60 * rows["people"] / rows["people"].max()
        points = ax.scatter(rows["lon"], rows["lat"], size, rows[name], vmin=0, vmax=1, linewidths=0)
        ax.set(xlim=(-180, 180), ylim=(-60, 80), aspect="equal", xticks=[], yticks=[])
        ax.set_title(f"{gc.load_model().bank[concept].name}: area is people, colour is association", fontsize=10)
        figure.colorbar(points, ax=ax, shrink=0.8, label="calibrated score")
    figure.savefig(path, dpi=110)
    return path


if __name__ == "__main__":
    main()
