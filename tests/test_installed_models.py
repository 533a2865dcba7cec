"""Models that are installed: in the package, and in geoconcept-gis-encoders."""

import importlib
import json
import subprocess
import sys

import pytest

import geoconcept_gis as gc
from geoconcept_gis import storage
from geoconcept_gis.errors import MissingDependencyError, ModelFileError
from geoconcept_gis.files import sha256_of
from geoconcept_gis.model import bundled_models
from geoconcept_gis.storage import OUR_ENCODERS, installed_models
from geoconcept_gis.text.lookup import LOOKUP


@pytest.fixture
def another(model, tmp_path, monkeypatch):
    """A package of encoders in which ``geoconcept-base`` is a copy of the bundled model, and nothing else."""
    package = tmp_path / "other_encoders"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('data are found, not run')")
    model.save(package / "models" / "geoconcept-base")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(storage, "_ENCODERS_PACKAGE", "other_encoders")
    importlib.invalidate_caches()
    return package


def test_models_of_the_other_distribution_are_found_by_name(model, another):
    """Beside the bundled ones; their package is not imported."""
    assert bundled_models() == ["geoclip", "geoconcept-base"]
    found = gc.load_model("geoconcept-base")
    assert found.folder == another / "models" / "geoconcept-base" and found.sha256 == model.sha256
    assert gc.load_model().name == "geoclip"
    record = found.provenance("BWh", "calibrated")
    assert gc.check_model(record).verdict == "match"


def test_a_model_that_is_not_installed_names_the_extra(monkeypatch):
    """One of ours: how to get it. Any other: what there is."""
    monkeypatch.setattr(storage, "_ENCODERS_PACKAGE", "no_such_encoders")
    assert bundled_models() == ["geoclip"]
    for name in OUR_ENCODERS:
        with pytest.raises(MissingDependencyError, match=r'pip install "geoconcept-gis\[encoders\]"'):
            gc.load_model(name)
    with pytest.raises(ModelFileError, match=r"neither an installed one \(geoclip\) nor a folder"):
        gc.load_model("geoconcept-large")


class TestOurs:
    """Each model that geoconcept-gis-encoders brings, where it is installed."""

    @pytest.fixture(params=OUR_ENCODERS)
    def folder(self, request):
        pytest.importorskip("geoconcept_gis_encoders", reason="geoconcept-gis-encoders is not installed: ./encoders")
        if request.param not in installed_models():
            pytest.skip(f"{request.param} does not ship yet")
        return installed_models()[request.param]

    def test_it_is_whole(self, folder):
        """Name and space of its own, no jump at seam and poles, every file on record, photos calibrated."""
        model = gc.load_model(folder.name, backend="numpy")
        assert model.name == folder.name and model.space.startswith(f"{folder.name}-")
        assert model.encoder.kind == "tables" and not model.bank.heads()
        for name, sha256 in model.config["files"].items():
            # A wheel leaves the smaller table of words out: the QGIS plugin's.
            assert name == LOOKUP.name or sha256_of(folder / name) == sha256
        assert 0.0 < model.config["calibration"]["temperature"] < 0.1
        assert model.photo_mean.shape == model.text_mean.shape == (512,)
        cairo, london = model.score([[31.2, 30.0], [-0.1, 51.5]], "hot desert climate")[:, 0]
        assert cairo > 0.3 > london

    def test_it_is_no_larger_than_promised(self, folder):
        """8 MB of encoder; and no bank of another space beside it."""
        assert (folder / "location_encoder.safetensors").stat().st_size <= 8_000_000
        assert json.loads((folder / "concepts.json").read_text("utf-8"))["space"] == gc.load_model(folder.name).space

    def test_the_command_takes_its_name(self, folder):
        command = [sys.executable, "-m", "geoconcept_gis", "info", "--model", folder.name]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        assert f"{folder.name} in {folder}" in run.stdout
