"""The examples: each runs in a process of its own, leaves its picture, and what it says holds."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from make_gallery import GALLERY, MOST_BYTES, PAGE, PICTURES, ROOT, page

from geoconcept_gis import load_model, read_concept, read_places, read_provenance
from geoconcept_gis.gallery import GALLERIES, _path

pytest.importorskip("matplotlib")
image = pytest.importorskip("PIL.Image", reason="pillow is not installed: pip install pillow")

SCRIPTS = sorted(ROOT.glob("examples/*.py"))
PICTURE = {name: picture for group in GALLERY.values() for name, _, picture in group}
#: Those that need more than the package, and how one tells that it is there.
NEED_GALLERIES, NEED_DATA = ("locate_mixture", "locate_photos", "train_regional"), ("train_regional",)
NEED_PACKAGES = {"duckdb_h3": "duckdb", "folium_map": "folium", "zarr_world": "zarr"}


def numbers(text, pattern):
    """The numbers in the first line that fits, which must be there."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in {text!r}"
    return [float(number.replace(",", "")) for number in found.groups()]


def world_map(said, folder):
    """The highest score of hot desert lies in the Sahara or Arabia."""
    lon, lat, score = numbers(said, r"highest at (-?\d+) E, (-?\d+) N: ([\d.]+)")
    assert -17 < lon < 60 and 15 < lat < 33 and score > 0.95


def europe_projected(said, folder):
    """Some of Europe is mediterranean woodland, and most is not."""
    [area] = numbers(said, r"than 0.5: ([\d,]+) km2")
    assert 50_000 < area < 1_000_000


def pacific_map(said, folder):
    """The columns run on past 180 degrees."""
    first, last = numbers(said, r"columns: ([\d.]+) to ([\d.]+), without a break")
    assert first < 180 < last


def zarr_world(said, folder):
    """The store was written in several chunks, and says which model made it."""
    assert numbers(said, r"(\d+) chunks")[0] > 5
    assert read_provenance(folder / "savanna.zarr")["kind"] == "calibrated"


def covariate_stack(said, folder):
    """One band for each concept, none of them empty."""
    means = [float(mean) for mean in re.findall(r": mean ([\d.]+)", said)]
    assert len(means) == 6 and min(means) > 0.01


def score_points(said, folder):
    """The towns that are listed lie by the Mediterranean or south of the Alps; the table has the new columns."""
    towns = read_places(folder / "score_points.gpkg")
    best = towns.nlargest(8, "concept_mediterranean_climate").geometry
    assert best.y.between(33, 43).all() and towns["concept_port"].between(0, 1).all()


def score_polygons(said, folder):
    """One point does not speak for Borneo."""
    count, point, mean = numbers(said, r"(\d+) islands; .* one point ([\d.]+), mean ([\d.]+)")
    assert count > 40 and abs(point - mean) > 0.1


def folium_map(said, folder):
    """The driest town is Coober Pedy, in the desert; the page holds every town."""
    assert "Coober Pedy" in said
    [count] = numbers(said, r"(\d+) towns")
    assert (folder / "folium_map.html").read_text(encoding="utf-8").count('"type": "Feature"') == count


def stac_items(said, folder):
    """Three items; that of the map has its bounds."""
    items = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.stac.json"))]
    assert [item["id"] for item in items] == ["stac_cells", "stac_map", "stac_towns"]
    assert items[1]["bbox"] == [24, 22, 37, 32]


def explain_places(said, folder):
    """Cairo is associated with a desert."""
    assert "desert" in said.split("La Paz")[0]


def compare_towns(said, folder):
    """Lhasa has the dry winters, Cusco hardly any seasons."""
    (dry,) = numbers(said, r"marked dry season +climate +[\d.]+ +[\d.]+ +(-?[\d.]+)")
    (even,) = numbers(said, r"hardly any seasons +climate +[\d.]+ +[\d.]+ +(-?[\d.]+)")
    assert dry > 0 > even


def similar_places(said, folder):
    """In the far south, what is most like Iceland is cold, wet and by the sea: the Falklands or Patagonia."""
    lon, lat = numbers(said, r"far south: (-?\d+) E, (-?\d+) N")
    assert -76 < lon < -55 and -56 < lat < -45


def transect(said, folder):
    """From south to north the climates come in the order that they have on Earth."""
    peaks = [float(lat) for lat in re.findall(r"highest at ([\d.]+) N", said)]
    assert len(peaks) == 5 and peaks == sorted(peaks)


def locate_mixture(said, folder):
    """Three of the four regions are found; within South America it is Chile."""
    found = re.findall(r"POINT \((-?[\d.]+) (-?[\d.]+)\)", said)[:3]
    regions = [(-122.29, 38.3), (18.87, -33.93), (-71.22, -34.64)]
    np.testing.assert_allclose(np.array(found, dtype=float), regions, atol=1.0)
    lon, lat, level, area = numbers(said, r"best (-?[\d.]+) E, (-?[\d.]+) N; (\d+)% lie in ([\d,]+) km2")
    assert -73 < lon < -70 and -37 < lat < -32 and level == 90 and area < 20_000


def map_of_words(said, folder):
    """Olive groves are nearest to Greece, Iberia, Spain or Italy."""
    assert re.search(r"nearest: .*(Greece|Iberia|Spain|Italy)", said)


def own_concept(said, folder):
    """The concept passes its test, and is kept."""
    [auroc] = numbers(said, r"held-out AUROC ([\d.]+)")
    assert auroc > 0.9 and read_concept(folder / "coffee_towns.concept").name == "coffee towns"


def erase_concept(said, folder):
    """Little is left of what was taken away."""
    before, after = (numbers(said, rf"{when}: (-?[\d.]+)")[0] for when in ("before", "after"))
    assert before > 0.4 and abs(after) < before / 2


def concept_relations(said, folder):
    """Rain forests are wet."""
    assert "most alike: tropical rainforest and very wet" in said


def spatial_folds(said, folder):
    """Random folds are nearer to training, and look better."""
    (easy, near), (hard, far) = (numbers(said, rf"{name}.*: R2 ([\d.]+), .* (\d+) km") for name in ("random", "blocks"))
    assert easy > hard and far > 2 * near


def duckdb_h3(said, folder):
    """Shares of people add up to less than everybody."""
    shares = [float(share) for share in re.findall(r": ([\d.]+)%", said)]
    assert len(shares) == 2 and min(shares) > 0 and sum(shares) < 100


def orchid_concept(said, folder):
    """Told from random land, the concept learns where towns are; told from the same observers' records, it does not."""
    by_random, by_group, truth = map(float, re.findall(r"nearness to a town\s+(-?[\d.]+)", said))
    assert by_random > truth > by_group


CLAIMS = {
    claim.__name__: claim
    for claim in (
        *(world_map, europe_projected, pacific_map, zarr_world, covariate_stack, score_points, score_polygons),
        *(folium_map, stac_items, explain_places, compare_towns, similar_places, transect, locate_mixture),
        *(map_of_words, own_concept, erase_concept, concept_relations, spatial_folds, duckdb_h3, orchid_concept),
    )
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_examples_run(script, tmp_path):
    """Without a warning, and but for two without data from elsewhere."""
    name = script.stem
    if name in NEED_PACKAGES:
        pytest.importorskip(NEED_PACKAGES[name])
    if name in NEED_GALLERIES and not all(_path(load_model(), gallery).is_file() for gallery in GALLERIES):
        pytest.skip("the galleries are not built: geolocate builds them into the folder of GEOCONCEPT_CACHE")
    environment = dict(os.environ)
    if name in NEED_DATA:
        if "GEOCONCEPT_DATA" not in environment:
            pytest.skip("the photos are not at hand: GEOCONCEPT_DATA")
    else:
        environment.pop("GEOCONCEPT_DATA", None)
    program = [sys.executable, "-W", "error", script, tmp_path]
    # Elsewhere than in the repository: data are also looked for beside the folder one works in.
    run = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for picture in tmp_path.rglob("*.png"):
        check_picture(picture)
    if not PICTURE[name].startswith(".."):
        assert (tmp_path / PICTURE[name]).is_file()
    if name in CLAIMS:
        CLAIMS[name](run.stdout, tmp_path)


def check_picture(path):
    """Large enough to read, and neither blank nor of few colours."""
    with image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB").resize((200, 200)))
        assert min(picture.size) >= 300 and max(picture.size) >= 600
    assert pixels.std() > 10
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_every_example_is_in_the_gallery():
    """And the gallery has none that is not there."""
    main = {"species_model/species_model"}
    assert set(PICTURE) == {path.stem for path in SCRIPTS} | main
    assert set(CLAIMS) <= set(PICTURE)


def test_the_gallery_is_current():
    """The page is what the tool writes, with a small picture for each example, and no other."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tools/make_gallery.py --page"
    own = {picture for picture in PICTURE.values() if not picture.startswith("..")}
    assert own == {path.name for path in PICTURES.iterdir()}
    for picture in (PICTURES / name for name in own):
        assert picture.stat().st_size <= MOST_BYTES
        check_picture(picture)
    for picture in set(PICTURE.values()) - own:
        assert (Path(PICTURES) / picture).is_file()
