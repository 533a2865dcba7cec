"""The finest capsule's part: added where it is asked for, kept for the next run."""

import numpy as np
import pytest

from geoconcept_gis import load_model
from geoconcept_gis.bank.sources import gallery_places, package_folder
from geoconcept_gis.errors import Cancelled, GeoConceptError
from geoconcept_gis.train.teach.finest import add_finest
from geoconcept_gis.train.teach.lessons import Lessons, meaning_of

try:
    package_folder("geoclip", "geoclip")
except GeoConceptError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module")
def teacher():
    return load_model(backend="numpy")


@pytest.fixture(scope="module")
def meaning(teacher):
    """Vectors of a few places without the finest capsule."""
    return meaning_of(teacher.encoder, gallery_places()[:60]).astype(np.float16)


def lessons(meaning):
    """Places with their vectors, and little else."""
    lonlat, count = gallery_places()[: len(meaning)], len(meaning)
    return Lessons(
        lonlat=lonlat,
        drawn=np.zeros(count, dtype=np.uint8),
        held=np.arange(count) % 5 == 0,
        meaning=meaning.copy(),
        labels=np.zeros((count, 1), dtype=np.int8),
        numbers=np.zeros((count, 1), dtype=np.float32),
        region=np.zeros(count, dtype=np.int32),
        label_names=("a",),
        label_families=("climate",),
        number_names=("b",),
    )


def test_all_of_it_makes_the_whole_vectors(teacher, meaning, tmp_path):
    found = add_finest(lessons(meaning), teacher, tmp_path, 1.0).meaning
    np.testing.assert_allclose(found, teacher.encode(gallery_places()[: len(meaning)]), atol=2e-4)


def test_half_of_it_lies_between(teacher, meaning, tmp_path):
    whole, half = (add_finest(lessons(meaning), teacher, tmp_path, share).meaning for share in (1.0, 0.5))
    np.testing.assert_allclose(half, (whole.astype(np.float32) + meaning) / 2.0, atol=3e-4)


def test_it_is_kept(teacher, meaning, tmp_path, monkeypatch):
    first = add_finest(lessons(meaning), teacher, tmp_path, 1.0).meaning
    monkeypatch.setattr(teacher.encoder, "encode_chunk", None)  # a second look would fail
    again = add_finest(lessons(meaning), teacher, tmp_path, 1.0).meaning
    assert np.array_equal(first, again)
    assert len(list(tmp_path.iterdir())) == 1


def test_cancelled_leaves_nothing(teacher, meaning, tmp_path):
    with pytest.raises(Cancelled):
        add_finest(lessons(meaning), teacher, tmp_path, 1.0, progress=lambda done, total: True)
    assert list(tmp_path.iterdir()) == []
