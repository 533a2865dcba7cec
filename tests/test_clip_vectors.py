"""The native-scale rule, on real CLIP vectors of captions and photos whose country is known. No torch needed."""

import numpy as np
import pytest
import shapely

import geoconcept_gis as gc
from benchmarks.concepts import country_codes
from geoconcept_gis.bank.sources import _layer, data_folder, gallery_places
from geoconcept_gis.errors import GeoConceptError


@pytest.fixture(scope="module")
def vectors():
    """CLIP ViT-L/14 features at native length, with ISO codes of countries."""
    try:
        folder = data_folder()
    except GeoConceptError as error:
        pytest.skip(f"real CLIP vectors absent: {error}")
    with np.load(folder / "clip" / "clip_vitl14_country_vectors.npz") as stored:
        return {name: stored[name].astype(np.float32 if stored[name].ndim == 2 else str) for name in stored.files}


@pytest.fixture(scope="module")
def country_of_best_place(vectors):
    """From CLIP features to the country of the gallery place whose vector is nearest."""
    try:
        places = gallery_places()
    except GeoConceptError as error:
        pytest.skip(f"GeoCLIP's gallery absent: {error}")
    model = gc.load_model()
    gallery = unit(model.encode(places))
    frame = _layer(data_folder(), "ne_50m_admin_0_countries")
    outlines, codes = shapely.STRtree(frame.geometry.to_numpy()), frame["ADMIN"].map(country_codes(data_folder()))

    def find(features):
        best = (unit(model.image_head(features)) @ gallery.T).argmax(axis=1)
        # The nearest country: every ninth place of the gallery is on a shore that 1:50m outlines leave out.
        return codes.to_numpy()[outlines.nearest(shapely.points(places[best]))]

    return find


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_native_lengths(vectors):
    """Texts are near 12.7, images near 18: the lengths that the image head was trained at."""
    assert np.linalg.norm(vectors["text"], axis=1).mean() == pytest.approx(12.7, abs=0.3)
    assert np.linalg.norm(vectors["image"], axis=1).mean() == pytest.approx(18.0, abs=0.3)


def test_texts_find_their_country_at_native_length_only(vectors, country_of_best_place):
    """Captions name their country: 0.78 at native length, 0.42 at length one."""
    text, country = vectors["text"], vectors["text_country"]
    assert np.mean(country_of_best_place(text) == country) >= 0.75
    assert np.mean(country_of_best_place(unit(text)) == country) < 0.5


def test_text_length_matters_little_around_the_native_one(vectors, country_of_best_place):
    """So the mean over templates may take the mean of their lengths."""
    text, country = vectors["text"], vectors["text_country"]
    for length in (10, 15):
        assert np.mean(country_of_best_place(length * unit(text)) == country) >= 0.75


def test_images_find_their_country_at_native_length_only(vectors, country_of_best_place):
    """Photos, harder: 0.58 at native length, 0.30 at length one."""
    image, country = vectors["image"], vectors["image_country"]
    assert np.mean(country_of_best_place(image) == country) >= 0.5
    assert np.mean(country_of_best_place(unit(image)) == country) < 0.4
