"""Geolocation on numpy alone, as QGIS runs it, beside the package's own."""

import itertools
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from geoconcept_gis import gallery, geolocate
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import InputError
from geoconcept_gis.h3cells import cells_of, centers_of, descend
from geoconcept_gis.locate import hexgrid
from geoconcept_gis.locate.density import open_surface
from geoconcept_gis.locate.posterior import Posterior
from geoconcept_gis.locate.vectors import locate_queries, query_of
from tests.locate.conftest import TOWNS, small_photos, small_places


def plain_land():
    """What `gallery._plain_land` returns, of the small places."""
    cells = hexgrid.cells_of(centers_of(small_places()[1]))
    children = hexgrid.children_of(cells).reshape(-1, 2)
    return hexgrid.centers_of(cells), children, np.repeat(np.arange(len(cells)), 7)


@pytest.fixture(scope="module")
def plain(model, tmp_path_factory):
    """The surface of the small places, made without h3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "_photos", small_photos)
        patch.setattr(gallery, "_plain_land", plain_land)
        return open_surface(model, folder=tmp_path_factory.mktemp("plain"), plain=True)


def locate(vector, plain, model, prior=None):
    prior = plain.prior(plain.photo_counts) if prior is None else prior
    [found] = locate_queries([query_of(vector, model)], plain, model, prior, "photos", kind=Posterior)
    return found


def test_the_cells_are_the_same_under_other_numbers(plain, surface):
    assert len(plain) == len(surface)
    numbers = cells_of(plain.lonlat, 4)
    order = np.argsort(numbers)
    np.testing.assert_array_equal(numbers[order], surface.cells)
    np.testing.assert_allclose(plain.area_km2[order], surface.area_km2, rtol=1e-9)
    np.testing.assert_array_equal(plain.photo_counts[order], surface.photo_counts)


@pytest.mark.parametrize("town", TOWNS)
def test_the_answer_is_the_packages_own(town, plain, surface, small, model):
    """Probabilities cell by cell, areas, points and reasons."""
    vector = model.encode([TOWNS[town]])[0]
    found, expected = locate(vector, plain, model), geolocate(vector, model=small)
    order = np.argsort(cells_of(plain.lonlat, 4))
    np.testing.assert_allclose(found.probability[order], expected.probability, atol=2e-3)
    np.testing.assert_allclose(found.best_places[0][0], expected.best_places[0][0], atol=1e-6)
    for level, area in zip((0.5, 0.9), expected.areas["area_km2"], strict=True):
        np.testing.assert_allclose(found.area_km2[found.inside(level)].sum(), area, rtol=0.3)
    assert found.reasons["concept"][0] == expected.reasons["concept"][0]


def test_a_prior_rules_places_out(plain, model):
    """Within the south no place is north."""
    prior = np.where(plain.lonlat[:, 1] < 0.0, plain.prior(), 0.0)
    found = locate(model.encode([TOWNS["paris"]])[0], plain, model, prior / prior.sum())
    assert (found.best_places[0][:, 1] < 0.0).all()


def test_a_plain_gallery_has_a_file_of_its_own(model, tmp_path):
    for name in gallery.GALLERIES:
        own, theirs = (gallery._path(model, name, tmp_path, plain) for plain in (True, False))
        assert own != theirs
        assert own.parent == tmp_path


def test_plain_land_is_the_packages_land_but_for_the_coast():
    """Cells that only one of them has are few, and at the shore."""
    lonlat, points, owner = gallery._plain_land()
    cells = cells_of(lonlat, 4)
    theirs = cells_of(gallery._land()[0], 4)
    assert len(np.setxor1d(cells, theirs)) < 0.01 * len(theirs)
    whole = np.bincount(owner)
    assert whole.min() >= 1 and whole.max() == 7
    assert np.isin(cells_of(points, 5), descend(cells, 5)).all()


@pytest.mark.parametrize(
    ("vector", "message"),
    [(np.ones(100), "768 or 512"), (np.zeros(768), "zero or not finite"), (np.full(512, np.nan), "zero or not finite")],
)
def test_what_is_no_vector_is_refused(vector, message, model):
    with pytest.raises(InputError, match=f"row 3 .*{message}"):
        query_of(vector.astype(np.float32), model, "row 3")


def test_it_needs_numpy_alone(tmp_path):
    """None of what QGIS lacks is loaded on the way from a vector to a posterior; scipy neither."""
    code = """
        import sys, numpy as np
        from pathlib import Path
        for name in ("h3", "h3ronpy", "scipy", "pandas", "shapely", "safetensors", "platformdirs", "pyproj", "pyarrow"):
            sys.modules[name] = None
        from geoconcept_gis import gallery
        from geoconcept_gis.locate import density, hexgrid, posterior, vectors
        from geoconcept_gis.model import load_model
        places = np.array([[31.2, 30.0], [2.3, 48.9]])
        gallery._photos = lambda: (places, places, np.arange(2))
        gallery._plain_land = lambda: (places, places, np.arange(2))
        model = load_model(backend="numpy")
        surface = density.open_surface(model, folder=Path(sys.argv[1]), plain=True)
        query = vectors.query_of(model.encode(places[:1])[0], model)
        [one] = vectors.locate_queries([query], surface, model, surface.prior(), "land", kind=posterior.Posterior)
        print(one.best_places[0].round(1).tolist(), len(one.reasons["concept"]) > 0, one.inside(0.9).tolist())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout


def test_real_photos_have_the_packages_answer(model):
    """All 74 CLIP vectors of real photos, over the whole Earth."""
    try:
        path = data_folder() / "clip" / "clip_vitl14_country_vectors.npz"
    except InputError as error:
        pytest.skip(str(error))
    for name, kind in itertools.product(gallery.GALLERIES, (False, True)):
        if not (made := gallery._path(model, name, plain=kind)).is_file():
            pytest.skip(f"{made} is not there yet, and making it takes minutes: open_surface(model, plain={kind})")
    surface = open_surface(model, plain=True)
    prior = surface.prior(surface.photo_counts)
    with np.load(path) as data:
        images = data["image"].astype(np.float32)
    expected = geolocate(images, model=model)
    queries = [query_of(vector, model) for vector in images]
    found = list(locate_queries(queries, surface, model, prior, "photos", kind=Posterior))
    numbers = cells_of(surface.lonlat, 4)
    _, mine, theirs = np.intersect1d(numbers, expected[0].cells, return_indices=True)
    best = [
        numbers[a.probability.argmax()] == b.cells[b.probability.argmax()] for a, b in zip(found, expected, strict=True)
    ]
    assert np.mean(best) >= 0.95
    for a, b in zip(found, expected, strict=True):
        assert np.corrcoef(np.log(a.density[mine]), np.log(b.density[theirs]))[0, 1] > 0.999
        assert np.abs(a.probability[mine] - b.probability[theirs]).sum() / 2.0 < 0.08
