"""Calibration on vectors of which only the country is known."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import Cancelled, InputError
from geoconcept_gis.locate import countries as module
from geoconcept_gis.locate.density import Calibration
from geoconcept_gis.locate.priors import make_prior
from geoconcept_gis.locate.vectors import _FITTED
from tests.locate.conftest import TOWNS


@pytest.fixture(scope="module")
def of_cell(surface):
    """The name of the town that each cell is nearest to."""
    lon, lat = surface.lonlat.T
    away = [(lon - x) ** 2 + (lat - y) ** 2 for x, y in TOWNS.values()]
    return np.array(list(TOWNS))[np.argmin(away, axis=0)]


@pytest.fixture(scope="module")
def units(small):
    vectors = small.encode(list(TOWNS.values()))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_losses_are_of_the_true_country(surface, of_cell, units):
    """Minus the log of what the posterior gives its cells, under every temperature and floor."""
    names = np.array(list(TOWNS))
    losses = module._losses(surface, units, names, of_cell, None)
    prior = make_prior(surface)[0]
    for i, j in ((0, 0), (7, 3), (12, 4)):
        one = Calibration(module.TEMPERATURES[i], module.FLOORS[j])
        found = surface.posterior(surface.log_likelihood(units, one.temperature), prior, one)
        expected = [-np.log(row[of_cell == name].sum()) for row, name in zip(found, names, strict=True)]
        np.testing.assert_allclose(losses[:, i, j], expected, rtol=1e-6)


def test_wrong_countries_ask_for_a_higher_floor(surface, of_cell, units):
    """Where half of the vectors lie about their country, the scores are trusted less."""
    names = np.array(list(TOWNS))
    floors = []
    for country in (names, names[[0, 1, 3, 2]]):
        losses = module._losses(surface, units, country, of_cell, None)
        floors.append(module.choose(losses, module.TEMPERATURES, module.FLOORS).floor)
    assert floors == [min(module.FLOORS), max(module.FLOORS)]


def test_progress_can_stop_it(surface, of_cell, units):
    with pytest.raises(Cancelled):
        module._losses(surface, units, np.array(list(TOWNS)), of_cell, lambda done, total: True)


def test_what_is_missing_is_named(model, tmp_path, monkeypatch):
    """The vectors; or a model that reads another tower."""
    (tmp_path / "earth_1deg.csv.gz").touch()
    monkeypatch.setenv("GEOCONCEPT_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"clip_vitl14_country_vectors\.npz is missing"):
        module.calibrate_on_countries(model)
    other = copy.copy(model)
    other.config = {**model.config, "image": {"tower": "dinov2", "dim": 768}}
    with pytest.raises(InputError, match="reads photos through tower 'dinov2'"):
        module.check_tower(other)


def test_the_bundled_file_is_what_it_gives(model):
    """Lengths and means of the bundled file come from the same vectors; the calibration takes the whole galleries."""
    try:
        data_folder()
    except InputError as error:
        pytest.skip(str(error))
    record = json.loads(Path(_FITTED).read_text("utf-8"))
    assert record["source"] == module.SOURCE and record["model_sha256"] == model.sha256
    for kind in ("image", "text"):
        features, country = module._read(data_folder() / module._VECTORS, kind)
        assert len(features) == len(country) > 70
        assert record["native_length"][kind] == pytest.approx(np.linalg.norm(features, axis=1).mean(), abs=0.01)
        assert record["calibration"][kind]["temperature"] in module.TEMPERATURES
        assert record["calibration"][kind]["floor"] in module.FLOORS
