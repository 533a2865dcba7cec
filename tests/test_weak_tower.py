"""The weak image tower: it says so, its files are what they claim, and its map is the one that the tool fits."""

import json
import sys
import warnings

import fit_weak_tower
import numpy as np
import pytest

from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import (
    Cancelled,
    InputError,
    MissingDependencyError,
    ModelFileError,
    PhotoError,
    WeakTowerWarning,
)
from geoconcept_gis.files import sha256_of
from geoconcept_gis.storage import read_arrays
from geoconcept_gis.towers import weak
from geoconcept_gis.towers.weak import WeakTower, project

Image = pytest.importorskip("PIL.Image", reason="the weak tower needs pillow (extra images)")

RECORD = json.loads((weak._HERE / "weak_head.json").read_text(encoding="utf-8"))


def head():
    arrays = read_arrays(weak._HERE / RECORD["file"], RECORD["sha256"])
    return {name: value.astype(np.float32) for name, value in arrays.items()}


@pytest.fixture(scope="module")
def tower():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = WeakTower.load()
        except MissingDependencyError as error:
            pytest.skip(str(error))
    assert any(one.category is WeakTowerWarning and "for tests and demos" in str(one.message) for one in seen)
    return found


def photo(width=400, height=300, seed=0):
    """Smooth colours, as photos have them."""
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def development():
    """Features of 2,000 real photos, their places (lon, lat) and photographers."""
    try:
        data = np.load(data_folder() / "photos" / fit_weak_tower.FEATURES)
    except InputError as error:
        pytest.skip(f"the features that the map was fitted on are not here: {error}")
    return data["features"].astype(np.float64), data["latlon"][:, ::-1], data["group"]


# ---------------------------------------------------------------- files


def test_the_map_is_the_one_described():
    """float16 safetensors under 1.3 MB, with its hash, source and licence; weak in so many words."""
    path = weak._HERE / RECORD["file"]
    assert RECORD["sha256"] == sha256_of(path)
    assert path.stat().st_size < 1_300_000
    assert {value.dtype for value in read_arrays(path).values()} == {np.dtype(np.float16)}
    assert RECORD["name"].startswith("weak-")
    assert RECORD["warning"].startswith("weak")
    assert RECORD["licence"] == "MIT"
    assert "Apache" in RECORD["network"]


def test_the_map_gives_unit_vectors_by_hand():
    """Square root, centre, two factors, length one."""
    parts = head()
    features = np.random.default_rng(0).gamma(0.3, 0.6, (5, 1280)).astype(np.float32)
    wanted = (np.sqrt(features) - parts["mean"]) @ (parts["down"] @ parts["up"])
    got = project(features, parts)
    assert (got.shape, got.dtype) == ((5, 512), np.float32)
    np.testing.assert_allclose(got, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5)


def test_the_tool_fits_this_map(development, model):
    """On all photos, with the strength in the record: the same vectors."""
    features, lonlat, _ = development
    targets = fit_weak_tower.unit(model.encode(lonlat))
    fitted = fit_weak_tower.fit(features, targets, RECORD["strength"])
    again = project(features, {name: value.astype(np.float32) for name, value in fitted.items()})
    assert np.einsum("ij,ij->i", again, project(features, head())).min() > 0.999


def test_held_out_photographers_are_placed_better_than_by_shuffled_vectors(development, model):
    """The record's own measure, on part of the gallery: a small signal, and a control without one."""
    features, lonlat, group = development
    targets = fit_weak_tower.unit(model.encode(lonlat))
    try:
        gallery = fit_weak_tower.gallery_places()[:3000]
    except MissingDependencyError as error:
        pytest.skip(str(error))
    vectors = fit_weak_tower.unit(model.encode(gallery))
    fold = fit_weak_tower.folds(group)
    assert all(len(np.unique(fold[group == name])) == 1 for name in np.unique(group))
    found = fit_weak_tower.predict(features, targets, fold, RECORD["strength"])
    measured = fit_weak_tower.share(found, targets, vectors)
    assert measured == pytest.approx(RECORD["held_out"]["own_place_beats"], abs=0.01)
    assert measured > fit_weak_tower.share(fit_weak_tower.one_for_all(targets, vectors, fold), targets, vectors) + 0.08
    assert fit_weak_tower.share(fit_weak_tower.shuffled(found), targets, vectors) < 0.52


# ---------------------------------------------------------------- the tower


def test_photos_become_unit_vectors(tower, tmp_path):
    """Images or paths, one or many, in any batches; the name says weak."""
    pictures = [photo(seed=seed) for seed in range(3)]
    pictures[1].save(tmp_path / "a.png")
    whole = tower.encode_images(pictures)
    assert (whole.shape, whole.dtype) == ((3, 512), np.float32)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    assert (whole @ whole.T)[0, 1] < 0.999
    mixed = tower.encode_images([pictures[0], tmp_path / "a.png", pictures[2]], batch_size=2)
    np.testing.assert_allclose(mixed, whole, atol=1e-4)
    np.testing.assert_allclose(tower.encode_images(str(tmp_path / "a.png")), whole[1:2], atol=1e-4)
    assert tower.encode_images([]).shape == (0, 512)
    assert tower.name == "weak-efficientnet-lite2"
    assert "weak" in repr(tower)
    assert tower.sha256 == RECORD["sha256"]


def test_a_large_jpeg_is_unpacked_small_without_a_difference(tower, tmp_path):
    """The draft that Pillow makes of it has at least twice the pixels that are needed."""
    photo(3000, 2400).save(tmp_path / "a.jpg", quality=92)
    with Image.open(tmp_path / "a.jpg") as opened:
        full = tower.encode_images(opened)
    assert float(full[0] @ tower.encode_images(tmp_path / "a.jpg")[0]) > 0.999


def test_unreadable_photos_and_batches_are_named(tower, tmp_path):
    """Number, name and reason; progress may stop the work."""
    with pytest.raises(PhotoError, match=r"image 2: .*gone\.jpg: there is no such file"):
        tower.encode_images([photo(), photo(), tmp_path / "gone.jpg"], batch_size=1)
    with pytest.raises(InputError, match="batch_size must be at least 1"):
        tower.encode_images([photo()], batch_size=0)
    with pytest.raises(Cancelled):
        tower.encode_images([photo(), photo()], batch_size=1, progress=lambda done, total: done == 1)


def test_features_look_like_those_the_map_was_fitted_on(tower, development):
    """Of nine other photos: mean, spread and share of zeros. Other sizes of input are off by a quarter and more."""
    features = tower._features(sorted((data_folder() / "photos" / "free_exif").glob("*.jpg")))
    assert features.mean() == pytest.approx(development[0].mean(), rel=0.08)
    assert features.std() == pytest.approx(development[0].std(), rel=0.08)
    assert (features == 0).mean() == pytest.approx((development[0] == 0).mean(), abs=0.05)
    assert np.corrcoef(features.mean(axis=0), development[0].mean(axis=0))[0, 1] > 0.5


def test_missing_packages_and_other_weights_are_explained(tower, monkeypatch):
    """What to install; and weights of another network are refused."""
    with pytest.raises(ModelFileError, match=r"not the file that the weak tower was fitted on .*force-reinstall"):
        weak._network("0" * 64)
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(MissingDependencyError, match=r"weak image tower needs efficientnet_lite_pytorch.*--no-deps"):
        WeakTower.load()


def test_every_load_warns(tower):
    """Once per load, not once per process."""
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            WeakTower.load()
        assert [warning.category for warning in caught] == [WeakTowerWarning]
        assert caught[0].filename == __file__
