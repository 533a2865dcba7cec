"""Models that are not the bundled one: their folders, and geolocation with them."""

import copy
import json

import numpy as np
import pytest
from PIL import Image

import geoconcept_gis as gc
from geoconcept_gis import gallery
from geoconcept_gis.bank.carry import carry_bank
from geoconcept_gis.encoder import ImageHead, LocationEncoder
from geoconcept_gis.errors import InputError, ModelFileError
from geoconcept_gis.locate import locate
from geoconcept_gis.locate.vectors import calibration_of, mean_of, query_of
from geoconcept_gis.model import CLIP_TOWER, DEFAULT_SPACE
from geoconcept_gis.model_files import rounded, write_model
from tests.locate.conftest import TOWNS, small_land, small_photos
from tests.test_encoder_kinds import draw

WIDTH, HIDDEN = 1280, 32
WEAK = {"tower": "weak-efficientnet-lite2", "sha256": "a" * 64, "dim": WIDTH}
CONFIG = {"name": "mine", "scale_km": [50, 100], "licence": "MIT", "source": "drawn at random"}


def head_weights(dim=WIDTH, seed=4):
    rng = np.random.default_rng(seed)
    return {
        "0.weight": rng.normal(0, dim**-0.5, (HIDDEN, dim)).astype(np.float32),
        "0.bias": np.zeros(HIDDEN, np.float32),
        "2.weight": rng.normal(0, HIDDEN**-0.5, (512, HIDDEN)).astype(np.float32),
        "2.bias": np.zeros(512, np.float32),
    }


@pytest.fixture(scope="module")
def encoder():
    return draw("xyz", hidden=64)


@pytest.fixture(scope="module")
def bank(model, encoder):
    return carry_bank(
        model.with_bank(model.bank.subset(["BWh", "tundra climate", "Cfb"])), encoder, "mine-1", places=2000
    )


def parts(encoder, bank, **changes):
    """What `write_model` takes, with changes."""
    config = {
        **CONFIG,
        "encoder": encoder.record,
        "image": WEAK,
        "calibration": {"temperature": 0.07, "floor": 0.1},
        **changes.pop("config", {}),
    }
    return {
        "config": {key: value for key, value in config.items() if value is not None},
        "encoder_weights": encoder.weights,
        "image_head_weights": head_weights(),
        "bank": bank,
        "readme": "# mine",
        "licence": "MIT",
        **changes,
    }


@pytest.fixture(scope="module")
def folder(encoder, bank, tmp_path_factory):
    mean = np.full(512, 0.01)
    return write_model(tmp_path_factory.mktemp("models") / "mine", **parts(encoder, bank, photo_mean=mean))


@pytest.fixture(scope="module")
def mine(folder, tmp_path_factory):
    """The model, with small galleries in a cache of its own."""
    mine = gc.load_model(folder, backend="numpy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(gallery.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        patch.setattr(gallery, "_photos", small_photos)
        patch.setattr(gallery, "_land", small_land)
        locate.surface_of(mine)
    return mine


class FakeWeak:
    """The features of a photo are drawn from its colour."""

    name, sha256 = "weak-efficientnet-lite2", "b" * 64

    @staticmethod
    def features_record():
        return {"name": "weak-efficientnet-lite2", "sha256": "a" * 64, "dim": WIDTH}

    @staticmethod
    def features(images):
        return np.stack([feature(int(np.asarray(image).mean())) for image in images])

    @staticmethod
    def encode_images(images):
        raise AssertionError("a model with a head of its own does not use the weak tower's map")


def feature(seed):
    return np.abs(np.random.default_rng(seed).normal(size=WIDTH)).astype(np.float32)


def reading(mine, image):
    """The model as if its head read another tower, with the galleries that are there."""
    other = copy.copy(mine)
    other.config = {**mine.config, "image": image}
    locate._opened(other).append(locate.surface_of(mine))
    return other


@pytest.fixture
def weak(monkeypatch):
    monkeypatch.setattr(locate, "_weak_tower", FakeWeak)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "grey.png"
    Image.new("RGB", (320, 240), (90, 90, 90)).save(path)
    return path


class TestFolders:
    """`write_model` and `load_model`."""

    def test_what_is_written_is_what_opens(self, folder, mine, encoder, bank):
        """Encoder, head, bank, records: all there, all the same."""
        lonlat = np.array(list(TOWNS.values()))
        assert (mine.name, mine.space, mine.scale_km) == ("mine", "mine-1", (50.0, 100.0))
        assert mine.encoder.kind == "xyz" and mine.encoder.record == encoder.record
        np.testing.assert_array_equal(mine.encode(lonlat), encoder.encode_chunk(lonlat))
        assert not mine.bank.diff(bank)
        assert mine.image_tower == WEAK and mine.image_head.dim == WIDTH
        np.testing.assert_allclose(mine.photo_mean, 0.01)
        config = json.loads((folder / "config.json").read_text())
        assert config["format"] == "geoconcept-model" and config["source"] == CONFIG["source"]
        assert {path.name for path in folder.iterdir()} == {
            "config.json", "concepts.json", "concepts.safetensors", "location_encoder.safetensors", "LICENSE",
            "image_head.safetensors", "photos.safetensors", "README.md",
        }  # fmt: skip
        assert mine.score(lonlat).shape == (len(lonlat), 3)
        assert mine.provenance("BWh", "calibrated")["space"] == "mine-1"

    def test_saving_again(self, mine, tmp_path):
        """A copy with another bank opens, and is the same model otherwise."""
        again = gc.load_model(mine.with_bank(mine.bank.subset(["BWh"])).save(tmp_path / "again"))
        assert len(again.bank) == 1
        np.testing.assert_array_equal(again.encode([[2.0, 48.0]]), mine.encode([[2.0, 48.0]]))
        assert again.image_tower == WEAK

    def test_float16_halves_the_file_and_spares_the_phases(self, model, encoder, bank, tmp_path):
        """`rounded` weights load as they were rounded; too large ones are refused."""
        small = write_model(tmp_path / "small", **parts(encoder, bank, encoder_weights=rounded(encoder.weights)))
        file = "location_encoder.safetensors"
        large = write_model(tmp_path / "large", **parts(encoder, bank))
        assert (small / file).stat().st_size < 0.55 * (large / file).stat().st_size
        stored = gc.load_model(small).encoder.weights["layers.1.weight"]
        np.testing.assert_array_equal(stored, encoder.weights["layers.1.weight"].astype(np.float16).astype(np.float32))
        assert rounded(model.encoder.weights)["LocEnc2.capsule.0.b"].dtype == np.float32
        with pytest.raises(InputError, match="too large for float16"):
            rounded({"layers.0.bias": np.array([1e5], np.float32)})

    def test_the_bundled_space_is_the_bundled_encoders(self, model, encoder, tmp_path):
        """Another encoder under its name would score nonsense; the bundled one itself may be written."""
        plain = model.bank.subset(["BWh"])
        with pytest.raises(InputError, match="carry the bank into a space of its own"):
            write_model(tmp_path / "a", **parts(encoder, plain))
        moved = {name: weight * 1.01 for name, weight in model.encoder.weights.items()}
        for weights, fine in ((moved, False), (model.encoder.weights, True)):
            arguments = parts(
                LocationEncoder(weights), plain, config={"encoder": None, "image": None},
                image_head_weights=model.image_head.weights,
            )  # fmt: skip
            if fine:
                written = gc.load_model(write_model(tmp_path / "c", **arguments))
                assert written.image_tower == {"tower": CLIP_TOWER, "dim": 768} and written.photo_mean is None
            else:
                with pytest.raises(InputError, match="bundled"):
                    write_model(tmp_path / "b", **arguments)

    @pytest.mark.parametrize(
        ("changes", "error", "match"),
        [
            ({"config": {"encoder": {"kind": "cube"}}}, ModelFileError, "no encoder kind 'cube'"),
            ({"config": {"encoder": "xyz"}}, ModelFileError, "must be an object"),
            ({"config": {"name": None}}, ModelFileError, "field 'name' is missing"),
            ({"config": {"image": None}}, ModelFileError, "reads 1280 numbers.*gives 768"),
            ({"config": {"image": {"tower": "x"}}}, ModelFileError, "field 'image': 'dim' is missing"),
            (
                {"config": {"calibration": {"temperature": 0, "floor": 0}}},
                ModelFileError,
                "temperature must be above 0",
            ),
            ({"config": {"calibration": {"temperature": 0.1}}}, ModelFileError, "'floor' is missing"),
            ({"photo_mean": np.ones(512)}, InputError, "photo_mean must be"),
            ({"image_head_weights": {"0.weight": np.ones((3, 4), np.float32)}}, ModelFileError, "image head weights"),
        ],
    )
    def test_nothing_is_left_of_what_cannot_be_opened(self, encoder, bank, tmp_path, changes, error, match):
        """The error says what is wrong, and the folder is not there."""
        with pytest.raises(error, match=match):
            write_model(tmp_path / "broken", **parts(encoder, bank, **changes))
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_was_changed(self, folder, tmp_path):
        """Every array is checked against its sha256, the mean of photos too."""
        broken = tmp_path / "broken"
        broken.mkdir()
        for file in folder.iterdir():
            (broken / file.name).write_bytes(file.read_bytes())
        content = bytearray((broken / "photos.safetensors").read_bytes())
        content[-1] ^= 1
        (broken / "photos.safetensors").write_bytes(content)
        with pytest.raises(ModelFileError, match="not the file its folder describes"):
            gc.load_model(broken).photo_mean  # noqa: B018


class TestImageHead:
    """Heads of any width."""

    def test_it_is_two_layers(self):
        """Against the formula, written out."""
        weights = head_weights(20)
        features = np.random.default_rng(0).normal(size=(5, 20)).astype(np.float32)
        hidden = np.maximum(features @ weights["0.weight"].T + weights["0.bias"], 0)
        head = ImageHead(weights)
        assert head.dim == 20
        np.testing.assert_allclose(head(features), hidden @ weights["2.weight"].T + weights["2.bias"], rtol=1e-5)
        with pytest.raises(InputError, match=r"shape \(N, 20\); got \(5, 3\)"):
            head(features[:, :3])

    def test_layers_that_do_not_fit_each_other(self):
        """The second must read what the first gives, and give 512."""
        weights = head_weights(20)
        with pytest.raises(ModelFileError, match=r"'2.weight' must be floating with shape \(512, 32\)"):
            ImageHead({**weights, "2.weight": np.ones((512, 31), np.float32)})


class TestGeolocation:
    """Photos, vectors and texts with a model that reads another tower."""

    def test_photos_go_through_the_models_own_tower(self, mine, weak, photo):
        """The same as its features, as one vector or several rows, and as the vector of the shared space."""
        found = gc.geolocate(photo, model=mine)
        assert "weak-efficientnet-lite2 (weak)" in found.provenance["tower"]
        shared = mine.image_head(feature(90)[None])[0]
        for other in (feature(90), feature(90)[None], shared):
            np.testing.assert_allclose(gc.geolocate(other, model=mine).probability, found.probability, rtol=1e-4)
        assert len(gc.geolocate(np.stack([feature(1), feature(2)]), model=mine)) == 2
        np.testing.assert_allclose(found.probability.sum(), 1.0)
        named = gc.geolocate(photo, model=mine, tower="weak")
        np.testing.assert_array_equal(named.probability, found.probability)

    def test_its_own_calibration_and_mean_are_used(self, mine, weak, photo):
        """The temperature and floor of its config; reasons are told from its own mean of photos."""
        found = gc.geolocate(photo, model=mine)
        assert found.provenance["temperature"] == "0.07" and found.provenance["floor"] == "0.1"
        assert calibration_of("image", mine).kernel_km == 0.0
        np.testing.assert_array_equal(mean_of("image", mine), mine.photo_mean)
        assert set(found.concepts["concept"]) <= set(mine.bank.names)
        without = copy.copy(mine)
        without.photo_mean = None
        np.testing.assert_array_equal(mean_of("image", without), np.zeros(512))
        assert len(gc.geolocate(photo, model=mine, rerank=0.5).points)

    def test_no_unit_vector_is_stretched(self, mine):
        """Only CLIP's features have a known length."""
        unit = feature(3) / np.linalg.norm(feature(3))
        expected = mine.image_head(unit[None])[0]
        expected /= np.linalg.norm(expected)
        np.testing.assert_allclose(query_of(unit, mine).vector, expected, rtol=1e-5)

    def test_a_tower_that_does_not_fit(self, mine, photo, weak, model):
        """CLIP with a head for another tower is refused by name; so are CLIP's vectors and texts."""
        with pytest.raises(InputError, match=r"reads photos through tower 'weak-efficientnet-lite2', and tower='clip'"):
            gc.geolocate(photo, model=mine, tower="clip")
        with pytest.raises(InputError, match=r"shape \(1280,\), \(N, 1280\), \(512,\) or \(N, 512\); got \(768,\)"):
            gc.geolocate(np.ones(768), model=mine)
        with pytest.raises(InputError, match="photos only"):
            gc.geolocate("a fjord", model=mine)
        assert model.space == DEFAULT_SPACE

    def test_features_of_other_weights_are_refused(self, encoder, bank, weak, photo, tmp_path, mine):
        """The network that is installed must be the one that the head was trained on."""
        other = reading(mine, {**WEAK, "sha256": "c" * 64})
        with pytest.raises(ModelFileError, match=r"with weights cccccccccccc\.\.\., those installed are aaaaaaaaaaaa"):
            gc.geolocate(photo, model=other)

    def test_a_tower_that_is_not_ours(self, mine, photo):
        """Its photos cannot be read here, its features can."""
        other = reading(mine, {"tower": "dinov2", "dim": WIDTH})
        with pytest.raises(
            InputError, match=r"'dinov2', which is not part of this package: give its features, \(N, 1280\)"
        ):
            gc.geolocate(photo, model=other)
        with pytest.raises(InputError, match="reads no texts"):
            gc.geolocate("a fjord", model=other)
        assert gc.geolocate(feature(1), model=other).provenance["tower"] == "given, dinov2"

    def test_the_weak_map_leads_into_the_bundled_space_only(self, mine, encoder, bank, photo):
        """A CLIP model of another space does not take its vectors."""
        other = reading(mine, {"tower": CLIP_TOWER, "dim": 768})
        with pytest.raises(InputError, match="tower='weak' does not fit"):
            gc.geolocate(photo, model=other, tower="weak")
