"""Concepts of one's own: what may be given, how it is counted, and what comes out."""

import warnings

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import pytest
import shapely

from geoconcept_gis import concept_from_places, concept_map, embed, h3_grid, load_model, reference_places
from geoconcept_gis.concepts import ConceptBank
from geoconcept_gis.errors import (
    Cancelled,
    ConceptError,
    CoordinateError,
    FewPlacesWarning,
    InputError,
    SeamWarning,
)
from geoconcept_gis.from_places import _areas, _gather

RNG = np.random.default_rng(5)
#: Sixty records in northern Africa, kilometres apart.
DESERT = np.column_stack([RNG.uniform(-10, 35, 60), RNG.uniform(20, 29, 60)])
POINTS = gpd.GeoSeries(gpd.points_from_xy(*DESERT.T), crs="EPSG:4326")


def fit(model, positive=DESERT, negative=None, **options):
    return concept_from_places(positive, negative, **{"name": "mine", "model": model, "background": 300} | options)


def points_of(places, samples=8, thin=False):
    return _gather(places, "positive", samples, thin, load_model()).lonlat


def test_a_concept_is_complete(model):
    """Everything a bundled concept has, measured on the real encoder, and of use at once."""
    concept = fit(model, description="Dry.", aliases=["sand"], licence="CC0-1.0", background=2000)
    assert concept.grade in "ABCD"
    assert concept.validity.value > 0.8
    assert set(concept.validity.controls) == {"moved labels", "position only"}
    assert (concept.validity.n_positive, concept.validity.n_negative) == (60, 2000)
    assert concept.calibration.prevalence == 0.5
    assert (concept.space, concept.reference, concept.scale_km) == (model.space, "uniform_land", model.scale_km)
    assert concept.provenance["model_sha256"] == model.sha256
    assert "uniform_land" in concept.provenance["negative"]
    assert np.array_equal(concept.pattern, concept.pattern.astype(np.float16).astype(np.float32))
    bank = model.bank.add(concept)
    assert isinstance(bank, ConceptBank)
    assert bank["sand"] is concept
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy([15, 20], [25, 67]), crs="EPSG:4326")
    scored = embed(places, concepts=concept, model=model)["concept_mine"]
    assert scored[0] > 0.5 > scored[1]
    assert concept_map(concept, (10, 20, 20, 30), resolution=5, model=model)["mine"].shape == (2, 2)


def test_percentiles_are_those_of_the_reference(model):
    """Over other places of the same set they are spread evenly."""
    concept = fit(model)
    values = model.score(reference_places("uniform_land", 2000, seed=77), concept, kind="percentile")
    assert np.mean(values) == pytest.approx(50.0, abs=2.5)
    assert np.mean(values > 90.0) == pytest.approx(0.1, abs=0.03)


def test_prevalence_is_what_one_says(cheap_model):
    """A half, whatever the numbers of places; a rarer thing scores lower on average, in the same direction."""
    half, rare = fit(cheap_model), fit(cheap_model, prevalence=0.01)
    assert (half.calibration.prevalence, rare.calibration.prevalence) == (0.5, 0.01)
    assert np.array_equal(half.vector, rare.vector)
    places = reference_places(count=50)
    assert cheap_model.score(places, rare).mean() < 0.3 * cheap_model.score(places, half).mean()


def test_the_same_input_gives_the_same_concept(cheap_model):
    """Number by number; another seed draws another background."""
    first, again, other = (fit(cheap_model, seed=seed) for seed in (0, 0, 1))
    assert first.record() == again.record()
    for array in ("vector", "pattern", "percentiles"):
        assert np.array_equal(getattr(first, array), getattr(again, array))
    assert not np.array_equal(first.vector, other.vector)


def test_every_way_to_give_points_is_the_same():
    """Frames, series, arrays, lists, another CRS, points with heights, many in one MultiPoint."""
    expected = points_of(DESERT)
    assert np.array_equal(points_of(DESERT.tolist()), expected)
    assert np.array_equal(points_of(pd.DataFrame(DESERT, columns=["lon", "lat"])), expected)
    assert np.array_equal(points_of(POINTS), expected)
    assert np.array_equal(points_of(POINTS.to_frame("where").set_geometry("where")), expected)
    assert np.array_equal(points_of(gpd.GeoSeries(shapely.force_3d(POINTS.array, 9.0), crs="EPSG:4326")), expected)
    assert np.array_equal(points_of(gpd.GeoSeries([shapely.MultiPoint(DESERT)], crs="EPSG:4326")), expected)
    assert np.allclose(points_of(POINTS.to_crs("EPSG:3857")), expected, atol=1e-9)


def test_polygons_and_lines_count_by_points_inside():
    """As many as asked for, all inside; a sliver has at least one."""
    field, road = shapely.box(10, 40, 12, 42), shapely.LineString([(0, 0), (8, 0)])
    sliver = shapely.Polygon([(30, 0), (31, 1), (31, 1 + 1e-13)])
    assert shapely.contains_xy(field, *points_of(gpd.GeoSeries([field], crs="EPSG:4326"), 20).T).sum() == 20
    points = points_of(gpd.GeoSeries([road, sliver, shapely.Point(5, 5)], crs="EPSG:4326"))
    assert (points[:, 1] == 0.0).sum() == 8
    assert [5.0, 5.0] in points.tolist()
    assert (points[:, 0] >= 30.0).any()


def test_h3_cells():
    """Integers, text, series and tables; their centres, or those of children where they are coarse."""
    cells = h3_grid((5, 45, 8, 48), 6)
    text = [h3.int_to_str(int(cell)) for cell in cells]
    expected = points_of(cells)
    assert expected[0].tolist() == pytest.approx(h3.cell_to_latlng(int(cells[0]))[::-1])
    for same in (text, pd.Series(text), pd.DataFrame({"h3": text}), pd.DataFrame(index=pd.Index(cells, name="h3"))):
        assert np.array_equal(points_of(same), expected)
    coarse = h3_grid((0, 40, 20, 50), 2)
    assert len(points_of(coarse)) == 49 * len(coarse)
    assert len(points_of(np.append(coarse, cells))) == 49 * len(coarse) + len(cells)


def test_near_duplicates_count_once_and_the_record_says_so(cheap_model):
    """Ten records of one meadow are one place, on either side; thin=False counts them all."""
    crowded = np.concatenate([DESERT, np.repeat(DESERT[:5], 9, axis=0) + RNG.uniform(-1e-4, 1e-4, (45, 2))])
    concept = fit(cheap_model, crowded)
    # A meadow on the border of two cells may count twice.
    assert 60 <= concept.validity.n_positive <= 65
    assert concept.provenance["positive"].startswith("105 places; 6")
    assert fit(cheap_model, crowded, thin=False).validity.n_positive == 105
    others = reference_places(count=300, seed=8)
    twice = fit(cheap_model, DESERT, np.concatenate([others, others]))
    assert twice.validity.n_negative == len(points_of(others, thin=True))


def test_own_negatives_are_what_it_is_told_from(cheap_model):
    """A target-group background takes the place of the drawn one, and the record says so."""
    others = reference_places(count=400, seed=3)
    concept = fit(cheap_model, DESERT, others)
    assert concept.validity.n_negative == len(points_of(others, thin=True))
    assert concept.validity.negatives.startswith("400 places")
    assert concept.percentiles is not None


def test_few_places_warn_and_still_get_a_grade(cheap_model):
    """Nine warn, ten do not."""
    with pytest.warns(FewPlacesWarning, match="9 positive places"):
        concept = fit(cheap_model, DESERT[:9])
    assert concept.grade in "ABCD"
    with warnings.catch_warnings():
        warnings.simplefilter("error", FewPlacesWarning)
        fit(cheap_model, DESERT[:10])


@pytest.mark.filterwarnings("ignore::geoconcept_gis.errors.FewPlacesWarning")
def test_two_names_for_the_same_places_cannot_be_told_apart(cheap_model):
    """The error says so, in place of numbers that are none."""
    with pytest.raises(ConceptError, match="their embeddings are the same"):
        fit(cheap_model, DESERT, DESERT)


def test_the_seam_warns(cheap_model):
    """Places where the encoder jumps are counted."""
    with pytest.warns(SeamWarning, match="1 of 61 places in positive"):
        fit(cheap_model, np.append(DESERT, [[179.9, 67.0]], axis=0))


@pytest.mark.parametrize(
    ("positive", "error", "message"),
    [
        (POINTS.set_crs(None, allow_override=True), InputError, "no CRS"),
        (POINTS.iloc[:0], InputError, "positive holds no place"),
        (np.empty((0, 2)), InputError, "positive holds no place"),
        ([], InputError, "positive holds no place"),
        (DESERT[:1], ConceptError, "at least 2 different places; got 1 place"),
        (np.repeat(DESERT[:1], 7, axis=0), ConceptError, "at least 2 different places; got 7 places; 1 place"),
        (DESERT[:1] + np.linspace(0, 0.2, 12)[:, None], ConceptError, "within one block of 1 degree"),
        ([[10.0, 50.0], [np.nan, 4.0]], CoordinateError, "row 1: .* missing"),
        (DESERT[:, ::-1] + [0.0, 80.0], CoordinateError, "swapped"),
        ([[1, 2], [3]], CoordinateError, "positive"),
        (gpd.GeoSeries([shapely.Point(1, 1), None], crs="EPSG:4326"), CoordinateError, "row 1: .* missing"),
        (gpd.GeoSeries([shapely.MultiPoint([(1, 1), (0, 99)])], crs="EPSG:4326"), CoordinateError, "row 0: .*out_of"),
        (gpd.GeoSeries([shapely.MultiPoint()], crs="EPSG:4326"), CoordinateError, "row 0: .* missing"),
        (shapely.box(0, 0, 1, 1), InputError, "GeoSeries"),
        (["85283473fffffff", "nonsense"], InputError, "row 1: 'nonsense'"),
        ("a file.csv", CoordinateError, "positive must hold numbers"),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::geoconcept_gis.errors.FewPlacesWarning")
def test_what_is_no_place_is_refused(cheap_model, positive, error, message):
    """By row, and with what to do; nothing is dropped unsaid."""
    with pytest.raises(error, match=message):
        fit(cheap_model, positive)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"reference": "photo_places"}, InputError, "reference must be one of"),
        ({"background": 1}, InputError, "background"),
        ({"background": 1e4}, InputError, "background"),
        ({"samples": True}, InputError, "samples"),
        ({"prevalence": 1.0}, InputError, "prevalence"),
        ({"prevalence": float("nan")}, InputError, "prevalence"),
        ({"name": "!"}, ConceptError, "letter or digit"),
        ({"negative": DESERT[:1]}, ConceptError, "negative must hold at least 2"),
    ],
)
def test_options_are_checked(cheap_model, options, error, message):
    """Each by its name."""
    with pytest.raises(error, match=message):
        fit(cheap_model, **options)


def test_a_reference_the_model_lacks_is_refused(cheap_model):
    """Its mean is needed to score anything."""
    other = cheap_model.with_bank(ConceptBank([], {"elsewhere": np.zeros(512)}, space=cheap_model.space))
    with pytest.raises(InputError, match="no mean of reference 'uniform_land'; it has elsewhere"):
        fit(other)


def test_progress_counts_points_and_can_cancel(cheap_model):
    """Positives and reference places, chunk by chunk."""
    seen = []
    fit(cheap_model, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10_060, 10_060)
    assert len(seen) > 1
    with pytest.raises(Cancelled):
        fit(cheap_model, progress=lambda done, total: True)


def test_areas_are_named_by_the_middle_of_their_block():
    """Ten by ten degrees, poles and all."""
    names = _areas(np.array([[21.0, 39.9], [-1.0, -1.0], [-180.0, 90.0]]))
    assert names.tolist() == [
        "the area around 25°E, 35°N",
        "the area around 5°W, 5°S",
        "the area around 175°W, 85°N",
    ]
