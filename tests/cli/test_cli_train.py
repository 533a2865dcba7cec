"""`geoconcept train` as users run it."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.train.shards import write_features

CONFIG = """
name: tiny
data: {train: shards, validation: 0}
image_head: {hidden: 16}
concepts: {loss: none}
negatives: {kind: none}
optim: {epochs: EPOCHS, batch_size: 20}
run: {accelerator: cpu}
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    lonlat = np.column_stack([rng.uniform(-10, 30, 60), rng.uniform(36, 60, 60)])
    write_features(tmp_path / "shards", rng.normal(size=(60, 8)), lonlat, tower={"name": "made-up", "sha256": "0" * 64})
    (tmp_path / "tiny.yaml").write_text(CONFIG.replace("EPOCHS", "2"), encoding="utf-8")
    return tmp_path


def geoconcept(folder, *words):
    command = [sys.executable, "-m", "geoconcept_gis", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_a_model_comes_out(folder):
    done = geoconcept(folder, "train", "tiny.yaml", "--set", "optim.epochs=1")
    assert done.returncode == 0, done.stderr
    assert "runs/tiny/model: the model; open it with geoconcept_gis.load_model" in done.stderr
    assert gc.load_model(folder / "runs" / "tiny" / "model").image_head.dim == 8
    again = geoconcept(folder, "train", "tiny.yaml")
    assert again.returncode == 1
    assert "is finished already" in again.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.yaml"], "cannot read none.yaml"),
        (["tiny.yaml", "-s", "optim.epoch=1"], "optim.epoch is not a setting; did you mean optim.epochs?"),
        (["tiny.yaml", "-s", "data.train=nowhere"], "nowhere"),
        (["tiny.yaml", "-s", "model=unheard-of"], "no model 'unheard-of'"),
        (["tiny.yaml", "-s", "run.accelerator=cuda"], "run.accelerator"),
    ],
)
def test_errors_are_one_line(folder, words, message):
    done = geoconcept(folder, "train", *words)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(folder):
    (folder / "tiny.yaml").write_text(CONFIG.replace("EPOCHS", "100000"), encoding="utf-8")
    command = [sys.executable, "-m", "geoconcept_gis", "train", "tiny.yaml", "-o", "out", "-s", "run.log_steps=1"]
    metrics = folder / "out" / "metrics.csv"
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ.copy()) as run:
        while run.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") > 5):
            pass
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=120)[1]
    assert run.returncode == 1
    assert "stopping after this step" in said and "stopped after" in said
    [*_, last] = sorted((folder / "out" / "checkpoints").iterdir())
    step = int(last.name.removeprefix("step-"))
    epochs = step // 3 + 1
    done = geoconcept(
        folder, "train", "tiny.yaml", "-o", "out", "-s", f"optim.epochs={epochs}", "-s", "run.log_steps=1"
    )
    assert done.returncode == 0, done.stderr
    assert int(metrics.read_text().splitlines()[-1].split(",")[0]) == 3 * epochs
