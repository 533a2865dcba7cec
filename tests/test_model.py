"""The model: loading, scoring, provenance, files that are not what they say."""

import base64
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis.concepts import Calibration, ConceptBank, Validity
from geoconcept_gis.errors import BackendError, Cancelled, ConceptError, CoordinateError, InputError, ModelFileError
from geoconcept_gis.model import bundled_models

PLACES = np.array([[31.2, 30.0], [-0.1, 51.5], [-60.0, -3.1], [100.0, 60.0]])


@pytest.fixture(scope="module")
def model():
    return gc.load_model(backend="numpy")


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "model")


def test_bundled_model_is_whole(model):
    """The default model ships in the package, with its concepts and its card."""
    assert "geoclip" in bundled_models()
    assert model.encode(PLACES).shape == (4, 512)
    assert len(model.bank) == len(model.concepts)
    assert (model.folder / "README.md").is_file()
    assert (model.folder / "LICENSE").is_file()


def test_climate_concepts_reach_the_bar(model):
    """The climates found by their Koeppen letters have a mean held-out AUROC of at least 0.95."""
    table = model.concepts.set_index("name")
    letters = [
        "Af",
        "Am",
        "Aw",
        "BWh",
        "BWk",
        "BSh",
        "BSk",
        "Csa",
        "Csb",
        "Cfa",
        "Cfb",
        "Dfa",
        "Dfb",
        "Dfc",
        "ET",
        "EF",
    ]
    climates = table.loc[[concept.name for concept in model.bank.select(letters)]]
    assert (climates["metric"] == "AUROC").all()
    assert climates["validity"].mean() >= 0.95
    assert table.index.is_unique
    assert (table["low"] <= table["validity"])[table["low"].notna()].all()


def small_bank(model):
    """Three bundled concepts with what the table shows, one of them of grade D."""
    parts = [
        {"grade": "A", "failure": "Salt flats read high.", "calibration": Calibration(30.0, -3.0, 0.01, 0.14)},
        {"grade": "D", "validity": Validity("AUROC", 0.6, controls={"moved labels": 0.61, "position only": 0.7})},
        {"validity": None, "calibration": None, "grade": None},
    ]
    concepts = zip(model.bank.select(["BWh", "Cfb", "ET"]), parts, strict=True)
    return ConceptBank(
        [replace(concept, **part) for concept, part in concepts], model.bank.references, space=model.space
    )


def test_table_of_concepts(model):
    """One row a concept, hidden ones too; one column a control; what is not known is empty."""
    table = model.with_bank(small_bank(model)).concepts.set_index("name")
    assert table["grade"].tolist()[:2] == ["A", "D"]
    assert table.loc["hot desert climate", "failure"] == "Salt flats read high."
    assert table.loc["hot desert climate", "prevalence"] == 0.14
    assert table.loc["oceanic climate", "control_moved_labels"] == 0.61
    assert table.loc["oceanic climate", "control_position_only"] == 0.7
    assert table.loc["tundra climate", ["validity", "low", "ece", "control_moved_labels"]].isna().all()
    assert set(table["reference"]) <= set(model.bank.references)
    empty = model.with_bank(ConceptBank([], model.bank.references, space=model.space)).concepts
    assert len(empty) == 0
    assert {"name", "grade", "column"} <= set(empty.columns)


def test_with_bank(model, tmp_path):
    """Same encoder, other concepts; the first model stays as it was; hash and files are those of the bank in use."""
    other = model.with_bank(small_bank(model))
    assert other.encoder is model.encoder
    assert other.backend == model.backend
    np.testing.assert_array_equal(other.score(PLACES, "BWh", kind="cosine"), model.score(PLACES, "BWh", kind="cosine"))
    assert "hot desert climate" in model.bank
    assert [concept.name for concept in other.select(None)] == ["hot desert climate", "tundra climate"]
    assert other.score(PLACES, kind="cosine").shape == (4, 2)
    assert other.provenance(None, "cosine")["concepts"] == "hot desert climate; tundra climate"
    assert other.bank_sha256 != model.bank_sha256
    again = gc.load_model(other.save(tmp_path / "mine"), backend="numpy")
    assert not again.bank.diff(other.bank)
    assert again.bank_sha256 == other.bank_sha256
    assert again.with_bank(again.bank).bank_sha256 == again.bank_sha256
    with pytest.raises(ConceptError, match="space 't', model 'geoclip'"):
        model.with_bank(ConceptBank([], {}, space="t"))
    with pytest.raises(ConceptError, match="must be a ConceptBank"):
        model.with_bank(model)


def test_concepts_find_their_places(model):
    """Cairo is hot desert, Manaus rainforest, Siberia subarctic, and each more than the other places."""
    names = ["hot desert climate", "oceanic climate", "tropical rainforest climate", "subarctic climate"]
    for kind in ("cosine", "calibrated", "percentile"):
        scores = model.score(PLACES, names, kind=kind)
        assert (scores.argmax(axis=0) == [0, 1, 2, 3]).all(), kind


def test_score_equals_scoring_the_embedding(model):
    """Encoding and projecting in chunks is the same as doing it in two steps, but for concepts with a head."""
    rng = np.random.default_rng(0)
    places = np.stack([rng.uniform(-180, 180, 3000), rng.uniform(-90, 90, 3000)], axis=1)
    plain = [concept for concept in model.bank.shown if concept.head is None]
    np.testing.assert_allclose(model.score(places, plain), model.score_vectors(model.encode(places), plain), atol=1e-5)


def test_zero_rows(model):
    """No places, no rows, right shapes."""
    assert model.encode(np.empty((0, 2))).shape == (0, 512)
    assert model.score([]).shape == (0, len(model.bank.shown))


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90), turns=st.sampled_from([-360, 0, 360]))
def test_any_place_has_finite_scores(model, lon, lat, turns):
    """Every place on Earth gets scores in range, whatever turn its longitude is written in."""
    if abs(lon + turns) > 360:
        return
    scores = model.score([[lon + turns, lat]])
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(scores, model.score([[lon, lat]]), atol=1e-3)


def test_progress_counts_and_cancels(model):
    """The callback sees rising counts up to the total, and stops the work by returning true."""
    seen = []
    model.encode(np.zeros((2500, 2)), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1024, 2500), (2048, 2500), (2500, 2500)]
    with pytest.raises(Cancelled, match="1,024 of 2,500"):
        model.score(np.zeros((2500, 2)), progress=lambda done, total: True)


def test_wrong_input_is_named(model):
    """Bad coordinates, concepts, vectors, kinds and backends say what was wrong."""
    with pytest.raises(CoordinateError, match="row 1"):
        model.score([[0, 0], [0, 91]])
    with pytest.raises(ConceptError, match="no concept 'warm sand'"):
        model.score(PLACES, "warm sand")
    with pytest.raises(InputError, match="kind must be one of"):
        model.score(PLACES, kind="z")
    with pytest.raises(InputError, match=r"\(N, 512\)"):
        model.score_vectors(np.zeros((2, 3)))
    with pytest.raises(BackendError, match="no backend 'abacus'"):
        gc.load_model(backend="abacus")


def test_provenance_carries_what_a_product_needs(model):
    """Model, sha256, concepts, the reference mean itself and the scale are all there, as text."""
    record = model.provenance(["BWh", "ET"], "calibrated")
    assert record["model_sha256"] == model.sha256
    assert record["concepts"] == "hot desert climate; tundra climate"
    assert record["scale_km"] == "5-10"
    mean = np.frombuffer(base64.b64decode(record["reference_mean_f32_base64"]), "<f4")
    np.testing.assert_array_equal(mean, model.bank.references["uniform_land"])
    assert all(isinstance(value, str) for value in record.values())
    assert "concepts" not in model.provenance()


def test_save_and_load(model, folder):
    """A saved model gives the same numbers; a folder in use is not overwritten."""
    again = gc.load_model(folder, backend="numpy")
    np.testing.assert_array_equal(again.score(PLACES), model.score(PLACES))
    assert again.bank_sha256 == model.bank_sha256
    assert not again.bank.diff(model.bank)
    with pytest.raises(InputError, match="exists already"):
        model.save(folder)


def test_image_head_keeps_the_length_of_its_input(model):
    """The head has biases: unit vectors and native-length vectors point elsewhere."""
    features = np.random.default_rng(0).normal(size=(2, 768))
    native, unit = model.image_head(features), model.image_head(features / 30)
    assert native.shape == (2, 512)
    cosine = (native * unit).sum(1) / np.linalg.norm(native, axis=1) / np.linalg.norm(unit, axis=1)
    assert (cosine < 0.99).all()
    with pytest.raises(InputError, match=r"\(N, 768\)"):
        model.image_head(np.zeros((2, 512)))
    with pytest.raises(InputError, match="NaN"):
        model.image_head(np.full((1, 768), np.nan))


def edit(path, **changes):
    record = json.loads(path.read_text())
    record.update(changes)
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not None}))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "config.json").write_text("not json"), "not valid JSON"),
        (lambda f: edit(f / "config.json", format="other"), "not a geoconcept-model"),
        (lambda f: edit(f / "config.json", format_version=2), "upgrade"),
        (lambda f: edit(f / "config.json", space=None), "'space'"),
        (lambda f: edit(f / "config.json", files={}), "must be a sha256"),
        (lambda f: edit(f / "config.json", space="another"), "concept bank lives in space"),
        (lambda f: truncate(f / "location_encoder.safetensors"), "corrupt, truncated"),
        (lambda f: (f / "location_encoder.safetensors").unlink(), "is missing"),
        (lambda f: truncate(f / "concepts.safetensors"), "corrupt, truncated"),
    ],
)
def test_damaged_folders_are_refused(folder, damage, message):
    """Every file that is missing, cut short, foreign or contradictory is named on loading."""
    damage(folder)
    with pytest.raises(ModelFileError, match=message):
        gc.load_model(folder)


def test_damaged_image_head_is_refused_when_used(folder):
    """The head is read, and checked, when it is first needed."""
    truncate(folder / "image_head.safetensors")
    with pytest.raises(ModelFileError, match="corrupt, truncated"):
        gc.load_model(folder).image_head  # noqa: B018


def test_foreign_weights_are_refused(folder):
    """Right hash, wrong tensors: the first misfit is named."""
    from geoconcept_gis.storage import write_arrays

    sha256 = write_arrays({"weight": np.zeros((2, 2), np.float32)}, folder / "location_encoder.safetensors")
    files = json.loads((folder / "config.json").read_text())["files"]
    edit(folder / "config.json", files=files | {"location_encoder.safetensors": sha256})
    with pytest.raises(ModelFileError, match="no GeoCLIP location encoder"):
        gc.load_model(folder)


def test_unknown_model_lists_what_there_is(tmp_path):
    """Neither a name nor a folder: say which names there are, and download nothing."""
    with pytest.raises(ModelFileError, match=r"neither an installed one \(.*geoclip.*\) nor a folder"):
        gc.load_model("geoclip-xl")
    shutil.rmtree(tmp_path)
    with pytest.raises(ModelFileError, match="neither"):
        gc.load_model(tmp_path)
