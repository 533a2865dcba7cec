"""How ``auto`` chooses, with fake backends on a fake clock."""

import numpy as np
import pytest

from geoconcept_gis.backends import AUTO_MIN_POINTS, BackendChoice, choice
from geoconcept_gis.errors import BackendError

SMALL, LARGE = AUTO_MIN_POINTS - 1, AUTO_MIN_POINTS


class Fake:
    """Takes a stated time on the fake clock and turns the right vectors by a stated cosine."""

    chunk_size = 1024

    def __init__(self, name, clock, seconds=1.0, cosine=1.0, fails=""):
        self.name, self.clock, self.seconds, self.cosine, self.fails = name, clock, seconds, cosine, fails

    def encode_chunk(self, lonlat):
        if self.fails:
            raise RuntimeError(self.fails)
        self.clock.now += self.seconds
        right = np.zeros((len(lonlat), 512), np.float32)
        right[:, 0], right[:, 1] = self.cosine, np.sqrt(1.0 - self.cosine**2)
        return right


class Clock:
    """A clock that moves only when a fake backend works."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def field(monkeypatch):
    """Return a function that puts fake backends in place of the real ones and gives the choice among them."""
    clock = Clock()
    monkeypatch.setattr(choice.time, "perf_counter", clock)

    def start(asked="auto", **rivals):
        fakes = {name: Fake(name, clock, **traits) for name, traits in rivals.items()}
        monkeypatch.setattr(choice, "_ROUTES", dict.fromkeys(fakes))
        monkeypatch.setattr(choice, "_make", lambda name, encoder: fakes.get(name, encoder))
        return BackendChoice(Fake("numpy", clock), asked)

    return start


def verdicts(found):
    return {trial.name: trial.verdict for trial in found.report}


def test_the_fastest_exact_one_wins(field):
    """Speed decides among those that are exact enough; the report says why each other one is not used."""
    found = field(
        good={"seconds": 0.5},
        best={"seconds": 0.25, "cosine": 0.99995},
        rough={"seconds": 0.1, "cosine": 0.9998},
        slow={"seconds": 2.0},
        broken={"fails": "no such\ninstruction"},
    )
    assert found.pick(LARGE).name == found.name == "best"
    assert verdicts(found) == {
        "numpy": "slower",
        "good": "slower",
        "best": "kept",
        "rough": "dropped: cosine below 0.9999",
        "slow": "slower",
        "broken": "skipped: RuntimeError: no such",
    }
    by_name = {trial.name: trial for trial in found.report}
    assert by_name["best"].points_per_s == pytest.approx(choice._PROBES / 0.25)
    assert by_name["best"].min_cosine == pytest.approx(0.99995)
    assert np.isnan(by_name["broken"].points_per_s)


def test_numpy_stays_where_nothing_beats_it(field):
    """Rivals that fail, are slower, inexact or return NaN leave numpy in place."""
    found = field(a={"fails": ""}, b={"seconds": 3.0}, c={"seconds": 0.1, "cosine": np.nan}, d={"fails": "x"})
    assert found.pick(LARGE).name == "numpy"
    assert verdicts(found)["numpy"] == "kept"
    assert verdicts(found)["c"].startswith("dropped")


def test_small_jobs_stay_on_numpy_before_and_after_the_race(field):
    """A small job's result must not depend on what ran before it."""
    found = field(fast={"seconds": 0.1})
    assert found.pick(SMALL).name == found.name == "numpy"
    assert found.report == []
    assert found.pick(LARGE).name == found.name == "fast"
    assert found.pick(SMALL).name == found.name == "numpy"


def test_the_race_is_run_once(field, monkeypatch):
    """Later large jobs use the winner without another race."""
    found = field(fast={"seconds": 0.1})
    winner = found.pick(LARGE)
    monkeypatch.setattr(choice, "_race", None)
    assert found.pick(10 * LARGE) is winner


def test_a_named_backend_that_is_broken_here_is_refused(field):
    """Asked for by name, a backend may be rough but not wrong."""
    rough, wrong = {"cosine": 0.9995}, {"cosine": 0.9}
    assert field("rough", rough=rough).pick(1).name == "rough"
    with pytest.raises(BackendError, match=r"'wrong' disagrees with the numpy reference.*0\.9000"):
        field("wrong", wrong=wrong)


def test_absent_packages_cost_the_race_nothing(monkeypatch, field):
    """With no optional package installed, the race is numpy alone and says which packages it missed."""
    encoder = field().pick(1)
    monkeypatch.undo()
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: None)
    found = BackendChoice(encoder)
    assert found.pick(LARGE).name == "numpy"
    assert set(verdicts(found)) == set(choice.BACKENDS)
    assert all("MissingDependencyError" in verdict for name, verdict in verdicts(found).items() if name != "numpy")


def test_probe_places_cover_the_sphere():
    """The race's places are on Earth and leave no octant out."""
    lonlat = choice._spread(1024)
    octants = (lonlat[:, 1] > 0) * 4 + np.floor((lonlat[:, 0] + 180) / 90)
    assert np.bincount(octants.astype(int), minlength=8).min() > 100
    assert np.abs(lonlat[:, 1]).max() <= 90
    assert (lonlat[:, 0] >= -180).all()
    assert (lonlat[:, 0] < 180).all()
