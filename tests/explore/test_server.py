"""The server: who may ask, what is refused and how, and that answers are the package's own."""

import asyncio
import io
import json
import re
import threading
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from starlette.testclient import TestClient

import geoconcept_gis as gc
from geoconcept_gis.errors import InputError, SeamWarning
from geoconcept_gis.explore import server, uploads
from geoconcept_gis.explore.server import application, content_policy, open_socket

from .conftest import HOST, TOKEN

CAIRO, LONDON = (31.2, 30.0), (-0.1, 51.5)


@pytest.fixture(scope="module")
def client(explorer):
    """A browser that has the token."""
    app = application(explorer, token=TOKEN, hosts={HOST})
    with TestClient(app, base_url=f"http://{HOST}/{TOKEN}/") as made:
        yield made


def url(path):
    return f"http://{HOST}/{TOKEN}/{path}"


def refused(answer, status=400):
    """Return the message of a refusal, which is one line for people."""
    assert answer.status_code == status, answer.text
    message = answer.json()["error"]
    assert message
    assert "\n" not in message
    assert "Traceback" not in message
    return message


# ---------------------------------------------------------------- who may ask


@pytest.mark.parametrize("path", ["", "start.json", "wrong/start.json", f"{TOKEN}x/", ".."])
def test_without_the_token_nothing_is_told(client, path):
    """Not even the page."""
    answer = client.get(f"http://{HOST}/{path}")
    assert answer.status_code == 403
    assert "token" in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:4711", ""])
def test_another_host_is_not_answered(client, host):
    """A name that someone points at this machine does not get in."""
    assert client.get(url("start.json"), headers={"host": host}).status_code == 421


def test_another_origin_is_not_answered(client):
    """A page elsewhere that has learnt the address cannot use it from its own scripts."""
    assert client.get(url("start.json"), headers={"origin": "https://evil.example"}).status_code == 421
    assert client.get(url("start.json"), headers={"origin": f"http://{HOST}"}).status_code == 200


@pytest.mark.parametrize("path", ["", "start.json", "api/place?lon=x", "assets/none.js"])
def test_every_answer_has_safe_headers(client, path):
    """No script, style or address from elsewhere, whatever the answer."""
    headers = client.get(url(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_tiles_open_one_origin_and_nothing_else():
    """The policy names the host of the tiles; what is no address of tiles is refused."""
    assert "https://tile.example.org;" in content_policy("https://tile.example.org/{z}/{x}/{y}.png")
    for wrong in (
        "https://tile.example.org/",
        "javascript:{z}{x}{y}",
        "https://a b/{z}{x}{y}",
        "https://x;y/{z}{x}{y}",
    ):
        with pytest.raises(InputError, match="tiles must be"):
            content_policy(wrong)


def test_the_socket_is_of_this_machine_alone():
    """A port that is taken is refused by name."""
    bound = open_socket()
    try:
        address, port = bound.getsockname()
        assert address == "127.0.0.1"
        bound.listen()
        with pytest.raises(InputError, match=f"port {port} cannot be used"):
            open_socket(port)
    finally:
        bound.close()


def test_files_outside_the_page_are_out_of_reach(client):
    """Neither dots nor their codes lead out of the folder."""
    for path in ("../server.py", "%2e%2e/server.py", "assets/../../server.py", "..%2fserver.py"):
        assert client.get(url(path)).status_code in (403, 404)


# ---------------------------------------------------------------- concepts and grids


def test_start_tells_every_concept_with_its_evidence(client, model):
    """The page gets all that it lists from one answer."""
    start = client.get(url("start.json")).json()
    assert [one["name"] for one in start["concepts"]] == model.bank.names
    desert = next(one for one in start["concepts"] if one["name"] == "hot desert climate")
    assert desert["grade"] in "AB"
    assert "AUROC" in desert["evidence"]
    assert start["model"]["sha256"] == model.sha256


def test_a_grid_is_that_of_the_world(client, explorer, model):
    """Name, alias and words are all understood."""
    answer = client.get(url("api/grid"), params={"concept": "hot desert climate"})
    assert answer.headers["x-done"] == str(explorer.world.done)
    assert answer.content == explorer.world.grid(model.bank["hot desert climate"]).tobytes()
    assert client.get(url("api/grid"), params={"concept": "BWh"}).content == answer.content
    words = client.get(url("api/grid"), params={"words": "dry savanna in Africa"})
    assert len(words.content) == 360 * 720


def test_words_come_with_what_speaks_against_them(client):
    """A phrase has a grade and its nearest concepts."""
    told = client.get(url("api/words"), params={"q": "dry savanna in Africa"}).json()
    assert told["family"] == "text"
    assert told["grade"] in ("B", "C", "D")
    assert told["told"]["nearest"]


def test_search_finds_by_meaning(client):
    """The bundled words know what wine has to do with vineyards."""
    found = client.get(url("api/search"), params={"q": "lava"}).json()
    assert found[0]["name"] == "volcano"


@pytest.mark.parametrize("half", ["tund", "!!"])
def test_a_word_half_typed_finds_nothing_and_is_no_error(client, half):
    answer = client.get(url("api/search"), params={"q": half})
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("api/grid", "either a concept or words"),
        ("api/grid?concept=desert&words=desert", "either a concept or words"),
        ("api/grid?concept=no such thing", "no such thing"),
        ("api/grid?words=" + "x" * 300, "200 characters"),
        ("api/grid?words=qqxzzyy", "qqxzzyy"),
        ("api/search?q=", "q is missing"),
        ("api/view?concept=BWh&west=a&south=0&east=1&north=1&step=0.25", "west must be a number"),
        ("api/view?concept=BWh&west=nan&south=0&east=1&north=1&step=0.25", "west must be a number"),
        ("api/view?concept=BWh&west=0&south=0&east=1&north=1&step=7", "step must be one of"),
        ("api/place?lon=31", "lat must be a number"),
        ("api/place?lon=31&lat=95", "lat"),
        ("api/place?lon=1e400&lat=1", "lon must be a number"),
        ("api/compare?a=1,2", "b must be longitude,latitude"),
        ("api/compare?a=1,2&b=1,2,3", "b must be longitude,latitude"),
        ("api/heatmap/none", "drop the file again"),
        ("api/scored/none/points?column=x", "not kept any more"),
        ("api/scored/none/scored.csv", "not kept any more"),
        ("api/scored/none/scored.exe", "can be had as"),
        ("api/own/none", "no concept 'none' of your own"),
    ],
)
def test_bad_questions_are_refused_with_a_reason(client, path, said):
    """400 and one line, never a traceback."""
    assert said in refused(client.get(url(path)))


# ---------------------------------------------------------------- places


def test_a_place_is_explained_as_the_package_does(client, model):
    """The same rows as `explain`, and the concept that the map shows."""
    told = client.get(url("api/place"), params={"lon": 31.2, "lat": 30.0, "concept": "BWh"}).json()
    own = gc.explain(CAIRO, model=model, top=15)
    assert [row["concept"] for row in told["concepts"]] == own.table["concept"].tolist()
    assert told["asked"][0]["percentile"] == pytest.approx(float(model.score([CAIRO], "BWh", kind="percentile")[0, 0]))
    assert told["notes"][-1].startswith("Associated with")


@pytest.mark.filterwarnings("ignore::geoconcept_gis.errors.SeamWarning")
def test_a_place_at_the_seam_says_so(client):
    """A note, where Python would warn."""
    told = client.get(url("api/place"), params={"lon": 179.9, "lat": 66.0}).json()
    assert "antimeridian" in told["notes"][-1]


def test_another_model_is_told_of_as_it_is(explorer, monkeypatch):
    """One without a seam gets no note of it; the weak tower, which knows GeoCLIP's space alone, reads it no photos."""
    monkeypatch.setattr(explorer.model.encoder, "jumps", False)
    assert not any("antimeridian" in note for note in explorer.place(180.0, -16.8)["notes"])
    monkeypatch.setattr("geoconcept_gis.explore.explorer.weights_at_hand", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)  # everything is installed
    assert explorer.photo_tower == "weak"
    monkeypatch.setattr(explorer.model, "space", "mine-1")
    assert explorer.photo_tower is None


def test_two_places_are_compared_as_the_package_does(client, model):
    """The same rows as `compare`."""
    told = client.get(url("api/compare"), params={"a": "31.2,30", "b": "-0.1,51.5"}).json()
    own = gc.compare(CAIRO, LONDON, model=model, top=15)
    assert [row["concept"] for row in told["concepts"]] == own.table["concept"].tolist()


# ---------------------------------------------------------------- tables


HOSTILE = '<img src=x onerror="alert(1)">'


def geojson(rows):
    features = [
        {"type": "Feature", "properties": {"note": HOSTILE}, "geometry": {"type": "Point", "coordinates": list(pair)}}
        for pair in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def send(client, name, content):
    return client.post(url("api/score"), params={"name": name}, content=content)


def parquet(rows):
    frame = gpd.GeoDataFrame({"k": range(len(rows))}, geometry=shapely.points(rows), crs="EPSG:4326")
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"town,lon,lat\nCairo,31.2,30.0\nLondon,-0.1,51.5\n"),
        ("A.GeoJSON", geojson([CAIRO, LONDON])),
        ("x.json", geojson([CAIRO, LONDON])),
        ("x.geoparquet", parquet([CAIRO, LONDON])),
        (f"{HOSTILE}../../etc/passwd\u202e.csv", b"lon;lat\n31.2;30.0\n-0.1;51.5\n"),
    ],
)
def test_a_table_is_scored_like_embed_does(client, model, name, content):
    """Whatever the file's name, which is used for its ending alone."""
    told = send(client, name, content).json()
    assert told["rows"] == 2
    assert told["left_out"] == {}
    column = told["columns"]["hot desert climate"]
    points = client.get(url(f"api/scored/{told['id']}/points"), params={"column": column}).json()
    expected = model.score([CAIRO, LONDON], "hot desert climate", kind="percentile")[:, 0]
    assert [point[:2] for point in points] == [list(CAIRO), list(LONDON)]
    assert [point[2] for point in points] == pytest.approx(expected, abs=0.06)


def test_downloads_open_again(client, tmp_path):
    """All three formats, with every row and the text as it was."""
    told = send(client, "hostile.geojson", geojson([CAIRO, LONDON])).json()
    for suffix in ("csv", "geojson", "parquet"):
        answer = client.get(url(f"api/scored/{told['id']}/scored.{suffix}"))
        assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''scored.{suffix}"
        file = tmp_path / f"scored.{suffix}"
        file.write_bytes(answer.content)
        table = gc.read_places(file)
        assert len(table) == 2
        assert table["note"].tolist() == [HOSTILE] * 2
        assert "concept_hot_desert_climate" in table.columns


def test_rows_that_are_nowhere_are_counted(client):
    """Never dropped: they are in the download, without scores."""
    told = send(client, "a.csv", b"lon,lat\n31.2,30\n,\n500,99\n").json()
    assert told["rows"] == 3
    assert told["left_out"] == {"missing": 1, "out_of_range": 1}
    answer = client.get(url(f"api/scored/{told['id']}/scored.csv"))
    assert len(answer.text.strip().splitlines()) == 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.gpkg", b"x", "must end in one of"),
        ("csv", b"x", "must end in one of"),
        ("a.csv", b"town\nCairo\n", "no columns look like"),
        ("a.csv", b"lon,lat\n", "no rows"),
        ("a.csv", b"lon,lat\n\xff\xfe,1\n", "not UTF-8"),
        ("a.geojson", b"<OGRVRTDataSource></OGRVRTDataSource>", "no JSON"),
        ("a.geojson", b'{"type": "Topology"}', "no GeoJSON"),
        ("a.geojson", b"[" * 100_000, "no JSON"),
        ("a.parquet", b"PAR1 but not really PAR1", "not a readable Parquet file"),
        (
            "a.csv",
            b"lon,lat,concept_hot_desert_climate\n1,2,3\n",
            "have these columns already|has these columns already",
        ),
        ("x" * 300 + ".csv", b"lon,lat\n1,2\n", "255 characters"),
        ("", b"lon,lat\n1,2\n", "name is missing"),
        ("a.csv", b"", "empty"),
    ],
)
def test_files_that_are_no_table_are_refused(client, explorer, name, content, said):
    """By what is wrong with them, without the server's own paths; nothing stays on the disk."""
    folder = Path(explorer._workspace.name)
    before = set(folder.iterdir())
    message = refused(send(client, name, content))
    assert re.search(said, message), message
    assert str(folder) not in message
    assert set(folder.iterdir()) == before


def test_a_table_with_too_many_rows_is_refused(client, monkeypatch):
    """The message names the command for it."""
    monkeypatch.setattr(uploads, "MOST_ROWS", 1)
    assert "geoconcept embed" in refused(send(client, "a.csv", b"lon,lat\n1,2\n3,4\n"))


def test_what_is_too_large_is_not_read(client, monkeypatch):
    """By its header, and by its bytes where the header is silent."""
    monkeypatch.setattr(server, "LARGEST", 1 << 20)
    assert "too large" in refused(send(client, "a.csv", b"x" * ((1 << 20) + 1)), 413)

    def stream():
        for _ in range(20):
            yield b"x" * 100_000

    assert "too large" in refused(send(client, "a.csv", stream()), 413)


# ---------------------------------------------------------------- concepts of one's own


def define(client, **request):
    return client.post(url("api/define"), content=json.dumps(request).encode())


@pytest.mark.filterwarnings("ignore::geoconcept_gis.errors.FewPlacesWarning")
def test_a_concept_from_clicks_can_be_mapped_and_downloaded(linear, client, explorer, monkeypatch, tmp_path, model):
    """It stands beside the bank's, and its file is one that `read_concept` opens."""
    cheap, _ = linear
    monkeypatch.setattr(explorer, "model", cheap)
    rng = np.random.default_rng(0)
    positive = np.column_stack([rng.uniform(-10, 35, 40), rng.uniform(18, 29, 40)]).tolist()
    told = define(client, name="my desert", positive=positive).json()
    assert told["family"] == "own"
    assert len(client.get(url("api/grid"), params={"concept": "my desert"}).content) == 360 * 720
    file = tmp_path / "mine.concept"
    file.write_bytes(client.get(url("api/own/my%20desert")).content)
    assert gc.read_concept(file, model).name == "my desert"
    assert "already" in refused(define(client, name="Hot Desert climate", positive=positive))


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"name": "x"}, "positive must be a list"),
        ({"name": "", "positive": [[1, 2]]}, "name must be"),
        ({"name": "a\u0007b", "positive": [[1, 2]]}, "name must be"),
        ({"name": "x" * 81, "positive": [[1, 2]]}, "name must be"),
        ({"name": "x", "positive": [[1, 2, 3]]}, "pairs"),
        ({"name": "x", "positive": [["1", 2]]}, "pairs"),
        ({"name": "x", "positive": [[1, 2]] * 6000}, "5,000"),
        ({"name": "x", "positive": [[1, 200], [3, 4]]}, "positive"),
        ({"name": "x", "positive": [[20, 20]]}, "at least 2"),
    ],
)
def test_examples_that_make_no_concept_are_refused(client, request_, said):
    """Each by its own fault."""
    assert said in refused(define(client, **request_))


def test_what_is_no_request_is_refused(client):
    """Broken JSON, another kind of JSON, and NaN, which Python would take."""
    for body, said in ((b"{", "no JSON"), (b"[]", "object"), (b'{"name": "x", "positive": [[NaN, 1]]}', "pairs")):
        assert said in refused(client.post(url("api/define"), content=body))


# ---------------------------------------------------------------- photos and vectors


def npy(array, **options):
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.npy", b"nothing", "no .npy file"),
        ("a.npy", npy(np.array([{"a": 1}], dtype=object), allow_pickle=True), "no .npy file"),
        ("a.npy", npy(np.zeros(512)), "not zero"),
        ("a.npy", npy(np.full(512, np.nan)), "finite"),
        ("a.npy", npy(np.ones((2, 512))), "one finite vector"),
        ("a.npy", npy(np.ones(7)), "512"),
        ("a.npy", npy(np.array(["x"])), "numbers"),
        ("a.exe", b"MZ", "npy"),
    ],
)
def test_what_is_no_vector_is_refused(client, name, content, said):
    """Nothing is ever unpickled."""
    assert said in refused(client.post(url("api/locate"), params={"name": name}, content=content))


# ---------------------------------------------------------------- stopping


def test_work_stops_when_nobody_waits(explorer):
    """A browser that goes away ends the work it asked for."""
    asked, stopped = threading.Event(), threading.Event()
    api = server._Api(explorer)

    class Gone:
        async def is_disconnected(self):
            return asked.is_set()

    def answer(told):
        asked.set()
        for _ in range(200):
            if told(1, 2):
                stopped.set()
                return None
            time.sleep(0.05)
        return None

    asyncio.run(api._work(Gone(), answer, job=True))
    assert stopped.is_set()
    assert api._job is None


def test_warnings_that_the_page_tells_itself_are_known():
    """What is silenced on the terminal is on the page as a note."""
    assert SeamWarning in server._TOLD_ON_THE_PAGE
