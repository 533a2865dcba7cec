"""Banks: look-up, clashes, selection, files."""

import json

import numpy as np
import pytest

from geoconcept_gis.concepts import Calibration, Concept, ConceptBank
from geoconcept_gis.errors import ConceptError, ModelFileError

MEANS = {"uniform_land": np.full(512, 0.01, dtype=np.float32)}


def concept(name, seed=0, **changes):
    values = {
        "vector": np.random.default_rng(seed).normal(size=512),
        "space": "s",
        "calibration": Calibration(10.0, -1.0),
        "percentiles": np.linspace(-0.5, 0.5, 101),
    } | changes
    return Concept(name, **values)


@pytest.fixture
def bank():
    return ConceptBank(
        [concept("hot desert climate", aliases=("BWh",)), concept("tundra climate", seed=1, aliases=("ET",))],
        MEANS,
        space="s",
    )


def test_look_up_by_name_alias_and_case(bank):
    """Names, aliases and slugs find the same concept."""
    for name in ("hot desert climate", "Hot Desert Climate", "bwh", "hot_desert_climate"):
        assert bank[name].name == "hot desert climate"
        assert name in bank
    assert 3 not in bank


def test_unknown_name_suggests_near_ones(bank):
    """A slip of the pen gets the right name back."""
    with pytest.raises(ConceptError, match="did you mean 'hot desert climate'"):
        bank["hot dessert climate"]
    with pytest.raises(ConceptError, match="'tundra climate'"):
        bank["tundra"]
    with pytest.raises(ConceptError, match="geoconcept concepts"):
        bank["zzzz"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"name": "Hot desert climate"}, "names two concepts"),
        ({"name": "x", "aliases": ("BWH",)}, "names two concepts"),
        ({"name": "hot desert climate"}, "names two concepts"),
        ({"name": "x", "space": "other"}, "cannot be mixed"),
        ({"name": "x", "reference": "moon"}, "reference 'moon'"),
    ],
)
def test_clashes_are_refused(bank, extra, message):
    """Same names, foreign spaces and unknown references do not enter."""
    with pytest.raises(ConceptError, match=message):
        ConceptBank([*bank, concept(**extra)], MEANS, space="s")


def test_select(bank):
    """Order is the caller's; None is everything; nonsense is refused."""
    assert [c.name for c in bank.select(["ET", "BWh"])] == ["tundra climate", "hot desert climate"]
    assert [c.name for c in bank.select("ET")] == ["tundra climate"]
    assert len(bank.select(None)) == 2
    mine = concept("mine", seed=5)
    assert bank.select([mine, "ET"])[0] is mine
    for bad in ([], [3], ["ET", "tundra climate"], [concept("far", space="t")], [concept("far", reference="m")]):
        with pytest.raises(ConceptError):
            bank.select(bad)


def test_bad_reference_means_are_refused():
    """A mean of unit vectors is shorter than one, finite and 512 long."""
    for mean in (np.ones(512), np.full(512, np.nan), np.zeros(3)):
        with pytest.raises(ConceptError, match="reference mean"):
            ConceptBank([], {"m": mean}, space="s")


def test_files_round_trip_and_are_deterministic(bank, tmp_path):
    """Saving twice gives equal bytes; loading gives the same bank."""
    bank.save(tmp_path / "a")
    again = ConceptBank.load(tmp_path / "a")
    again.save(tmp_path / "b")
    for name in ("concepts.json", "concepts.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert again.names == bank.names
    np.testing.assert_array_equal(again["BWh"].vector, bank["BWh"].vector)
    np.testing.assert_array_equal(again.references["uniform_land"], bank.references["uniform_land"])


def test_empty_bank_and_bare_concepts_round_trip(tmp_path):
    """No concepts, or concepts without calibration, are fine."""
    ConceptBank([], MEANS, space="s").save(tmp_path / "none")
    assert len(ConceptBank.load(tmp_path / "none")) == 0
    ConceptBank([concept("x", percentiles=None, calibration=None)], MEANS, space="s").save(tmp_path / "bare")
    assert ConceptBank.load(tmp_path / "bare")["x"].percentiles is None


def _edit(path, **changes):
    record = json.loads(path.read_text())
    record.update(changes)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "concepts.json").unlink(),
        lambda folder: (folder / "concepts.safetensors").unlink(),
        lambda folder: (folder / "concepts.json").write_text("{"),
        lambda folder: (folder / "concepts.json").write_bytes(b"\xff\xfe\x00"),
        lambda folder: (folder / "concepts.json").write_text("[]"),
        lambda folder: _edit(folder / "concepts.json", format="geoconcept-model"),
        lambda folder: _edit(folder / "concepts.json", format_version=99),
        lambda folder: _edit(folder / "concepts.json", format_version="1"),
        lambda folder: _edit(folder / "concepts.json", concepts=[]),
        lambda folder: _edit(folder / "concepts.json", concepts=3),
        lambda folder: _edit(folder / "concepts.json", concepts=[{"name": "x"}, {"name": "x"}]),
        lambda folder: _edit(folder / "concepts.json", references=["moon"]),
        lambda folder: (folder / "concepts.safetensors").write_bytes(
            (folder / "concepts.safetensors").read_bytes()[:-100]
        ),
        lambda folder: (folder / "concepts.safetensors").write_bytes(b"not safetensors at all"),
    ],
)
def test_damaged_banks_give_a_clear_error(bank, tmp_path, damage):
    """Missing, truncated, foreign or contradictory files name the file at fault."""
    bank.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelFileError, match=r"concepts\.(json|safetensors)"):
        ConceptBank.load(tmp_path)
