"""The page in real Chromium: every road a reader can take, by mouse, by keyboard alone, and on a phone."""

import http.server
import io
import json
import math
import os
import re
import shutil
import threading
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
pytest.importorskip("PIL", reason="pillow is not installed: pip install pillow")
pytest.importorskip("axe_playwright_python", reason="axe is not installed: pip install axe-playwright-python")

from PIL import Image
from playwright import sync_api

from geoconcept_gis.explore.export import export_site
from geoconcept_gis.style import LOOKS

from .conftest import hosted, served

#: axe-core's script, as the package brings it.
AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
#: Drawing without a graphics card.
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
SLOW = 60_000  # milliseconds, on a busy machine

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
    pytest.mark.skipif("GEOCONCEPT_BROWSER" not in os.environ, reason="a real browser is driven by `make browser`"),
]


@pytest.fixture(scope="module")
def address(explorer):
    with served(explorer) as made:
        yield made


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def open_page(browser, address):
    """Open the page at a hash; at the end nothing may have gone wrong in it, and nothing was asked from elsewhere."""
    contexts, wrong = [], []

    def open_at(state="", *, expect_errors=False, to=None, **options):
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 760}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        home = to or address
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: None if r.url.startswith((home, "data:", "blob:")) else wrong.append(r.url))
        if not expect_errors:
            page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.goto(home + state)
        page.wait_for_selector("html[data-shown]")
        return page

    yield open_at
    for context in contexts:
        context.close()
    # What Chromium says of drawing without a graphics card is not the page's.
    assert [text for text in wrong if "GPU stall" not in text and "GL Driver" not in text] == []


def shown(page, name):
    page.wait_for_selector(f'html[data-shown="{name}"]')


def state_of(page):
    page.wait_for_timeout(200)
    return page.evaluate("() => location.hash")


def on_screen(page, lon, lat, camera):
    """Return where a place is drawn, in pixels of the window."""
    lon0, lat0, zoom = camera
    box = page.locator("#map").bounding_box()
    world = 512 * 2**zoom

    def up(latitude):
        return math.asinh(math.tan(math.radians(latitude))) / (2 * math.pi) * world

    x = box["x"] + box["width"] / 2 + (lon - lon0) / 360 * world
    return x, box["y"] + box["height"] / 2 - (up(lat) - up(lat0))


def pixel(page, x, y):
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return np.array(picture.getpixel((round(x), round(y))), dtype=float)


def colour_of(value):
    colours = LOOKS["percentile"].colours
    at = value / 100 * (len(colours) - 1)
    low = min(int(at), len(colours) - 2)
    one, two = (np.array([int(colours[k][i : i + 2], 16) for i in (1, 3, 5)], dtype=float) for k in (low, low + 1))
    return one + (two - one) * (at - low)


# ---------------------------------------------------------------- the map


def test_the_map_has_the_colours_of_the_grid(open_page, explorer, model):
    """Pixels over cells of known percentile have the ramp's colour there; the sea has none of it."""
    camera = (20.0, 10.0, 2.0)
    page = open_page("#c=hot+desert+climate&z=20,10,2")
    page.wait_for_timeout(1500)
    grid = explorer.world.grid(model.bank["hot desert climate"])
    for lon, lat in ((10.25, 24.25), (22.75, -2.25), (45.25, 22.25), (4.75, 10.25)):
        value = int(grid[int((90 - lat) * 2), int((lon + 180) * 2)])
        assert np.abs(pixel(page, *on_screen(page, lon, lat, camera)) - colour_of(value)).max() < 12, (lon, lat, value)
    assert np.abs(pixel(page, *on_screen(page, -2.0, -5.0, camera)) - [223, 233, 238]).max() < 8


@pytest.mark.parametrize("zoom", [0.9, 1.2])
def test_the_sea_covers_no_land(open_page, zoom):
    """Large islands show their cells at every zoom; the ocean shows none."""
    sea = [223, 233, 238]
    page = open_page(f"#c=hot+desert+climate&z=60,20,{zoom}", viewport={"width": 1400, "height": 760})
    page.wait_for_timeout(2000)
    camera = (60.0, 20.0, zoom)
    for lon, lat in ((134, -25), (46.5, -19.5), (138.2, 36.2), (-1.5, 52.5), (15, 62), (114, 0), (143, -6)):
        assert np.abs(pixel(page, *on_screen(page, lon, lat, camera)) - sea).max() > 60, (lon, lat)
    assert np.abs(pixel(page, *on_screen(page, 75.0, -5.0, camera)) - sea).max() < 8


def test_choose_a_concept_from_the_list(open_page):
    """Filter by family, choose: legend, list and address say the same."""
    page = open_page()
    page.get_by_label("Family").select_option("people")
    page.get_by_role("option", name="city", exact=False).first.click()
    page.wait_for_selector("#legend h2:has-text('city')")
    assert re.search(r"^#c=\w*", state_of(page))
    page.get_by_label("Family").select_option("all families")
    page.get_by_label("Grade", exact=True).select_option("D")
    grades = page.locator("#concept-list .grade").all_inner_texts()
    assert grades
    assert {text[-1] for text in grades} == {"D"}


def test_words_become_a_map(open_page):
    """Words that are no concept are offered, drawn, and marked as untested."""
    page = open_page()
    page.locator("#search").fill("dry savanna in Africa")
    page.get_by_role("option", name="Map the words").click()
    shown(page, "dry savanna in Africa")
    assert "Not in the bank" in page.locator("#legend").inner_text()
    assert state_of(page).startswith("#w=dry+savanna+in+Africa")


def test_zooming_in_draws_finer_cells(open_page):
    """The legend says how fine; zooming out takes them away."""
    page = open_page("#c=BWh&z=31,30,6")
    page.locator("#fineness", has_text="degrees in view").wait_for()
    page.goto(page.url.split("#")[0] + "#c=BWh&z=31,30,1")
    page.locator("#fineness", has_text="in view").wait_for(state="hidden")


# ---------------------------------------------------------------- places


def test_click_pin_and_compare(open_page):
    """A click explains; two pins tell what differs; removing one takes that away."""
    camera = (20.0, 40.0, 2.0)
    page = open_page("#c=hot+desert+climate&z=20,40,2")
    page.mouse.click(*on_screen(page, 31.2, 30.0, camera))
    page.wait_for_selector("#answer .bars li")
    assert "Egypt" in page.locator("#answer").inner_text()
    assert "percentile" in page.locator("#answer .asked").inner_text()
    page.get_by_role("button", name="Pin as A").click()
    page.locator("#lon").fill("-0.1")
    page.locator("#lat").fill("51.5")
    page.get_by_role("button", name="Explain", exact=True).click()
    page.locator("#answer h2", has_text="London").wait_for()
    page.get_by_role("button", name="Pin as B").click()
    page.wait_for_selector("#difference .bars li")
    hash_ = state_of(page)
    assert "&a=31." in hash_
    assert "&b=-0.1,51.5" in hash_
    page.get_by_role("button", name="Remove pin A").click()
    page.wait_for_selector("#difference .bars", state="detached")
    page.locator("#answer .bars button").first.click()
    page.wait_for_selector("html:not([data-shown='hot desert climate'])")


def test_the_address_brings_everything_back(open_page):
    """Concept, place, pins, camera, tab and smoothness, in a new window."""
    state = "#c=tundra+climate&p=31.2,30&a=31.2,30&b=-0.1,51.5&z=15.00,40.00,3.00&t=places&s=1"
    page = open_page(state)
    page.wait_for_selector("#difference .bars li")
    shown(page, "tundra climate")
    assert page.get_by_role("tab", name="Places").get_attribute("aria-selected") == "true"
    assert page.locator("#smooth").is_checked()
    assert state_of(page) == state


@pytest.mark.parametrize("state", ["#c=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E", "#z=nan,1,1&p=1&c=no+such", "#w=qqxzzyy"])
def test_an_address_that_means_nothing_is_told(browser, address, state):
    """As text, in the status line."""
    context = browser.new_context()
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(address + state)
    page.locator("#status.wrong").wait_for(timeout=SLOW)
    context.close()


def test_the_sea_of_numbers_is_checked(open_page):
    """A latitude beyond the pole does not leave the form."""
    page = open_page("#t=places")
    page.locator("#lon").fill("10")
    page.locator("#lat").fill("95")
    page.get_by_role("button", name="Explain", exact=True).click()
    assert page.locator("#answer").inner_text() == ""


# ---------------------------------------------------------------- files


def upload(page, name, content):
    page.get_by_role("tab", name="Files").click()
    page.locator("#file").set_input_files({"name": name, "mimeType": "text/plain", "buffer": content})


def test_a_table_with_a_hostile_name_is_scored_and_comes_back(open_page):
    """The name is shown as the text it is; the download has the rows."""
    page = open_page()
    name = f"{HOSTILE}\u202e.csv"
    upload(page, name, f'town,lon,lat\n"{HOSTILE.replace(chr(34), chr(34) * 2)}",31.2,30\nx,,\n'.encode())
    page.wait_for_selector("#file-answer .bars li")
    assert page.locator(".file-name").inner_text() == name
    text = page.locator("#file-answer").inner_text()
    assert "2 rows scored" in text
    assert "1 row has no scores: missing" in text
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename == "scored.csv"
    assert len(saved.strip().splitlines()) == 3
    assert "<script>" in saved


def test_geojson_points_are_drawn_in_their_colours(open_page, model):
    """A dot in the colour of its percentile; another concept, another colour."""
    camera = (-10.0, 30.0, 2.0)
    page = open_page("#c=hot+desert+climate&z=-10,30,2&t=files")
    point = {"type": "Point", "coordinates": [-40.0, 30.0]}  # at sea, where the map has no colour
    content = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"a": HOSTILE}, "geometry": point}],
    }
    upload(page, f"{HOSTILE}.geojson", json.dumps(content).encode())
    page.wait_for_selector("#file-answer .bars li")
    for concept in ("hot desert climate", "oceanic climate"):
        page.goto(page.url.split("#")[0] + f"#c={concept.replace(' ', '+')}&z=-10,30,2&t=files")
        shown(page, concept)
        page.wait_for_timeout(1500)
        value = float(model.score([[-40.0, 30.0]], concept, kind="percentile")[0, 0])
        assert np.abs(pixel(page, *on_screen(page, -40.0, 30.0, camera)) - colour_of(round(value))).max() < 30


def test_a_broken_file_says_why(open_page):
    """The server's sentence, in the status line."""
    page = open_page(expect_errors=True)
    upload(page, "a.csv", b"town\nCairo\n")
    page.locator("#status.wrong", has_text="no columns look like").wait_for()


def test_a_vector_is_located(open_page, explorer, monkeypatch):
    """Heatmap, places, areas and reasons; the way back to the concept."""
    from geoconcept_gis.h3cells import areas_of, cells_of, centers_of
    from geoconcept_gis.locate.geolocation import Geolocation

    cells = np.sort(cells_of(np.array([[31.2, 30.0], [2.3, 48.9]]), 4))
    reasons = {"concept": ["vineyard"], "family": ["culture"], "grade": ["C"], "weight": [0.4], "moved": [0.3]}
    found = Geolocation(
        *("by hand", cells, centers_of(cells), areas_of(cells), np.array([0.25, 0.75])),
        _reasons=lambda _: {**reasons, "moved_by_chance": [0.1]},
    )
    monkeypatch.setattr(explorer.photos, "_geolocate", lambda *_: found)
    page = open_page("#c=vineyard")
    upload(page, "photo.npy", b"x")
    page.wait_for_selector("#file-answer .bars li")
    text = page.locator("#file-answer").inner_text()
    assert "75 % within 50 km" in text
    assert "chance alone moves 10 %" in text
    page.get_by_role("button", name="Back to vineyard").click()
    page.wait_for_selector("#legend h2:has-text('vineyard')")


# ---------------------------------------------------------------- a concept of one's own


@pytest.mark.filterwarnings("ignore::geoconcept_gis.errors.FewPlacesWarning")
def test_examples_become_a_concept(open_page):
    """By clicks on the map and by its middle; the concept is drawn, listed and can be had as a file."""
    camera = (15.0, 22.0, 2.5)
    page = open_page("#z=15,22,2.5&t=own")
    page.get_by_label("clicking the map adds an example").check()
    for lon in (-5.0, 5.0, 12.0, 20.0, 28.0):
        page.mouse.click(*on_screen(page, lon, 24.0, camera))
        page.wait_for_timeout(400)  # a second click at once would be a double click
    page.get_by_role("button", name="Add the middle of the map").click()
    page.locator("summary", has_text="6 with it").wait_for()
    page.locator("#own-name").fill(f"my {HOSTILE[:20]}")
    page.get_by_role("button", name="Make the concept").click()
    page.locator("#own-answer h2").wait_for()
    assert "Only 6 examples" in page.locator("#own-answer").inner_text()
    shown(page, f"my {HOSTILE[:20]}".replace('"', '\\"'))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as .concept file").click()
    assert Path(download.value.path()).stat().st_size > 1000


# ---------------------------------------------------------------- without a mouse, on a phone, aloud


def test_by_keyboard_alone(open_page):
    """Skip link, search, list, tabs, and the map itself."""
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the controls"
    page.keyboard.press("Enter")
    page.locator("#search").focus()
    page.keyboard.type("tundra")
    page.keyboard.press("ArrowDown")
    active = page.locator("#search").get_attribute("aria-activedescendant")
    assert (
        page.locator(f"#{active}").inner_text().startswith("A") or "tundra" in page.locator(f"#{active}").inner_text()
    )
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-shown*=tundra]")
    page.get_by_role("tab", name="Concepts").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.id") == "tab-places"
    page.locator("#map canvas.maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer .bars li")


def test_tab_reaches_everything_that_can_be_pressed(open_page):
    """Every button, field and link in view is in the order of Tab."""
    page = open_page("#t=places&p=31.2,30")
    page.wait_for_selector("#answer .bars li")
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("() => document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"lon", "lat", "Explain", "Explain the middle of the map", "Pin as A", "smooth", "tab-places"} <= seen


def test_on_a_phone(open_page):
    """One column, nothing wider than the screen; the sheet shrinks; a tap explains."""
    page = open_page("#c=vineyard", viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    for tab in ("Concepts", "Places", "Files", "Your own"):
        page.get_by_role("tab", name=tab).tap()
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Smaller").tap()
    assert page.get_by_role("button", name="Larger").get_attribute("aria-expanded") == "false"
    page.get_by_role("button", name="Larger").tap()
    box = page.locator("#map").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 60)
    page.wait_for_selector("#answer .bars li")


@pytest.mark.parametrize("viewport", [{"width": 1200, "height": 760}, {"width": 390, "height": 800}])
@pytest.mark.parametrize("tab", ["concepts", "places", "files", "own"])
def test_axe_finds_nothing(open_page, tab, viewport):
    """No violation of WCAG 2.2 A and AA, nor of axe's best practices."""
    # axe's own script may run past the policy; the page's may not.
    page = open_page(f"#c=vineyard&t={tab}&p=31.2,30&a=31.2,30&b=-0.1,51.5", viewport=viewport, bypass_csp=True)
    page.wait_for_selector("#difference .bars li", state="attached")
    page.locator("#legend summary").click()
    page.evaluate(AXE)
    found = page.evaluate("async () => (await axe.run()).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])")
    assert found == []


# ---------------------------------------------------------------- tiles of the reader's own


def test_tiles_are_drawn_beneath(explorer, monkeypatch, browser):
    """The sea shows the tiles, the land the concept over them."""
    red, asked = io.BytesIO(), []
    Image.new("RGB", (256, 256), (200, 30, 30)).save(red, "PNG")

    class Tiles(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            for name, value in (("Content-Type", "image/png"), ("Access-Control-Allow-Origin", "*")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(red.getvalue())

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as tiles:
        threading.Thread(target=tiles.serve_forever, daemon=True).start()
        monkeypatch.setattr(explorer, "tiles", f"http://127.0.0.1:{tiles.server_port}/{{z}}/{{x}}/{{y}}.png")
        camera = (20.0, 10.0, 2.0)
        with served(explorer) as home, browser.new_context(viewport={"width": 1200, "height": 760}) as context:
            page = context.new_page()
            page.set_default_timeout(SLOW)
            page.goto(home + "#c=hot+desert+climate&z=20,10,2")
            page.wait_for_selector("html[data-shown]")
            page.wait_for_timeout(2000)
            sea, desert = (pixel(page, *on_screen(page, *place, camera)) for place in ((-2.0, -5.0), (10.25, 24.25)))
        tiles.shutdown()
    assert np.abs(sea - [200, 30, 30]).max() < 8
    assert np.abs(desert - (0.7 * colour_of(100) + 0.3 * np.array([200, 30, 30]))).max() < 25
    assert all(re.fullmatch(r"/\d+/\d+/\d+\.png", path) for path in asked)


# ---------------------------------------------------------------- without a server


def test_the_static_site_answers_without_a_server(linear, tmp_path, open_page):
    """Maps, clicks and differences; what needs a server is not there, and the page says so."""
    model, _ = linear
    small = model.with_bank(model.bank.subset(["hot desert climate", "tundra climate", "Antarctica"]))
    site = export_site(small, tmp_path / "site", cache=tmp_path)
    with hosted(site) as home:
        page = open_page("#c=tundra+climate&p=31.2,30", to=home)
        shown(page, "tundra climate")
        assert page.get_by_role("tab").all_inner_texts() == ["Concepts", "Places"]
        assert "This is a static site" in page.locator("#panel-concepts").inner_text()
        page.get_by_role("tab", name="Places").click()
        page.wait_for_selector("#answer .bars li")
        page.get_by_role("button", name="Pin as A").click()
        page.locator("#lon").fill("20")
        page.get_by_role("button", name="Explain", exact=True).click()
        page.get_by_role("button", name="Pin as B").click()
        page.wait_for_selector("#difference .bars li")
