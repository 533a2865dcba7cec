"""A whole run: photos in, a model folder out that everything else opens."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

import geoconcept_gis as gc
from geoconcept_gis import gallery
from geoconcept_gis.errors import Cancelled, ConfigError, InputError
from geoconcept_gis.locate import locate
from geoconcept_gis.train.config import parse_config
from geoconcept_gis.train.run import train
from geoconcept_gis.train.shards import write_features
from tests.locate.conftest import small_land, small_photos, small_places
from tests.train.conftest import TOWER

SETTINGS = """
name: towns
data: {train: SHARDS, validation: 0.25, split_by: photo}
image_head: {hidden: 64}
concepts: {loss: kl, weight: 1.0}
negatives: {kind: none}
optim: {epochs: 12, batch_size: 30, lr: 1e-3, schedule: constant}
run: {accelerator: cpu, validation_places: 500}
licence: CC0-1.0
"""


@pytest.fixture(scope="module")
def photos(model, tmp_path_factory):
    """Photos around four towns, whose features tell the place: a random view of the place's own vector."""
    lonlat = small_places()[0]
    rng = np.random.default_rng(5)
    vectors = model.encode(lonlat)
    features = vectors @ rng.normal(size=(512, 96)) / 10.0 + rng.normal(scale=0.02, size=(len(lonlat), 96))
    folder = tmp_path_factory.mktemp("photos") / "shards"
    return write_features(folder, features, lonlat, tower=TOWER)


@pytest.fixture(scope="module", autouse=True)
def small_galleries(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(gallery.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        patch.setattr(gallery, "_photos", small_photos)
        patch.setattr(gallery, "_land", small_land)
        yield
    locate._opened.cache_clear()


def settings(photos, *overrides):
    return parse_config(SETTINGS.replace("SHARDS", str(photos.folder)), overrides=overrides)


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("runs") / "towns"
    train(settings(photos), folder)
    return folder


def test_the_folder_holds_all_that_was_promised(run):
    found = {path.name for path in run.iterdir()}
    assert found >= {
        "model", "config.yaml", "metrics.csv", "validation.csv", "checkpoints", "evaluation.md", "concepts.md",
        "concepts.csv", "predictions.csv", "curve.png",
    }  # fmt: skip
    assert not [name for name in found if name.startswith(".")]
    assert len(pd.read_csv(run / "predictions.csv")) == 40
    assert yaml.safe_load((run / "config.yaml").read_text())["optim"]["batch_size"] == 30


def test_the_model_opens_and_says_what_it_is(run, model):
    mine = gc.load_model(run / "model", backend="numpy")
    assert (mine.name, mine.space, mine.sha256) == ("towns", model.space, model.sha256)
    assert mine.config["image"] == {"tower": "made-up", "sha256": "ab" * 32, "dim": 96}
    assert mine.config["licence"] == "CC0-1.0"
    assert mine.image_head.dim == 96
    assert mine.bank.names == model.bank.names
    np.testing.assert_array_equal(mine.encode([[31.2, 30.0]]), model.encode([[31.2, 30.0]]))


def test_photos_that_were_held_out_are_found(run):
    found = pd.read_csv(run / "predictions.csv")
    km = gc.evaluate(found[["lon", "lat"]].to_numpy(), found[["true_lon", "true_lat"]].to_numpy())
    within = km.table.set_index("metric")["value"]["within 200 km"]
    assert within > 60.0  # 25 % by chance
    text = (run / "evaluation.md").read_text()
    assert "truth in the 90 % area" in text


def test_the_concept_report_measures_photos(run):
    table = pd.read_csv(run / "concepts.csv")
    assert table["agreement"].mean() > 0.3
    text = (run / "concepts.md").read_text()
    assert "byte for byte" in text and "all 343 concepts" in text


def test_the_model_card_holds_the_numbers(run):
    card = (run / "model" / "README.md").read_text()
    for part in ("120 trained on, 40 held out", "made-up, 96 numbers", "kl, weight 1", "CC0-1.0", "within 200 km"):
        assert part in card


def test_geolocate_reads_the_towers_features(run, photos):
    mine = gc.load_model(run / "model", backend="numpy")
    one = gc.geolocate(photos.plain([3])[0], model=mine)
    assert one.points.iloc[0]["probability"] > 0.0
    assert one.provenance["temperature"] == f"{mine.config['calibration']['temperature']:g}"


def test_a_finished_run_is_not_done_again(run, photos):
    with pytest.raises(InputError, match="is finished already"):
        train(settings(photos), run)


def test_a_run_that_was_stopped_goes_on(photos, tmp_path, run):
    with pytest.raises(Cancelled):
        train(settings(photos), tmp_path / "again", progress=lambda done, total: done == 7)
    assert not (tmp_path / "again" / "model").exists()
    train(settings(photos), tmp_path / "again")
    ends = [json.loads((folder / "model" / "config.json").read_text()) for folder in (run, tmp_path / "again")]
    assert ends[0] == ends[1]  # the sha256 of every file is in it


def test_a_new_encoder_gets_a_space_and_a_bank_of_its_own(photos, tmp_path, model, monkeypatch):
    few = model.with_bank(model.bank.subset(["BWh", "Cfb", "glacier scene"]))
    few.save(tmp_path / "few")
    monkeypatch.setenv("GEOCONCEPT_DATA", str(tmp_path / "nowhere"))
    with pytest.warns(UserWarning, match="concept validity was not measured"):
        folder = train(
            settings(
                photos,
                f"model={tmp_path / 'few'}",
                "location_encoder={kind: xyz, frozen: false, settings: {hidden: 32}}",
                "optim.epochs=1",
                "data.validation=0",
            ),
            tmp_path / "own",
        )
    mine = gc.load_model(folder, backend="numpy")
    assert mine.space.startswith("towns-")
    assert mine.encode([[31.2, 30.0]]).shape == (1, 512)
    assert mine.bank.names == few.bank.names
    assert "Not measured" in (folder / "README.md").read_text()
    assert "carried into the new space" in (folder.parent / "concepts.md").read_text()


def test_validation_photos_of_another_tower_are_refused(photos, tmp_path):
    other = write_features(tmp_path / "other", np.ones((4, 96)), [[0.0, 0.0]] * 4, tower={"name": "x", "sha256": "0"})
    with pytest.raises(ConfigError, match="from another tower"):
        train(settings(photos, f"data.validation={other.folder}"), tmp_path / "run")
