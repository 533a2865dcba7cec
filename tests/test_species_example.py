"""Tests of examples/species_model: its measures, its virtual species, and a small run of it all."""

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import InputError
from geoconcept_gis.land import on_land

FOLDER = Path(__file__).parents[1] / "examples" / "species_model"
LAYERS = {  # a made-up climate, by latitude
    "t_mean_c": lambda lat: 28.0 - 0.5 * abs(lat),
    "t_coldest_c": lambda lat: 26.0 - 0.8 * abs(lat),
    "t_warmest_c": lambda lat: 30.0 - 0.25 * abs(lat),
    "precip_mm": lambda lat: 2500.0 - 40.0 * abs(lat),
    "precip_driest_mm": lambda lat: 80.0 - 3.0 * abs(lat),
    "elev_etopo5_m": lambda lat: 100.0 + 5.0 * abs(lat),
    "relief_std_m": lambda lat: 10.0 * abs(lat),
    "ndvi_max": lambda lat: 0.9 - 0.01 * abs(lat),
    "ndvi_min": lambda lat: 0.7 - 0.01 * abs(lat),
    "rain_itu_mm": lambda lat: 2400.0 - 35.0 * abs(lat),
}


@pytest.fixture(scope="module")
def example():
    """The modules of the example, as the script itself finds them."""
    names = ("records", "measures", "models", "pictures", "species_model")
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: __import__(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of data with made-up layers, and photos that are taken everywhere."""
    lat, lon = (axis.ravel() for axis in np.mgrid[-89.5:90:1, -179.5:180:1])
    table = pd.DataFrame({"lat": lat, "lon": lon, **{name: layer(lat) for name, layer in LAYERS.items()}})
    table.to_csv(tmp_path / "earth_1deg.csv.gz", index=False, compression={"method": "gzip", "compresslevel": 1})
    (tmp_path / "photos").mkdir()
    np.savez(tmp_path / "photos" / "mp16_500k_latlon.npz", latlon=gc.reference_places(count=4000)[:, ::-1])
    monkeypatch.setenv("GEOCONCEPT_DATA", str(tmp_path))
    return tmp_path


def test_true_skill_takes_its_threshold_from_other_folds(example):
    """Perfect scores give 1; where a fold's scores are shifted, its own threshold would still say 1."""
    tss = example["measures"].true_skill
    y, fold = np.tile([0, 1], 20), np.repeat([0, 1], 20)
    assert tss(y, y.astype(float), fold) == 1.0
    assert tss(y, y + 10.0 * fold, fold) == 0.0


def test_boyce_index(example):
    """1 where records get commoner with the score, -1 where they get rarer, about 0 where they do not care."""
    boyce, rng = example["measures"].boyce, np.random.default_rng(0)
    background = rng.random(20_000)
    more = np.sqrt(rng.random(5_000))
    assert boyce(more, background) > 0.97
    assert boyce(1.0 - more, background) < -0.97
    assert abs(boyce(background[::2], background)) < 0.5
    assert np.isnan(boyce(np.full(5, 2.0), np.arange(10.0)[:2]))


def test_relative_suitability_is_proportional_to_the_odds(example):
    """Log-odds become odds, cut at the upper tenth of the records."""
    relative = example["measures"].relative_suitability(np.log([0.1, 0.2, 8.0]), np.log(np.full(5, 0.4)))
    np.testing.assert_allclose(relative, [0.25, 0.5, 1.0])


def test_no_data_near(example):
    """A place far from all others in the features is told from one between them."""
    train = np.random.default_rng(0).random((200, 3))
    far = example["measures"].no_data_near(train, np.arange(200) % 5, np.array([[0.5, 0.5, 0.5], [3.0, 3.0, 3.0]]))
    assert far.tolist() == [False, True]


def test_records_are_read_thinned_and_counted(example, tmp_path, capsys):
    """Rows without coordinates, outside the study area and in a cell that has one are told apart."""
    path = tmp_path / "orchid.csv"
    path.write_text("name,lon,lat\na,10.0,45.0\nb,10.0001,45.0001\nc,12.0,46.0\nd,,\ne,-70.0,4.0\n")
    kept = example["records"].read_records(path, (0.0, 40.0, 20.0, 50.0), 5)
    np.testing.assert_array_equal(kept, [[10.0, 45.0], [12.0, 46.0]])
    said = capsys.readouterr().out
    assert "5 rows, 0 absences, 1 without coordinates, 1 outside the study area, 2 left" in said


#: Towns of Fiji, Tonga and Samoa, as a download of GBIF has its records: tabs, and Darwin Core's names of columns.
GBIF = """gbifID	species	occurrenceStatus	decimalLatitude	decimalLongitude	locality
1	Nesofregetta fuliginosa	PRESENT	-18.1416	178.4419	Suva
2	Nesofregetta fuliginosa	PRESENT	-16.4332	179.3645	Labasa, "town"
3	Nesofregetta fuliginosa	PRESENT	-21.1394	-175.2018	Nuku'alofa
4	Nesofregetta fuliginosa	ABSENT	-13.8333	-171.7667	Apia
5	Nesofregetta fuliginosa	PRESENT			at sea
6	Nesofregetta fuliginosa	PRESENT	-36.8485	174.7633	Auckland
"""
PACIFIC = (177.0, -25.0, 190.0, -10.0)


def test_a_download_of_gbif_is_read_across_the_antimeridian(example, tmp_path, capsys):
    """Tabs and Darwin Core names are found, absences are no records, and the study area is in one piece."""
    path = tmp_path / "0001234-261121.csv"
    path.write_text(GBIF, encoding="utf-8")
    kept = example["records"].read_records(path, PACIFIC, 5)
    np.testing.assert_array_equal(kept, [[178.4419, -18.1416], [179.3645, -16.4332], [-175.2018, -21.1394]])
    said = capsys.readouterr().out
    assert "6 rows, 1 absences, 1 without coordinates, 1 outside the study area, 3 left" in said


def test_bounds_across_the_antimeridian(example):
    """West above east is one piece of the Earth, on both sides; nonsense is refused."""
    script, records = example["species_model"], example["records"]
    assert script.parse(["--bounds", "177", "-25", "-170", "-10"]).bounds == PACIFIC
    assert script.parse([]).bounds == records.WORLD
    places = np.array([[177.0, -20.0], [180.0, -20.0], [-180.0, -20.0], [-170.0, -10.0], [-169.9, -20.0], [0.0, -20.0]])
    assert records.inside(places, PACIFIC).tolist() == [True, True, True, True, False, False]
    assert records.inside(places[:, ::-1] * [1, 0.1], records.WORLD).all()
    cells = script.grid(PACIFIC, 0.25)
    assert (cells[:, 0] > 177.0).any() and (cells[:, 0] < -170.0).any() and records.inside(cells, PACIFIC).all()
    for nonsense in ("10 0 10 5", "0 5 10 5", "-190 0 10 5", "0 -95 10 5"):
        with pytest.raises(SystemExit):
            script.parse(["--bounds", *nonsense.split()])


def test_virtual_species_live_where_their_niche_is(example, data):
    """Suitability runs from 0 to 1, and records are more suitable than the places that were looked at."""
    records = example["records"]
    visited = records.visited_places(3_000, records.WORLD, seed=0)
    assert on_land(visited).all()
    for species in records.virtual_species(visited, seed=1)[:2]:
        niche = species.niche(records.environment(visited))
        assert 0.0 <= niche.min() < 0.01 and 0.9 < niche.max() <= 1.0
        assert species.niche(records.environment(species.records)).mean() > 2.0 * niche.mean()
        assert abs(len(species.records) - niche.sum()) < 5.0 * np.sqrt(niche.sum())


def test_held_out_regions_tell_signal_from_noise(example):
    """Labels that follow latitude are found again in other regions; shuffled labels are not."""
    models, rng = example["models"], np.random.default_rng(0)
    lonlat = gc.reference_places(count=1_200)
    table, land = (pd.DataFrame(part, columns=["lon", "lat"]) for part in (lonlat[:800], lonlat[800:]))
    truth = np.exp(-((lonlat[:, 1] / 20.0) ** 2))
    y = (rng.random(800) < truth[:800]).astype(int)
    candidate = models.Candidate(["lat"], models.curves())
    found = models.held_out(candidate, table, y, land, truth[800:], 20.0)
    assert found["AUC"] > 0.8 and found["truth"] > 0.8 and found["folds"] == 5
    noise = models.held_out(candidate, table, rng.permutation(y), land, truth[800:], 20.0)
    assert abs(noise["AUC"] - 0.5) < 0.1
    again = models.refits(models.Candidate(["lat"], models.trees()), table, y, 20.0, 2)
    assert (again[0].decision_function(table) != again[1].decision_function(table)).any()


def test_folds_without_records_are_an_error(example):
    """Records of one block cannot be tested anywhere else."""
    table = pd.DataFrame({"lon": np.linspace(-170, 170, 40), "lat": 0.5})
    with pytest.raises(InputError, match="smaller blocks"):
        example["models"].folds(table, (np.arange(40) == 0).astype(int), 5, 10.0)


def run_small(example, monkeypatch, folder, *arguments):
    """Run the script on few places, with two candidates and few trees."""
    models = example["models"]
    every, forest = models.candidates, models.trees()
    forest[0].set_params(max_iter=10, max_bins=15)
    kept = (models.CHOSEN, "longitude and latitude, curves")
    monkeypatch.setattr(models, "trees", lambda: forest)
    monkeypatch.setattr(
        example["species_model"], "candidates", lambda table: {k: v for k, v in every(table).items() if k in kept}
    )
    sizes = ["--most", "300", "--refits", "2", "--resolution", "10", "--block", "20"]
    example["species_model"].main([str(folder), *sizes, *arguments])


def test_the_script_runs_on_virtual_species(example, data, tmp_path, monkeypatch, capsys):
    """It leaves scores, a map with its range and the truth, and two pictures."""
    niches = {"rain forest palm": example["records"].NICHES["rain forest palm"]}
    monkeypatch.setattr(example["records"], "NICHES", niches)
    run_small(example, monkeypatch, tmp_path / "out", "--visits", "1500")
    out = capsys.readouterr().out
    assert "the species are virtual" in out and "new ground" in out
    scores = pd.read_csv(tmp_path / "out" / "species_scores.csv")
    assert scores.groupby("background").size().to_dict() == {"looked at": 2, "random land": 1}
    assert scores["AUC"].min() > 0.6
    cells = gpd.read_parquet(tmp_path / "out" / "species_map.parquet")
    assert (cells["low"] <= cells["high"]).all() and cells["high"].max() <= 1.0 and cells["spread"].max() > 0.0
    assert cells["mean"].corr(cells["truth"]) > 0.4
    assert gc.read_provenance(tmp_path / "out" / "species_map.parquet")
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"species_map.png", "species_responses.png"}


def test_the_script_runs_on_records_of_ones_own(example, tmp_path, monkeypatch, capsys):
    """Without the folder of data it goes without layers, and there is no truth."""
    monkeypatch.setenv("GEOCONCEPT_DATA", str(tmp_path))
    lonlat = gc.reference_places(count=2_000)
    lonlat = lonlat[(lonlat[:, 1] > -60) & (lonlat[:, 1] < 84)]
    others = pd.DataFrame(lonlat, columns=["lon", "lat"])
    others.to_csv(tmp_path / "others.csv", index=False)
    others[abs(others["lat"]) < 15].to_csv(tmp_path / "palm.csv", index=False)
    given = ["--occurrences", str(tmp_path / "palm.csv"), "--background", str(tmp_path / "others.csv")]
    run_small(example, monkeypatch, tmp_path / "out", *given)
    assert "without environmental layers" in capsys.readouterr().out
    assert "truth" not in pd.read_csv(tmp_path / "out" / "species_scores.csv")
    assert "truth" not in gpd.read_parquet(tmp_path / "out" / "species_map.parquet")
