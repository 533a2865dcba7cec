"""similar_places: a map that peaks at its seeds, written and drawn like any concept map."""

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.errors import InputError

CAIRO, LONDON = (31.2, 30.0), (-0.1, 51.5)


def test_one_seed_is_most_like_itself(model):
    """The cell of the seed reads 1, every other one less; the numbers are the centred cosine."""
    found = gc.similar_places(CAIRO, (30.7, 29.5, 31.7, 30.5), shape=(5, 5), model=model)
    layer = found.map["similarity"]
    assert float(layer.sel(lat=30.0, lon=31.2, method="nearest")) == pytest.approx(1.0, abs=1e-5)
    assert float(layer.max()) == float(layer.sel(lat=30.0, lon=31.2, method="nearest"))
    mean = model.bank.references["uniform_land"]
    units = model.encode([CAIRO, (31.0, 29.8)])
    z = units / np.linalg.norm(units, axis=1, keepdims=True) - mean
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    assert float(layer.sel(lat=29.8, lon=31.0, method="nearest")) == pytest.approx(float(z[0] @ z[1]), abs=1e-4)
    assert np.isnan(found.agreement)


def test_concepts_that_carry_it(model):
    """Deserts are alike in being deserts; shares add up; the text tells it."""
    found = gc.similar_places(
        [CAIRO, (25.5, 29.2)], (20, 20, 40, 35), resolution=5, model=model, concepts=["BWh", "Cfb", "ET"]
    )
    assert found.concepts["concept"].iloc[0] == "hot desert climate"
    assert found.concepts["share"].sum() == pytest.approx(1.0)
    assert {"percentile", "calibrated", "grade", "weight", "family"} <= set(found.concepts)
    assert 0.1 < found.agreement < 1.0
    assert 0.0 < found.residual < 1.0
    assert "2 places" in str(found)


def test_seeds_that_disagree(model):
    """A warning, on the caller's line, that the mean may stand for none of them."""
    with pytest.warns(UserWarning, match="little in common") as caught:
        gc.similar_places([CAIRO, LONDON, (-60.0, -3.1), (-40.0, 75.0)], (20, 20, 40, 35), resolution=10, model=model)
    assert caught[0].filename == __file__


def test_written_and_drawn_like_any_map(model, tmp_path):
    """GeoTIFF, QGIS style and picture; the file says what the seeds were."""
    pytest.importorskip("matplotlib")
    found = gc.similar_places([CAIRO] * 11, (20, 20, 40, 35), resolution=5, model=model)
    path = gc.write_raster(found.map, tmp_path / "like.tif")
    gc.save_concept_map(found.map, tmp_path / "like.png")
    record = gc.read_provenance(path)
    assert record["seeds"] == "11"
    assert record["seed_positions"].count("(31.20, 30.00)") == 10
    assert record["seed_positions"].endswith("and 1 more")
    assert record["kind"] == "cosine"
    assert found.provenance["seeds"] == "11"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["like.png", "like.qml", "like.tif"]


def test_other_crs_and_vectors(model):
    """A projected map, no mask, seeds given as embeddings."""
    found = gc.similar_places(
        model.encode([CAIRO]), (2.4e6, 1.4e6, 4e6, 3e6), shape=(3, 4), crs="EPSG:3035", mask=None, model=model
    )
    assert found.map["similarity"].dims == ("y", "x")
    assert np.isfinite(found.map["similarity"]).all()
    assert found.provenance["seed_positions"] == "given as vectors"


def test_no_seeds(model):
    """Nothing to be like is refused, by its name."""
    with pytest.raises(InputError, match="seeds holds no place"):
        gc.similar_places(np.empty((0, 2)), resolution=10, model=model)
