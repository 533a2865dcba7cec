"""Carrying a bank into another encoder's space."""

import json
from dataclasses import replace

import numpy as np
import pytest

from geoconcept_gis.bank import carry
from geoconcept_gis.bank.carry import carry_bank
from geoconcept_gis.concepts import ConceptBank
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import Cancelled, ConceptError, InputError
from geoconcept_gis.reference import reference_places
from tests.test_encoder_kinds import draw

NAMES = ["BWh", "tundra climate", "mountains", "France", "castle", "coastal sea"]


@pytest.fixture(scope="module")
def teacher(model):
    return model.with_bank(model.bank.subset(NAMES))


@pytest.fixture(scope="module")
def turned(model):
    """GeoCLIP's encoder with its space turned at random: a student that knows all that the teacher knows."""
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(512, 512)))[0].astype(np.float32)
    weights = dict(model.encoder.weights)
    for name in list(weights):
        if ".head.0." in name:
            weights[name] = rotation @ weights[name]
    return LocationEncoder(weights), rotation


@pytest.fixture(scope="module")
def carried(teacher, turned):
    return carry_bank(teacher, turned[0], "turned", places=2000)


def test_a_turned_space_gets_turned_concepts(carried, teacher, turned):
    """Every direction and mean turns with the space; nothing is lost, so grades stay."""
    assert carried.names == teacher.bank.names
    for concept in carried:
        old = teacher.bank[concept.name]
        assert concept.vector @ (turned[1] @ old.vector) > 0.95
        assert concept.grade == old.grade
        assert concept.space == carried.space == "turned"
    mean = turned[1] @ teacher.bank.references["uniform_land"]
    assert np.linalg.norm(carried.references["uniform_land"] - mean) < 0.03


@pytest.mark.parametrize("kind", ["calibrated", "cosine", "percentile"])
def test_scores_are_the_teachers(carried, teacher, turned, kind):
    """At places that neither saw, every kind of score follows the teacher's (its vector's, for heads are gone)."""
    from geoconcept_gis.concepts import ConceptScorer

    lonlat = reference_places("uniform_land", 1500, seed=77)
    old = ConceptScorer(list(teacher.bank), teacher.bank.references, kind)(teacher.encode(lonlat))
    new = ConceptScorer(list(carried), carried.references, kind)(turned[0].encode_chunk(lonlat))
    scale = 100.0 if kind == "percentile" else 1.0
    assert (np.abs(old - new).mean(axis=0) < 0.03 * scale).all()
    assert min(np.corrcoef(old[:, k], new[:, k])[0, 1] for k in range(old.shape[1])) > 0.97


def test_nothing_is_copied_as_if_measured(carried, teacher):
    """No validity, no calibration error, no head, no failures; provenance says what was carried and how well."""
    for concept in carried:
        assert concept.validity is None and concept.head is None and concept.failure == ""
        assert concept.calibration.ece is None
        assert concept.calibration.prevalence == teacher.bank[concept.name].calibration.prevalence
        assert concept.provenance["carried_from_bank_sha256"] == teacher.bank_sha256
        assert concept.provenance["carried_grade"] == teacher.bank[concept.name].grade
        assert float(concept.provenance["agreement"].split()[1]) > 0.9


def test_a_pattern_erases(carried, turned):
    """Taking a concept away by its new pattern leaves nothing of it to read at other places."""
    from geoconcept_gis.fitting import centre

    concept = carried["hot desert climate"]
    lonlat = reference_places("uniform_land", 1500, seed=78)
    z = centre(turned[0].encode_chunk(lonlat), carried.references["uniform_land"])
    reading = z @ concept.vector
    left = z - np.outer(reading / (concept.vector @ concept.pattern), concept.pattern)
    assert np.abs(left @ concept.vector).max() < 1e-5
    hot = reading > np.quantile(reading, 0.9)
    gap = np.linalg.norm(z[hot].mean(axis=0) - z[~hot].mean(axis=0))
    assert np.linalg.norm(left[hot].mean(axis=0) - left[~hot].mean(axis=0)) < 0.35 * gap


def test_a_blind_encoder_is_graded_down(teacher):
    """An untrained encoder of three numbers a place cannot know castles: agreement and grade say so."""
    some = teacher.with_bank(teacher.bank.subset(["castle", "BWh"]))
    bank = carry_bank(some, draw("xyz", hidden=32, blocks=0), "blind", places=2000)
    order = "ABCD"
    for concept in bank:
        agreement = float(concept.provenance["agreement"].split()[1])
        cap = next((grade for grade, least in carry.GRADE_CAPS.items() if agreement >= least), "D")
        assert concept.grade == max(cap, teacher.bank[concept.name].grade, key=order.index)
    assert bank["castle"].grade > "B"


def test_it_is_the_same_again_and_can_be_saved(carried, teacher, turned, tmp_path):
    """Same seed, same bytes; what is written is what is read."""
    one = teacher.with_bank(teacher.bank.subset(["BWh"]))
    first, again = (carry_bank(one, turned[0], "turned", places=2000) for _ in range(2))
    assert not first.diff(again)
    carried.save(tmp_path)
    assert not ConceptBank.load(tmp_path).diff(carried)
    json.dumps([concept.record() for concept in carried], allow_nan=False)


def test_concepts_without_calibration_stay_without(teacher, turned):
    """Such a concept is carried by its cosine alone."""
    bare = replace(teacher.bank["BWh"], name="bare", aliases=(), calibration=None, pattern=None, grade=None, head=None)
    bank = ConceptBank([bare], teacher.bank.references, space=teacher.space)
    found = carry_bank(teacher.with_bank(bank), turned[0], "turned", places=2000)["bare"]
    assert found.calibration is None and found.pattern is None and found.grade is None
    assert found.percentiles is not None


def test_progress_and_cancel(teacher, turned):
    """Both embeddings are counted, and either can be stopped."""
    seen = []
    carry_bank(
        teacher.with_bank(teacher.bank.subset(["BWh"])),
        turned[0],
        "turned",
        places=2000,
        progress=lambda done, total: seen.append((done, total)) and None,
    )
    assert seen[-1][0] == seen[-1][1] == 4000
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    with pytest.raises(Cancelled):
        carry_bank(teacher, turned[0], "turned", places=2000, progress=lambda done, total: True)


def test_what_cannot_be_carried(teacher, turned):
    """Each is refused with what to do about it."""
    with pytest.raises(InputError, match="at least 2,000"):
        carry_bank(teacher, turned[0], "turned", places=10)
    with pytest.raises(InputError, match="is the teacher's"):
        carry_bank(teacher, turned[0], teacher.space)
    own = replace(teacher.bank["BWh"], name="mine", aliases=(), reference="my places", head=None)
    bank = ConceptBank([own], {"my places": np.zeros(512, np.float32)}, space=teacher.space)
    with pytest.raises(ConceptError, match=r"\['my places'\] cannot be drawn here"):
        carry_bank(teacher.with_bank(bank), turned[0], "turned")
    one = teacher.with_bank(teacher.bank.subset(["BWh"]))
    constant = draw("xyz", hidden=8, blocks=0)
    flat = {name: np.zeros_like(weight) for name, weight in constant.weights.items()}
    from geoconcept_gis.encoder import open_encoder

    with pytest.raises(ConceptError, match="zero or not finite"):
        carry_bank(one, open_encoder(constant.record, flat), "flat", places=2000)
    flat["layers.1.bias"] = np.ones(512, np.float32)
    with pytest.raises(ConceptError, match="every place the same vector"):
        carry_bank(one, open_encoder(constant.record, flat), "flat", places=2000)
