"""One concept, one file: what goes in comes out, on any day; what is damaged or foreign is refused by name."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

import geoconcept_gis as gc
from geoconcept_gis.concepts import Calibration, Concept, Validity
from geoconcept_gis.errors import ConceptError, GeoConceptError, InputError, ModelFileError


@pytest.fixture
def mine(model):
    rng = np.random.default_rng(3)
    return Concept(
        "Mittelgebirge",
        rng.normal(size=512),
        space=model.space,
        family="terrain",
        description="Wooded hills; älter als die Alpen.",
        calibration=Calibration(12.3456, -2.5, 0.01, 0.04),
        percentiles=np.sort(rng.normal(size=101)),
        pattern=rng.normal(size=512),
        validity=Validity("AUROC", 0.91, (0.88, 0.93), 10, 20, "blocks", "land", {"moved labels": 0.6}),
        aliases=("low mountains",),
        grade="B",
        failure="Reads high in the Carpathians.",
        provenance={"truth": "my own places", "a": "first"},
        licence="CC0-1.0",
    )


def assert_same(one, two):
    assert one.record() == two.record()
    assert one.space == two.space
    for name in ("vector", "pattern", "percentiles"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_round_trip(mine, model, tmp_path):
    """Every field and every bit comes back; writing again gives the same bytes."""
    path = gc.write_concept(mine, tmp_path / "mine.concept", model)
    again = gc.read_concept(path, model)
    assert_same(again, mine)
    assert gc.write_concept(again, tmp_path / "again.CONCEPT", model).read_bytes() == path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["again.CONCEPT", "mine.concept"]
    assert path.stat().st_size < 10_000
    np.testing.assert_array_equal(model.score([[10, 50]], [again]), model.score([[10, 50]], [mine]))
    assert model.with_bank(model.bank.add(again)).select("low mountains") == [again]


def test_round_trip_of_a_bare_concept(model, tmp_path):
    """What is not there stays away; the default model will do."""
    bare = Concept("bare", np.ones(512), space=model.space)
    assert_same(gc.read_concept(gc.write_concept(bare, tmp_path / "bare.concept")), bare)


def test_bytes_do_not_depend_on_the_process(model, tmp_path):
    """Another process, with other hashes, writes the same file."""
    code = (
        "import sys, geoconcept_gis as gc; model = gc.load_model();"
        "gc.write_concept(model.bank['BWh'], sys.argv[1], model)"
    )
    files = [tmp_path / f"{k}.concept" for k in range(3)]
    gc.write_concept(model.bank["BWh"], files[0], model)
    for path in files[1:]:
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert len({path.read_bytes() for path in files}) == 1


def test_where_it_may_not_go(mine, model, tmp_path):
    """Another suffix, no folder, no concept, a foreign one, what JSON cannot hold: refused, and nothing is left."""
    with pytest.raises(InputError, match=r"must end in \.concept; got 'mine.json'"):
        gc.write_concept(mine, tmp_path / "mine.json", model)
    with pytest.raises(InputError, match="does not exist"):
        gc.write_concept(mine, tmp_path / "no" / "mine.concept", model)
    for wrong, message in (
        ("BWh", "one Concept; got str"),
        (replace(mine, space="t"), "cannot be mixed"),
        (replace(mine, reference="moon"), "'moon'"),
        (replace(mine, provenance={"when": float("nan")}), "JSON"),
        (replace(mine, provenance={"when": {1, 2}}), "JSON"),
    ):
        with pytest.raises(ConceptError, match=message):
            gc.write_concept(wrong, tmp_path / "mine.concept", model)
    with pytest.raises(InputError, match=r"\.concept"):
        gc.read_concept(tmp_path / "mine.safetensors", model)
    assert list(tmp_path.iterdir()) == []


def edit(path, record=None, text=None, **arrays):
    """Write the file again with another record, other metadata or other arrays (None: without)."""
    with safe_open(path, framework="numpy") as file:
        stored = json.loads(file.metadata()["geoconcept"])
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata = {"geoconcept": json.dumps(record(stored)) if record else json.dumps(stored)}
    if text is not None:
        metadata = text
    save_file({k: v for k, v in (kept | arrays).items() if v is not None}, path, metadata=metadata)


def spoilt(array, value):
    out = np.array(array, dtype=np.float32)
    out[7] = value
    return out


ONES = np.ones(512, np.float32) / np.float32(np.sqrt(512))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.unlink(), "no file"),
        (lambda p: p.write_bytes(b""), "damaged"),
        (lambda p: p.write_bytes(p.read_bytes()[:-1]), "damaged"),
        (lambda p: p.write_bytes(p.read_bytes()[:100]), "damaged"),
        (lambda p: p.write_bytes(b"\xff" * 5000), "damaged"),
        (lambda p: p.write_text('{"name": "x"}'), "damaged"),
        (lambda p: edit(p, text={"other": "x"}), "no 'geoconcept' record"),
        (lambda p: save_file({"vector": ONES}, p), "no 'geoconcept' record"),
        (lambda p: edit(p, text={"geoconcept": "{"}), "not valid JSON"),
        (lambda p: edit(p, text={"geoconcept": "[" * 100_000}), "not valid JSON"),
        (lambda p: edit(p, lambda r: [r]), "not a geoconcept-concept file"),
        (lambda p: edit(p, lambda r: r | {"format": "geoconcept-bank"}), "not a geoconcept-concept file"),
        (lambda p: edit(p, lambda r: r | {"format_version": 2}), "upgrade"),
        (lambda p: edit(p, lambda r: r | {"format_version": True}), "format_version True"),
        (lambda p: edit(p, lambda r: r | {"space": 3}), "lacks the space"),
        (lambda p: edit(p, lambda r: r | {"concept": "x"}), "lacks the space or the concept"),
        (lambda p: edit(p, lambda r: r | {"concept": {}}), "malformed"),
        (lambda p: edit(p, lambda r: r | {"concept": r["concept"] | {"name": 3}}), "'name' must be text"),
        (lambda p: edit(p, lambda r: r | {"concept": r["concept"] | {"colour": "red"}}), "unknown fields"),
        (lambda p: edit(p, lambda r: r | {"concept": r["concept"] | {"grade": "Z"}}), "grade must be"),
        (lambda p: edit(p, lambda r: r | {"concept": r["concept"] | {"aliases": "BWh"}}), "'aliases' must be a list"),
        (lambda p: edit(p, lambda r: r | {"concept": r["concept"] | {"aliases": [3]}}), "'aliases' must be a list"),
        (lambda p: edit(p, lambda r: r | {"concept": r["concept"] | {"provenance": []}}), "'provenance' must"),
        (lambda p: edit(p, vector=None), "lacks the arrays vector"),
        (lambda p: edit(p, reference_mean=None), "lacks the arrays reference_mean"),
        (lambda p: edit(p, extra=ONES), "unknown array 'extra'"),
        (lambda p: edit(p, vector=ONES.astype(np.float64)), "512 finite float32"),
        (lambda p: edit(p, vector=ONES[:-1].copy()), "512 finite float32"),
        (lambda p: edit(p, vector=spoilt(ONES, np.nan)), "512 finite float32"),
        (lambda p: edit(p, pattern=spoilt(ONES, np.inf)), "'pattern' must hold 512"),
        (lambda p: edit(p, percentiles=np.full(101, -np.inf, np.float32)), "101 finite"),
        (lambda p: edit(p, percentiles=np.linspace(1, 0, 101, dtype=np.float32)), "101 rising"),
        (lambda p: edit(p, vector=np.zeros(512, np.float32)), "not zero"),
    ],
)
def test_damaged_files_are_refused(mine, model, tmp_path, damage, message):
    """Missing, cut short, foreign, newer or contradictory: the error names the file and what is wrong with it."""
    path = gc.write_concept(mine, tmp_path / "mine.concept", model)
    damage(path)
    with pytest.raises(ModelFileError, match=message) as caught:
        gc.read_concept(path, model)
    assert "mine.concept" in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(place=st.integers(0, 1 << 20), value=st.integers(0, 255))
def test_any_wrong_byte_is_a_clear_error_or_a_concept(mine, model, tmp_path, place, value):
    """No byte that changes on its way makes anything but a clear error or another concept."""
    path = gc.write_concept(mine, tmp_path / "mine.concept", model)
    content = bytearray(path.read_bytes())
    place %= 2 * len(content)
    content[place if place < len(content) else place % 1500] = value  # half of them in the header and the record
    path.write_bytes(content)
    try:
        concept = gc.read_concept(path, model)
    except GeoConceptError as error:
        assert "mine.concept" in str(error)
    else:
        assert np.isfinite(model.score([[10, 50]], [concept])).all()


def test_files_of_other_models_are_refused(mine, model, tmp_path):
    """Another space, or a reference that this model lacks or has with another mean."""
    path = gc.write_concept(mine, tmp_path / "mine.concept", model)
    edit(path, lambda record: record | {"space": "t"})
    with pytest.raises(ConceptError, match=r"mine.concept does not fit model 'geoclip': .*space 't'"):
        gc.read_concept(path, model)
    edit(path, lambda record: record | {"space": model.space, "concept": record["concept"] | {"reference": "moon"}})
    with pytest.raises(ConceptError, match=r"mine.concept does not fit .*'moon'"):
        gc.read_concept(path, model)
    path = gc.write_concept(mine, tmp_path / "mine.concept", model)
    edit(path, reference_mean=model.bank.references[mine.reference] + np.float32(1e-4))
    with pytest.raises(ConceptError, match="another mean"):
        gc.read_concept(path, model)
    edit(path, reference_mean=model.bank.references[mine.reference] + np.float32(1e-8))
    assert gc.read_concept(path, model).name == mine.name
