"""Truths of the training phrases: a small language for sets of places, read from ``phrases.txt``.

Building a tower only; nothing here runs when a phrase is encoded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bank.definitions import PHOTOS, Definition, definitions
from ..bank.sources import EARTH_RADIUS_KM, Truths, _layer, _on_sphere, _tree_of, countries
from ..errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..model import GeoConceptModel

    Mask = NDArray[np.bool_]

__all__ = ["PHRASES", "Places", "read_phrases"]

#: The phrases and truths that ship with the package.
PHRASES = Path(__file__).with_name("phrases.txt")

#: Short names of columns of the 1-degree table.
_COLUMNS = {
    "t": "t_mean_c",
    "cold": "t_coldest_c",
    "warm": "t_warmest_c",
    "rain": "rain_itu_mm",
    "driest": "precip_driest_mm",
    "elev": "elev_etopo5_m",
    "relief": "relief_std_m",
    "light": "night_light_idx",
    "ndvi": "ndvi_max",
    "n_places": "n_places",
}
#: Kilometres to the nearest feature, by what `Truths.km_to` calls it.
_DISTANCES = {
    "coast": "coast",
    "volcanoes": "volcanoes",
    "cities": "cities",
    "people": "people",
    "lakes": "ne_10m_lakes",
    "glaciers": "ne_50m_glaciated_areas",
    "playas": "ne_10m_playas",
}
#: What a concept of photo places counts as on the ground: the best 5 % of the land.
_PHOTO_SHARE = 95.0


def read_phrases(path: Path = PHRASES) -> dict[str, dict[str, list[str]]]:
    """Read phrases and truths.

    Parameters
    ----------
    path : pathlib.Path
        A file such as ``phrases.txt``; its first lines explain it.

    Returns
    -------
    dict of str to dict
        Section to {truth: phrases}.

    Raises
    ------
    InputError
        A line is neither a section, a comment nor ``phrases = truth``; it is named.
    """
    out: dict[str, dict[str, list[str]]] = {}
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            out[section] = {}
            continue
        phrases, sign, truth = line.partition(" = ")
        if not sign or not section:
            raise InputError(f"{path}, line {number}: expected 'phrases = truth' in a section; got {line!r}")
        out[section].setdefault(truth.strip(), []).extend(phrase.strip() for phrase in phrases.split(","))
    return out


class Places:
    """Places with all that is known of them; `mask` reads a truth.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (N, 2)
        (lon, lat) in degrees, EPSG:4326.
    z : ndarray of float32, shape (N, 512)
        Their centred unit vectors.
    land : ndarray of bool, shape (N,)
        Which of them are the even sample of the land.
    data : pathlib.Path
        The folder of the fitting data.
    model : GeoConceptModel
        Its bank reads the concepts that only photos show.
    """

    def __init__(
        self, lonlat: NDArray[np.float64], z: NDArray[np.float32], land: Mask, data: Path, model: GeoConceptModel
    ) -> None:
        self.lonlat, self.z, self.land = lonlat, z, land
        self.truths = Truths(lonlat, data)
        self._data = data
        self._bank = model.bank
        self._definitions: dict[str, Definition] = {}
        for one in definitions(countries(data)):
            for name in (*one.aliases, one.name):
                self._definitions[name] = one
        sections = read_phrases()
        self._shorthands = {names[0]: truth for truth, names in sections["names"].items()}
        self._rivers = [truth for truth in sections["rivers"] if truth.startswith("path")]
        self._known: dict[str, Mask] = {}

    def mask(self, truth: str) -> Mask:
        """Return which places a truth holds for.

        Parameters
        ----------
        truth : str
            For example ``"desert climate & coast<50"``.

        Returns
        -------
        ndarray of bool, shape (N,)

        Raises
        ------
        InputError
            A term is unknown, or the brackets do not match.
        """
        tokens = [token.strip() for token in re.split(r"([&|!()])", truth) if token.strip()]
        found, rest = self._either(tokens)
        if rest:
            raise InputError(f"truth {truth!r} cannot be read from {rest[0]!r} on")
        return found

    def _either(self, tokens: list[str]) -> tuple[Mask, list[str]]:
        found, rest = self._both(tokens)
        while rest[:1] == ["|"]:
            other, rest = self._both(rest[1:])
            found = found | other
        return found, rest

    def _both(self, tokens: list[str]) -> tuple[Mask, list[str]]:
        found, rest = self._one(tokens)
        while rest[:1] == ["&"]:
            other, rest = self._one(rest[1:])
            found = found & other
        return found, rest

    def _one(self, tokens: list[str]) -> tuple[Mask, list[str]]:
        if not tokens:
            raise InputError("a truth ends where a term was expected")
        first, rest = tokens[0], tokens[1:]
        if first == "!":
            found, rest = self._one(rest)
            return ~found, rest
        if first == "(":
            found, rest = self._either(rest)
            if rest[:1] != [")"]:
                raise InputError(f"a bracket is not closed before {rest[:1]}")
            return found, rest[1:]
        return self._term(first), rest

    def _term(self, term: str) -> Mask:
        if term not in self._known:
            self._known[term] = self._read(term)
        return self._known[term]

    def _read(self, term: str) -> Mask:
        if term.startswith("@"):
            return self._named(term[1:])
        if term.startswith("box "):
            return self._box(*map(float, term[4:].split()))
        if term.startswith("path "):
            line, _, km = term[5:].partition("<")
            return np.asarray(self._km_to_path(line) <= float(km))
        if found := re.fullmatch(r"(\w+)([<>])(-?[\d.]+)", term):
            values = self._column(found[1])
            with np.errstate(invalid="ignore"):
                return np.asarray(values > float(found[3]) if found[2] == ">" else values < float(found[3]))
        if term in self._definitions:
            return self._concept(self._definitions[term])
        raise InputError(f"unknown term {term!r} in a truth")

    def _box(self, west: float, south: float, east: float, north: float) -> Mask:
        lon, lat = self.lonlat.T
        return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))

    def _km_to_path(self, line: str) -> NDArray[np.float64]:
        corners = np.array([[float(x) for x in point.split()] for point in line.split(",")])
        steps = np.linspace(0.0, 1.0, 200)
        knots = np.linspace(0.0, 1.0, len(corners))
        if len(corners) > 1:
            corners = np.stack([np.interp(steps, knots, corners[:, k]) for k in (0, 1)], axis=1)
        chord, _ = _tree_of(corners).query(_on_sphere(self.lonlat))
        return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)))

    def _column(self, name: str) -> NDArray[np.float64]:
        if name in ("lon", "lat"):
            return np.asarray(self.lonlat[:, int(name == "lat")])
        if name == "abslat":
            return np.abs(self.lonlat[:, 1])
        if name == "rivers":
            return np.asarray(np.min([self._km_to_path(truth[5:].partition("<")[0]) for truth in self._rivers], axis=0))
        if name in _DISTANCES:
            return self.truths.km_to(_DISTANCES[name])
        if name in _COLUMNS:
            return self.truths.smooth(_COLUMNS[name])
        raise InputError(f"unknown column {name!r} in a truth")

    def _concept(self, one: Definition) -> Mask:
        if one.universe != PHOTOS:
            return np.asarray(one.label(self.truths) == 1.0)
        score = self.z @ self._bank[one.name].vector
        return np.asarray(score > np.percentile(score[self.land], _PHOTO_SHARE))

    def _named(self, name: str) -> Mask:
        if name in self._shorthands:
            return self.mask(self._shorthands[name])
        for find in (self._of_country, self._of_region, self._of_province):
            found = find(name)
            if found is not None:
                return found
        raise InputError(f"no country, region or province of Natural Earth is called {name!r}")

    def _of_country(self, name: str) -> Mask | None:
        frame = _layer(self._data, "ne_50m_admin_0_countries")
        for column in ("ADMIN", "NAME", "NAME_LONG", "CONTINENT", "SUBREGION", "REGION_WB"):
            if (frame[column] == name).any():
                return self.truths.regions("ne_50m_admin_0_countries", column)[name]
        return None

    def _of_region(self, name: str) -> Mask | None:
        regions = self.truths.regions("ne_10m_geography_regions_polys", "name", "mended")
        found = [mask for drawn, mask in regions.items() if drawn.casefold() == name.casefold()]
        return np.asarray(np.logical_or.reduce(found)) if found else None

    def _of_province(self, name: str) -> Mask | None:
        towns = _layer(self._data, "ne_10m_populated_places")
        here = (towns["ADM1NAME"] == name).to_numpy()
        if not here.any():
            return None
        near = self.nearest(np.column_stack([towns.geometry.x, towns.geometry.y]))
        return np.asarray(here[near] & self.on_land())

    def on_land(self) -> Mask:
        """Return which places lie in a country."""
        return np.asarray(self.truths.country() != "")

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the row of the nearest of some (lon, lat) for each place."""
        return np.asarray(_tree_of(points).query(_on_sphere(self.lonlat))[1])
