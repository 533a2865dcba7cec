"""`evaluate`: matching, counting, breakdowns, and what it says beside the numbers."""

import json
from types import SimpleNamespace

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.evaluation.metrics import RADIUS_KM, THRESHOLDS_KM

KM = 360.0 / 40_075.017  # of longitude, at the equator


def values(result):
    return result.table.set_index("metric")["value"]


def evenly(count, seed):
    """Places evenly over the sphere."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-180.0, 180.0, count), np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))])


@pytest.fixture
def truth():
    """Four photos by two people."""
    return pd.DataFrame(
        {
            "IMG_ID": ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"],
            "AUTHOR": ["7@N00", "7@N00", "8@N00", None],
            "LAT": [0.0, 0.0, 0.0, 0.0],
            "LON": [0.0, 10.0, 20.0, 30.0],
            "S3_Label": [0, 1, 1, 2],
        }
    )


@pytest.fixture
def answers():
    """0.5 km, 24 km and 700 km off, and one missing; in another order."""
    return pd.DataFrame(
        {
            "img_id": ["b/3.jpg", "a/1.jpg", "a/2.jpg"],
            "pred_lng": [20.0 + 700.0 * KM, 0.5 * KM, 10.0 + 24.0 * KM],
            "pred_lat": [0.0, 0.0, 0.0],
        }
    )


def test_by_hand(truth, answers):
    """Every number of a case small enough to work out."""
    result = gc.evaluate(answers, truth)
    assert values(result).iloc[:5].tolist() == [25.0, 50.0, 50.0, 75.0, 75.0]
    assert values(result)["median distance"] == pytest.approx((24.0 + 700.0) / 2)
    scores = [5000.0 * np.exp(-km / 1492.7) for km in (0.5, 24.0, 700.0)]
    assert values(result)["GeoGuessr score"] == pytest.approx(sum(scores) / 4)
    assert result.rows["distance_km"].round(4).tolist() == [0.5, 24.0, 700.0, np.inf]
    assert result.rows.index.tolist() == truth["IMG_ID"].tolist()
    assert result.notes[0].startswith("1 of 4 photos have no prediction")
    assert "in 3 groups" in result.notes[1]
    assert result.provenance["matched"] == "by 'img_id' of predicted and 'IMG_ID' of truth"
    assert "whole groups (AUTHOR)" in result.provenance["intervals"]


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_order_does_not_matter(one, other):
    """Rows are found by their ids, in any order of either table."""
    truth = pd.DataFrame({"id": range(4), "lon": [0.0, 5.0, 9.0, 20.0], "lat": 1.0})
    answers = pd.DataFrame({"id": [str(k) for k in range(4)], "lon": [0.0, 5.1, 19.0, 50.0], "lat": 1.0})
    result = gc.evaluate(answers.iloc[list(one)], truth.iloc[list(other)], bootstrap=0)
    expected = gc.evaluate(answers, truth, bootstrap=0)
    pd.testing.assert_frame_equal(result.rows.sort_index(), expected.rows)
    pd.testing.assert_frame_equal(result.table, expected.table)


def test_guesses_at_random():
    """Guesses anywhere are right as often as the circle is a share of the sphere."""
    result = gc.evaluate(evenly(20_000, 1), evenly(20_000, 2), method="haversine", bootstrap=50)
    expected = [50.0 * (1.0 - np.cos(km / RADIUS_KM)) for km in THRESHOLDS_KM]
    assert values(result).iloc[:5].tolist() == pytest.approx(expected, abs=0.35)
    assert values(result)["median distance"] == pytest.approx(RADIUS_KM * np.pi / 2, rel=0.02)
    curve = result.curve.set_index("area_km2")["recall"]
    assert curve[1e8] == pytest.approx(1e8 / 510_065_622, abs=0.01)
    assert curve.iloc[-1] == 1.0


def test_perfect_answers():
    """All right: full marks, and intervals that still admit doubt."""
    places = evenly(40, 3)
    result = gc.evaluate(places, places)
    assert values(result).iloc[:7].tolist() == [100.0] * 5 + [0.0, 5000.0]
    assert result.table["low"].iloc[:5].tolist() == pytest.approx([100.0 * 0.025 ** (1 / 40)] * 5)
    assert result.curve["recall"].eq(1.0).all()


def test_missing_answers_are_wrong():
    """Without any prediction nothing is right, and the median is no distance at all."""
    places = evenly(10, 4)
    result = gc.evaluate(np.full((10, 2), np.nan), places)
    assert values(result).tolist() == [0.0] * 5 + [np.inf, 0.0]
    assert result.curve["recall"].eq(0.0).all()
    assert "| median distance | none |" in result.to_markdown()


def test_photographers_widen_intervals():
    """Ten photos a person that stand or fall together tell less than ten people."""
    truth = np.repeat(evenly(60, 5), 10, axis=0)
    answers = np.where(np.repeat(np.arange(60) % 2, 10)[:, None] == 1, truth, np.nan)
    alone = gc.evaluate(answers, truth).table.iloc[0]
    together = gc.evaluate(answers, truth, groups=np.repeat(np.arange(60), 10)).table.iloc[0]
    assert (together["high"] - together["low"]) / (alone["high"] - alone["low"]) == pytest.approx(10**0.5, rel=0.15)


def test_no_draws_no_talk_of_them(truth, answers):
    """Without a bootstrap there are no intervals, and no note on them."""
    result = gc.evaluate(answers, truth, bootstrap=0)
    assert result.table["low"].isna().all()
    assert [note for note in result.notes if "interval" in note] == []
    assert result.provenance["intervals"] == "none"


def test_same_seed_same_numbers(truth, answers):
    """A seed gives the same intervals again, another seed may not."""
    one, two = (gc.evaluate(answers, truth, seed=4).to_dict() for _ in range(2))
    assert one == two


def test_breakdowns(truth, answers):
    """Columns, functions and labels; parts add up to the whole."""
    halves = {"half": lambda lonlat: np.where(lonlat[:, 0] < 15.0, "west", "east"), "mine": ["x", "x", None, "y"]}
    result = gc.evaluate(answers, truth, by=["S3_Label", halves])
    shown = result.by[result.by["metric"] == "within 25 km"].set_index(["breakdown", "group"])
    assert shown["value"].to_dict() == {
        ("S3_Label", "0"): 100.0,
        ("S3_Label", "1"): 50.0,
        ("S3_Label", "2"): 0.0,
        ("half", "east"): 0.0,
        ("half", "west"): 100.0,
        ("mine", "unknown"): 0.0,
        ("mine", "x"): 100.0,
        ("mine", "y"): 0.0,
    }
    for _, part in shown.groupby(level=0):
        assert (part["value"] * part["n"]).sum() / 4 == 50.0
    assert "## By half" in result.to_markdown()


def test_candidates(truth, answers):
    """Candidates of all photos in one table; those without any are never found."""
    ranked = pd.DataFrame(
        {
            "IMG_ID": ["a/1.jpg", "a/1.jpg", "b/3.jpg"],
            "lon": [40.0, 0.0, 20.0],
            "lat": 0.0,
            "area_km2": [100.0, 900.0, 500.0],
            "probability": [0.6, 0.2, 0.9],
        }
    )
    result = gc.evaluate(answers, truth, densities=ranked)
    assert result.rows["area_km2"].tolist() == [1000.0, np.inf, 500.0, np.inf]
    assert result.rows["mass"].tolist() == [0.6, 1.0, 0.0, 1.0]
    assert values(result)["found in 1,000 km2"] == 50.0
    assert values(result)["truth in the 50 % area"] == 25.0
    assert values(result)["truth in the 90 % area"] == 50.0
    assert set(result.curve["search"]) == {"circles", "density"}
    assert any("2 truths lie outside" in note for note in result.notes)
    again = gc.evaluate(answers, truth, densities=result.rows[["area_km2", "mass"]])
    pd.testing.assert_frame_equal(again.table, result.table)
    with pytest.raises(InputError, match="no id of the candidates"):
        gc.evaluate(answers, truth, densities=ranked.assign(IMG_ID="other"))


def test_best_of_several(truth):
    """A column `rank` says which of several predictions counts."""
    several = pd.DataFrame({"IMG_ID": ["a/1.jpg"] * 2, "lon": [90.0, 0.0], "lat": 0.0, "rank": [2, 1]})
    assert gc.evaluate(several, truth).rows["distance_km"].iloc[0] == 0.0
    with pytest.raises(InputError, match=r"does not say which row is best for 'IMG_ID' 'a/1.jpg'"):
        gc.evaluate(several.assign(rank=1), truth)
    with pytest.raises(InputError, match=r"several rows for 'IMG_ID' 'a/1.jpg'.*'rank'"):
        gc.evaluate(several.drop(columns="rank"), truth)


def test_geolocations(truth):
    """What `geolocate` returns is taken as it is: best point for the distance, cells for the area."""
    places = truth[["LON", "LAT"]].to_numpy()
    found = [
        SimpleNamespace(
            cells=np.array([h3.latlng_to_cell(lat, lon + shift, 4) for shift in (0.0, 5.0)], dtype=np.uint64),
            probability=np.array([0.4, 0.6]),
            points=gpd.GeoDataFrame(geometry=gpd.points_from_xy([lon + 5.0, lon], [lat, lat], crs="EPSG:4326")),
        )
        for lon, lat in places
    ]
    result = gc.evaluate(found, truth)
    assert result.rows["distance_km"].round(1).tolist() == [556.6] * 4
    assert result.rows["mass"].tolist() == [0.6] * 4
    both = [sum(h3.cell_area(int(cell), "km^2") for cell in one.cells) for one in found]
    assert result.rows["area_km2"].tolist() == pytest.approx(both)
    with pytest.raises(InputError, match="predicted has 3 rows and truth 4"):
        gc.evaluate(found[:3], truth)


def test_points_in_another_crs(truth):
    """A GeoDataFrame is reprojected; one without geometry at a row has no prediction there."""
    points = gpd.points_from_xy(truth["LON"], truth["LAT"], crs="EPSG:4326").to_crs("EPSG:3857")
    frame = gpd.GeoDataFrame({"IMG_ID": truth["IMG_ID"]}, geometry=points)
    frame.loc[2, "geometry"] = None
    assert gc.evaluate(frame, truth).rows["distance_km"].round(6).tolist() == [0.0, 0.0, np.inf, 0.0]
    with pytest.raises(InputError, match="points; row 0 is a Polygon"):
        gc.evaluate(frame.set_geometry(frame.buffer(1.0)), truth)


def test_strangers_are_told(truth, answers):
    """Predictions for other photos are counted, not forgotten in silence."""
    more = pd.concat([answers, answers.iloc[:1].assign(img_id="c/9.jpg")])
    assert "1 predictions are for photos that truth does not have ('c/9.jpg')" in gc.evaluate(more, truth).notes[-1]


def test_json(truth, answers):
    """The record is plain JSON, whatever is missing."""
    record = json.loads(json.dumps(gc.evaluate(answers, truth).to_dict(), allow_nan=False))
    assert record["table"][0] == {
        "metric": "within 1 km",
        "value": 25.0,
        "low": 0.0,
        "high": pytest.approx(record["table"][0]["high"]),
        "unit": "%",
        "n": 4,
    }


def test_plot(truth, answers, tmp_path):
    """One line a way of searching, from 0 to 100 %, and a picture file."""
    pytest.importorskip("matplotlib")
    density = pd.DataFrame({"lon": [0.0], "lat": [0.0], "area_km2": [1e6]})
    result = gc.evaluate(answers, truth, densities=density)
    axes = result.plot(title="Four photos")
    assert axes.get_title(loc="left") == "Four photos"
    assert [line.get_label()[:7] for line in axes.get_lines()] == ["circles", "density"]
    recall = axes.get_lines()[0].get_ydata()
    assert (recall[0], recall[-1]) == (25.0, 75.0)
    assert result.save(tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("predicted", "truth", "options", "message"),
    [
        ([[0, 0]], [[0, 0], [1, 1]], {}, "predicted has 1 rows and truth 2"),
        ([], [], {}, "shape"),
        (np.empty((0, 2)), np.empty((0, 2)), {}, "no place"),
        ([[0, 0]], [[np.nan, 0]], {}, "truth has no place in 1 of 1 rows: row 0"),
        ([[0, 0], [np.nan, 0]], [[0, 0], [0, 0]], {}, "without the other in row 1"),
        ([[np.nan, np.nan], [0, 999]], [[0, 0], [0, 0]], {}, "row 1: .0, 999. out_of_range"),
        ([[0, 0]], [[0, 0]], {"bootstrap": -1}, "bootstrap"),
        ([[0, 0]], [[0, 0]], {"on": "id"}, "must both be tables"),
        ([[0, 0]], [[0, 0]], {"by": "AUTHOR"}, "truth is no table"),
        ([[0, 0]], [[0, 0]], {"by": 3}, "by= takes"),
        ([[0, 0]], [[0, 0]], {"by": {"x": ["a", "b"]}}, "one label for each of the 1 photos"),
        ([[0, 0]], [[0, 0]], {"groups": [1, 2]}, "one label for each of the 1 photos"),
        ([[0, 0]], [[0, 0]], {"densities": pd.DataFrame({"area_km2": [], "mass": []})}, "0 rows, and truth 1"),
        ([[0, 0]], [[0, 0]], {"method": "flat"}, "'flat'"),
    ],
)
def test_refused_arrays(predicted, truth, options, message):
    """Arrays that cannot be evaluated are refused, with the reason and the row."""
    with pytest.raises((InputError, CoordinateError), match=message):
        gc.evaluate(predicted, truth, **options)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"img_id": ["x", "y", "z"]}, {}, "no id of predicted .'img_id', such as 'x'. is one of truth"),
        ({"img_id": ["a/1.jpg", None, "z"]}, {}, "predicted has no id in column 'img_id' in 1 rows: row 1"),
        ({"pred_lat": ["0", "north", "0"]}, {}, "'pred_lng' and 'pred_lat' must hold numbers"),
        ({"lat_pred": 0.0}, {}, "could all be the same coordinate"),
        ({}, {"on": "name"}, "predicted has no column 'name'"),
        ({}, {"on": ("img_id", "id")}, "truth has no column 'id'"),
        ({}, {"groups": "WHO"}, r"truth has no column 'WHO' \(groups\)"),
        ({}, {"by": "WHERE"}, r"truth has no column 'WHERE' \(by\)"),
    ],
)
def test_refused_tables(truth, answers, change, options, message):
    """Tables that cannot be matched for certain are refused, with columns and ids."""
    with pytest.raises((InputError, CoordinateError), match=message):
        gc.evaluate(answers.assign(**change), truth, **options)


def test_refused_matches(truth, answers):
    """Ids in one table only, doubled truths, and indexes that may mean something."""
    with pytest.raises(InputError, match="predicted has no id column that would match 'IMG_ID'"):
        gc.evaluate(answers.drop(columns="img_id"), truth)
    with pytest.raises(InputError, match=r"truth has several rows for 'IMG_ID' 'a/1.jpg'"):
        gc.evaluate(answers, pd.concat([truth, truth.head(1)]))
    bare = truth.drop(columns=["IMG_ID", "AUTHOR"])
    with pytest.raises(InputError, match="predicted has an index of its own"):
        gc.evaluate(bare.set_index(pd.Index(list("abcd"))), bare)
    assert gc.evaluate(bare, bare).provenance["matched"].startswith("row by row")


def test_paths_are_matched_with_names_of_files():
    """What `geoconcept locate` wrote about a folder fits a data set's table; ambiguous names do not."""
    predicted = pd.DataFrame(
        {"file": ["x/a.jpg", "x/b.jpg", "x/odd.jpg"], "lon": [0.0, 10.0, 5.0], "lat": [0.0, 0.0, 0.0]}
    )
    truth = pd.DataFrame({"IMG_ID": ["b.jpg", "a.jpg"], "lon": [10.0, 0.0], "lat": [0.0, 0.0]})
    result = gc.evaluate(predicted, truth, bootstrap=0)
    assert result.table["value"].iloc[0] == 100.0
    assert "x/odd.jpg" in " ".join(result.notes) and "x/a.jpg" not in " ".join(result.notes)
    twins = predicted.assign(file=["x/a.jpg", "y/a.jpg", "x/b.jpg"])
    with pytest.raises(InputError, match="no id of predicted"):
        gc.evaluate(twins, truth, bootstrap=0)
