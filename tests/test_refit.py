"""All that is fitted in a model's space, made anew: on stand-ins for the long fits, which have tests of their own."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis import refit as module
from geoconcept_gis.bank.carry import carry_bank
from geoconcept_gis.errors import Cancelled, ConceptError, InputError, ModelFileError
from geoconcept_gis.files import sha256_of
from geoconcept_gis.locate.countries import CountryFit
from geoconcept_gis.locate.density import Calibration
from geoconcept_gis.locate.vectors import calibration_of, mean_of
from geoconcept_gis.model_files import rounded, write_model
from geoconcept_gis.storage import read_arrays
from geoconcept_gis.text.build import TextBuild
from geoconcept_gis.text.concept import tower_of
from geoconcept_gis.text.lookup import ADAPTER, ADAPTER_JSON, LOOKUP, WordLookup
from tests.test_encoder_kinds import draw

WORDS = LOOKUP.parent


@pytest.fixture(scope="module")
def plain(model, tmp_path_factory):
    """A model of a space of its own, as training leaves it: a bank that was carried, no words, no calibration."""
    encoder = draw("xyz", hidden=64)
    bank = carry_bank(
        model.with_bank(model.bank.subset(["BWh", "tundra climate", "Cfb"])), encoder, "own-1", places=2000
    )
    return write_model(
        tmp_path_factory.mktemp("models") / "plain",
        config={"name": "plain", "scale_km": [5, 10], "encoder": encoder.record},
        encoder_weights=rounded(encoder.weights),
        image_head_weights=model.image_head.weights,
        bank=bank,
        readme="# plain",
    )


@pytest.fixture(scope="module")
def own(plain):
    """It, opened."""
    return gc.load_model(plain, backend="numpy")


def words_of(space):
    """The package's own words, said to be of another space."""
    record = json.loads((WORDS / ADAPTER_JSON).read_text("utf-8"))
    return TextBuild(read_arrays(WORDS / ADAPTER), read_arrays(LOOKUP), {**record, "space": space})


class Fits:
    """Stand-ins for the three long fits; they count their calls and say which bank the words were given."""

    def __init__(self):
        self.calls, self.fails = [], None

    def _begin(self, step, progress):
        if self.fails == step:
            raise InputError(f"{step} broke")
        self.calls.append(step)
        module.report(progress, 1, 2)

    def build_bank(self, model, *, processes=None, progress=None):
        self._begin("bank", progress)
        return gc.ConceptBank(
            [replace(c, description="fitted anew") for c in model.bank], model.bank.references, space=model.space
        )

    def build_text(self, model, *, progress=None):
        self._begin("text", progress)
        self.read = model.bank["BWh"].description
        return words_of(model.space)

    def calibrate(self, model, *, progress=None):
        self._begin("photos", progress)
        mean = np.full(512, 0.01, np.float32)
        return {
            "image": CountryFit(Calibration(0.03, 0.1), mean, 18.0, 74),
            "text": CountryFit(Calibration(0.02, 0.2), 2 * mean, 12.8, 139),
        }


@pytest.fixture
def fits(monkeypatch):
    made = Fits()
    monkeypatch.setattr("geoconcept_gis.bank.build.build_bank", made.build_bank)
    monkeypatch.setattr("geoconcept_gis.text.build.build_text", made.build_text)
    monkeypatch.setattr("geoconcept_gis.locate.countries.calibrate_on_countries", made.calibrate)
    monkeypatch.setattr(module, "_check_truths", lambda steps: None)
    return made


def test_everything_is_fitted_in_the_models_own_space(plain, fits, tmp_path):
    """Bank, words, calibrations and means are new and used; encoder, head and space stay; every file is on record."""
    told, seen = [], []
    folder = gc.refit_model(
        plain, tmp_path / "new", on_step=lambda *a: told.append(a), progress=lambda *a: seen.append(a)
    )
    assert [step for step, _ in told] == list(module.STEPS) == fits.calls
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1]
    old, new = gc.load_model(plain, backend="numpy"), gc.load_model(folder, backend="numpy")
    assert (new.sha256, new.space, new.name) == (old.sha256, old.space, "plain")
    assert fits.read == new.bank["BWh"].description == "fitted anew"
    for name, sha256 in new.config["files"].items():
        assert sha256_of(folder / name) == sha256
    assert {ADAPTER, LOOKUP.name, "photos.safetensors"} <= set(new.config["files"])
    assert new.config["refit"]["steps"] == list(module.STEPS)
    assert (folder / "README.md").read_text() == "# plain"
    assert tower_of(new).space == "own-1"
    assert gc.concept_from_text("hot desert", model=new).space == "own-1"
    assert len(gc.search_concepts("hot desert", model=new)) == 3
    assert (calibration_of("image", new), calibration_of("text", new)) == (
        Calibration(0.03, 0.1),
        Calibration(0.02, 0.2),
    )
    assert (mean_of("image", new)[0], mean_of("text", new)[0]) == pytest.approx((0.01, 0.02))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]
    # A copy keeps them.
    again = gc.load_model(new.save(tmp_path / "again"))
    assert tower_of(again).space == "own-1" and calibration_of("text", again).floor == 0.2


def test_it_goes_on_where_it_was_stopped(plain, fits, tmp_path):
    """What a step has made is kept when the next one fails or is stopped; nothing stands under the final name."""
    fits.fails = "text"
    with pytest.raises(InputError, match="text broke"):
        gc.refit_model(plain, tmp_path / "new")
    fits.fails = None
    with pytest.raises(Cancelled):
        gc.refit_model(plain, tmp_path / "new", progress=lambda done, total: done > 0.9 * total)
    assert not (tmp_path / "new").exists()
    told = []
    gc.refit_model(plain, tmp_path / "new", on_step=lambda *a: told.append(a))
    assert fits.calls.count("bank") == 1
    assert next(step for step, seconds in told if seconds == 0.0) == "bank"
    assert fits.read == "fitted anew"


def test_what_another_job_left_is_not_mixed_in(plain, fits, tmp_path):
    """Neither another model's steps, nor words that were made beside another choice of steps."""
    fits.fails = "photos"
    with pytest.raises(InputError, match="photos broke"):
        gc.refit_model(plain, tmp_path / "new", without=["bank"])
    fits.fails = None
    with pytest.raises(InputError, match="what is left of another job"):
        gc.refit_model(plain, tmp_path / "new")


def test_steps_can_be_left_out(plain, fits, tmp_path):
    """What the old folder has of them is kept; the rest is made anew."""
    first = gc.refit_model(plain, tmp_path / "first", without="photos")
    assert "calibration" not in gc.load_model(first).config
    second = gc.refit_model(first, tmp_path / "second", without=["bank", "text"])
    assert fits.calls == ["bank", "text", "photos"]
    model = gc.load_model(second)
    assert tower_of(model).space == "own-1" and model.bank["Cfb"].description == "fitted anew"
    assert gc.load_model(first).config["refit"]["steps"] == ["bank", "text"]
    assert model.config["refit"]["steps"] == ["bank", "text", "photos"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"without": ["words"]}, "no step 'words'; the steps are bank, text, photos"),
        ({"folder": "there"}, "exists already"),
        ({"folder": "nowhere/new"}, "nowhere does not exist"),
    ],
)
def test_what_cannot_work_is_refused_at_once(plain, fits, tmp_path, change, message):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(InputError, match=message):
        gc.refit_model(plain, tmp_path / change.get("folder", "new"), without=change.get("without", ()))
    assert fits.calls == [] and [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_model_of_another_tower_leaves_photos_out(plain, fits, tmp_path):
    """Vectors whose country is known are CLIP's alone."""
    other = gc.load_model(plain, backend="numpy").save(tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"image": {"tower": "dinov2", "dim": 768}}))
    with pytest.raises(InputError, match=r"'dinov2'.*leave the step 'photos' out"):
        gc.refit_model(other, tmp_path / "new")
    assert gc.load_model(gc.refit_model(other, tmp_path / "new", without="photos")).name == "plain"


def test_the_command_says_what_is_missing(plain, tmp_path):
    """Without ground truth: one line that names the variable; with every step left out, a copy."""
    command = [sys.executable, "-m", "geoconcept_gis", "refit", str(plain), "-o", str(tmp_path / "new")]
    environment = os.environ | {"GEOCONCEPT_DATA": str(tmp_path)}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert run.returncode == 1 and run.stderr.count("\n") == 1
    assert "set GEOCONCEPT_DATA" in run.stderr
    assert list(tmp_path.iterdir()) == []
    command += [part for step in module.STEPS for part in ("--without", step)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert run.returncode == 0, run.stderr
    assert gc.load_model(tmp_path / "new").sha256 == gc.load_model(plain).sha256


class TestSpacesAreNotMixed:
    """Words, calibrations and galleries of one space with a model of another."""

    def test_words(self, own):
        """The package's words read the bundled model's space; the error says what to do."""
        for ask in (gc.concept_from_text, gc.search_concepts):
            with pytest.raises(ConceptError, match=r"space 'geoclip-1.3.0', the model has 'own-1'.*`geoconcept refit"):
                ask("hot desert", model=own)

    def test_words_in_the_wrong_folder(self, own, tmp_path):
        """Words of one model copied to another, records and all."""
        folder = own.save(tmp_path / "wrong")
        words_of("own-2").save(folder)
        self._list(folder, ADAPTER)
        with pytest.raises(ConceptError, match="space 'own-2', the model has 'own-1'"):
            gc.concept_from_text("hot desert", model=folder)

    def test_words_that_are_not_those_on_record(self, own, tmp_path):
        """The table that QGIS reads is checked as the tower's own is."""
        for name in (ADAPTER, LOOKUP.name):
            folder = own.save(tmp_path / f"changed {name}")
            words_of("own-1").save(folder)
            if name == LOOKUP.name:
                (folder / ADAPTER).unlink()
            self._list(folder, name, "0" * 64)
            with pytest.raises(ModelFileError, match="not the file its folder describes"):
                gc.concept_from_text("hot desert", model=folder)

    def test_the_smaller_table_alone(self, own, tmp_path):
        """As in QGIS, whose plugin leaves the tower out."""
        folder = own.save(tmp_path / "small")
        words_of("own-1").save(folder)
        (folder / ADAPTER).unlink()
        self._list(folder, ADAPTER, "0" * 64)
        self._list(folder, LOOKUP.name)
        assert isinstance(tower_of(gc.load_model(folder)), WordLookup)
        (folder / LOOKUP.name).unlink()
        with pytest.raises(ModelFileError, match=ADAPTER):
            gc.concept_from_text("hot desert", model=folder)

    def test_photos(self, own):
        """Without a calibration in the model's space no probability is told; the weak map has its own."""
        with pytest.raises(ConceptError, match=r"no calibration in it.*`geoconcept refit .* -o NEW_FOLDER`"):
            calibration_of("image", own)
        bundled = gc.load_model(backend="numpy")
        assert calibration_of("weak", bundled) == calibration_of("weak")

    def test_caches(self, own, model):
        """Each model's galleries, and its world in the explorer, are kept under its own weights."""
        from geoconcept_gis.explore.world import _key
        from geoconcept_gis.gallery import _path

        assert _path(own, "photos") != _path(model, "photos") and _path(own, "land") != _path(model, "land")
        assert _key(own) != _key(model)

    def test_concepts_and_products(self, own, model, tmp_path):
        """.concept files, banks, concepts as objects, and files made with another model."""
        file = gc.write_concept(model.bank["BWh"], tmp_path / "desert.concept", model)
        with pytest.raises(ConceptError, match="does not fit model 'plain'"):
            gc.read_concept(file, own)
        with pytest.raises(ConceptError, match="cannot be mixed"):
            own.with_bank(model.bank)
        with pytest.raises(ConceptError, match=r"space 'geoclip-1.3.0'"):
            own.score([[31.2, 30.0]], model.bank["BWh"])
        assert gc.check_model(model.provenance("BWh", "calibrated"), own).verdict == "other"

    def test_banks_and_encoders_in_one_folder(self, own, model, tmp_path):
        """A bank that was copied over another's is refused as the folder is opened."""
        folder = own.save(tmp_path / "mixed")
        for name in ("concepts.json", "concepts.safetensors"):
            shutil.copyfile(Path(model.folder) / name, folder / name)
        with pytest.raises(ModelFileError, match=r"bank lives in space 'geoclip-1.3.0', the encoder in 'own-1'"):
            gc.load_model(folder)

    @staticmethod
    def _list(folder, name, sha256=None):
        config = json.loads((folder / "config.json").read_text())
        config["files"][name] = sha256 or sha256_of(folder / name)
        (folder / "config.json").write_text(json.dumps(config))
