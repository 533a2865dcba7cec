"""One explorer for all tests: the real model, a world of coarse cells, and the page's server in this process."""

import contextlib
import functools
import http.server
import threading
import time

import pytest

pytest.importorskip("starlette", reason="the explorer's extra is not installed: pip install -e '.[explore]'")

import uvicorn

from geoconcept_gis.explore.explorer import Explorer
from geoconcept_gis.explore.server import application, open_socket

TOKEN = "a-token-for-tests"
HOST = "127.0.0.1:4711"


@pytest.fixture(scope="session")
def explorer(model, tmp_path_factory):
    """The explorer, its coarse cells embedded and nothing kept."""
    made = Explorer(model, tmp_path_factory.mktemp("cache"))
    made.world.fill(coarse=True)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def forget(explorer):
    """What one test makes is not there in the next."""
    yield
    explorer.own.clear()


@contextlib.contextmanager
def served(explorer):
    """Serve an explorer on a free port; yields the page's address."""
    bound = open_socket()
    host = "{}:{}".format(*bound.getsockname())
    app = application(explorer, token=TOKEN, hosts={host})
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://{host}/{TOKEN}/"
    finally:
        server.should_exit = True
        thread.join(5)
        bound.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def hosted(folder):
    """Host a folder as any web server would; yields its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "http://{}:{}/".format(*server.server_address)
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
