"""What the QGIS plugin runs needs numpy alone: the same code, where nothing else can be imported."""

import json
import subprocess
import sys

import numpy as np
import pytest

from geoconcept_gis import concept_from_places, read_concept
from geoconcept_gis.from_places import THIN_KM, HeldOut, _grid_cells

ABSENT = """
import sys

class Absent:
    names = {names!r}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ImportError(name + " is not to be had here")

sys.meta_path.insert(0, Absent())
"""
NAMES = (
    *("scipy", "sklearn", "pandas", "geopandas", "shapely", "h3", "h3ronpy", "safetensors", "tokenizers", "wordllama"),
    *("torch", "xarray", "rasterio", "pyproj", "pyarrow", "matplotlib", "threadpoolctl"),
)
WORK = """
import json, warnings
import numpy as np
from geoconcept_gis.concept_files import read_concept, write_concept
from geoconcept_gis.concepts.decompose import atoms_of, centre, decompose
from geoconcept_gis.from_places import concept_from_places
from geoconcept_gis.model import load_model
from geoconcept_gis.place_vectors import gather, reference_mean
from geoconcept_gis.text.concept import concept_from_text

model = load_model()
deserts = np.random.default_rng(0).uniform((-10, 20), (35, 29), (60, 2))
held = []
mine = concept_from_places(deserts, name="my desert", background=2000, model=model, inspect=held.append)
words = concept_from_text("dry savanna in Africa", model=model, tower="bundled")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    odd = concept_from_text("qwrtzx savanna", model=model, tower="bundled")
back = read_concept(write_concept(mine, FILE, model), model)
chosen = [*model.select(None), back, words]
group = gather([(25.0, 24.0), (-60.0, -5.0)], model, chosen)
weights = decompose(centre(group.units, reference_mean(model)[1]), atoms_of(chosen))
print(json.dumps({
    "vector": mine.vector.tolist(), "grade": mine.grade, "positive": mine.provenance["positive"],
    "held": [len(held[0].scores), int(held[0].y.sum())],
    "words": words.provenance, "odd": [odd.provenance["unknown_words"], *(str(one.message) for one in caught)],
    "percentile": group.scores["percentile"][:, -2:].tolist(),
    "kept": (weights > 0).sum(axis=1).tolist(),
}))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What came out where nothing but numpy is there."""
    path = tmp_path_factory.mktemp("alone") / "mine.concept"
    code = ABSENT.format(names=NAMES) + WORK.replace("FILE", repr(str(path)))
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), path


def test_a_concept_from_places_is_the_same_but_for_its_grid(alone, model):
    """Thinned by another grid and told from other shores, it points the same way, and says how it was made."""
    found, _ = alone
    deserts = np.random.default_rng(0).uniform((-10, 20), (35, 29), (60, 2))
    here = concept_from_places(deserts, name="my desert", background=2000, model=model)
    assert here.vector @ np.array(found["vector"]) > 0.99
    assert found["grade"] == here.grade
    assert "cell of 2.27 km by 2.27 km" in found["positive"]
    assert "H3 cell of resolution 7" in here.provenance["positive"]
    assert found["held"] == [2060, 60]


def test_words_are_read_off_the_table(alone):
    """The provenance says so, and unknown words are named."""
    found, _ = alone
    assert found["words"]["words"].startswith("only those of the tower's table of 29,999")
    assert found["words"]["nearest"]
    assert found["odd"][0] == "qwrtzx"
    assert "'qwrtzx'" in found["odd"][1]


def test_scores_and_shares_need_no_more(alone):
    """The Sahara reads high on both, the Amazon low; a handful of concepts make up each place."""
    found, _ = alone
    sahara, amazon = found["percentile"]
    assert sahara[0] > 90.0 and amazon[0] < 50.0
    assert all(3 <= count <= 30 for count in found["kept"])


def test_a_concept_file_from_there_is_read_here(alone, model):
    """Byte for byte the same format."""
    found, path = alone
    concept = read_concept(path, model)
    np.testing.assert_array_equal(concept.vector, np.array(found["vector"], dtype=np.float32))


def test_grid_cells_are_as_large_as_they_say():
    """From the equator to the poles, and the seam is no gap."""
    rng = np.random.default_rng(3)
    for lat in (0.0, 45.0, 70.0):
        width = 20.0 / 111.195 / np.cos(np.radians(lat))
        places = np.column_stack([rng.uniform(10, 10 + width, 40_000), rng.uniform(lat, lat + 20 / 111.195, 40_000)])
        cells = len(np.unique(_grid_cells(places)))
        assert pytest.approx(cells, rel=0.25) == (20.0 / THIN_KM) ** 2
    assert len(np.unique(_grid_cells(np.array([[-180.0, 10.0], [180.0, 10.0], [0.0, 90.0], [90.0, 90.0]])))) == 2


def test_held_out_scores_are_those_of_the_test(cheap_model):
    """They give the AUROC that the concept names."""
    from geoconcept_gis.fitting import weighted_auroc

    seen = []
    deserts = np.random.default_rng(0).uniform((-10, 20), (35, 29), (60, 2))
    concept = concept_from_places(deserts, name="x", background=300, model=cheap_model, inspect=seen.append)
    assert isinstance(seen[0], HeldOut)
    assert weighted_auroc(seen[0].scores, seen[0].y)[0] == pytest.approx(concept.validity.value, abs=1e-4)
    assert len(seen[0].lonlat) == len(seen[0].weight) == 360
