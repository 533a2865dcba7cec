"""Banks: look-up, clashes, selection, files."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoconcept_gis.concepts import Calibration, Concept, ConceptBank, Validity
from geoconcept_gis.errors import ConceptError, InputError, ModelFileError

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


# --- subset, add, remove, merge


def graded(name, grade, family, seed):
    pattern = np.random.default_rng(seed + 99).normal(size=512)
    return concept(name, seed, grade=grade, family=family, pattern=pattern)


@pytest.fixture
def wide():
    return ConceptBank(
        [
            graded("dune", "A", "terrain", 1),
            graded("mosque", "B", "culture", 2),
            graded("luck", "D", "culture", 3),
            graded("moor", None, "terrain", 4),
        ],
        MEANS,
        space="s",
    )


def test_grade_d_is_hidden_but_found_by_name(wide):
    """None leaves it out, its name reaches it; a bank of nothing else says so."""
    assert [c.name for c in wide.select(None)] == ["dune", "mosque", "moor"]
    assert [c.name for c in wide.shown] == ["dune", "mosque", "moor"]
    assert [c.name for c in wide.select(["luck", "dune"])] == ["luck", "dune"]
    assert wide.names == ["dune", "mosque", "luck", "moor"]
    with pytest.raises(ConceptError, match="none of this bank's 1 concepts is above grade D"):
        wide.subset("luck").select(None)


def test_subset(wide):
    """By name, family and grade, and by all at once; the order stays the bank's, the bank stays as it was."""
    assert wide.families == ["terrain", "culture"]
    assert wide.subset(["moor", "Dune"]).names == ["dune", "moor"]
    assert wide.subset("moor").names == ["moor"]
    assert wide.subset(families="culture").names == ["mosque", "luck"]
    assert wide.subset(grades="AB").names == ["dune", "mosque"]
    assert wide.subset(["mosque", "moor"], families=["terrain", "culture"], grades=["B"]).names == ["mosque"]
    assert wide.subset().names == wide.names
    assert wide.subset(families="terrain", grades="B").names == []
    assert wide.subset("moor").references.keys() == wide.references.keys()
    for bad, message in (
        ({"names": "dun"}, "did you mean 'dune'"),
        ({"names": [wide["dune"]]}, "names of concepts as text"),
        ({"families": "Terrain"}, "no family 'Terrain' in this bank; there are terrain, culture"),
        ({"grades": "E"}, "no grade 'E'"),
    ):
        with pytest.raises(ConceptError, match=message):
            wide.subset(**bad)


def test_add(wide):
    """One more at the end, with its own reference mean if that is new."""
    mine = concept("mine", 7)
    assert wide.add(mine).names == [*wide.names, "mine"]
    assert "mine" not in wide
    far = concept("far", 8, reference="photos")
    mean = np.full(512, 0.02)
    grown = wide.add(far, mean)
    np.testing.assert_array_equal(grown.references["photos"], mean.astype(np.float32))
    assert "photos" not in wide.references
    assert grown.add(concept("farther", 9, reference="photos"), mean + 1e-8).names[-1] == "farther"
    with pytest.raises(ConceptError, match=r"reference 'photos', which the bank lacks .*mean="):
        wide.add(far)
    with pytest.raises(ConceptError, match="reference 'photos' has another mean"):
        grown.add(concept("farther", 9, reference="photos"), mean * 1.1)
    with pytest.raises(ConceptError, match=r"'Dune' names two concepts: 'dune' and 'x'.*rename"):
        wide.add(concept("x", aliases=("Dune",)))
    with pytest.raises(ConceptError, match="cannot be mixed"):
        wide.add(concept("x", space="t"))
    with pytest.raises(ConceptError, match="one Concept; got str"):
        wide.add("dune")


def test_remove(wide):
    """Names and aliases; unknown ones are refused; the means stay."""
    assert wide.remove("luck").names == ["dune", "mosque", "moor"]
    assert wide.remove(["DUNE", "luck"]).names == ["mosque", "moor"]
    assert wide.remove(wide.names).references.keys() == wide.references.keys()
    with pytest.raises(ConceptError, match="no concept 'duck'"):
        wide.remove(["dune", "duck"])


def test_merge_refuses_what_does_not_fit(wide):
    """Other spaces, other means under the same name and clashes are refused; the message names both sides."""
    other = ConceptBank([concept("erg", 5, aliases=("dune",))], MEANS, space="s")
    with pytest.raises(ConceptError, match=r"'dune' here and 'erg' there share a name.*on_clash='keep'"):
        wide.merge(other)
    with pytest.raises(ConceptError, match="'dune' is in both banks, and not the same"):
        wide.merge(ConceptBank([concept("dune", 5)], MEANS, space="s"))
    with pytest.raises(ConceptError, match="space 's', the other in 't'"):
        wide.merge(ConceptBank([], {}, space="t"))
    with pytest.raises(ConceptError, match="reference 'uniform_land' has another mean"):
        wide.merge(ConceptBank([], {"uniform_land": MEANS["uniform_land"] * 2}, space="s"), "replace")
    with pytest.raises(InputError, match="on_clash must be one of"):
        wide.merge(other, on_clash="overwrite")
    with pytest.raises(ConceptError, match="another ConceptBank"):
        wide.merge([])


def test_merge_on_clash(wide):
    """Keep leaves theirs out; replace puts theirs where ours stood, and takes away all that clash with it."""
    both = concept("erg", 5, aliases=("dune", "luck"))
    other = ConceptBank([concept("reef", 6), both], MEANS, space="s")
    assert wide.merge(other, "keep").names == ["dune", "mosque", "luck", "moor", "reef"]
    replaced = wide.merge(other, "replace")
    assert replaced.names == ["erg", "mosque", "moor", "reef"]
    assert replaced["dune"] is both
    two = ConceptBank([concept("dune sea", 5, aliases=("dune",)), concept("ds", 6, aliases=("D",))], MEANS, space="s")
    ours = ConceptBank([concept("dune", 1, aliases=("d",)), concept("moor", 2)], MEANS, space="s")
    assert ours.merge(two, "replace").names == ["dune sea", "ds", "moor"]


def test_a_file_of_a_bank_merges_with_it(wide, tmp_path):
    """A concept that is the same in both is no clash."""
    stored = ConceptBank.load(wide.save(tmp_path))
    again = ConceptBank.load(tmp_path).add(concept("mine", 7))
    assert stored.merge(again).names == [*wide.names, "mine"]


# --- laws

NAMES = ["dune", "erg", "fjord", "karst", "mosque", "moor", "reef", "vineyard"]


@st.composite
def banks(draw, names=NAMES):
    """Banks with any of the names, in any order, with and without each optional part."""
    chosen = draw(st.lists(st.sampled_from(names), unique=True))
    concepts = []
    for name in chosen:
        seed = draw(st.integers(0, 50))
        rng = np.random.default_rng(seed)
        concepts.append(
            concept(
                name,
                seed,
                family=draw(st.sampled_from(["terrain", "culture"])),
                grade=draw(st.sampled_from(["A", "B", "C", "D", None])),
                aliases=draw(st.sampled_from([(), (f"{name} alias", "Ä " + name)])),
                pattern=rng.normal(size=512) * 10.0 ** rng.integers(-3, 3) if draw(st.booleans()) else None,
                percentiles=np.sort(rng.normal(size=101)) if draw(st.booleans()) else None,
                calibration=Calibration(*rng.uniform(0.1, 50, 2), ece=0.01) if draw(st.booleans()) else None,
                validity=Validity("AUROC", 0.9, None, 3, 4, controls={"x": 0.5}) if draw(st.booleans()) else None,
                failure=draw(st.sampled_from(["", "in the höher north"])),
            )
        )
    return ConceptBank(concepts, MEANS, space="s")


@given(bank=banks(), data=st.data())
def test_taking_apart_and_putting_together(bank, data):
    """A part and the rest make up the bank; adding the rest one by one is merging it."""
    names = data.draw(st.lists(st.sampled_from(bank.names), unique=True)) if len(bank) else []
    part, rest = bank.subset(names), bank.remove(names)
    assert sorted(part.names + rest.names) == sorted(bank.names)
    assert part.names == [name for name in bank.names if name in names]
    whole = part.merge(rest)
    assert whole.names == part.names + rest.names
    one_by_one = part
    for concept in rest:
        one_by_one = one_by_one.add(concept)
    assert not whole.diff(one_by_one)
    difference = bank.diff(whole)
    assert not (difference.added or difference.removed or difference.changed)
    assert not whole.remove(rest.names).diff(part)


@given(one=banks(), two=banks())
def test_merging_two_banks(one, two):
    """Keep wins for ours, replace for theirs; the names are the same; merging with oneself changes nothing."""
    kept, replaced = one.merge(two, "keep"), one.merge(two, "replace")
    assert set(kept.names) == set(replaced.names) == set(one.names) | set(two.names)
    assert kept.names[: len(one)] == one.names
    assert all(kept[c.name] is c for c in one)
    assert all(replaced[c.name] is c for c in two)
    assert not two.diff(replaced.subset(two.names)).changed
    assert not one.merge(one).diff(one)
    if not set(one.names) & set(two.names):
        assert not one.merge(two).diff(kept)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bank=banks())
def test_files_keep_every_bit(bank, tmp_path):
    """Reading and writing again gives the same bytes, and the same numbers; patterns are float16 in the file."""
    bank.save(tmp_path / "a")
    read = ConceptBank.load(tmp_path / "a")
    read.save(tmp_path / "b")
    for name in ("concepts.json", "concepts.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert not read.diff(ConceptBank.load(tmp_path / "b"))
    assert read.names == bank.names
    for ours, theirs in zip(bank, read, strict=True):
        assert ours.record() == theirs.record()
        np.testing.assert_array_equal(ours.vector, theirs.vector)
        assert (ours.percentiles is None) == (theirs.percentiles is None)
        if ours.pattern is None:
            assert theirs.pattern is None
        else:
            np.testing.assert_array_equal(ours.pattern.astype(np.float16), theirs.pattern.astype(np.float16))
