"""Galleries: searched exactly, kept whole or made anew."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis import gallery
from geoconcept_gis.errors import CacheWarning, Cancelled, InputError
from geoconcept_gis.gallery import Gallery, cache_folder, open_gallery
from geoconcept_gis.h3cells import cells_of

PLACES = np.array([[31.2, 30.0], [2.3, 48.9], [-87.7, 41.9], [139.7, 35.7], [-70.7, -33.5]])


def by_hand(count, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 512))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lonlat = rng.uniform([-180, -90], [180, 90], (count, 2))
    return Gallery("photos", lonlat.astype(np.float32), vectors.astype(np.float16), cells_of(lonlat, 4))


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Five photo places and an empty cache."""
    monkeypatch.setenv(gallery.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(gallery, "_photos", lambda: (PLACES, PLACES, np.arange(len(PLACES))))
    return tmp_path / "cache"


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 5))
def test_search_equals_brute_force(count, top, seed):
    """The best by a full sort, best first, for every number of places and of answers."""
    places, top = by_hand(count, seed), min(top, count)
    queries = np.random.default_rng(seed + 1).normal(size=(3, 512))
    index, cosine = places.search(queries, top)
    units = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    every = units @ places.vectors.astype(np.float64).T
    np.testing.assert_allclose(cosine, -np.sort(-every, axis=1)[:, :top], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(every, index, axis=1), cosine, atol=1e-6)


def test_equal_places_come_in_their_order():
    """Ties do not depend on how the best were found."""
    one = by_hand(1)
    many = Gallery("photos", np.repeat(one.lonlat, 9, 0), np.repeat(one.vectors, 9, 0), np.repeat(one.cells, 9))
    assert many.search(one.vectors.astype(np.float32), 9)[0].tolist() == [list(range(9))]


@pytest.mark.parametrize(
    "queries", [np.zeros((1, 512)), np.full((1, 512), np.nan), np.ones((1, 768)), np.ones((1, 1, 512))]
)
def test_what_is_no_vector_is_refused(queries):
    with pytest.raises(InputError, match="queries must be finite vectors"):
        by_hand(3).scores(queries)


@pytest.mark.parametrize("top", [0, 4])
def test_top_is_at_most_all(top):
    with pytest.raises(InputError, match="top must be 1 to 3"):
        by_hand(3).search(np.ones(512), top)


def test_a_gallery_is_made_once_and_mapped(few, model, monkeypatch):
    """Unit vectors of the places themselves; the second time they are read from the file, not made."""
    first = open_gallery(model)
    expected = model.encode(PLACES)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(first.vectors, expected, atol=1e-3)
    assert (first.cells == cells_of(PLACES, 4)).all()
    monkeypatch.setattr(gallery, "_embed", None)
    second = open_gallery(model)
    assert second.vectors.dtype == np.float16
    assert isinstance(second.vectors, np.memmap)
    assert not second.vectors.flags.writeable
    np.testing.assert_array_equal(first.vectors, second.vectors)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content[:4],
        lambda content: b"",
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: content[:8] + b"x" + content[9:],
        lambda content: content.replace(b"geoconcept-gallery-2", b"geoconcept-gallery-0"),
        lambda content: content.replace(b"vectors", b"vektors"),
    ],
)
def test_a_damaged_file_is_made_anew(few, model, damage):
    """Cut off, one bit flipped, empty, no header, another format: all are replaced by a good one."""
    good = open_gallery(model)
    [path] = few.iterdir()
    content = path.read_bytes()
    path.unlink()  # not written in place: the first gallery is still mapped
    path.write_bytes(damage(content))
    again = open_gallery(model)
    np.testing.assert_array_equal(good.vectors, again.vectors)
    np.testing.assert_array_equal(gallery._read(path)["vectors"], good.vectors)


def test_without_a_writable_cache_it_warns_and_works(few, model):
    """A file where the folder should be: nobody can write there, not even root."""
    few.write_text("in the way")
    with pytest.warns(CacheWarning, match="GEOCONCEPT_CACHE"):
        found = open_gallery(model)
    assert found.vectors.shape == (5, 512)
    assert few.read_text() == "in the way"


def test_stopping_leaves_nothing(few, model):
    with pytest.raises(Cancelled):
        open_gallery(model, progress=lambda done, total: True)
    assert not few.exists() or not list(few.iterdir())


def test_two_processes_at_once_leave_one_good_file(few, model):
    """Both make the gallery and move it into place."""
    script = f"""
        import numpy as np
        from geoconcept_gis import gallery, load_model
        places = np.array({PLACES.tolist()})
        gallery._photos = lambda: (places, places, np.arange(len(places)))
        model = load_model(backend="numpy")
        for _ in range(20):
            path = gallery._path(model, "photos")
            found = gallery.open_gallery(model)
            assert found.vectors.shape == (5, 512)
            path.unlink(missing_ok=True)
        gallery.open_gallery(model)
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        _, errors = one.communicate(timeout=120)
        assert one.returncode == 0, errors
    [path] = few.iterdir()
    assert gallery._read(path) is not None


def test_another_encoder_has_another_file(few, model, monkeypatch):
    """The key names the weights, so one model's vectors are never taken for another's."""
    before = gallery._path(model, "photos")
    monkeypatch.setattr(model, "sha256", "0" * 64)
    assert gallery._path(model, "photos") != before
    assert gallery._path(model, "land") != gallery._path(model, "photos")


def test_models_with_the_same_encoder_share_a_file(few, model, monkeypatch):
    """A trained image head before the same location encoder needs no new gallery, whatever the model is called."""
    before = gallery._path(model, "photos")
    monkeypatch.setattr(model, "name", "mine")
    assert gallery._path(model, "photos") == before


def test_a_cell_has_the_mean_of_its_points(model):
    """Points come in any order; each cell gets the mean of the unit vectors of its own."""
    owner = np.array([1, 0, 1, 0, 1])
    found = gallery._embed(model, PLACES, owner, None)
    vectors = model.encode(PLACES)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(found, [vectors[[1, 3]].mean(axis=0), vectors[[0, 2, 4]].mean(axis=0)], atol=1e-3)


def test_an_unknown_gallery_is_refused(model):
    with pytest.raises(InputError, match="photos, land"):
        open_gallery(model, "sea")


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv(gallery.CACHE_VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(gallery.CACHE_VARIABLE)
    assert cache_folder().name == "geoconcept_gis"


def test_photo_places_keep_their_order(few, model):
    """What float16 loses is kept beside it: cosines are those of float32 vectors."""
    found = open_gallery(model)
    assert found.rest is not None and found.rest.dtype == np.float16
    exact = model.encode(PLACES).astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(found.scores(exact), exact @ exact.T, atol=1e-6)
    assert np.abs(found.vectors.astype(np.float64) @ exact[0] - exact @ exact[0]).max() > 2e-6
