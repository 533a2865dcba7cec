"""What each concept of the bundled bank means: its name, its truth, and what it is told from.

A label is a number a place: 1 with the label, 0 without, NaN left out (too near the border of the definition to say).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..concepts.concept import slug
from .koeppen import CLASSES, GROUPS
from .scenes import HERITAGE_SCENES, SCENES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from .sources import Truths

    Label = Callable[[Truths], NDArray[np.float64]]

__all__ = ["FAMILIES", "Definition", "definitions"]

FAMILIES = ("climate", "vegetation", "terrain", "water and ice", "people", "culture", "place", "scene")

#: Names of the sets of places that concepts are told apart in; also the reference mean's name.
LAND, EARTH, MIXED, PHOTOS = "uniform_land", "uniform_earth", "land_and_photos", "photo_places"

NEGATIVES = {
    LAND: "all other land, evenly by area",
    EARTH: "the rest of the Earth, land and sea, evenly by area",
    MIXED: "other places, half of them evenly over land, half where photos were taken",
    PHOTOS: "other photo places and World Heritage sites",
}


@dataclass(frozen=True)
class Definition:
    """One concept before it is fitted."""

    name: str
    family: str
    description: str
    source: str
    label: Label
    universe: str = LAND
    aliases: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()


def definitions(countries: list[str]) -> list[Definition]:
    """List every concept of the bank, in its order.

    Parameters
    ----------
    countries : list of str
        English names of the countries that become concepts.
    """
    found = [
        *_climate(),
        *_vegetation(),
        *_terrain(),
        *_water(),
        *_people(),
        *_culture(),
        *_places(countries),
        *_scenes(),
    ]
    taken: set[str] = {slug(one.name) for one in found}
    out = []
    for one in found:  # an alias goes to the first that claims it
        aliases = tuple(alias for alias in one.aliases if slug(alias) not in taken)
        taken |= {slug(alias) for alias in aliases}
        out.append(replace(one, aliases=aliases, prompts=_prompts(one)))
    return out


_TEMPLATES = {
    "climate": ("a landscape with a {}", "a place with a {}"),
    "place": ("a photo taken in {}", "a place in {}"),
    "culture": ("a photo of a {}", "a place known for its {}"),
    "scene": ("a photo of a {}", "a {}"),
}


def _prompts(one: Definition) -> tuple[str, ...]:
    templates = _TEMPLATES.get(one.family, ("a photo of {}", "a landscape of {}"))
    return tuple(template.format(one.name.removesuffix(" scene")) for template in templates)


def _flag(condition: NDArray[np.bool_], unsure: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Turn a condition into a label, NaN where it is unsure."""
    out = condition.astype(np.float64)
    if unsure is not None:
        out[unsure & ~condition] = np.nan
    return out


def _above(column: str, limit: float) -> Label:
    def label(t: Truths) -> NDArray[np.float64]:
        values = t.smooth(column)
        return np.where(np.isnan(values), np.nan, values > limit).astype(np.float64)

    return label


def _below(column: str, limit: float) -> Label:
    above = _above(column, limit)
    return lambda t: 1.0 - above(t)


def _both(first: Label, second: Label) -> Label:
    return lambda t: first(t) * second(t)


def _near(what: str, km: float) -> Label:
    """Within `km` of a feature; places up to twice as far are left out."""

    def label(t: Truths) -> NDArray[np.float64]:
        distance = t.km_to(what)
        return _flag(distance <= km, distance <= 2.0 * km)

    return label


# ---------------------------------------------------------------- climate


def _koeppen(*codes: str) -> Label:
    def label(t: Truths) -> NDArray[np.float64]:
        found = t.koeppen()
        # A place that the raster calls sea is left out: it stands on a shore.
        return np.where(found == "", np.nan, np.isin(found, codes)).astype(np.float64)

    return label


def _climate() -> Iterator[Definition]:
    def one(name: str, description: str, label: Label, *aliases: str, source: str = "koeppen") -> Definition:
        return Definition(name, "climate", description, source, label, aliases=aliases)

    for group, (name, description) in GROUPS.items():
        yield one(name, description, _koeppen(*(c for c in CLASSES if c[0] == group)), f"Koeppen {group}")
    for code, (name, description) in CLASSES.items():
        yield one(name, description, _koeppen(code), code, name.removesuffix(" climate"))
    for name, codes, description in (
        ("mediterranean climate", ("Csa", "Csb", "Csc"), "Mild wet winter and dry summer (Koeppen Cs)."),
        ("desert climate", ("BWh", "BWk"), "Very dry, hot or cold (Koeppen BW)."),
        ("steppe climate", ("BSh", "BSk"), "Dry, but not a desert (Koeppen BS)."),
        ("humid continental climate", ("Dfa", "Dfb", "Dwa", "Dwb"), "Cold winter, warm or hot summer, not dry."),
        ("boreal climate", ("Dfc", "Dfd", "Dwc", "Dwd", "Dsc", "Dsd"), "Long cold winter, short cool summer."),
        ("dry-winter climate", tuple(c for c in CLASSES if c[1] == "w"), "The wet season is the summer (Koeppen w)."),
    ):
        yield one(name, description, _koeppen(*codes))

    def range_above(limit: float) -> Label:
        return lambda t: _flag(t.smooth("t_warmest_c") - t.smooth("t_coldest_c") > limit)

    def range_below(limit: float) -> Label:
        return lambda t: _flag(t.smooth("t_warmest_c") - t.smooth("t_coldest_c") < limit)

    def driest_share(t: Truths) -> NDArray[np.float64]:
        wet = t.smooth("precip_mm") > 600
        return _flag(wet & (t.smooth("precip_driest_mm") < 10))

    for name, description, label in (
        ("hot all year", "Yearly mean temperature above 26 C.", _above("t_mean_c", 26)),
        ("hot summers", "Warmest month above 30 C.", _above("t_warmest_c", 30)),
        ("cool summers", "Warmest month below 10 C.", _below("t_warmest_c", 10)),
        ("cold on average", "Yearly mean temperature below 0 C.", _below("t_mean_c", 0)),
        ("severe winters", "Coldest month below -20 C.", _below("t_coldest_c", -20)),
        ("extreme winters", "Coldest month below -30 C.", _below("t_coldest_c", -30)),
        ("frost-free winters", "Coldest month above 15 C.", _above("t_coldest_c", 15)),
        ("strong seasons", "Warmest and coldest month differ by more than 40 C.", range_above(40)),
        ("hardly any seasons", "Warmest and coldest month differ by less than 5 C.", range_below(5)),
        ("very wet", "More than 2,000 mm of rain a year.", _above("rain_itu_mm", 2000)),
        ("wet", "More than 1,200 mm of rain a year.", _above("rain_itu_mm", 1200)),
        ("dry", "Less than 400 mm of rain a year.", _below("rain_itu_mm", 400)),
        ("very dry", "Less than 150 mm of rain a year.", _below("rain_itu_mm", 150)),
        ("marked dry season", "Wet over the year, but a month with less than 10 mm.", driest_share),
    ):
        yield one(name, description, label, source="earth")


# ---------------------------------------------------------------- vegetation

_IGBP = {
    "evergreen needleleaf forest": (1, "Conifers that keep their needles.", "conifer forest"),
    "evergreen broadleaf forest": (2, "Broadleaf trees green all year, mostly rainforest.", "jungle"),
    "deciduous needleleaf forest": (3, "Larch forest.", "larch forest"),
    "deciduous broadleaf forest": (4, "Broadleaf trees that shed their leaves.", ""),
    "mixed forest": (5, "Needleleaf and broadleaf trees together.", ""),
    "open shrubland": (7, "Scattered shrubs under 2 m.", "scrub"),
    "woody savanna": (8, "Tree cover of 30 to 60 %.", "woodland"),
    "savanna": (9, "Tree cover of 10 to 30 %.", ""),
    "grassland": (10, "Herbaceous plants, hardly a tree.", "prairie"),
    "permanent wetland": (11, "Land under water for a good part of the year.", "marsh"),
    "cropland": (12, "At least 60 % cultivated.", "farmland"),
    "cropland and natural mosaic": (14, "Small fields among natural vegetation.", ""),
    "barren land": (16, "Sand, rock or soil with hardly a plant.", "bare ground"),
}


def _igbp(*numbers: int) -> Label:
    def label(t: Truths) -> NDArray[np.float64]:
        found = t.igbp()
        return np.where(found == 0, np.nan, np.isin(found, numbers)).astype(np.float64)

    return label


def _vegetation() -> Iterator[Definition]:
    def one(name: str, description: str, label: Label, *aliases: str, source: str = "igbp") -> Definition:
        return Definition(name, "vegetation", description, source, label, aliases=tuple(a for a in aliases if a))

    for name, (number, description, alias) in _IGBP.items():
        yield one(name, f"{description} IGBP class {number}.", _igbp(number), alias)
    yield one("forest", "Any forest (IGBP classes 1 to 5).", _igbp(1, 2, 3, 4, 5), "woods")
    yield one("cultivated land", "Fields, pure or mixed (IGBP classes 12 and 14).", _igbp(12, 14), "agriculture")
    yield one("treeless land", "No forest, no savanna, no water.", _igbp(6, 7, 10, 15, 16))
    for name, land, climate, description in (
        ("tropical rainforest", (2,), ("Af", "Am"), "Evergreen broadleaf forest, hot and wet all year."),
        ("tropical savanna vegetation", (8, 9, 10), ("Aw", "BSh"), "Grass and scattered trees, hot, a dry season."),
        ("boreal forest", (1, 3, 5, 8), ("Dfc", "Dfd", "Dwc", "Dwd", "Dsc", "Dsd"), "Taiga: conifers and larch."),
        ("temperate forest", (1, 4, 5), ("Cfa", "Cfb", "Dfa", "Dfb", "Cwa", "Dwa", "Dwb"), "Forest of mild summers."),
        ("temperate grassland", (10,), ("BSk", "Dfa", "Dfb", "Dwb", "Cfa"), "Steppe and prairie of cold winters."),
        ("tundra vegetation", (7, 10), ("ET",), "Low shrubs, grasses and mosses of the cold."),
        ("sand and rock desert", (16,), ("BWh", "BWk"), "Barren land in a desert climate."),
        ("desert scrub", (7,), ("BWh", "BWk", "BSh", "BSk"), "Scattered shrubs in a dry climate."),
        ("mediterranean woodland", (1, 2, 4, 5, 8, 9), ("Csa", "Csb"), "Trees of dry summers."),
        ("irrigated or dry farming", (12,), ("BSh", "BSk", "BWh", "BWk"), "Cropland in a dry climate."),
    ):
        yield one(name, description, _both(_igbp(*land), _koeppen(*climate)), source="biome")
    for name, description, label in (
        ("lush green", "Greenest month with NDVI above 0.8.", _above("ndvi_max", 0.8)),
        ("green all year", "Least green month with NDVI above 0.6.", _above("ndvi_min", 0.6)),
        ("sparse vegetation", "Greenest month with NDVI below 0.25.", _below("ndvi_max", 0.25)),
        ("seasonal greenness", "NDVI differs by more than 0.6 between months.", _greening),
    ):
        yield one(name, description, label, source="earth")


def _greening(t: Truths) -> NDArray[np.float64]:
    change = t.smooth("ndvi_max") - t.smooth("ndvi_min")
    return np.where(np.isnan(change), np.nan, change > 0.6).astype(np.float64)


# ---------------------------------------------------------------- terrain

_POLYS = "ne_10m_geography_regions_polys"


def _kinds(*classes: str) -> Label:
    def label(t: Truths) -> NDArray[np.float64]:
        drawn, mended = t.regions(_POLYS, "featurecla"), t.regions(_POLYS, "featurecla", "mended")
        return _flag(
            np.logical_or.reduce([drawn[name] for name in classes]),
            np.logical_or.reduce([mended[name] for name in classes]),  # what a fragment leaves open is left out
        )

    return label


def _terrain() -> Iterator[Definition]:
    def one(
        name: str, description: str, label: Label, *aliases: str, source: str = "natural earth", universe: str = LAND
    ) -> Definition:
        return Definition(name, "terrain", description, source, label, universe, aliases)

    for name, description, classes, aliases in (
        ("mountain range", "In a named mountain range.", ("Range/mtn",), ("mountains", "mountain")),
        ("plateau", "In a named plateau or upland.", ("Plateau",), ("highland",)),
        ("plain", "In a named plain or lowland.", ("Plain", "Lowland"), ("plains", "lowland plain")),
        ("desert region", "In a named desert.", ("Desert",), ("desert",)),
        ("basin", "In a named basin or depression.", ("Basin", "Depression"), ()),
        ("delta", "In a named river delta.", ("Delta",), ("river delta",)),
        ("named wetland", "In a named wetland.", ("Wetlands",), ()),
        ("peninsula", "On a named peninsula or cape.", ("Pen/cape", "Peninsula"), ()),
        ("named valley", "In a named valley or gorge.", ("Valley", "Gorge"), ("valley",)),
    ):
        yield one(name, description, _kinds(*classes), *aliases)
    yield one("island", "On a named island or in an island group.", _kinds("Island", "Island group"), "islands")
    yield one("coast", "Land within 15 km of the sea.", _near("coast", 15), "seaside")
    yield one("deep inland", "More than 800 km from the sea.", lambda t: _flag(t.km_to("coast") > 800), "interior")
    yield one(
        "volcano", "Within 15 km of a volcano active in the Holocene.", _near("volcanoes", 15), source="volcanoes"
    )
    yield one("salt flat", "In a playa.", lambda t: _flag(t.inside("ne_10m_playas")), "playa")
    yield one("lowland", "Below 200 m.", _below("elev_etopo5_m", 200), source="earth")
    for metres, alias in ((500, "hills"), (1000, "highlands"), (2000, "high mountains"), (3000, "high altitude")):
        label = _above("elev_etopo5_m", metres)
        yield one(f"above {metres:,} m", f"Higher than {metres:,} m.", label, alias, source="earth")
    for name, words, label, alias in (
        ("rugged relief", "more than 300 m", _above("relief_std_m", 300), "rugged"),
        ("alpine relief", "more than 600 m", _above("relief_std_m", 600), "steep"),
        ("flat land", "less than 30 m", _below("relief_std_m", 30), "flat"),
    ):
        yield one(name, f"Heights differ by {words} (standard deviation).", label, alias, source="earth")


# ---------------------------------------------------------------- water and ice


def _water() -> Iterator[Definition]:
    def one(
        name: str, description: str, label: Label, *aliases: str, source: str = "natural earth", universe: str = LAND
    ) -> Definition:
        return Definition(name, "water and ice", description, source, label, universe, aliases)

    def at_sea(t: Truths) -> NDArray[np.bool_]:
        from ..land import on_land

        return ~on_land(t.lonlat)

    def warm_sea_reef(t: Truths) -> NDArray[np.float64]:
        distance = t.km_to("ne_10m_reefs")
        return _flag(distance <= 30, distance <= 60)

    yield one("snow and ice", "Snow or ice all year (IGBP class 15).", _igbp(15), "ice sheet", source="igbp")
    yield one("glacier", "In a glaciated area.", lambda t: _flag(t.inside("ne_50m_glaciated_areas")), "glaciers")
    yield one(
        "mountain glacier",
        "Within 15 km of a glaciated area, outside Antarctica and Greenland.",
        _mountain_glacier,
    )
    yield one("lake", "In a lake or within 5 km of one.", _near("ne_10m_lakes", 5), "lakes")
    yield one("lake district", "At least three lakes of Natural Earth centred within 60 km.", _lake_district)
    yield one("sea", "At sea.", lambda t: _flag(at_sea(t)), "ocean", universe=EARTH)
    yield one(
        "open ocean",
        "At sea, more than 500 km from land.",
        lambda t: _flag(at_sea(t) & (t.km_to("coast") > 500)),
        "high seas",
        universe=EARTH,
    )
    yield one(
        "coastal sea",
        "At sea, within 100 km of land.",
        lambda t: _flag(at_sea(t) & (t.km_to("coast") <= 100)),
        universe=EARTH,
    )
    yield one("coral reef", "Within 30 km of a reef.", warm_sea_reef, "reef", universe=EARTH)
    for name, description, north, south in (
        ("tropical sea", "At sea, between the tropics.", 23.44, 0.0),
        ("polar sea", "At sea, beyond the polar circles.", 90.0, 66.56),
    ):

        def between(t: Truths, north: float = north, south: float = south) -> NDArray[np.float64]:
            latitude = np.abs(t.lonlat[:, 1])
            return _flag(at_sea(t) & (latitude >= south) & (latitude <= north))

        yield one(name, description, between, universe=EARTH)


def _mountain_glacier(t: Truths) -> NDArray[np.float64]:
    distance = t.km_to("ne_50m_glaciated_areas")
    sheet = np.isin(t.country(), ("Antarctica", "Greenland"))
    label = _flag(distance <= 15, distance <= 30)
    label[sheet] = np.nan
    return label


def _lake_district(t: Truths) -> NDArray[np.float64]:
    count = t.lakes_near(60.0)
    return _flag(count >= 3, count == 2)  # two are too near to call


# ---------------------------------------------------------------- people


def _people() -> Iterator[Definition]:
    def one(name: str, description: str, label: Label, *aliases: str, source: str = "natural earth") -> Definition:
        return Definition(name, "people", description, source, label, LAND, aliases)

    def more(column: str, limit: float) -> Label:
        return lambda t: _flag(t.cell(column) > limit)

    yield one("urban area", "Built-up land (IGBP class 13).", _igbp(13), "urban", "built-up", source="igbp")
    yield one(
        "city outline", "In an urban area of Natural Earth.", lambda t: _flag(t.inside("ne_50m_urban_areas")), "city"
    )
    for name, description, label, alias in (
        ("near a large city", "Within 50 km of a city of 300,000.", _near("cities", 50), "metropolitan"),
        ("settled", "Within 15 km of a settlement of 500.", _near("people", 15), "inhabited"),
        (
            "remote",
            "More than 100 km from any settlement of 500.",
            lambda t: _flag(t.km_to("people") > 100),
            "wilderness",
        ),
    ):
        yield one(name, description, label, alias, source="places")
    yield one("port", "Within 15 km of a port.", _near("ne_10m_ports", 15), "seaport")
    yield one("airport", "Within 15 km of an airport.", _near("ne_10m_airports", 15))
    for name, description, label in (
        ("populous", "More than 100,000 townspeople in the 1-degree cell.", more("city_pop", 1e5)),
        ("very populous", "More than 1,000,000 townspeople in the 1-degree cell.", more("city_pop", 1e6)),
        ("densely settled", "More than 20 settlements in the 1-degree cell.", more("n_places", 20)),
        ("night lights", "Bright at night.", _above("night_light_idx", 5)),
        ("dark at night", "No light at night.", lambda t: _flag(t.cell("night_light_idx") <= 0)),
    ):
        yield one(name, description, label, source="earth")


# ---------------------------------------------------------------- culture

_HERITAGE = {
    "cathedral": ("cathedral",),
    "monastery": ("monaster", "abbey", "convent"),
    "mosque": ("mosque",),
    "Buddhist heritage": ("buddh",),
    "Hindu heritage": ("hindu", "shiva", "vishnu"),
    "Islamic heritage": ("islam", "muslim"),
    "castle": ("castle", "fortress"),
    "palace": ("palace",),
    "Roman heritage": ("roman ", "rome"),
    "Greek antiquity": ("greek", "hellenistic"),
    "medieval town": ("medieval", "middle ages"),
    "Spanish colonial heritage": ("spanish", "conquist"),
    "pre-Columbian heritage": ("maya", "inca", "aztec", "pre-hispanic", "pre-columbian"),
    "rock art": ("rock art", "cave painting", "petroglyph", "rock paintings"),
    "baroque": ("baroque",),
    "Gothic architecture": ("gothic",),
    "temple": ("temple",),
    "wine landscape": ("vineyard", "wine", "vine-"),
}
_HERITAGE_ALIASES = {
    "cathedral": ("church",),
    "castle": ("fortress",),
    "temple": ("Asian temple",),
    "pre-Columbian heritage": ("Maya and Inca heritage",),
}


def _culture() -> Iterator[Definition]:
    for name, words in _HERITAGE.items():
        scenes = HERITAGE_SCENES.get(name, ())

        def label(t: Truths, words: tuple[str, ...] = words, scenes: tuple[str, ...] = scenes) -> NDArray[np.float64]:
            text, scene = t.photo_text(), t.photo_scene()
            mentioned = np.array([any(word in entry for word in words) for entry in text])
            return _flag(mentioned | np.isin(scene, scenes))

        spoken = ", ".join(f'"{word.strip()}"' for word in words)
        description = f"World Heritage sites whose entry has {spoken}"
        description += f", and photos with the scene {', '.join(scenes)}." if scenes else "."
        source = "heritage and scenes" if scenes else "heritage"
        yield Definition(name, "culture", description, source, label, PHOTOS, _HERITAGE_ALIASES.get(name, ()))


# ---------------------------------------------------------------- place

_CONTINENTS = ("Africa", "Antarctica", "Asia", "Europe", "North America", "Oceania", "South America")
_REGIONS = {
    "Sahara": ("SAHARA",),
    "Gobi": ("GOBI DESERT",),
    "Kalahari": ("KALAHARI DESERT",),
    "Rub al Khali": ("RUB\u2019 AL KHALI",),
    "Thar Desert": ("THAR DESERT",),
    "Sahel": ("SAHEL",),
    "Alps": ("ALPS",),
    "Andes": ("ANDES",),
    "Himalayas": ("HIMALAYAS",),
    "Rocky Mountains": ("ROCKY MOUNTAINS",),
    "Appalachians": ("APPALACHIAN MTS.",),
    "Atlas": ("ATLAS MOUNTAINS",),
    "Ethiopian Highlands": ("ETHIOPIAN HIGHLANDS",),
    "Great Dividing Range": ("GREAT DIVIDING RANGE",),
    "Tian Shan": ("TIAN SHAN",),
    "Tibetan Plateau": ("PLATEAU OF TIBET",),
    "Altiplano": ("ALTIPLANO",),
    "Deccan": ("DECCAN PLATEAU",),
    "Brazilian Highlands": ("BRAZILIAN HIGHLANDS",),
    "Mongolian Plateau": ("MONGOLIAN PLATEAU",),
    "Amazon": ("AMAZON BASIN",),
    "Congo Basin": ("CONGO BASIN",),
    "Great Basin": ("GREAT BASIN",),
    "Great Plains": ("GREAT PLAINS",),
    "Kazakh Steppe": ("KAZAKH STEPPE",),
    "Pampas": ("PAMPAS",),
    "Llanos": ("LLANOS",),
    "Ganges Plain": ("GANGES PLAIN",),
    "North China Plain": ("NORTH CHINA PLAIN",),
    "Gran Chaco": ("GRAN CHACO",),
    "Patagonia": ("PATAGONIA",),
    "Siberia": ("SIBERIA",),
    "Alaska": ("ALASKA",),
    "Anatolia": ("ANATOLIA",),
    "Scandinavia": ("SCANDINAVIA",),
    "Iberia": ("PENÍNSULA IBÉRICA",),
    "Balkans": ("BALKAN PEN.",),
    "Arabia": ("ARABIAN PENINSULA",),
    "Indochina": ("INDOCHINA PENINSULA",),
    "British Isles": ("BRITISH ISLES",),
    "Caribbean": ("WEST INDIES",),
    "Central America": ("CENTRAL AMERICA",),
    "Malay Archipelago": ("MALAY ARCHIPELAGO",),
    "Canadian Shield": ("CANADIAN SHIELD",),
    "Arctic Archipelago": ("ARCTIC ARCHIPELAGO",),
}
_REGION_ALIASES = {
    "Amazon": ("Amazon Basin", "Amazonia"),
    "Arabia": ("Arabian Peninsula",),
    "Balkans": ("Balkan Peninsula",),
    "Caribbean": ("West Indies",),
    "Iberia": ("Iberian Peninsula",),
    "Tibetan Plateau": ("Tibet",),
}
_COUNTRY_NAMES = {
    "United Republic of Tanzania": "Tanzania",
    "United States of America": "United States",
}


def _equals(what: str, name: str) -> Label:
    def label(t: Truths) -> NDArray[np.float64]:
        found = getattr(t, what)()
        return np.where(found == "", np.nan, found == name).astype(np.float64)  # at sea, or on an unmapped shore

    return label


def _places(countries: list[str]) -> Iterator[Definition]:
    def one(name: str, description: str, label: Label, *aliases: str) -> Definition:
        return Definition(name, "place", description, "natural earth", label, MIXED, aliases)

    for name in _CONTINENTS:
        yield one(name, f"The continent {name}.", _equals("continent", name))
    for name, names in _REGIONS.items():

        def inside(t: Truths, names: tuple[str, ...] = names) -> NDArray[np.float64]:
            # Natural Earth cuts smaller regions out of larger ones: what lies between is left out.
            parts, hulls = t.regions(_POLYS, "name", "mended"), t.regions(_POLYS, "name", "hull")
            return _flag(
                np.logical_or.reduce([parts[one] for one in names]), np.logical_or.reduce([hulls[one] for one in names])
            )

        yield one(name, f"The region {name}, as Natural Earth draws it.", inside, *_REGION_ALIASES.get(name, ()))
    taken = {*_CONTINENTS, *_REGIONS}
    for official in sorted(countries):
        name = _COUNTRY_NAMES.get(official, official)
        if name not in taken:
            aliases = (official,) if official != name else ()
            yield one(name, f"The country {name}.", _equals("country", official), *aliases)


# ---------------------------------------------------------------- scenes


def _scenes() -> Iterator[Definition]:
    for name, scenes in SCENES.items():

        def label(t: Truths, scenes: tuple[str, ...] = scenes) -> NDArray[np.float64]:
            return _flag(np.isin(t.photo_scene(), scenes), t.photo_text() != "")

        description = f"Photo places where a classifier saw {', '.join(scenes)}."
        aliases = (name.removesuffix(" scene"),) if name.endswith(" scene") else ()
        yield Definition(name, "scene", description, "scenes", label, PHOTOS, aliases)
