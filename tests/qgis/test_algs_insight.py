"""Own concepts, likeness, comparisons and profiles: right numbers, honest reports, nothing dropped unsaid."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

EGYPT = "24,36,22,32 [EPSG:4326]"
CAIRO, LONDON = (31.2, 30.0), (-0.1, 51.5)
SAHARA = np.random.default_rng(0).uniform((-10, 20), (35, 29), (40, 2))
QUICK = {"BACKGROUND": 500}


def text_of(path):
    """Words of a report, its tags and pictures away."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", path.read_text(encoding="utf-8"), flags=re.S))


def check_page(path):
    """A report is whole: its pictures are well-formed, it runs nothing, loads nothing and says what it is not."""
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        ET.fromstring(picture)
    assert "<script" not in page and not re.search(r'(src|href)="(?!data:)', page)
    assert "no observation" in page


def read(path):
    return gdal.Open(str(path)).ReadAsArray()


class TestFromPlaces:
    def test_it_is_there_at_once(self, run, make_points, profile, tmp_path, feedback):
        """By its name, with its test; the missing geometry is said; report and map are there."""
        from geoconcept import service

        report, picture = tmp_path / "a.html", tmp_path / "a.tif"
        layer = make_points([*SAHARA, None])
        parameters = {**QUICK, "INPUT": layer, "NAME": "My <b>desert</b>", "REPORT": str(report), "MAP": str(picture)}
        out = run("conceptfromplaces", parameters, feedback)
        assert any("1 of 41 features have no geometry" in text for text in feedback.warned)
        (concept,) = service.concepts("My <b>desert</b>")
        assert out["OUTPUT"] == str(profile / "concepts" / "my_b_desert_b.concept")
        assert (out["GRADE"], out["AUROC"]) == (concept.grade, concept.validity.value)
        assert concept.validity.value > 0.8 and concept.validity.n_positive == 40
        check_page(report)
        assert "<b>desert" not in report.read_text(encoding="utf-8")
        for told in (f"{concept.validity.value:.3f}", "position alone", "10-degree blocks", "no probability"):
            assert told in text_of(report)
        values = read(picture)
        assert np.nanmax(values) > 0.5 and np.nanmin(values) >= 0.0
        run(
            "conceptraster",
            {"CONCEPTS": concept.name, "EXTENT": EGYPT, "CELL_SIZE": 5, "OUTPUT": str(tmp_path / "b.tif")},
        )

    def test_areas_other_places_and_another_crs(self, run, make_points, profile, tmp_path):
        """Areas count by points inside; another CRS makes no difference; others are what it is told from."""
        from geoconcept import service

        run("conceptfromplaces", {**QUICK, "INPUT": make_points(SAHARA), "NAME": "one"})
        mercator = QgsCoordinateReferenceSystem("EPSG:3857")
        there = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), mercator, QgsProject.instance())
        moved = [there.transform(x, y) for x, y in SAHARA]
        layer = make_points([(p.x(), p.y()) for p in moved], crs="EPSG:3857")
        run("conceptfromplaces", {**QUICK, "INPUT": layer, "NAME": "two"})
        one, two = service.concepts("one; two")
        assert one.vector @ two.vector > 0.9999
        areas = QgsVectorLayer("Polygon?crs=EPSG:4326", "areas", "memory")
        features = []
        for west in (-5, 8, 20):
            feature = QgsFeature()
            feature.setGeometry(
                QgsGeometry.fromWkt(f"POLYGON(({west} 22, {west + 8} 22, {west + 8} 28, {west} 28, {west} 22))")
            )
            features.append(feature)
        areas.dataProvider().addFeatures(features)
        forests = make_points(np.random.default_rng(1).uniform((-70, -10), (25, 3), (60, 2)))
        out = tmp_path / "mine.concept"
        run(
            "conceptfromplaces",
            {"INPUT": areas, "NEGATIVES": forests, "NAME": "areas", "SAMPLES": 10, "OUTPUT": str(out)},
        )
        (made,) = service.concepts(str(out))
        assert (made.validity.n_positive, made.validity.n_negative) == (30, 60)
        assert made.validity.value > 0.95
        assert not (profile / "concepts" / "areas.concept").exists()

    @pytest.mark.parametrize(
        ("places", "change", "message"),
        [
            ([], {}, "has no features"),
            ([None, None], {}, "no feature that is a place on Earth"),
            ([CAIRO], {}, "at least 2 different places"),
            ([CAIRO, (31.3, 30.1), (31.4, 30.2)], {}, "within one block of 1 degree"),
            ([CAIRO, LONDON], {"NAME": "!"}, "letter or digit"),
            ([CAIRO, LONDON], {"OUTPUT": "mine.txt"}, "must end in .concept"),
            ([CAIRO, LONDON], {"REPORT": "nowhere/a.html"}, "does not exist"),
        ],
    )
    def test_bad_input_is_told(self, run, make_points, profile, tmp_path, places, change, message):
        """In one sentence; nothing is written."""
        change = {key: str(tmp_path / value) if key != "NAME" else value for key, value in change.items()}
        with pytest.raises(QgsProcessingException, match=message):
            run("conceptfromplaces", {**QUICK, "INPUT": make_points(places), "NAME": "x", **change})
        assert not list(profile.rglob("*.concept"))

    def test_no_crs(self, run, make_points, profile):
        """Numbers without a CRS could mean anything."""
        layer = make_points(SAHARA)
        layer.setCrs(QgsCoordinateReferenceSystem())
        with pytest.raises(QgsProcessingException, match="has no CRS"):
            run("conceptfromplaces", {"INPUT": layer, "NAME": "x"})

    def test_cancel(self, run, make_points, profile, tmp_path):
        """In the midst of encoding: no concept, no report."""
        from conftest import Feedback

        feedback = Feedback(cancel_at=10)
        report = tmp_path / "a.html"
        assert not run(
            "conceptfromplaces", {"INPUT": make_points(SAHARA), "NAME": "x", "REPORT": str(report)}, feedback
        )
        assert not list(profile.rglob("*.concept")) and not report.exists()


class TestFromWords:
    def test_words_that_are_known(self, run, profile, tmp_path):
        """The concept can be used by its name; the report names what is nearest."""
        from geoconcept import service

        report = tmp_path / "a.html"
        out = run("conceptfromwords", {"TEXT": "hot desert", "NAME": "my words", "REPORT": str(report)})
        (concept,) = service.concepts("my words")
        assert out["GRADE"] == concept.grade != "D"
        assert concept.calibration is None
        check_page(report)
        nearest = concept.provenance["nearest"].split(" (")[0]
        for told in (nearest, "29,999", "percentile"):
            assert told in text_of(report) or told in text_of(report).lower()
        cairo, london = service.score(np.array([CAIRO, LONDON]), [concept], "percentile")[:, 0]
        assert cairo > london + 20

    def test_unknown_words_are_named(self, run, profile, tmp_path, feedback):
        """Some: a warning, in the log and in the report. All: an error."""
        report = tmp_path / "a.html"
        run("conceptfromwords", {"TEXT": "qwrtzx savanna", "REPORT": str(report)}, feedback)
        assert any("'qwrtzx'" in text for text in feedback.warned)
        assert "qwrtzx" in text_of(report)
        with pytest.raises(QgsProcessingException, match="does not know 'qwrtzx'"):
            run("conceptfromwords", {"TEXT": "qwrtzx"})
        with pytest.raises(QgsProcessingException, match="must be a word"):
            run("conceptfromwords", {"TEXT": "  "})

    def test_a_name_that_is_taken(self, run, profile, feedback):
        """One's own concept goes first, and that is said."""
        from geoconcept import service

        run("conceptfromwords", {"TEXT": "glaciers", "NAME": "glacier"}, feedback)
        assert any("is called 'glacier', too" in text for text in feedback.warned)
        assert service.concepts("glacier")[0].family == "text"

    def test_words_about_no_place(self, run, profile, feedback):
        """Grade D, and the reason."""
        out = run("conceptfromwords", {"TEXT": "jealousy"}, feedback)
        assert out["GRADE"] == "D"
        assert any("about no place" in text for text in feedback.warned)


AREA = {"EXTENT": "30,32.4,29,31 [EPSG:4326]", "CELL_SIZE": 0.4, "LAND_ONLY": False}


class TestSimilarPlaces:
    def test_a_place_is_most_like_itself(self, run, tmp_path):
        """The cell of the seed reads 1; the others are the formula's."""
        from geoconcept import service

        report, path = tmp_path / "a.html", tmp_path / "a.tif"
        seed = {
            "POINT": "31.4,30.0 [EPSG:4326]",
            "KIND": 1,
            "OUTPUT": str(path),
            "REPORT": str(report),
            "TABLE": "memory:",
        }
        out = run("similarplaces", {**AREA, **seed})
        values = read(path)
        assert values.shape == (5, 6)
        assert values[2, 3] == np.nanmax(values) == pytest.approx(1.0, abs=1e-5)
        engine = service.model()
        units = engine.encode([(31.4, 30.0), (30.2, 30.8)])
        z = units / np.linalg.norm(units, axis=1, keepdims=True) - engine.bank.references["uniform_land"]
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        assert values[0, 0] == pytest.approx(float(z[0] @ z[1]), abs=1e-4)
        rows = [feature.attributes() for feature in out["TABLE"].getFeatures()]
        assert rows and sum(row[3] for row in rows) == pytest.approx(1.0)
        assert rows[0][0] in text_of(report)
        check_page(report)

    def test_percentiles_of_a_layer(self, run, make_points, tmp_path, feedback):
        """Between 0 and 100, high beside the seeds; how far they agree is a result."""
        layer = make_points([CAIRO, (25.5, 29.2), None])
        out = run("similarplaces", {**AREA, "INPUT": layer, "OUTPUT": str(tmp_path / "a.tif")}, feedback)
        values = read(out["OUTPUT"])
        assert 0.0 <= values.min() <= values.max() <= 100.0 and values.mean() > 80.0
        assert 0.1 < out["AGREEMENT"] < 1.0
        assert any("1 of 3 features have no geometry" in text for text in feedback.warned)
        assert gdal.Open(out["OUTPUT"]).GetMetadataItem("GEOCONCEPT_SEEDS") == "2"

    def test_seeds_that_disagree(self, run, make_points, tmp_path, feedback):
        """A warning."""
        layer = make_points([CAIRO, LONDON, (-60.0, -3.1), (-40.0, 75.0)])
        run("similarplaces", {**AREA, "INPUT": layer, "OUTPUT": str(tmp_path / "a.tif")}, feedback)
        assert any("little in common" in text for text in feedback.warned)

    def test_one_way_to_name_seeds(self, run, make_points, tmp_path):
        """Neither or both is refused, as is a point that is nowhere."""
        parameters = {**AREA, "OUTPUT": str(tmp_path / "a.tif")}
        for more in ({}, {"INPUT": make_points([CAIRO]), "POINT": "1,1 [EPSG:4326]"}):
            with pytest.raises(QgsProcessingException, match="either a layer of places or a single place"):
                run("similarplaces", {**parameters, **more})
        with pytest.raises(QgsProcessingException, match="no place on Earth"):
            run("similarplaces", {**parameters, "POINT": "10,95 [EPSG:4326]"})


class TestCompareConcepts:
    def test_bands_correlation_and_shares(self, run, tmp_path):
        """The third band is the difference; cells of a map in degrees count by their area."""
        report, path = tmp_path / "a.html", tmp_path / "a.tif"
        parameters = {"A": "BWh", "B": "BSh", "EXTENT": "-10,40,0,60 [EPSG:4326]", "CELL_SIZE": 4, "OUTPUT": str(path)}
        out = run("compareconcepts", {**parameters, "REPORT": str(report)})
        a, b, difference = read(path)
        np.testing.assert_allclose(difference, a - b, atol=1e-4)
        good = np.isfinite(a)
        assert 0 < good.sum() < a.size
        weight = np.cos(np.radians(60.0 - 4.0 * (np.arange(a.shape[0]) + 0.5)))[:, None].repeat(a.shape[1], 1)[good]
        covariance = np.cov(a[good], b[good], aweights=weight)
        expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        assert out["CORRELATION"] == pytest.approx(expected, abs=1e-4)
        both = weight[(a[good] >= 75) & (b[good] >= 75)].sum() / weight.sum()
        check_page(report)
        assert f"both high {both:.1%}" in text_of(report)

    def test_it_is_drawn_around_zero(self, provider, tmp_path, run):
        """White is no difference, and the ends do not depend on the data."""
        from geoconcept.algs.compare_concepts import diverging

        parameters = {
            "A": "BWh",
            "B": "words: olive groves",
            "EXTENT": EGYPT,
            "CELL_SIZE": 2,
            "OUTPUT": str(tmp_path / "a.tif"),
        }
        layer = QgsRasterLayer(run("compareconcepts", parameters)["OUTPUT"], "x")
        diverging(layer, 3, 100.0)
        ramp = layer.renderer().shader().rasterShaderFunction()
        assert layer.renderer().band() == 3
        assert (ramp.minimumValue(), ramp.maximumValue()) == (-100.0, 100.0)
        (middle,) = [item for item in ramp.colorRampItemList() if item.value == 0.0]
        assert middle.color.lightness() > 240

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"B": "hot desrt climate"}, "did you mean 'hot desert climate'"),
            ({"B": "hot desert climate"}, "is both concepts"),
            ({"B": "BSh; BSk"}, "give one concept for B; got 2"),
        ],
    )
    def test_bad_input_is_told(self, run, tmp_path, change, message):
        """In one sentence."""
        parameters = {
            "A": "BWh",
            "B": "BSh",
            "EXTENT": EGYPT,
            "CELL_SIZE": 2,
            "OUTPUT": str(tmp_path / "a.tif"),
            **change,
        }
        with pytest.raises(QgsProcessingException, match=message):
            run("compareconcepts", parameters)

    def test_an_area_at_sea(self, run, tmp_path, feedback):
        """Nothing to compare is said, not shown as a number."""
        report = tmp_path / "a.html"
        parameters = {
            "A": "BWh",
            "B": "BSh",
            "EXTENT": "-40,-30,20,30 [EPSG:4326]",
            "CELL_SIZE": 5,
            "REPORT": str(report),
        }
        out = run("compareconcepts", {**parameters, "OUTPUT": str(tmp_path / "a.tif")}, feedback)
        assert out["CORRELATION"] is None
        assert any("No cell of the area has a value" in text for text in feedback.warned)
        check_page(report)


class TestPlaceProfile:
    def test_cairo(self, run, tmp_path):
        """Its scores are the model's, the most informative first; the sum of concepts says what it leaves untold."""
        from geoconcept import service

        report = tmp_path / "a.html"
        out = run(
            "placeprofile", {"POINT": "31.2,30 [EPSG:4326]", "REPORT": str(report), "OUTPUT": "memory:", "TOP": 8}
        )
        rows = [feature.attributes() for feature in out["OUTPUT"].getFeatures()]
        assert len(rows) == 8
        assert {"Egypt", "Sahara"} <= {row[1] for row in rows}
        chosen = service.concepts("; ".join(row[1] for row in rows))
        place = np.array([CAIRO])
        for column, kind in ((3, "percentile"), (4, "calibrated")):
            np.testing.assert_allclose([r[column] for r in rows], service.score(place, chosen, kind)[0], rtol=1e-3)
        check_page(report)
        for told in ("Cairo, Egypt", "untold", "AUROC"):
            assert told in text_of(report)

    def test_a_layer_with_a_place_at_the_seam(self, run, make_points, tmp_path):
        """Every place has its rows and its status; named concepts are all shown, however low."""
        layer = make_points([LONDON, (179.8, 66.0)])
        report = tmp_path / "a.html"
        out = run(
            "placeprofile",
            {"INPUT": layer, "CONCEPTS": "BWh; Cfb; words: ice", "OUTPUT": "memory:", "REPORT": str(report)},
        )
        rows = [feature.attributes() for feature in out["OUTPUT"].getFeatures()]
        assert len(rows) == 6
        assert [row[6] for row in rows] == ["ok"] * 3 + ["near_seam"] * 3
        # Words have no calibration: they come last, with an empty field.
        assert rows[2][1] == "ice" and (rows[2][4] is None or rows[2][4].isNull())
        assert "half a degree" not in text_of(report)

    def test_a_model_that_jumps_at_the_seam(self, run, geoclip, make_points, tmp_path):
        """The report says so."""
        report = tmp_path / "a.html"
        layer = make_points([LONDON, (179.8, 66.0)])
        run("placeprofile", {"INPUT": layer, "CONCEPTS": "BWh", "OUTPUT": "memory:", "REPORT": str(report)})
        assert "1 of 2 place(s) lie within half a degree" in text_of(report)
        assert "Model geoclip" in text_of(report)

    def test_bad_input_is_told(self, run, make_points):
        """Nothing to write, too many places."""
        with pytest.raises(QgsProcessingException, match="nothing is to be written"):
            run("placeprofile", {"POINT": "1,50 [EPSG:4326]"})
        with pytest.raises(QgsProcessingException, match="more than 1000"):
            run("placeprofile", {"INPUT": make_points([CAIRO] * 1001), "OUTPUT": "memory:"})


class TestCompareLayers:
    PLACES = np.random.default_rng(2).uniform((-10, -30), (40, 30), (120, 2))

    def layer(self, make_points, numbers):
        return make_points([*self.PLACES, None], fields="value:double", rows=[[n] for n in [*numbers, 1.0]])

    def test_it_finds_its_own_score(self, run, make_points, tmp_path, feedback):
        """A field that rises with the concept has a rank correlation of one; what is left out is counted."""
        from geoconcept import service

        score = service.score(self.PLACES, service.concepts("BWh"), "percentile")[:, 0]
        numbers = [float(np.exp(v / 20.0)) for v in score]
        numbers[5] = None
        report = tmp_path / "a.html"
        out = run(
            "comparelayers",
            {
                "INPUT": self.layer(make_points, numbers),
                "FIELD": "value",
                "CONCEPTS": "BWh; Cfb",
                "REPORT": str(report),
            },
            feedback,
        )
        assert out["SPEARMAN"] == pytest.approx(1.0, abs=1e-6)
        assert out["N"] == 119
        assert sorted(feedback.warned)[-1] == "without a value, left out: 1"
        assert "no place on Earth, left out: 1" in feedback.warned
        check_page(report)
        assert "hot desert climate" in text_of(report)

    def test_correlations_are_the_known_ones(self, provider):
        """Against numpy's, with ties; places of one block are one draw, so that repeating them narrows nothing."""
        from geoconcept.algs.compare_layers import correlations

        rng = np.random.default_rng(3)
        x = rng.normal(size=300)
        y = np.round(x + rng.normal(size=300), 1)
        block = np.arange(300)
        found = correlations(x, y, block)
        assert found["pearson"][0] == pytest.approx(np.corrcoef(x, y)[0, 1])
        ranks = [np.array([(one < v).sum() + ((one == v).sum() + 1) / 2.0 for v in one]) for one in (x, y)]
        assert found["spearman"][0] == pytest.approx(np.corrcoef(*ranks)[0, 1])
        # Fisher's interval of independent draws.
        half = np.tanh(np.arctanh(found["pearson"][0]) + np.array([-1.96, 1.96]) / np.sqrt(297))
        np.testing.assert_allclose(found["pearson"][1:], half, atol=0.03)
        again = correlations(np.repeat(x, 5), np.repeat(y, 5), np.repeat(block, 5))
        np.testing.assert_allclose(again["pearson"], found["pearson"], atol=1e-9)

    def test_a_raster(self, run, tmp_path, feedback):
        """A concept's own map goes together with it; cells at sea have no value and are counted."""
        path, report = tmp_path / "a.tif", tmp_path / "a.html"
        run(
            "conceptraster",
            {"CONCEPTS": "BWh", "EXTENT": "-10,40,0,40 [EPSG:4326]", "CELL_SIZE": 2, "OUTPUT": str(path)},
        )
        out = run("comparelayers", {"RASTER": str(path), "BAND": 1, "CONCEPTS": "BWh", "REPORT": str(report)}, feedback)
        assert out["SPEARMAN"] == pytest.approx(1.0, abs=1e-3)
        assert out["N"] == np.isfinite(read(path)).sum()
        assert any(text.startswith("without a value") for text in feedback.warned)
        with pytest.raises(QgsProcessingException, match="no band 3"):
            run("comparelayers", {"RASTER": str(path), "BAND": 3, "CONCEPTS": "BWh"})

    def test_bad_input_is_told(self, run, make_points):
        """Which field, how many values, and that they vary."""
        numbers = list(range(120))
        for parameters, message in (
            ({}, "either a layer with a field or a raster"),
            ({"INPUT": self.layer(make_points, numbers), "FIELD": "nothing"}, "its numeric fields: value"),
            ({"INPUT": make_points([CAIRO]), "FIELD": "name"}, "holds no numbers"),
            ({"INPUT": self.layer(make_points, [1.0] * 120), "FIELD": "value"}, "are the same"),
            (
                {"INPUT": self.layer(make_points, [1.0, 2.0] + [None] * 118), "FIELD": "value"},
                "only 2 places have a value",
            ),
        ):
            with pytest.raises(QgsProcessingException, match=message):
                run("comparelayers", {"CONCEPTS": "BWh", **parameters})
