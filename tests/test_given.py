"""What is left of a concept when others are taken away: maps, pictures, rasters, provenance."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

import geoconcept_gis as gc
from geoconcept_gis.concepts.erase import erase_from_vectors
from geoconcept_gis.errors import ConceptError, InputError

EGYPT = (25.0, 22.0, 35.0, 31.0)


@pytest.fixture(scope="module")
def model():
    """The real model with three concepts whose patterns are roughly their vectors."""
    model = gc.load_model(backend="numpy")
    rng = np.random.default_rng(0)
    concepts = [
        replace(concept, pattern=concept.vector + 0.01 * rng.normal(size=512))
        for concept in model.bank.select(["BWh", "Cfb", "ET"])
    ]
    return model.with_bank(gc.ConceptBank(concepts, model.bank.references, space=model.space))


@pytest.fixture(scope="module")
def egypt(model):
    return gc.concept_map(["BWh", "Cfb"], EGYPT, resolution=1, model=model, given="ET")


def centred(model, vectors):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) - model.bank.references["uniform_land"]
    return units / np.linalg.norm(units, axis=1, keepdims=True)


def test_map_of_what_is_left(model, egypt):
    """A cell reads off what the whole concept reads off the place after erasing; the map says what was taken away."""
    assert list(egypt.data_vars) == ["hot_desert_climate_given_tundra_climate", "oceanic_climate_given_tundra_climate"]
    places = np.column_stack([c.ravel() for c in np.meshgrid(egypt["lon"], egypt["lat"])])
    left = erase_from_vectors(centred(model, model.encode(places)), model.bank["ET"])
    values = egypt["hot_desert_climate_given_tundra_climate"].values.ravel()
    land = np.isfinite(values)
    ratio = (left @ model.bank["BWh"].vector)[land] / values[land]
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-3)
    assert egypt.attrs["geoconcept_kind"] == "cosine"
    assert egypt.attrs["geoconcept_given"] == "tundra climate"
    assert egypt.attrs["geoconcept_concepts"].startswith("hot desert climate given tundra climate; ")
    layer = egypt["hot_desert_climate_given_tundra_climate"].attrs
    assert "validity" not in layer
    assert "grade" not in layer
    assert "when 'tundra climate' is taken away" in layer["concept_description"]


def test_several_and_objects(model):
    """Names, objects and lists of them; the order of what is taken away does not matter."""
    one = gc.concept_map("BWh", EGYPT, resolution=3, model=model, given=["ET", model.bank["Cfb"]], kind="cosine")
    two = gc.concept_map("BWh", EGYPT, resolution=3, model=model, given=["Cfb", "ET"])
    [(name, values)] = one.data_vars.items()
    assert name == "hot_desert_climate_given_tundra_climate_and_oceanic_climate"
    np.testing.assert_allclose(values, next(iter(two.data_vars.values())), atol=1e-5)
    assert one.attrs["geoconcept_given"] == "tundra climate; oceanic climate"
    rest = model.given(model.bank["BWh"], ["ET", "Cfb"])
    np.testing.assert_array_equal(
        gc.concept_map(rest, EGYPT, resolution=3, model=model, kind="cosine")[name].values, values.values
    )


def test_without_given_nothing_changed(model):
    """The default kind is calibrated, and no word of erasing."""
    plain = gc.concept_map("BWh", EGYPT, resolution=3, model=model)
    assert plain.attrs["geoconcept_kind"] == "calibrated"
    assert "geoconcept_given" not in plain.attrs


@pytest.mark.parametrize("kind", ["calibrated", "percentile"])
def test_no_other_kind(model, kind):
    """A calibration of the whole does not fit the rest."""
    with pytest.raises(InputError, match=f"kind='{kind}' does not go with given"):
        gc.concept_map("BWh", EGYPT, resolution=3, model=model, given="ET", kind=kind)
    with pytest.raises(ConceptError, match="has no"):
        model.score([[30, 30]], [model.given("BWh", "ET")], kind=kind)


def test_what_cannot_be_taken_away(model):
    """Itself, an unknown concept, one without pattern, nothing."""
    for given, message in (
        ("BWh", "given itself"),
        (["ET", "BWh"], "given itself"),
        ("mars", "no concept 'mars'"),
        (replace(model.bank["ET"], pattern=None), "no pattern"),
        ([], "at least one"),
    ):
        with pytest.raises(ConceptError, match=message):
            gc.concept_map("BWh", EGYPT, resolution=3, model=model, given=given)


def test_picture_and_raster(egypt, tmp_path):
    """Both can be made of it; the raster's tags name what was taken away, its style runs from blue to red."""
    tif, png = tmp_path / "left.tif", tmp_path / "left.png"
    gc.write_raster(egypt, tif)
    gc.save_concept_map(egypt, png)
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert gc.read_provenance(tif)["given"] == "tundra climate"
    with rasterio.open(tif) as raster:
        assert raster.descriptions[0] == "concept: hot desert climate given tundra climate"
        assert "is taken away" in raster.tags(1)["concept_description"]
    assert "#053061" in tif.with_suffix(".qml").read_text()
    ax = gc.plot_concept_map(egypt)
    assert ax.get_title(loc="left") == "Hot desert climate given tundra climate"
    bar = ax.images[0].colorbar
    assert bar.extend == "both"
    assert (bar.vmin, bar.vmax) == (-0.4, 0.4)
