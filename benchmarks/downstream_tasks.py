"""Tasks of `benchmarks/downstream.py`: places, what is to be told of them, and how near places are kept apart."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoconcept_gis import reference_places
from geoconcept_gis.bank.sources import Truths

LAND = "uniform_land"


@dataclass(frozen=True)
class Task:
    """Rows are shuffled once, so that inner folds are random."""

    name: str
    lonlat: np.ndarray
    y: np.ndarray
    degrees: float
    family: str | None = None

    @property
    def classes(self):
        return self.y.dtype.kind == "U"


#: File, column, height of a block in degrees, and the family of concepts fitted on data close to the label. Counties
#: lie 50 km apart and two of the house price tables cover one town, so half a degree would be nothing, or everything.
TABLES = {
    "air temperature": ("air_temperature_stations", "mean_temp_c", 10.0, "climate"),
    "elevation": ("mosaiks_elevation", "labels", 10.0, "terrain"),
    "population": ("mosaiks_population", "labels", 10.0, "people"),
    "forest cover": ("mosaiks_forest_cover", "labels", 10.0, "vegetation"),
    "night lights": ("mosaiks_nightlights", "labels", 10.0, "people"),
    "California housing": ("california_housing", "median_house_value", 0.5, None),
    "county income": ("us_counties", "median_income_2016", 2.0, None),
    "county bachelor's": ("us_counties", "BachelorRate2016", 2.0, None),
    "county vote": ("us_counties", "dem_share_2016", 2.0, None),
    "county unemployment": ("us_counties", "Unemployment_rate_2016", 2.0, None),
    "Ames house prices": ("ames_housing", "Sale_Price", 0.01, None),
    "Sacramento house prices": ("sacramento_housing", "price", 0.1, None),
}
#: Rows the design of `geoconcept_gis.learn.layers` was tried on come first in this order; the large tables skip them.
#: The small tables are never cut, so that the rows of their random split stay those which the design was not tried on.
SEEN, ORDER_SEED = 8_000, 7


def load_tasks(data, rows):
    """Every task, with at most so many rows of the large tables."""
    tasks = [table(data, name, rows) for name in TABLES]
    lonlat = reference_places(LAND, rows * 5 // 4, seed=102)
    truths = Truths(lonlat, data)
    return tasks + [
        classes(name, lonlat, y, rows, family)
        for name, y, family in (("Koeppen class", truths.koeppen(), "climate"), ("country", truths.country(), None))
    ]


def table(data, name, rows):
    """A task from a file."""
    file, column, degrees, family = TABLES[name]
    frame = pd.read_csv(data / "downstream" / f"{file}.csv.gz")[["lon", "lat", column]].dropna()
    order = np.random.default_rng(ORDER_SEED).permutation(len(frame))
    frame = frame.iloc[order[SEEN : SEEN + rows] if len(frame) > SEEN else order]
    return Task(name, frame[["lon", "lat"]].to_numpy(float), frame[column].to_numpy(float), degrees, family)


def classes(name, lonlat, y, rows, family):
    """A task of classes; those of fewer than ten places are left out, as are places at sea."""
    known, counts = np.unique(y[y != ""], return_counts=True)
    keep = np.flatnonzero(np.isin(y, known[counts >= 10]))[:rows]
    return Task(name, lonlat[keep], y[keep], 10.0, family)
