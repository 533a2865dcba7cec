"""explain and compare: what comes first and why, every way to name a place, numbers that add up."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

import geoconcept_gis as gc
from geoconcept_gis.comparison import divergence, superiority, superiority_interval
from geoconcept_gis.concepts import Calibration, Concept, ConceptBank, Validity
from geoconcept_gis.errors import CoordinateError, InputError, SeamWarning
from geoconcept_gis.explanation import evidence_of, information, prevalence_of
from geoconcept_gis.geometry import spread_points

CAIRO, LONDON, MANAUS = (31.2, 30.0), (-0.1, 51.5), (-60.0, -3.1)


def a_concept(model, name, place, prevalence, **more):
    """A concept that points straight at a place."""
    mean = model.bank.references["uniform_land"]
    vector = model.encode([place])[0]
    vector = vector / np.linalg.norm(vector) - mean
    return Concept(
        name,
        vector,
        space=model.space,
        family="place",
        calibration=Calibration(12.0, -5.0, prevalence=prevalence),
        percentiles=np.linspace(-0.5, 0.5, 101),
        pattern=vector,
        validity=Validity("AUROC", 0.97, (0.96, 0.98), 1234, 5000, controls={"moved labels": 0.51}),
        **more,
    )


@pytest.fixture(scope="module")
def small(model):
    """The real encoder with concepts that point at known places."""
    bare = replace(
        a_concept(model, "nothing known", MANAUS, 0.1),
        calibration=None, percentiles=None, validity=None, pattern=None,
    )  # fmt: skip
    concepts = [
        a_concept(model, "like london", LONDON, 0.05, grade="A"),
        a_concept(model, "like cairo", CAIRO, 0.02, grade="B"),
        a_concept(model, "bad", CAIRO, 0.001, grade="D"),
        bare,
    ]
    references = {"uniform_land": model.bank.references["uniform_land"]}
    return model.with_bank(ConceptBank(concepts, references, space=model.space))


def test_the_strongest_comes_first(small):
    """At each place its own concept leads, with percentile, lift, grade and evidence; the rest is left out."""
    table = gc.explain(CAIRO, model=small).table
    first = table.iloc[0]
    assert list(table["concept"]) == ["like cairo", "nothing known"]
    assert first["percentile"] == 100.0
    assert first["lift"] == pytest.approx(first["calibrated"] / 0.02)
    assert first["grade"] == "B"
    assert first["evidence"] == "AUROC 0.97 (0.96-0.98), 1,234 places, control 0.51"
    assert table.iloc[1].isna()[["percentile", "calibrated", "prevalence", "lift", "information"]].all()
    assert table.iloc[1]["evidence"] == "untested"
    assert gc.explain(LONDON, model=small).table["concept"].iloc[0] == "like london"


def test_grade_d_only_by_name(small):
    """A concept that did not beat its control is hidden unless named; named concepts are all shown."""
    assert "bad" not in set(gc.explain(CAIRO, model=small, top=None).table["concept"])
    named = gc.explain(CAIRO, model=small, concepts=["bad", "like london"]).table
    assert list(named["concept"]) == ["bad", "like london"]
    assert named["information"].iloc[1] < 0
    assert len(gc.explain(CAIRO, model=small, concepts=["bad", "like london"], top=1).table) == 1


def test_decomposition_finds_the_atom(small):
    """A place on its own atom is one concept with a perfect fit; without a fitting atom nothing is told."""
    found = gc.explain(CAIRO, model=small)
    assert list(found.decomposition["concept"]) == ["like cairo"]
    assert found.decomposition["weight"].iloc[0] == pytest.approx(0.9, abs=1e-3)  # 1 - l1 / 2
    assert found.decomposition["share"].sum() == pytest.approx(1.0)
    assert found.centred_fidelity == pytest.approx(1.0, abs=1e-5)
    assert found.residual == pytest.approx(0.0, abs=1e-5)
    blind = gc.explain(CAIRO, model=small, l1=3.0)
    assert (len(blind.decomposition), blind.residual) == (0, 1.0)
    mean = small.bank.references["uniform_land"]
    vector = small.encode([CAIRO])[0]
    assert blind.fidelity == pytest.approx(vector @ mean / np.linalg.norm(vector) / np.linalg.norm(mean), abs=1e-5)


def test_every_way_to_name_a_place(small):
    """Pair, array, shape, table in another CRS, vector: the same answer."""
    point = gpd.GeoSeries([shapely.Point(CAIRO)], crs="EPSG:4326")
    vector = small.encode([CAIRO])
    same = [
        list(CAIRO),
        np.array([CAIRO]),
        shapely.Point(CAIRO),
        point,
        point.to_crs("EPSG:3857"),
        point.to_crs("EPSG:32636").to_frame("geometry").set_geometry("geometry"),
        vector,
        vector[0] * 7.0,
        (31.2 - 360.0, 30.0),
    ]
    expected = gc.explain(CAIRO, model=small)
    for place in same:
        found = gc.explain(place, model=small)
        assert np.allclose(found.table["calibrated"], expected.table["calibrated"], atol=1e-4, equal_nan=True)
        assert found.fidelity == pytest.approx(expected.fidelity, abs=1e-4)


def test_polygons_and_groups_are_means(small):
    """A polygon is the mean over points inside, as `embed(within="mean")` has it; a group the mean over its places."""
    box = shapely.box(30.0, 29.0, 33.0, 31.0)
    frame = gpd.GeoDataFrame(geometry=[box, shapely.Point(LONDON)], crs="EPSG:4326")
    embedded = gc.embed(frame, concepts=["like cairo"], model=small, within="mean")["concept_like_cairo"]
    one = gc.explain(box, model=small, concepts=["like cairo"])
    assert one.table["calibrated"].iloc[0] == pytest.approx(embedded.iloc[0], abs=1e-5)
    both = gc.explain(frame, model=small, concepts=["like cairo"])
    assert both.table["calibrated"].iloc[0] == pytest.approx(embedded.mean(), abs=1e-5)
    assert both.place == "2 places"
    points = spread_points(np.array([box]), "EPSG:4326", 32)[0]
    spread = gc.explain(points, model=small)
    assert spread.fidelity == pytest.approx(gc.explain(box, model=small).fidelity, abs=1e-5)
    sliver = shapely.box(31.2, 30.0, 31.2 + 1e-13, 30.0 + 1e-13)
    assert gc.explain(sliver, model=small).table["concept"].iloc[0] == "like cairo"


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("Cairo", InputError, "place must be"),
        (np.zeros((2, 3)), InputError, r"shape \(2, 3\)"),
        (np.empty((0, 2)), InputError, "no place"),
        (np.zeros(512), InputError, "zero or not finite: row 0"),
        ((131.2, 95.0), CoordinateError, "out_of_range"),
        ((35.7, 139.7), CoordinateError, "swapped"),
        (shapely.Point(), CoordinateError, "row 0"),
        (shapely.Point(31.2, 95.0), CoordinateError, "out_of_range"),
        (gpd.GeoSeries([shapely.Point(CAIRO)]), InputError, "no CRS"),
        (gpd.GeoSeries([shapely.Point(CAIRO), None], crs="EPSG:4326"), CoordinateError, "row 1"),
    ],
)
def test_what_is_no_place(small, place, error, message):
    """Refused with what was wrong and what to give instead; no row is dropped."""
    with pytest.raises(error, match=message):
        gc.explain(place, model=small)


def test_seam(small):
    """Near the antimeridian a warning points at the caller's line."""
    with pytest.warns(SeamWarning, match="1 of 1 places") as caught:
        gc.explain((179.9, -17.0), model=small)
    assert caught[0].filename == __file__


def test_title_names_the_nearest_town(small):
    """Position in (lon, lat) order with letters; the nearest town up to 100 km."""
    assert gc.explain(CAIRO, model=small).place == "31.2°E, 30°N (8 km from Cairo, Egypt)"
    assert gc.explain((-30.0, 0.0), model=small).place == "30°W, 0°"
    assert gc.explain(shapely.box(0, 0, 2, 2), model=small).place == "Polygon around 1°E, 1°N"


def test_reading_it(small):
    """Text, HTML and JSON say the same, and say what it is."""
    found = gc.explain(CAIRO, model=small)
    assert "is associated with" in str(found)
    assert "not observed" in found._repr_html_()
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["concepts"][0]["concept"] == "like cairo"
    assert record["concepts"][1]["calibrated"] is None
    assert record["provenance"]["positions"] == "(31.20, 30.00)"
    assert record["provenance"]["decomposition_centred_on"] == "uniform_land"


def test_information_is_the_divergence():
    """Bits told about a label: 0 at the prevalence, log2(1 / p) when certain, negative below, NaN stays NaN."""
    found = information(np.array([0.25, 1.0, 0.0, 0.5, np.nan]), np.array([0.25, 0.25, 0.5, 0.9, 0.5]))
    assert found[:3].tolist() == [0.0, 2.0, -1.0]
    assert found[3] == pytest.approx(-(0.5 * np.log2(0.5 / 0.9) + 0.5 * np.log2(0.5 / 0.1)))
    assert np.isnan(found[4])


def test_prevalence_where_none_is_stated(model):
    """Without a stated prevalence the mean calibrated score over the reference percentiles stands in."""
    concept = a_concept(model, "x", CAIRO, None)
    cosine = np.linspace(-0.5, 0.5, 100_001)
    assert prevalence_of(concept) == pytest.approx((1 / (1 + np.exp(5.0 - 12.0 * cosine))).mean(), abs=1e-3)
    assert np.isnan(prevalence_of(replace(concept, percentiles=None)))
    assert np.isnan(prevalence_of(replace(concept, calibration=None)))
    assert evidence_of(replace(concept, validity=Validity("AUROC", 0.9))) == "AUROC 0.90, 0 places"


def test_bundled_bank():
    """With the bank that ships: deserts read as deserts."""
    table = gc.explain(CAIRO, concepts=["BWh", "Cfb", "tundra climate"]).table
    assert table["concept"].iloc[0] == "hot desert climate"
    assert len(gc.explain(MANAUS).decomposition)


@pytest.mark.parametrize("name", ["explain", "compare"])
def test_pictures(small, tmp_path, name):
    """A PNG is written whole, or refused with nothing left; a given Axes is drawn into."""
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    found = gc.explain(CAIRO, model=small) if name == "explain" else gc.compare(CAIRO, LONDON, model=small)
    assert found.save(tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(InputError, match="must end in"):
        found.save(tmp_path / "a.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    ax = Figure().subplots()
    assert found.plot(ax, title="Here") is ax
    assert ax.get_title(loc="left") == "Here"
    assert "nothing known" in [label.get_text() for label in ax.get_yticklabels()]


def test_nothing_told(small, tmp_path):
    """A place that is like none of the concepts gets an empty table, in every form, and no error."""
    pytest.importorskip("matplotlib")
    found = gc.explain((-40.0, 75.0), model=small.with_bank(small.bank.subset("like cairo")))
    assert (len(found.table), len(found.decomposition), found.residual) == (0, 0, 1.0)
    assert "associated with none of these concepts" in str(found)
    assert found.to_dict()["concepts"] == []
    assert found.save(tmp_path / "a.png").exists()


def test_top(small):
    """`top` is at least one row."""
    assert len(gc.explain(CAIRO, model=small, top=1).table) == 1
    with pytest.raises(InputError, match="top"):
        gc.explain(CAIRO, model=small, top=0)
    with pytest.raises(InputError, match="top"):
        gc.compare(CAIRO, LONDON, model=small, top=0)


def test_compare_two_places(small):
    """The two concepts tell them apart, in opposite directions, and carry the difference; swapping turns signs."""
    there = gc.compare(CAIRO, LONDON, model=small)
    table = there.table.set_index("concept")
    assert set(there.table["concept"].head(2)) == {"like cairo", "like london"}
    assert there.table["concept"].iloc[-1] == "nothing known"
    assert table.loc["like cairo", "difference"] > 0 > table.loc["like london", "difference"]
    assert table.loc["like cairo", "carries"] > 0.3
    assert table.loc["like london", "carries"] < -0.3
    assert there.decomposition["share"].abs().sum() == pytest.approx(1.0)
    assert there.residual < 0.01
    assert "effect" not in there.table
    back = gc.compare(LONDON, CAIRO, model=small).table.set_index("concept")
    assert np.allclose(back["difference"], -table["difference"][back.index], equal_nan=True)
    assert np.allclose(back["carries"], -table["carries"][back.index], atol=1e-3)


def test_compare_groups(small):
    """Groups get an effect with an interval, in words too."""
    deserts = np.array([(31.2, 30.0), (32.2, 30.0), (31.2, 29.0)])
    towns = np.array([(-0.1, 51.5), (0.9, 51.5), (-1.1, 51.5), (-0.1, 52.5)])
    found = gc.compare(deserts, small.encode(towns), model=small)
    row = found.table.set_index("concept").loc["like cairo"]
    assert (found.n_a, found.n_b, found.a, found.b) == (3, 4, "3 places", "4 vectors")
    assert row["effect"] == 1.0 == row["effect_high"]
    assert 0.5 < row["effect_low"] < 0.7  # three against four prove little
    assert "95 % interval" in str(found)
    assert found.provenance["b_positions"] == "given as vectors"
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["n_b"] == 4
    assert "<table" in found._repr_html_()


def test_same_place_twice(small):
    """No difference is no difference."""
    found = gc.compare(CAIRO, CAIRO, model=small)
    assert (found.table["divergence"].dropna() == 0).all()
    assert len(found.decomposition) == 0
    assert found.residual == 1.0


def test_superiority_counts_pairs():
    """The effect is the share of pairs, ties half, as counted one by one."""
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 5, size=(2, 7, 3)).astype(float)
    pairs = (a[:, None] > b[None]).mean(axis=(0, 1)) + 0.5 * (a[:, None] == b[None]).mean(axis=(0, 1))
    assert np.allclose(superiority(a, b), pairs)


@pytest.mark.parametrize(("m", "n", "shift", "least"), [(5, 4, 0.0, 0.95), (10, 10, 2.0, 0.94), (3, 3, 0.0, 0.88)])
def test_the_interval_keeps_its_promise(m, n, shift, least):
    """Over many draws from two normals it holds the true value nearly as often as it says."""
    rng = np.random.default_rng(6)
    a, b = rng.normal(shift, 1.0, (m, 5000)), rng.normal(0.0, 1.0, (n, 5000))
    low, high = superiority_interval(superiority(a, b), m, n)
    truth = 0.5 if shift == 0.0 else 0.92135  # Phi(2 / sqrt 2)
    assert ((low <= truth) & (truth <= high)).mean() > least
    assert (low <= high).all()


def test_divergence_by_hand():
    """One bit between yes and no, none between equals, NaN stays NaN, the same both ways."""
    p, q = np.array([1.0, 0.2, np.nan, 0.5]), np.array([0.0, 0.2, 0.1, 0.0])
    found = divergence(p, q)
    assert found[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found[2])
    assert found[3] == pytest.approx(0.811278 - 0.5, abs=1e-6)
    assert np.allclose(found, divergence(q, p), equal_nan=True)
