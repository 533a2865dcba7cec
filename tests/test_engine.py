"""The worker as a process: lines of JSON in and out, whatever goes wrong in between."""

import importlib.util
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import geoconcept_gis
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.engine import Worker, towers
from geoconcept_gis.errors import InputError

Image = pytest.importorskip("PIL.Image", reason="photos need pillow")
MISSING = towers()["weak"]["missing"]
needs_weak = pytest.mark.skipif(bool(MISSING), reason=f"the weak tower: {MISSING}")


class Process:
    """A worker process to talk to."""

    def __init__(self, folder, *options, prelude=""):
        code = f"{prelude}\nimport sys\nfrom geoconcept_gis.engine import main\nsys.exit(main(sys.argv[1:]))"
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "--folder", str(folder), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key != "GEOCONCEPT_CLIP_WEIGHTS"},
        )
        # Read all along: a full pipe would stop the worker.
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def line(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, request):
        self.process.stdin.write((request if isinstance(request, str) else json.dumps(request)) + "\n")
        self.process.stdin.flush()

    def answer(self, request):
        """Return the answer, and the progress before it."""
        self.ask(request)
        steps = []
        while (line := self.line())["type"] == "progress":
            steps.append(line)
        return line, steps

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def start(tmp_path):
    """Start a worker: start("--idle", "3", prelude="print(1)")."""
    made = []

    def begin(*options, prelude=""):
        made.append(Process(tmp_path, *options, prelude=prelude))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def photos():
    try:
        return sorted(str(path) for path in (data_folder() / "photos" / "free_exif").glob("*.jpg"))
    except InputError as error:
        pytest.skip(str(error))


@needs_weak
def test_real_photos_become_vectors(start, tmp_path):
    """Those of the weak tower here; one that is no photo takes no place, and EXIF positions are told."""
    from geoconcept_gis.towers.weak import WeakTower

    worker = start()
    ready = worker.line()
    assert ready["type"] == "ready"
    assert ready["version"] == geoconcept_gis.__version__
    assert ready["towers"]["weak"]["ready"]
    paths = photos()
    (tmp_path / "d.jpg").write_bytes(b"no photo")
    result, steps = worker.answer(
        {"id": 1, "op": "encode_images", "paths": [*paths, str(tmp_path / "d.jpg")], "tower": "weak", "out": "v.npy"}
    )
    assert result["type"] == "result", result
    assert (result["kind"], result["rows"]) == ("weak", list(range(len(paths))))
    assert [failure["row"] for failure in result["failures"]] == [len(paths)]
    assert "d.jpg" in result["failures"][0]["message"]
    assert [step["value"] for step in steps] == sorted(step["value"] for step in steps)
    assert steps[-1]["value"] == 100
    vectors = np.load(tmp_path / "v.npy", allow_pickle=False)
    with pytest.warns(UserWarning, match="weak"):
        expected = WeakTower.load().encode_images(paths)
    np.testing.assert_allclose(vectors, expected, atol=2e-3)
    assert sum(one is not None for one in result["exif"]) >= 5
    assert "weak image tower" in result["warning"]
    # It lives on, and the tower is loaded once.
    again, steps = worker.answer({"id": 2, "op": "encode_images", "paths": paths[:1], "tower": "weak", "out": "w.npy"})
    assert (again["id"], again["shape"]) == (2, [1, 512])


def test_clip_goes_through_the_same_door(start, tmp_path):
    """With a small network in CLIP's place: photos and texts, and the name of what read them."""
    prelude = """
import numpy as np
from geoconcept_gis import engine
class Small:
    name, sha256 = "small", "0" * 64
    def encode_images(self, images): return np.stack([np.full(768, np.asarray(i).mean(), np.float32) for i in images])
    def encode_text(self, texts): return np.stack([np.full(768, len(t), np.float32) for t in texts])
engine._clip_tower = lambda weights: (Small(), "")
engine._missing_for_clip = lambda weights: ""
"""
    for k, grey in enumerate((40, 200)):
        Image.new("RGB", (90, 60), (grey,) * 3).save(tmp_path / f"{k}.png")
    one = start(prelude=prelude)
    one.line()
    paths = [str(tmp_path / "0.png"), str(tmp_path / "1.png")]
    images, _ = one.answer({"id": 1, "op": "encode_images", "paths": paths, "out": "i.npy"})
    texts, _ = one.answer({"id": 2, "op": "encode_text", "texts": ["a", "abc"], "out": "t.npy"})
    assert (images["tower"], images["kind"], images["tower_name"]) == ("clip", "image", "small")
    assert texts["kind"] == "text"
    np.testing.assert_allclose(np.load(tmp_path / "i.npy")[:, 0], [40.0, 200.0])
    np.testing.assert_allclose(np.load(tmp_path / "t.npy")[:, 0], [1.0, 3.0])
    one.ask({"op": "quit"})
    assert one.process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("garbage", "a request is an object"),
        ("[1, 2]", "a request is an object"),
        ({"id": 1, "op": "dance"}, "there is no op"),
        ({"id": 1, "op": "encode_images", "paths": [], "out": "v.npy"}, "must be a list of strings"),
        ({"id": 1, "op": "encode_images", "paths": [3], "out": "v.npy"}, "must be a list of strings"),
        ({"id": 1, "op": "encode_images", "paths": ["x.jpg"], "tower": "tall", "out": "v.npy"}, "tower must be"),
        ({"id": 1, "op": "encode_text", "texts": ["a"], "weights": "gone.pt", "out": "v.npy"}, "gone.pt"),
    ],
)
def test_a_wrong_request_is_answered(tmp_path, request_, message):
    """One sentence, and the worker goes on."""
    answers = []
    worker = Worker(tmp_path, answers.append)
    try:
        asked = json.loads(request_) if isinstance(request_, str) else request_
    except ValueError:
        asked = request_
    assert worker.serve(asked)
    assert answers[-1]["type"] == "error"
    assert message in answers[-1]["message"]


@pytest.mark.parametrize("name", ["", "../v.npy", "/v.npy", "v.txt", "a/v.npy"])
def test_nothing_is_written_elsewhere(tmp_path, name):
    """Only plain names in the folder."""
    answers = []
    worker = Worker(tmp_path, answers.append)
    with pytest.raises(InputError, match="plain name"):
        worker._keep({"out": name}, np.zeros((1, 2), np.float32))
    assert list(tmp_path.iterdir()) == []


def test_prints_never_enter_the_protocol(start):
    """Neither Python's nor those of a C library, which writes to file 1 itself."""
    prelude = """
import os
from geoconcept_gis import engine
about = engine.Worker.about
def loud(self, weights=None):
    print("from Python")
    os.write(1, b"from C\\n")
    return about(self, weights)
engine.Worker.about = loud
"""
    one = start(prelude=prelude)
    assert one.line()["type"] == "ready"
    assert one.answer({"id": 5, "op": "hello"})[0]["id"] == 5
    one.ask({"op": "quit"})
    one.process.wait(timeout=10)
    one.reader.join()
    assert [line.strip() for line in one.errors].count("from C") == 2


def test_it_ends_when_nobody_is_there(start):
    """Its stdin ends: the program that started it has ended."""
    one = start()
    one.line()
    one.process.stdin.close()
    assert one.process.wait(timeout=10) == 0


def test_it_ends_when_it_is_forgotten(start):
    one = start("--idle", "0.3")
    one.line()
    assert one.process.wait(timeout=10) == 0


def test_what_is_missing_is_named(monkeypatch):
    """Packages by the name to install, weights by what to do."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "open_clip" else found(name))
    assert "open_clip_torch" in towers()["clip"]["missing"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.delenv("GEOCONCEPT_CLIP_WEIGHTS", raising=False)
    assert "choose a file" in towers()["clip"]["missing"]
    assert "gone.pt" in towers("gone.pt")["clip"]["missing"]


def test_without_any_tower_both_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    answers = []
    Worker(tmp_path, answers.append).serve({"id": 1, "op": "encode_images", "paths": ["x.jpg"], "out": "v.npy"})
    assert "open_clip_torch" in answers[-1]["message"]
    assert "efficientnet-lite-pytorch" in answers[-1]["message"]
