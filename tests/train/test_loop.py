"""The training loop: it learns, it resumes to the same bits, several processes train like one."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from geoconcept_gis.errors import Cancelled, ConfigError, InputError, ModelFileError
from geoconcept_gis.train.job import learning_rate, split
from geoconcept_gis.train.loop import fit

from .conftest import SETTINGS


def weights(fitted):
    return {name: value.clone() for name, value in fitted.alignment.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def halves(shards):
    return split(shards, 0.2, "group", 0)


def test_it_learns(shards, config):
    rows, held_out = halves(shards)
    fitted = fit(shards, config("optim.epochs=12", "optim.schedule=constant"), rows=rows, validation_rows=held_out)
    assert len(fitted.history) == 12
    assert fitted.history[-1]["score"] > fitted.history[0]["score"]
    assert fitted.history[fitted.best_epoch - 1]["score"] == max(h["score"] for h in fitted.history)


@pytest.mark.parametrize(
    "settings",
    [
        ["places.loss=two-sided"],
        ["places.loss=smoothed", "places.tau_km=500"],
        ["places.loss=none", "concepts.loss=mse"],
        ["concepts.loss=none"],
        ["concepts.loss=infonce", "concepts.image=mlp"],
        ["concepts.loss=cauchy-schwarz", "concepts.learn_offset=true", "concepts.offset_decay=0.1"],
        ["concepts.loss=divergence", "concepts.control=shuffled"],
        ["concepts.control=random"],
        ["negatives.kind=none"],
        ["negatives.kind=gallery"],
        ["location_encoder={kind: model, frozen: true}"],
        ["location_encoder={kind: model, frozen: true}", "negatives.kind=gallery"],
        ["location_encoder={kind: model, frozen: true}", "places.loss=geocells", "places.geocell_fewest=3"],
        ["location_encoder={kind: sh-siren, frozen: false, settings: {degree: 6, hidden: 32}}"],
        ["optim.accumulate=2", "optim.clip_norm=1.0", "optim.schedule=cosine", "optim.warmup_steps=2"],
        ["run.precision=bf16-mixed"],
        ["image_head.dropout=0.3"],
    ],
    ids=lambda settings: " ".join(settings),
)
def test_every_setting_trains_and_repeats(shards, config, settings):
    wanted = config("optim.epochs=1", "optim.batch_size=64", *settings)
    one, two = (fit(shards, wanted) for _ in range(2))
    start = fit(shards, config("optim.epochs=1", "optim.batch_size=64", "optim.lr=1e-12", *settings))
    assert same(weights(one), weights(two))
    assert not torch.equal(one.alignment.image_head[1].weight, start.alignment.image_head[1].weight)
    assert all(torch.isfinite(value).all() for value in weights(one).values())


def test_a_frozen_encoder_does_not_change(shards, config, model):
    fitted = fit(shards, config("location_encoder={kind: model, frozen: true}", "optim.epochs=1"), model=model)
    state = fitted.alignment.location_encoder.state_dict()
    assert all(np.array_equal(state[name].numpy(), value) for name, value in model.encoder.weights.items())


def test_another_seed_gives_another_model(shards, config):
    one, two = (fit(shards, config("optim.epochs=1", f"seed={seed}")) for seed in (0, 1))
    assert not same(weights(one), weights(two))


@pytest.mark.parametrize("stop", [1, 4, 6, 7, 11])
def test_stopped_and_resumed_is_the_same(shards, config, tmp_path, stop):
    """Whole epochs are 6 steps: before, at and after the end of one, in either half of the run."""
    rows, held_out = halves(shards)
    wanted = config("image_head.dropout=0.2", "run.checkpoint_steps=4")
    through = fit(shards, wanted, rows=rows, validation_rows=held_out, folder=tmp_path / "through")
    with pytest.raises(Cancelled):
        fit(
            shards,
            wanted,
            rows=rows,
            validation_rows=held_out,
            folder=tmp_path / "stopped",
            progress=lambda done, total: done == stop,
        )
    assert (tmp_path / "stopped" / "checkpoints" / f"step-{stop:09d}").is_dir()
    resumed = fit(shards, wanted, rows=rows, validation_rows=held_out, folder=tmp_path / "stopped")
    assert same(weights(through), weights(resumed))
    assert through.history == resumed.history
    columns = ("step", "epoch", "learning_rate", "loss", "places", "concepts")
    lines = [
        [tuple(row[name] for name in columns) for row in csv.DictReader(path.read_text().splitlines())]
        for path in (tmp_path / "through" / "metrics.csv", tmp_path / "stopped" / "metrics.csv")
    ]
    assert lines[0] == lines[1] and len(lines[0]) == through.steps


SCRIPT = """
import sys
import torch
torch.set_num_threads(1)
from pathlib import Path
from geoconcept_gis.train import open_source
from geoconcept_gis.train.config import parse_config
from geoconcept_gis.train.loop import fit
from safetensors.torch import save_file

shards, folder = sys.argv[1:3]
say = lambda done, total: print(done, flush=True)
fitted = fit(open_source(shards), parse_config(sys.argv[3]), folder=Path(folder), progress=say)
end = {name: value.contiguous() for name, value in fitted.alignment.state_dict().items()}
save_file(end, Path(folder) / f"end-{fitted.steps}.safetensors")
"""


def command(shards, folder, settings):
    return [sys.executable, "-c", SCRIPT, str(shards.folder), str(folder), settings]


def test_killed_and_resumed_is_the_same(shards, tmp_path):
    """SIGKILL, at steps nobody chose, again and again until the run is through."""
    settings = SETTINGS.replace("run: {", "run: {checkpoint_steps: 2, ")
    subprocess.run(command(shards, tmp_path / "through", settings), check=True, stdout=subprocess.DEVNULL)
    kills = 0
    for patience in (3, 8, 13):
        with subprocess.Popen(command(shards, tmp_path / "killed", settings), stdout=subprocess.PIPE, text=True) as run:
            for line in run.stdout:
                if int(line) >= patience:
                    time.sleep(0.01)
                    run.send_signal(signal.SIGKILL)
                    break
        kills += run.returncode == -signal.SIGKILL
    assert kills == 3
    subprocess.run(command(shards, tmp_path / "killed", settings), check=True, stdout=subprocess.DEVNULL)
    ends = [next((tmp_path / name).glob("end-*.safetensors")) for name in ("through", "killed")]
    assert ends[0].name == ends[1].name
    assert ends[0].read_bytes() == ends[1].read_bytes()


def test_two_processes_train_like_one(shards, tmp_path):
    """Two processes of 16 photos a step see what one of 32 sees; sums in another order differ in the last digits."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT, encoding="utf-8")
    plain = SETTINGS.replace("negatives: {size: 100}", "negatives: {size: 100, noise_km: 0.0, batch_noise_km: 0.0}")
    two = plain.replace("batch_size: 32", "batch_size: 16").replace("run: {", "run: {devices: 2, ")
    for name, settings in (("one", plain), ("two", two)):
        done = subprocess.run(
            [sys.executable, str(script), str(shards.folder), str(tmp_path / name), settings],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
        assert done.returncode == 0, done.stderr[-2000:]
    from safetensors.torch import load_file

    one, both = (load_file(next((tmp_path / name).glob("end-*.safetensors"))) for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(both[name], one[name], rtol=1e-3, atol=1e-4)


def test_checkpoints_of_other_settings_are_refused(shards, config, tmp_path):
    fit(shards, config("optim.epochs=1"), folder=tmp_path)
    with pytest.raises(ConfigError, match=r"\(optim differ\): choose another"):
        fit(shards, config("optim.lr=0.5"), folder=tmp_path)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(shards, config, tmp_path):
    wanted = config("run.checkpoint_steps=2")
    through = fit(shards, wanted, folder=tmp_path)
    kept = sorted((tmp_path / "checkpoints").iterdir())
    assert len(kept) == 2
    damaged = kept[-1] / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert same(weights(fit(shards, wanted, folder=tmp_path)), weights(through))
    for folder in (tmp_path / "checkpoints").iterdir():
        (folder / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"no checkpoint in .* can be read"):
        fit(shards, wanted, folder=tmp_path)


def test_training_ends_when_it_gets_no_better(shards, config):
    rows, held_out = halves(shards)
    wanted = config("optim.epochs=30", "optim.lr=1e-9", "run.patience=2")
    fitted = fit(shards, wanted, rows=rows, validation_rows=held_out)
    assert len(fitted.history) < 30
    assert len(fitted.history) - fitted.best_epoch == 2


def test_a_loss_that_explodes_is_an_error(shards, config):
    with pytest.raises(ConfigError, match=r"the loss is (nan|inf) at step"):
        fit(shards, config("optim.lr=1e30", "concepts.loss=mse"))


def test_too_few_photos_are_an_error(shards, config):
    with pytest.raises(InputError, match="batch_size"):
        fit(shards, config("optim.batch_size=500"))


def test_an_image_head_of_another_width_is_refused(shards, config):
    with pytest.raises(ConfigError, match=r"reads 768 numbers a photo, these features have 64"):
        fit(shards, config("image_head.start=model"))


def test_unknown_families_are_refused(shards, config):
    with pytest.raises(ConfigError, match=r"concepts.families: weather unknown; the bank of 'geoclip' has climate"):
        fit(shards, config("concepts.families=[weather]"))


@pytest.mark.parametrize("by", ["group", "cell", "photo"])
def test_split_keeps_together_what_belongs_together(shards, by):
    rows, held_out = split(shards, 0.25, by, 1)
    assert not set(rows) & set(held_out)
    assert len(rows) + len(held_out) == len(shards)
    assert 0.1 * len(shards) <= len(held_out) <= 0.25 * len(shards)
    if by == "group":
        assert not set(shards.group[rows]) & set(shards.group[held_out])


def test_tensorboard_files_are_written(shards, config, tmp_path):
    fit(shards, config("optim.epochs=1", "run.tensorboard=true"), folder=tmp_path)
    assert list((tmp_path / "tensorboard").iterdir())


def test_learning_rates(config):
    cosine = config("optim.schedule=cosine", "optim.lr=1.0", "optim.warmup_steps=4")
    rates = [learning_rate(cosine, step, 10) for step in range(30)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[4]
    assert rates[-1] < 0.01
    assert learning_rate(config("optim.schedule=constant", "optim.lr=0.5"), 29, 10) == 0.5
