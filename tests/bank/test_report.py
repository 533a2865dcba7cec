"""The atlas."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import geoconcept_gis
from geoconcept_gis.bank.report import _COLOURS, pages, small_maps, write_report

ATLAS = Path(geoconcept_gis.__file__).parents[1] / "docs" / "concepts"


def test_the_published_atlas_is_current(model):
    """docs/concepts is what `geoconcept bank report` writes for the bundled bank, with a map for every concept."""
    for name, text in pages(model.bank).items():
        assert (ATLAS / name).read_text(encoding="utf-8") == text
    assert {path.stem for path in (ATLAS / "maps").glob("*.png")} == {concept.variable for concept in model.bank}


@pytest.mark.parametrize("grade", "ABCD")
def test_every_grade_is_published(model, grade):
    """Good and bad: no concept is missing from its page."""
    text = "".join(pages(model.bank).values())
    for concept in model.bank:
        if concept.grade == grade:
            assert f"## {concept.name} ({grade})\n" in text


def test_maps_show_the_concept(model):
    """The Sahara is dark on the hot desert's map, Europe pale, the Atlantic water."""
    few = model.with_bank(model.bank.subset(["hot desert climate"]))
    [content] = small_maps(few).values()
    image = np.asarray(Image.open(io.BytesIO(content)))

    def shade(lon, lat):
        return int(image[int((90 - lat) / 1.2), int((lon + 180) / 1.2)])

    assert shade(20, 23) >= len(_COLOURS) - 3
    assert shade(15, 50) <= 2
    assert shade(-40, 30) == 0


def test_maps_of_lost_concepts_go(model, tmp_path):
    """A second report leaves nothing of the first behind."""
    write_report(model.with_bank(model.bank.subset(["BWh", "Cfb"])), tmp_path)
    write_report(model.with_bank(model.bank.subset(["BWh"])), tmp_path)
    assert [path.name for path in (tmp_path / "maps").iterdir()] == ["hot_desert_climate.png"]
