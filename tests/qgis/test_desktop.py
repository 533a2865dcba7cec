"""The ZIP in a real desktop: installed as users do, driven by its own widgets, and looked at."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BUILT, ROOT

#: Of all tests of the plugin: what takes minutes to make is made once.
CACHE = BUILT.parent / "qgis_cache"
ZIP = ROOT / "dist" / "geoconcept.zip"
SCRIPT = Path(__file__).parent / "desktop" / "drive.py"


def drive(folder, work):
    """Run the story in a profile of its own; return what it measured. Its pictures are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = work / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text("[qgis]\ncheckVersion=false\n")
    runtime = work / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("QT_QPA", "QGIS_", "PYTHON"))}
    environment |= {"SHOT_DIR": str(folder), "GEOCONCEPT_ZIP": str(ZIP), "XDG_RUNTIME_DIR": str(runtime)}
    # The places of photos are prepared once, by whichever test comes first.
    environment.setdefault("GEOCONCEPT_CACHE", str(CACHE))
    command = ["xvfb-run", "-a", "-s", "-screen 0 1400x900x24", "qgis", "--nologo", "--profiles-path", str(work)]
    done = subprocess.run(
        [*command, "--code", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=1500, check=False
    )
    error = folder / "error.txt"
    assert done.returncode == 0, error.read_text("utf-8") if error.is_file() else done.stderr[-3000:]
    return json.loads((folder / "facts.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Run the script once; return the folder of its pictures, and what it measured."""
    for program in ("qgis", "xvfb-run"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if not ZIP.is_file():
        pytest.skip("no dist/geoconcept.zip: python qgis_plugin/build_plugin.py")
    folder = Path(os.environ.get("GEOCONCEPT_SHOTS") or tmp_path_factory.mktemp("shots"))
    return folder, drive(folder, tmp_path_factory.mktemp("work"))


def share(session, name, test, part=None):
    """Return the share of pixels of the map (or of another part of the screen) for which test(r, g, b) is true."""
    import numpy as np
    from PIL import Image

    folder, facts = session
    left, top, width, height = part or facts["canvas"]
    with Image.open(folder / f"{name}.png") as picture:
        pixels = np.asarray(picture.convert("RGB").crop((left, top, left + width, top + height))).astype(int)
    return float(test(*np.moveaxis(pixels, 2, 0)).mean())


def yellow(r, g, b):
    return (r > 180) & (g > 180) & (b < 110)


def violet(r, g, b):
    return (r < 125) & (g < 70) & (b > 60) & (b < 150)


def test_the_preview_is_seen(session):
    """Nothing before, coarse at once, then fine: deserts yellow, rain forest violet."""
    assert share(session, "1_list", yellow) < 0.01
    for name in ("2_coarse", "3_fine"):
        assert share(session, name, yellow) > 0.05, name
        assert share(session, name, violet) > 0.05, name
    rows, columns = session[1]["cells"]
    assert rows * columns == pytest.approx(120_000, rel=0.02)


def test_it_is_fast_enough(session):
    """The list and the coarse picture at once; the encoder is served by a fast BLAS, where there is one."""
    facts = session[1]
    print({key: round(value, 2) for key, value in facts.items() if key.endswith(("seconds", "rate"))})
    assert facts["list_seconds"] < 10
    assert facts["coarse_seconds"] < 5
    assert facts["rate"] > 1000 or not facts["openblas"]


def test_the_layer_is_seen(session):
    """Kept as a layer it looks the same, and says what it is."""
    assert share(session, "4_layer", yellow) > 0.05
    assert share(session, "4_layer", violet) > 0.05
    assert session[1]["layer"] == "hot desert climate (calibrated)"


def test_places_and_fields(session):
    """The click was read, the layer has the fields."""
    facts = session[1]
    assert facts["place"].startswith("34.0") or facts["place"].startswith("33.9")
    assert {"name", "concept_hot_desert_climate", "concept_mediterranean_climate"} <= set(facts["fields"])
    assert facts["scores"]["Cairo"] > facts["scores"]["London"]


def test_the_small_maps_are_seen(session):
    """The list has colour, after the model was read in a thread."""
    left, _, width, _ = session[1]["canvas"]
    assert share(session, "1_list", yellow, (left + width, 200, 320, 320)) > 0.005


def test_the_desktop_stays_awake(session):
    """From the first click to the fine picture, seconds on end, the event loop never waits for what is computed.

    How long it waits is printed, since QGIS itself and other work on the machine are in it, too.
    """
    print(f"longest gap {1000 * session[1]['longest_gap_seconds']:.0f} ms")
    assert session[1]["longest_gap_seconds"] < 1.0


def test_a_vector_is_located(session):
    """Its place comes first in the list, and heatmap, areas and points lie on the map."""
    facts = session[1]
    lon, lat = facts["located"]
    assert abs(lon - 2.35) < 1.0
    assert abs(lat - 48.86) < 1.0
    assert facts["located_layers"] == 3
    dark = share(session, "13_located", lambda r, g, b: (r < 90) & (g < 60) & (b < 110))
    assert dark > 0.00005  # a few cells, at the scale of a continent
