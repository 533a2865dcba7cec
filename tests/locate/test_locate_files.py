"""Geolocations as files: a folder for one, a row for each of many."""

import dataclasses
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geoconcept_gis import read_places, read_provenance, summarise, write_places
from geoconcept_gis.errors import InputError, PhotoError
from geoconcept_gis.evaluation import distance_km
from tests.locate.conftest import TOWNS


@pytest.fixture
def mixed(cairo):
    """A geolocation, an error, and the geolocation again with an EXIF position."""
    return [cairo, PhotoError("b.jpg: the file is empty"), dataclasses.replace(cairo, exif_lonlat=TOWNS["paris"])]


def test_every_photo_has_a_row(mixed, cairo):
    """In their order, failures with their reason and without a place, EXIF with its distance where there is one."""
    table = summarise(mixed, ["a.jpg", "b.jpg", "c.jpg"])
    assert table["file"].tolist() == ["a.jpg", "b.jpg", "c.jpg"]
    assert table["status"].tolist() == ["ok", "error", "ok"]
    assert table["error"].tolist() == [None, "b.jpg: the file is empty", None]
    assert table.geometry.isna().tolist() == [False, True, False]
    assert table.crs == "EPSG:4326"
    assert table[["lon", "lat", "probability", "area50_km2", "prior"]].isna().all(axis=1).tolist() == [
        False,
        True,
        False,
    ]
    first, last = table.iloc[0], table.iloc[2]
    best = cairo.points.iloc[0]
    assert (first.lon, first.lat, first.probability) == (best.geometry.x, best.geometry.y, best.probability)
    assert (first.area50_km2, first.area90_km2) == tuple(cairo.areas["area_km2"])
    assert np.isnan(first.exif_km)
    assert (last.exif_lon, last.exif_lat) == TOWNS["paris"]
    np.testing.assert_allclose(last.exif_km, distance_km([TOWNS["paris"]], [[last.lon, last.lat]])[0])
    assert (first.tower, first.prior) == ("given, shared space", "photos")


@pytest.mark.parametrize("name", ["t.csv", "t.gpkg", "t.parquet", "t.geojson"])
@pytest.mark.parametrize("which", [slice(0, 3), slice(1, 2)])
def test_the_table_survives_every_format(mixed, which, name, tmp_path):
    """All rows come back, all errors too, and what they have in common as provenance."""
    table = summarise(mixed[which], ["a", "b", "c"][which])
    path = write_places(table, tmp_path / name)
    back = pd.read_csv(path) if name.endswith("csv") else read_places(path)
    assert back["file"].tolist() == table["file"].tolist()
    assert back["status"].tolist() == table["status"].tolist()
    if len(table) == 3:
        assert read_provenance(path)["prior"] == "photos"
        np.testing.assert_allclose(back["lon"], table["lon"])


def test_names_must_match(mixed):
    with pytest.raises(InputError, match="3 results need as many names; got 1"):
        summarise(mixed, ["a.jpg"])
    assert summarise(mixed)["file"].tolist() == ["vector", "", "vector"]
    assert len(summarise([])) == 0


def test_a_folder_holds_all(cairo, tmp_path):
    """Heatmap with its style, points, areas, concepts and the record, each with its provenance; never over another."""
    folder = cairo.save(tmp_path / "cairo")
    assert sorted(path.name for path in folder.iterdir()) == [
        "areas.gpkg",
        "concepts.csv",
        "heatmap.qml",
        "heatmap.tif",
        "points.gpkg",
        "record.json",
    ]
    record = json.loads((folder / "record.json").read_text())
    assert record["provenance"] == cairo.provenance
    for name in ("points.gpkg", "areas.gpkg", "heatmap.tif"):
        assert read_provenance(folder / name)["tower"] == cairo.provenance["tower"]
    points = gpd.read_file(folder / "points.gpkg")
    assert points.geometry.geom_equals_exact(cairo.points.geometry, 1e-9).all()
    assert pd.read_csv(folder / "concepts.csv")["concept"].tolist() == cairo.concepts["concept"].tolist()
    with pytest.raises(InputError, match="exists already"):
        cairo.save(folder)
    with pytest.raises(InputError, match="does not exist"):
        cairo.save(tmp_path / "no" / "such")
