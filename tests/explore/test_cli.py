"""The command itself, as a user runs it: a page at a secret address, and an end at once."""

import importlib
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest


def run(*arguments, **options):
    command = [sys.executable, "-m", "geoconcept_gis", "explore", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole groups of processes")
@pytest.mark.parametrize("times", [1, 2])
def test_it_serves_until_ctrl_c(tmp_path, monkeypatch, times):
    """The printed address works, the same without its token does not, and Ctrl-C ends it while it still embeds."""
    monkeypatch.setenv("GEOCONCEPT_CACHE", str(tmp_path))
    command = [sys.executable, "-m", "geoconcept_gis", "explore", "--no-browser", "--model", "geoclip"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        [address] = re.findall(r"http://127\.0\.0\.1:\d+/\S+/", process.stderr.readline())
        with urllib.request.urlopen(address) as page:
            assert b"geoconcept explorer" in page.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen("/".join(address.split("/")[:3]))
        start = time.monotonic()
        for _ in range(times):  # whoever waits for a second presses it again
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert process.wait(30) == 0
        assert time.monotonic() - start < 10
        assert "Traceback" not in process.stderr.read()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("installed", "named", "taken"),
    [
        (["geoclip", "geoconcept-small"], None, "geoconcept-small"),
        (["geoclip"], None, None),
        (["geoclip", "geoconcept-small"], "geoclip", "geoclip"),
    ],
)
def test_the_quick_model_is_taken_where_it_is_installed(monkeypatch, installed, named, taken):
    """Unless another is named; None is the package's default."""
    command = importlib.import_module("geoconcept_gis.cli.explore")
    asked = []

    def stop(model, backend):
        asked.append(model)
        raise InterruptedError

    monkeypatch.setattr("geoconcept_gis.model.bundled_models", lambda: installed)
    monkeypatch.setattr(command, "load", stop)
    with pytest.raises(InterruptedError):
        command.explore(model=named)
    assert asked == [taken]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tiles", "ftp://x/{z}/{x}/{y}"], "tiles must be a web address"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--export", "no/such/folder/site"], "does not exist"),
    ],
)
def test_wrong_options_are_refused_in_one_line(tmp_path, arguments, said):
    """Before anything is served or embedded."""
    done = run("--no-browser", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
