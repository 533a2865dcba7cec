"""Expression functions: the model's scores, NULL where there is no place, errors that can be read."""

import pytest
from qgis.core import QgsExpression, QgsExpressionContext, QgsExpressionContextUtils


@pytest.fixture(autouse=True)
def registered(qgis_app):
    from geoconcept import expressions

    expressions.register()
    yield
    expressions.unregister()
    assert not QgsExpression.isFunctionName("concept_score")


def evaluate(text, layer, k=0):
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(list(layer.getFeatures())[k])
    expression = QgsExpression(text)
    assert not expression.hasParserError(), expression.parserErrorString()
    value = expression.evaluate(context)
    return value, expression.evalErrorString()


def test_score(make_points):
    from geoconcept import service

    layer = make_points([(31.2, 30.0), None])
    expected = service.model().score([[31.2, 30.0]], "BWh")[0, 0]
    assert evaluate("concept_score('hot desert climate')", layer) == (pytest.approx(expected, abs=1e-6), "")
    value, _ = evaluate("concept_score('BWh', make_point(-0.1, 51.5), 'percentile')", layer)
    assert value == pytest.approx(service.model().score([[-0.1, 51.5]], "BWh", kind="percentile")[0, 0], abs=1e-3)
    value, error = evaluate("concept_score('BWh')", layer, k=1)
    assert (value is None or value.isNull()) and not error


def test_the_layers_crs_counts(make_points):
    layer = make_points([(3_473_000, 3_503_000)], crs="EPSG:3857")
    near, _ = evaluate("concept_score('BWh')", layer)
    assert near == pytest.approx(evaluate("concept_score('BWh')", make_points([(31.2, 30.0)]))[0], abs=0.02)


def test_similarity(make_points):
    layer = make_points([(31.2, 30.0)])
    assert evaluate("place_similarity($geometry)", layer)[0] == pytest.approx(1.0, abs=1e-5)
    near, far = (
        evaluate(f"place_similarity(make_point({lon}, {lat}))", layer)[0] for lon, lat in ((31.5, 29.5), (-0.1, 51.5))
    )
    assert 1.0 > near > far > -1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("concept_score('hot desrt')", "did you mean"),
        ("concept_score('BWh', 3)", "a geometry is expected"),
        ("concept_score('BWh', NULL, 'loud')", "kind must be"),
        ("concept_score()", "one to three arguments"),
        ("concept_score(NULL)", "needs the name of a concept"),
        ("place_similarity()", "one or two arguments"),
    ],
)
def test_mistakes_are_told(make_points, text, message):
    assert message in evaluate(text, make_points([(31.2, 30.0)]))[1]
