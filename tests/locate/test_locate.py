"""`geolocate`: everything that may be given, and everything that may not."""

import numpy as np
import pytest
from PIL import Image

import geoconcept_gis as gc
from geoconcept_gis.errors import Cancelled, InputError, ModelFileError, PhotoError
from geoconcept_gis.evaluation import distance_km
from geoconcept_gis.gallery import CACHE_VARIABLE
from geoconcept_gis.locate import locate
from geoconcept_gis.locate.photos import ten_crops
from geoconcept_gis.locate.vectors import calibration_of, native_length
from tests.locate.conftest import TOWNS


class FakeClip:
    """A tower whose 768 numbers are drawn from a photo's mean colour, or a text's length."""

    name, sha256 = "fake-clip", "f" * 64

    def __init__(self):
        self.images = 0

    @staticmethod
    def features(seed):
        drawn = np.random.default_rng(seed).normal(size=768)
        return (18.0 * drawn / np.linalg.norm(drawn)).astype(np.float32)

    def encode_images(self, images):
        self.images += len(images)
        return np.stack([self.features(int(np.asarray(image).mean())) for image in images])

    def encode_text(self, texts):
        return np.stack([self.features(len(text)) for text in texts])


@pytest.fixture
def clip(monkeypatch):
    """The fake tower in place of CLIP."""
    monkeypatch.delenv("GEOCONCEPT_CLIP_WEIGHTS", raising=False)
    tower = FakeClip()
    locate._loaded_clip.cache_clear()
    monkeypatch.setattr("geoconcept_gis.towers.clip.load_clip", lambda weights, download: tower)
    yield tower
    locate._loaded_clip.cache_clear()


@pytest.fixture
def folder(tmp_path):
    """Three photos and one that is none; the second says in its EXIF that it is from Oslo."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (59.0, 54.0, 36.0), 3: "E", 4: (10.0, 45.0, 0.0)}
    for name, grey in (("a.jpg", 40), ("b.jpg", 120), ("c.png", 200)):
        Image.new("RGB", (300, 200), (grey,) * 3).save(tmp_path / name, exif=exif if name == "b.jpg" else b"")
    (tmp_path / "d.jpg").write_bytes(b"no photo")
    return tmp_path


def same(one, other):
    np.testing.assert_allclose(one.probability, other.probability, rtol=1e-4)
    return True


def test_a_photo_by_path_text_and_image_is_the_same(small, clip, folder):
    """And the same as its CLIP vector, of shape (768,) and (1, 768), as array, list and unit vector."""
    photo = gc.geolocate(folder / "a.jpg", model=small)
    vector = clip.features(40)
    others = (
        str(folder / "a.jpg"),
        Image.open(folder / "a.jpg"),
        vector,
        vector[None],
        vector.astype(np.float64),
        vector.tolist(),
    )
    for other in others:
        assert same(photo, gc.geolocate(other, model=small))
    assert photo.name == "a.jpg"
    assert photo.provenance["tower"] == f"fake-clip, sha256 {'f' * 64}"
    np.testing.assert_allclose(photo.probability.sum(), 1.0)


def test_unit_vectors_are_given_their_native_length(small, clip):
    """The image head makes nonsense of unit vectors, so they are scaled to the mean length of photos."""
    vector = clip.features(1)
    unit = vector / np.linalg.norm(vector)
    assert same(gc.geolocate(unit, model=small), gc.geolocate(unit * native_length(), model=small))
    assert 15.0 < native_length() < 21.0


def test_a_tensor_of_torch_is_an_array(small, clip):
    torch = pytest.importorskip("torch")
    assert same(
        gc.geolocate(torch.from_numpy(clip.features(1)), model=small), gc.geolocate(clip.features(1), model=small)
    )


def test_a_vector_of_the_shared_space_finds_its_place(small):
    """512 numbers go in as they are: the vector of each town's own place leads to it."""
    found = gc.geolocate(small.encode(list(TOWNS.values())), model=small)
    best = np.array([[one.points.geometry.iloc[0].x, one.points.geometry.iloc[0].y] for one in found])
    assert distance_km(best, np.array(list(TOWNS.values()))).max() < 60.0


def test_a_text_is_read_by_clip_with_the_calibration_of_texts(small, clip):
    found = gc.geolocate("a mosque by the river", model=small)
    assert found.name == "a mosque by the river"
    assert float(found.provenance["temperature"]) == calibration_of("text").temperature
    assert not same_probability(found, gc.geolocate(clip.features(len(found.name)), model=small))


def same_probability(one, other):
    return np.allclose(one.probability, other.probability, atol=1e-7)


def test_a_list_and_a_folder_give_lists(small, clip, folder):
    (folder / "d.jpg").unlink()
    several = gc.geolocate([folder / "c.png", "a text", clip.features(3), folder / "a.jpg"], model=small)
    assert [one.name for one in several] == ["c.png", "a text", "vector", "a.jpg"]
    inside = gc.geolocate(folder, model=small)
    assert [one.name for one in inside] == ["a.jpg", "b.jpg", "c.png"]
    assert same(inside[2], several[0])
    assert isinstance(gc.geolocate([folder / "a.jpg"], model=small), list)
    assert len(gc.geolocate(np.stack([clip.features(1), clip.features(2)]), model=small)) == 2


def test_many_photos_go_in_batches_and_report(small, clip, folder, monkeypatch):
    """The same answers, photo by photo, with progress after each batch; the tower is loaded once."""
    monkeypatch.setattr(locate, "_BATCH", 2)
    calls = []
    photos = [folder / name for name in ("a.jpg", "b.jpg", "c.png")]
    found = gc.geolocate(photos, model=small, progress=lambda *done: calls.append(done))
    assert calls == [(2, 3), (3, 3)]
    assert clip.images == 3
    for one, photo in zip(found, photos, strict=True):
        assert same(one, gc.geolocate(photo, model=small))
    with pytest.raises(Cancelled):
        gc.geolocate(photos, model=small, progress=lambda *done: True)


def test_an_exif_position_is_reported_and_never_used(small, clip, folder):
    """The same pixels with and without it give the same answer."""
    with_exif = gc.geolocate(folder / "b.jpg", model=small)
    np.testing.assert_allclose(with_exif.exif_lonlat, (10.75, 59.91))
    without = gc.geolocate(clip.features(120), model=small)
    assert without.exif_lonlat is None
    assert same(with_exif, without)
    assert gc.geolocate(folder / "b.jpg", model=small, precision_km=100).exif_lonlat is None


def test_failures_take_their_place_or_stop(small, clip, folder):
    """errors="return" keeps order and length; errors="raise" names the file; one alone is always raised."""
    found = gc.geolocate(folder, model=small, errors="return")
    assert [type(one).__name__ for one in found] == ["Geolocation", "Geolocation", "Geolocation", "PhotoError"]
    with pytest.raises(PhotoError, match=r"d\.jpg"):
        gc.geolocate(folder, model=small)
    with pytest.raises(PhotoError, match=r"d\.jpg"):
        gc.geolocate(folder / "d.jpg", model=small, errors="return")
    vectors = np.stack([clip.features(1), np.zeros(768, dtype=np.float32)])
    good, bad = gc.geolocate(vectors, model=small, errors="return")
    assert same(good, gc.geolocate(clip.features(1), model=small))
    assert "vector 1" in str(bad)


def test_precision_coarsens_all(small, clip, folder):
    one = gc.geolocate(folder / "a.jpg", model=small, precision_km=100)
    assert one.provenance["precision_km"] == "256"
    assert one._finer is None
    assert one._reasons is None


def test_the_prior_is_named_and_kept(small, clip):
    """The answer under another prior is the answer reweighted."""
    photos, land = (gc.geolocate(clip.features(5), model=small, prior=prior) for prior in ("photos", "land"))
    assert (photos.provenance["prior"], land.provenance["prior"]) == ("photos", "land")
    np.testing.assert_allclose((land.prior).sum(), 1.0)
    turned = photos.probability / photos.prior * land.prior
    # But for the floor, whose share depends on how well the prior fits.
    assert np.corrcoef(turned / turned.sum(), land.probability)[0, 1] > 0.99


def test_reranking_changes_the_answer_and_is_recorded(small, clip):
    plain, ranked = (gc.geolocate(clip.features(5), model=small, rerank=rerank) for rerank in (0.0, 1.0))
    assert ranked.provenance["rerank"] == "1"
    assert not same_probability(plain, ranked)
    np.testing.assert_allclose(ranked.probability.sum(), 1.0)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (np.ones(100), r"shape \(768,\)"),
        (np.ones((2, 2, 768)), r"shape \(768,\)"),
        (np.empty((0, 768)), r"shape \(768,\)"),
        (np.array(["a"] * 768), "must be numbers"),
        (np.zeros(768), "zero or not finite"),
        (np.full(512, np.nan), "zero or not finite"),
        ([], "list is empty"),
        ("", "text is empty"),
        ("   ", "text is empty"),
        ("gone.jpg", "there is no such file"),
    ],
)
def test_what_cannot_be_located_is_refused(small, clip, what, message):
    with pytest.raises(InputError, match=message):
        gc.geolocate(what, model=small)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tower": "strong"}, "tower must be"),
        ({"errors": "ignore"}, "errors must be"),
        ({"rerank": -1.0}, "rerank must be"),
        ({"rerank": float("nan")}, "rerank must be"),
        ({"prior": "moon"}, "prior must be"),
        ({"precision_km": 1e5}, "precision_km must be"),
        ({"crops": 5}, "crops must be"),
    ],
)
def test_options_that_mean_nothing_are_refused(small, options, message):
    with pytest.raises(InputError, match=message):
        gc.geolocate(np.ones(512), model=small, **options)


def test_a_long_text_is_no_file(small, clip):
    """Longer than a file's name may be, and with a zero byte, which no path may have."""
    assert gc.geolocate("word " * 200, model=small).name.startswith("word word")
    assert gc.geolocate("a\0b", model=small).name == "a\0b"


def test_without_weights_a_photo_says_how_to_get_them(small, folder, monkeypatch):
    monkeypatch.delenv("GEOCONCEPT_CLIP_WEIGHTS", raising=False)
    locate._loaded_clip.cache_clear()
    with pytest.raises(ModelFileError, match="download=True"):
        gc.geolocate(folder / "a.jpg", model=small)


def test_the_weak_tower_reads_photos_only(small, folder, monkeypatch):
    """Its vectors go in without an image head, with a calibration of their own; its name says weak."""

    class FakeWeak:
        name, sha256 = "weak-fake", "e" * 64

        def encode_images(self, images):
            return small.encode([TOWNS["paris"]] * len(images)) / 10.0

    monkeypatch.setattr(locate, "_weak_tower", FakeWeak)
    found = gc.geolocate(folder / "a.jpg", model=small, tower="weak")
    assert "(weak)" in found.provenance["tower"]
    assert float(found.provenance["temperature"]) == calibration_of("weak").temperature
    assert found.concepts is not None
    with pytest.raises(InputError, match="photos only"):
        gc.geolocate("a text", model=small, tower="weak")


def test_real_photos_of_countries_are_found_there(tmp_path, monkeypatch):
    """On the real galleries, if they are built: the country of most vectors' best points is the right one."""
    import os

    if CACHE_VARIABLE not in os.environ or "GEOCONCEPT_DATA" not in os.environ:
        pytest.skip(f"needs {CACHE_VARIABLE} with built galleries and GEOCONCEPT_DATA with the vectors")
    from geoconcept_gis.bank.sources import Truths, country_codes, data_folder
    from geoconcept_gis.gallery import GALLERIES, _path

    model = gc.load_model()
    if not all(_path(model, name).is_file() for name in GALLERIES):
        pytest.skip("the real galleries are not built yet: geolocate builds them, which takes minutes")
    data = np.load(data_folder() / "clip" / "clip_vitl14_country_vectors.npz")
    found = gc.geolocate(data["image"][::3], model=model)
    best = np.array([[one.points.geometry.iloc[0].x, one.points.geometry.iloc[0].y] for one in found])
    codes = country_codes(data_folder())
    countries = np.array([codes.get(name, "") for name in Truths(best, data_folder()).country()])
    assert (countries == data["image_country"][::3].astype(str)).mean() > 0.4
    for one in found:
        np.testing.assert_allclose(one.probability.sum(), 1.0)


def test_ten_crops_are_averaged_as_unit_vectors(small, clip, folder):
    """A grey photo's crops are all alike; of a photo in two halves the mean lies between."""
    plain, ten = (gc.geolocate(folder / "a.jpg", model=small, crops=crops) for crops in (1, 10))
    assert clip.images == 11 and "10 crops" in ten.provenance["tower"]
    assert same(plain, ten)
    pixels = np.zeros((400, 400, 3), dtype=np.uint8)
    pixels[:, 200:] = 255
    Image.fromarray(pixels).save(folder / "halves.png")
    found = gc.geolocate(folder / "halves.png", model=small, crops=10)
    crops = ten_crops(Image.fromarray(pixels))
    units = small.image_head(clip.encode_images(crops))
    mean = (units / np.linalg.norm(units, axis=1, keepdims=True)).mean(axis=0)
    assert same(found, gc.geolocate(mean, model=small))


def test_geoclips_own_answer_is_reported_and_can_be_measured(small, clip, folder, tmp_path):
    """The most similar gallery place, in the table, and out of it into `evaluate`; gone from what is coarsened."""
    from geoconcept_gis.evaluation import evaluate, read_predictions

    names = ["a.jpg", "b.jpg", "c.png", "d.jpg"]
    results = gc.geolocate(folder, model=small, errors="return")
    table = gc.summarise(results, names)
    gallery = locate.surface_of(small).photos
    for one, row in zip(results[:3], table.itertuples(), strict=False):
        assert one.nearest == (row.gallery_lon, row.gallery_lat)
        assert one.coarsened(300.0).nearest is None
        assert np.abs(gallery.lonlat - np.array(one.nearest)).sum(axis=1).min() < 1e-5
    table.drop(columns="geometry").to_csv(tmp_path / "found.csv", index=False)
    answers = read_predictions(tmp_path / "found.csv", lon="gallery_lon", lat="gallery_lat")
    truth = answers.dropna(subset=["gallery_lon"])[["file", "geometry"]]
    result = evaluate(answers, truth, on="file", bootstrap=0)
    assert result.table["value"].iloc[0] == 100.0  # per cent within 1 km
