"""Settings: what is right is read, what is wrong is named with its line."""

import pytest

from geoconcept_gis.errors import ConfigError
from geoconcept_gis.train.config import TrainConfig, parse_config, read_config

GOOD = """\
name: mine
data:
  train: shards
optim:
  lr: 3e-5
"""


def test_defaults_and_numbers_as_people_write_them():
    config = parse_config(GOOD)
    assert config.optim.lr == 3e-5
    assert config.negatives.size == 4096
    assert config.location_encoder.frozen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: mine\n", "config: data is missing"),
        (GOOD + "  epoch: 3\n", r"config, line 6: optim.epoch is not a setting; did you mean optim.epochs\?"),
        (GOOD.replace("3e-5", "fast"), r"config, line 5: optim.lr: input should be a valid number; got 'fast'"),
        (GOOD.replace("3e-5", "-1.0"), r"config, line 5: optim.lr: input should be greater than 0; got -1.0"),
        (GOOD.replace("3e-5", ".inf"), r"config, line 5: optim.lr: input should be a finite number"),
        (GOOD + "  batch_size: '32'\n", r"line 6: optim.batch_size: input should be a valid integer; got '32'"),
        (GOOD + "  batch_size: true\n", "line 6: optim.batch_size: input should be a valid integer"),
        (GOOD + "optim: {}\n", r"line 6: optim stands there twice, first in line 4"),
        (GOOD + "model:\n - a\n", "line 6: model: input should be a valid string"),
        (GOOD.replace("mine", "../mine"), "line 1: name: string should match pattern"),
        (GOOD + "location_encoder: {kind: xyz}\n", "line 6: a new encoder is random and cannot be frozen"),
        (GOOD + "location_encoder: {settings: {a: 1}}\n", "kind: model keeps those of its model"),
        (GOOD + "places: {loss: none}\nconcepts: {loss: none}\n", "nothing to train on"),
        (GOOD + "concepts: {loss: seen}\n", "line 6: concepts.loss: seen needs concepts.seen"),
        (GOOD + "concepts: {seen: a.csv, control: random}\n", "control: random is for losses on directions"),
        (GOOD + "concepts: {seen: a.csv}\nplaces: {loss: geocells}\n", "seen goes with places.loss: infonce"),
        (GOOD + "concepts: {loss: magic}\n", "line 6: concepts.loss: input should be 'auto', 'none', "),
        ("[1, 2]", "must hold settings, such as 'name: my-model'; it holds list"),
        ("a: [", "config is not valid YAML"),
        ("", "must hold settings"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(text)


def test_all_that_is_wrong_is_named_at_once():
    with pytest.raises(ConfigError, match=r"optim.lr: .*; config, line 6: seeds is not a setting; did you mean seed\?"):
        parse_config(GOOD.replace("3e-5", "fast") + "seeds: 1\n")


def test_settings_can_be_replaced():
    config = parse_config(GOOD, overrides=["optim.lr=1e-3", "concepts.families=[climate]", "run.devices=auto"])
    assert (config.optim.lr, config.concepts.families, config.run.devices) == (1e-3, ["climate"], "auto")


@pytest.mark.parametrize("override", ["optim.lr", "=3", "name.first=x", "optim.lr=[", "optim.rate=3"])
def test_wrong_replacements_are_named(override):
    with pytest.raises(ConfigError):
        parse_config(GOOD, overrides=[override])


def test_paths_start_from_the_file(tmp_path):
    (tmp_path / "base").mkdir()
    file = tmp_path / "run.yaml"
    file.write_text("name: a\nmodel: base\ndata: {train: x, validation: held/out, coordinates: c.csv}\n")
    config = read_config(file)
    assert config.data.train == str(tmp_path / "x")
    assert config.data.validation == str(tmp_path / "held/out")
    assert config.data.coordinates == str(tmp_path / "c.csv")
    assert config.model == str(tmp_path / "base")
    file.write_text("name: a\ndata: {train: x}\n")
    assert read_config(file).model == "geoclip"


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a text file"):
        read_config(tmp_path / "binary.yaml")


def test_the_settings_of_a_run_can_be_read_back():
    config = parse_config(GOOD)
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_the_configs_that_ship_are_good(pytestconfig):
    found = sorted((pytestconfig.rootpath / "configs").glob("*.yaml"))
    ours = {"encoder": "geoconcept-base", "encoder_small": "geoconcept-small"}
    assert {path.stem for path in found} > ours.keys()
    for path in found:
        assert read_config(path).name == ours.get(path.stem, path.stem)
