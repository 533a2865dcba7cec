"""The engine from QGIS's side: the real worker in another interpreter, and everything that may go wrong with it.

The interpreter is named by the environment variable GEOCONCEPT_ENGINE_PYTHON: one with geoconcept_gis's dependencies
and the weak tower's packages. Without it, what needs no package runs all the same.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Feedback

DEVELOPERS = os.environ.get("GEOCONCEPT_ENGINE_PYTHON")
PHOTOS = Path(os.environ.get("GEOCONCEPT_DATA", ROOT.parent / "shared" / "data")) / "photos" / "free_exif"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")


def environment(folder, *lines, python=None):
    """Make a bare environment; `lines` go into a .pth file, as a package may put them there."""
    subprocess.run([python or "/usr/bin/python3", "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "tests.pth").write_text("\n".join(lines) + "\n")
    return folder / "bin" / "python"


def engine_environment(folder):
    """Make an environment that finds the package when it is started with -I, as an installed one would."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([DEVELOPERS, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    return environment(folder / "env", str(ROOT), site, python=DEVELOPERS)


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """An interpreter with the package."""
    if not DEVELOPERS:
        pytest.skip("GEOCONCEPT_ENGINE_PYTHON names no interpreter")
    return engine_environment(tmp_path_factory.mktemp("engine"))


@pytest.fixture
def engine(python):
    """A fresh engine, not started."""
    from geoconcept.engine.client import Engine

    one = Engine(python)
    yield one
    one.kill()


def photos(count=None):
    found = sorted(PHOTOS.glob("*.jpg"))
    if not found:
        pytest.skip(f"no photos in {PHOTOS}: set GEOCONCEPT_DATA")
    return found if count is None else (found * count)[:count]


def test_real_photos(engine, monkeypatch):
    """Vectors, what read them, progress; also where QGIS's environment is poison for another Python."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    engine.start()
    assert engine.about["towers"]["weak"]["ready"]
    steps = []
    vectors, record = engine.encode_images(photos(), tower="weak", progress=lambda *step: steps.append(step))
    assert vectors.shape == (len(photos()), 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-4)
    assert record["kind"] == "weak" and len(record["sha256"]) == 64
    assert steps[-1][0] == 100
    assert engine.hello()["towers"] == engine.about["towers"]
    folder = Path(engine._folder.name)
    assert list(folder.iterdir()) == []
    engine.close()
    assert not engine.alive and not folder.exists()


def test_an_error_is_told_and_the_engine_lives_on(engine, tmp_path):
    from geoconcept.engine.client import EngineError

    engine.start()
    with pytest.raises(EngineError, match=r"none of the photos can be read.*gone\.jpg"):
        engine.encode_images([tmp_path / "gone.jpg"], tower="weak")
    with pytest.raises(EngineError, match="the clip tower cannot be used"):
        engine.encode_images(photos(1), tower="clip")
    assert engine.alive
    assert engine.encode_images(photos(1), tower="weak")[0].shape == (1, 512)


def test_cancel_takes_less_than_two_seconds(engine):
    """In the middle of a long job."""
    from geoconcept.core.errors import Cancelled

    many = photos(2000)
    engine.start()
    feedback, begun = Feedback(), []
    threading.Timer(4.0, lambda: (begun.append(time.monotonic()), feedback.cancel())).start()
    with pytest.raises(Cancelled):
        engine.encode_images(many, tower="weak", cancelled=feedback.isCanceled)
    assert time.monotonic() - begun[0] < 2.0
    assert not engine.alive


def test_kill_in_the_middle(engine):
    """The system's killer, say, when memory runs out: told, with what it printed last."""
    from geoconcept.engine.client import EngineError

    many = photos(2000)
    engine.start()
    threading.Timer(4.0, lambda: os.kill(engine._process.pid, 9)).start()
    with pytest.raises(EngineError, match=r"ended by itself \(code -9\)"):
        engine.encode_images(many, tower="weak")
    assert not engine.alive


def test_garbage_on_stdout(python, tmp_path):
    """What a package prints when Python starts comes before the protocol: it goes to the log."""
    from geoconcept.engine.client import Engine

    code = "import sys; sys.stdout.write('welcome\\n{\"type\": 3}\\n[1]\\n\\xff\\n'); sys.stdout.flush()"
    [pth] = python.parents[1].glob("lib/python*/site-packages/tests.pth")
    engine = Engine(environment(tmp_path / "env", *pth.read_text().splitlines(), code, python=DEVELOPERS))
    engine.start()
    assert engine.encode_images(photos(1), tower="weak")[0].shape == (1, 512)
    assert "welcome" in engine.log
    engine.close()


@POSIX
def test_a_python_without_the_package(tmp_path):
    """The missing module is named, by the finder and by the engine."""
    from geoconcept.engine.client import Engine, EngineError
    from geoconcept.engine.finder import check

    bare = environment(tmp_path / "env")
    found = check(bare)
    assert not found.ok and "No module named 'geoconcept_gis'" in found.message
    with pytest.raises(EngineError, match="No module named"):
        Engine(bare).start()


def test_no_python_at_all(tmp_path):
    from geoconcept.engine.client import Engine, EngineError
    from geoconcept.engine.finder import check

    assert "is not there" in check(tmp_path / "python").message
    with pytest.raises(EngineError, match="cannot be started"):
        Engine(tmp_path / "python").start()


@POSIX
def test_a_silent_engine_is_ended(tmp_path):
    """A time-out, which answers wind up again; here nothing is ever answered."""
    from geoconcept.engine.client import Engine, EngineError

    mute = environment(tmp_path / "env", "import time; time.sleep(60)")
    begin = time.monotonic()
    with pytest.raises(EngineError, match="said nothing for 1 seconds"):
        Engine(mute).start(timeout=1.0)
    assert time.monotonic() - begin < 5.0


@POSIX
def test_a_slow_check_can_be_stopped(tmp_path):
    from geoconcept.core.errors import Cancelled
    from geoconcept.engine.finder import check

    mute = environment(tmp_path / "env", "import time; time.sleep(60)")
    with pytest.raises(Cancelled):
        check(mute, cancelled=lambda: True)
    assert "no answer in 1 seconds" in check(mute, timeout=1.0).message


def test_it_ends_by_itself(python):
    from geoconcept.engine.client import Engine, EngineError

    engine = Engine(python, idle=0.5)
    engine.start()
    engine._process.wait(timeout=10)
    with pytest.raises(EngineError, match="ended by itself"):
        engine.encode_images(["a.jpg"], tower="weak")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without an engine, and settings without one."""
    from geoconcept.engine import finder
    from qgis.core import QgsSettings

    monkeypatch.setattr(finder, "home", lambda: tmp_path / ".geoconcept")
    QgsSettings().remove(finder.SETTING)
    yield tmp_path / ".geoconcept"
    QgsSettings().remove(finder.SETTING)


def test_the_finder_says_what_is_missing(qgis_app, home, tmp_path):
    """Nothing there: how to get it. A choice that is wrong: what is wrong with it."""
    from geoconcept.engine import finder
    from qgis.core import QgsSettings

    found, text = finder.find()
    assert found is None and "Install it" in text and ".npy" in text
    QgsSettings().setValue(finder.SETTING, str(tmp_path / "python"))
    assert "is not there" in finder.find()[1]


def test_the_finder_finds(qgis_app, home, python):
    """The user's choice first; then what the plugin has made, but nothing unfinished."""
    from geoconcept.engine import finder
    from qgis.core import QgsSettings

    made = home / "engine-9.9"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").symlink_to(python)
    assert finder.candidates() == [made / "bin" / "python"]
    (made / finder.UNFINISHED).touch()
    assert finder.candidates() == []
    QgsSettings().setValue(finder.SETTING, str(python))
    found, _ = finder.find()
    assert found.python == python and found.version


def test_one_engine_for_all(qgis_app, home, python, tmp_path):
    """Started once, again when it is gone or another one was chosen, ended with the plugin."""
    from geoconcept import engine
    from geoconcept.engine import finder
    from qgis.core import QgsSettings

    with pytest.raises(engine.EngineError, match="Install it"):
        engine.running()
    QgsSettings().setValue(finder.SETTING, str(python))
    first = engine.running()
    assert engine.running() is first
    first.kill()
    second = engine.running()
    assert second is not first and second.alive
    (tmp_path / "again").symlink_to(python.parents[1])
    QgsSettings().setValue(finder.SETTING, str(tmp_path / "again" / "bin" / "python"))
    third = engine.running()
    assert third.alive and not second.alive
    engine.stop()
    assert not third.alive


def test_the_base_is_a_real_python(monkeypatch):
    """Whatever sys.executable says: inside QGIS it may be QGIS itself."""
    from geoconcept.engine import finder

    monkeypatch.setattr(sys, "executable", "/usr/bin/qgis")
    base = finder.base_python()
    assert base is not None and base.name.startswith("python")
    assert not finder._is_python(Path("/usr/bin/qgis"), None)


# ---------------------------------------------------------------- installing


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder with one wheel: a package of the engine's name that imports and does nothing."""
    import zipfile

    folder = tmp_path_factory.mktemp("wheels")
    with zipfile.ZipFile(folder / "geoconcept_gis-0.0.1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("geoconcept_gis/__init__.py", "__version__ = '0.0.1'\n")
        wheel.writestr("geoconcept_gis/engine.py", "")
        about = "geoconcept_gis-0.0.1.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: geoconcept-gis\nVersion: 0.0.1\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return folder


@pytest.fixture
def plan(qgis_app, wheels, tmp_path):
    from geoconcept.engine.installer import Plan

    return Plan(
        python="/usr/bin/python3", wheels=str(wheels), requirement="geoconcept-gis==0.0.1",
        folder=tmp_path / "engine-0.0.1", needed=1_000_000,
    )  # fmt: skip


def never():
    return False


@POSIX
def test_install_from_wheels(plan):
    """With consent, from a folder, without a network; the lines are told as they come."""
    from geoconcept.engine.finder import UNFINISHED, check
    from geoconcept.engine.installer import install

    assert str(plan.folder) in plan.question() and plan.wheels in plan.question()
    lines = []
    python = install(plan, True, lines.append, never)
    assert check(python).version == "0.0.1"
    assert not (plan.folder / UNFINISHED).exists()
    assert any("Successfully installed" in line for line in lines)


def test_nothing_without_consent(plan):
    from geoconcept.engine.client import EngineError
    from geoconcept.engine.installer import install

    with pytest.raises(EngineError, match="not answered with yes"):
        install(plan, False, print, never)
    assert not plan.folder.exists()


def test_nothing_on_a_full_disk(plan):
    from geoconcept.engine.client import EngineError
    from geoconcept.engine.installer import install

    plan.needed = 10**18
    with pytest.raises(EngineError, match=r"GB free; the engine needs up to 1000000000\.0 GB"):
        install(plan, True, print, never)
    assert not plan.folder.exists()


@POSIX
def test_cancel_and_go_on(plan):
    """Stopped after the environment was made: marked as unfinished, and taken up again."""
    from geoconcept.core.errors import Cancelled
    from geoconcept.engine.finder import UNFINISHED
    from geoconcept.engine.installer import install

    lines = []
    with pytest.raises(Cancelled):
        install(plan, True, lines.append, lambda: any(" pip install" in line for line in lines))
    assert (plan.folder / UNFINISHED).exists()
    lines.clear()
    assert install(plan, True, lines.append, never).is_file()
    assert any("Going on" in line for line in lines)
    assert not any(" -m venv " in line for line in lines)


@POSIX
def test_a_broken_half_is_replaced(plan):
    """No interpreter in it, or one that does not run: it is made anew. A folder that is not ours is left alone."""
    from geoconcept.engine.client import EngineError
    from geoconcept.engine.finder import UNFINISHED
    from geoconcept.engine.installer import install

    (plan.folder / "bin").mkdir(parents=True)
    (plan.folder / "mine.txt").write_text("keep")
    with pytest.raises(EngineError, match="move it away"):
        install(plan, True, print, never)
    assert (plan.folder / "mine.txt").read_text() == "keep"
    (plan.folder / UNFINISHED).touch()
    (plan.folder / "bin" / "python").write_text("#!/bin/sh\nexit 3\n")
    (plan.folder / "bin" / "python").chmod(0o755)
    assert install(plan, True, lambda line: None, never).is_file()
    assert not (plan.folder / "mine.txt").exists()


@POSIX
def test_a_failing_step_says_why(plan):
    from geoconcept.engine.client import EngineError
    from geoconcept.engine.installer import InstallTask

    plan.requirement = "geoconcept-gis==7.7.7"
    task = InstallTask(plan, True)
    assert not task.run()
    assert "7.7.7" in task.problem
    text = task.diagnostics()
    assert "7.7.7" in text and "QGIS" in text and str(Path.home()) not in text.replace(f"{Path.home()}/.pyenv", "")
    plan.requirement = "geoconcept-gis==0.0.1"
    assert InstallTask(plan, True).run()
    assert EngineError
