"""The local server: one user, one machine, one secret address.

Every address begins with a random token, so that no other page and no other user of the machine can ask anything, and
no cookie is needed that another local server would be shown. The Host header must name this machine, or a page
elsewhere could point a name of its own at it (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import math
import mimetypes
import secrets
import socket
import threading
import warnings
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..errors import (
    Cancelled,
    FewPlacesWarning,
    GeoConceptError,
    InputError,
    MissingDependencyError,
    PhraseWarning,
    SeamWarning,
    WeakTowerWarning,
)
from .explorer import Explorer
from .uploads import DOWNLOADS, LARGEST
from .world import one_blas_thread

try:
    import anyio.to_thread
    from starlette.applications import Starlette
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
except ImportError as error:
    raise MissingDependencyError(
        f"the explorer needs {error.name}: pip install 'geoconcept-gis[explore]'", name=error.name
    ) from None

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import FrameType

    from numpy.typing import NDArray
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..progress import Progress

__all__ = ["PAGE", "application", "content_policy", "open_socket", "serve"]

#: The built page; its sources are in ``explorer/`` of the repository.
PAGE = Path(__file__).parent / "page"
# Windows may know another type, and browsers run a script as nothing else.
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("text/javascript", ".js")
#: Bytes of a request that is no file.
_LARGEST_JSON = 1 << 20
#: Seconds between looks at whether the asker is still there.
_LOOK = 0.2
_LONGEST_NAME = 255
#: What the page itself says already.
_TOLD_ON_THE_PAGE = (FewPlacesWarning, PhraseWarning, SeamWarning, WeakTowerWarning)


# ---------------------------------------------------------------- the guard


class _Guard:
    """Let through what carries the token and comes by this machine's own name; put safe headers on every answer."""

    def __init__(self, app: ASGIApp, token: str, hosts: set[str], policy: str) -> None:
        self._app, self._token, self._hosts = app, token, hosts
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"x-frame-options", b"DENY"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":  # a websocket is not answered at all
            await self._answer(scope)(scope, receive, self._with_headers(send))

    def _answer(self, scope: Scope) -> ASGIApp:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        origin = headers.get("origin")
        if headers.get("host") not in self._hosts or (origin and urlsplit(origin).netloc not in self._hosts):
            return PlainTextResponse("This address is not mine.", 421)
        token, slash, _ = scope["path"].lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return PlainTextResponse("Open the link that `geoconcept explore` printed: it carries a token.", 403)
        if not slash:
            return RedirectResponse(f"/{self._token}/")
        return self._app

    def _with_headers(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        return answer


def content_policy(tiles: str | None = None) -> str:
    """Return the Content-Security-Policy of the page: nothing from elsewhere but the tiles that were asked for.

    Parameters
    ----------
    tiles : str, optional
        URL of raster tiles.

    Returns
    -------
    str

    Raises
    ------
    InputError
        The URL is no web address with ``{z}``, ``{x}`` and ``{y}``.

    Examples
    --------
    >>> "default-src 'none'" in content_policy()
    True
    """
    origin = ""
    if tiles is not None:
        parts = urlsplit(tiles)
        plain = parts.netloc.replace(".", "").replace("-", "").replace(":", "").isalnum()
        if parts.scheme not in ("http", "https") or not plain or not all(f"{{{x}}}" in tiles for x in "zxy"):
            raise InputError(f"tiles must be a web address with {{z}}, {{x}} and {{y}}; got {tiles!r}")
        origin = f" {parts.scheme}://{parts.netloc}"
    return (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob:{origin}; connect-src 'self'{origin}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


# ---------------------------------------------------------------- questions and answers


class _Api:
    """One method an address; each checks what it is sent, and works in a thread that stops when nobody waits."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._job: dict[str, int] | None = None

    def routes(self) -> list[Route]:
        """Return the addresses, relative to the token."""
        get = {
            "start.json": self.start,
            "api/progress": self.progress,
            "api/words": self.words,
            "api/search": self.search,
            "api/grid": self.grid,
            "api/view": self.view,
            "api/place": self.place,
            "api/compare": self.compare,
            "api/own/{name:path}": self.own_file,
            "api/scored/{key}/points": self.scored_points,
            "api/scored/{key}/{file}": self.scored_file,
            "api/heatmap/{key}": self.heatmap,
        }
        post = {"api/define": self.define, "api/score": self.score, "api/locate": self.locate}
        return [
            *(Route(f"/{path}", answer, methods=["GET"]) for path, answer in get.items()),
            *(Route(f"/{path}", answer, methods=["POST"]) for path, answer in post.items()),
        ]

    async def start(self, request: Request) -> Response:
        return _json(await self._work(request, lambda _: self._explorer.start()))

    async def progress(self, request: Request) -> Response:
        world = self._explorer.world
        return _json({"world": {"done": world.done, "total": len(world)}, "job": self._job})

    async def words(self, request: Request) -> Response:
        text = _text(request, "q")
        return _json(await self._work(request, lambda _: self._explorer.words(text)))

    async def search(self, request: Request) -> Response:
        query = _text(request, "q")
        return _json(await self._work(request, lambda _: self._explorer.search(query)))

    async def grid(self, request: Request) -> Response:
        explorer = self._explorer
        done, grid = await self._work(request, lambda _: explorer.grid(self._concept(request)))
        return _octets(grid, {"x-done": str(done), "x-total": str(len(explorer.world))})

    async def view(self, request: Request) -> Response:
        west, south, east, north = (_number(request, side) for side in ("west", "south", "east", "north"))
        step, world = _number(request, "step"), self._explorer.world

        def answer(progress: Progress) -> NDArray[Any]:
            return world.view(self._concept(request), (west, south, east, north), step, progress)

        grid = await self._work(request, answer)
        return _octets(grid, {"x-rows": str(len(grid)), "x-columns": str(grid.shape[1])})

    async def place(self, request: Request) -> Response:
        lon, lat = _number(request, "lon"), _number(request, "lat")
        params = request.query_params

        def answer(_: Progress) -> dict[str, Any]:
            asked = self._concept(request) if "concept" in params or "words" in params else None
            return self._explorer.place(lon, lat, asked)

        return _json(await self._work(request, answer))

    async def compare(self, request: Request) -> Response:
        a, b = _pair(request, "a"), _pair(request, "b")
        return _json(await self._work(request, lambda _: self._explorer.compare(a, b)))

    async def define(self, request: Request) -> Response:
        body = await _body(request, _LARGEST_JSON)
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            raise InputError("the request is no JSON") from None
        return _json(await self._work(request, lambda told: self._explorer.define(asked, told), job=True))

    async def own_file(self, request: Request) -> Response:
        path = await self._work(request, lambda _: self._explorer.own_file(request.path_params["name"]))
        return _download(path, f"{request.path_params['name']}.concept", "application/octet-stream")

    async def score(self, request: Request) -> Response:
        name, content = _file_name(request), await _body(request, LARGEST)
        add = self._explorer.scored.add
        return _json(await self._work(request, lambda told: add(name, content, told), job=True))

    async def scored_points(self, request: Request) -> Response:
        key, column = request.path_params["key"], _text(request, "column")
        return _json(await self._work(request, lambda _: self._explorer.scored.points(key, column)))

    async def scored_file(self, request: Request) -> Response:
        key, suffix = request.path_params["key"], Path(request.path_params["file"]).suffix
        path = await self._work(request, lambda _: self._explorer.scored.file(key, suffix))
        return _download(path, f"scored{suffix}", DOWNLOADS[suffix])

    async def locate(self, request: Request) -> Response:
        name, content = _file_name(request), await _body(request, LARGEST)
        locate = self._explorer.photos.locate
        return _json(await self._work(request, lambda told: locate(name, content, told), job=True))

    async def heatmap(self, request: Request) -> Response:
        return _octets(self._explorer.photos.heatmap(request.path_params["key"]), {})

    def _concept(self, request: Request) -> Any:
        return self._explorer.concept(request.query_params.get("concept"), request.query_params.get("words"))

    async def _work(self, request: Request, answer: Callable[[Progress], Any], *, job: bool = False) -> Any:
        """Run in a thread; ask it to stop when the asker has gone, or the server is closing."""
        gone = threading.Event()

        def told(done: int, total: int) -> bool:
            if job:
                self._job = {"done": done, "total": total}
            return gone.is_set() or self._explorer.closing.is_set()

        task = asyncio.ensure_future(anyio.to_thread.run_sync(answer, told))
        self._explorer.asked += 1
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
                if await request.is_disconnected():
                    gone.set()
        finally:
            self._explorer.asked -= 1
            gone.set()  # also when the server is stopped while waiting
            if job:
                self._job = None
        return task.result()


def application(
    explorer: Explorer, *, token: str, hosts: set[str], on_close: Callable[[], None] | None = None
) -> ASGIApp:
    """Return the server's application.

    Parameters
    ----------
    explorer : Explorer
    token : str
        First part of every address.
    hosts : set of str
        What the Host header may be, with the port.
    on_close : callable, optional
        Called when the server stops.

    Returns
    -------
    ASGI application
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        if on_close is not None:
            on_close()

    pages = Mount("/", StaticFiles(directory=PAGE, html=True))
    handlers: Mapping[Any, Any] = {
        Cancelled: _cancelled,
        ClientDisconnect: _cancelled,
        GeoConceptError: _refuse,
        _TooLarge: _refuse_large,
        Exception: _fail,
    }
    routes = [Mount(f"/{token}", routes=[*_Api(explorer).routes(), pages])]
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
    return _Guard(app, token, hosts, content_policy(explorer.tiles))


def open_socket(port: int = 0) -> socket.socket:
    """Return a socket bound to this machine alone.

    Parameters
    ----------
    port : int, default 0
        0 takes a free one.

    Returns
    -------
    socket.socket

    Raises
    ------
    InputError
        The port is taken.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        bound.close()
        raise InputError(f"port {port} cannot be used ({error.strerror}): choose another, or 0 for any") from None
    return bound


def serve(explorer: Explorer, *, port: int = 0, ready: Callable[[str], None] | None = None) -> None:
    """Serve the page on this machine until Ctrl-C.

    Parameters
    ----------
    explorer : Explorer
    port : int, default 0
        0 takes a free one.
    ready : callable, optional
        Called with the page's address once it can be opened.

    Raises
    ------
    InputError
        The port is taken.
    MissingDependencyError
        uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependencyError(
            f"the explorer needs {error.name}: pip install 'geoconcept-gis[explore]'", name=error.name
        ) from None
    for category in _TOLD_ON_THE_PAGE:
        warnings.simplefilter("ignore", category)
    bound = open_socket(port)
    port, token = bound.getsockname()[1], secrets.token_urlsafe(24)
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    app = application(explorer, token=token, hosts=hosts)
    config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1)

    class Server(uvicorn.Server):
        """Closes within a second anyway: Ctrl-C twice is no more than once, and leaves no traceback."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if not self.should_exit:
                super().handle_exit(sig, frame)

    server = Server(config)
    bound.listen(128)  # from here on the browser may come: it waits in the queue
    try:
        with one_blas_thread(), suppress(KeyboardInterrupt):  # which uvicorn passes on after it has closed
            threading.Thread(target=explorer.warm_up, daemon=True, name="geoconcept-warm-up").start()
            if ready is not None:
                ready(f"http://127.0.0.1:{port}/{token}/")
            server.run(sockets=[bound])
    finally:
        explorer.close()
        bound.close()


# ---------------------------------------------------------------- what is sent, and what comes back


class _TooLarge(Exception):  # noqa: N818 - what happened
    """A body is larger than it may be."""


async def _body(request: Request, most: int) -> bytes:
    """Return the body, stopping as soon as it is too large, whatever its header says."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most:
        raise _TooLarge(most)
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise _TooLarge(most)
    if not content:
        raise InputError("the request is empty")
    return bytes(content)


def _file_name(request: Request) -> str:
    """Return the user's file name, of which only the ending is ever used."""
    name = _text(request, "name")
    if len(name) > _LONGEST_NAME:
        raise InputError(f"a file's name may have {_LONGEST_NAME} characters")
    return name


def _text(request: Request, name: str) -> str:
    value = request.query_params.get(name, "").strip()
    if not value:
        raise InputError(f"{name} is missing")
    return value


def _number(request: Request, name: str) -> float:
    return _float(request.query_params.get(name, ""), name)


def _pair(request: Request, name: str) -> tuple[float, float]:
    parts = request.query_params.get(name, "").split(",")
    if len(parts) != 2:
        raise InputError(f"{name} must be longitude,latitude")
    return _float(parts[0], name), _float(parts[1], name)


def _float(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} must be a number; got {text[:40]!r}")
    return value


def _json(value: Any) -> Response:
    return JSONResponse(value, headers={"cache-control": "no-store"})


def _octets(grid: NDArray[Any], headers: dict[str, str]) -> Response:
    return Response(
        grid.tobytes(), media_type="application/octet-stream", headers={"cache-control": "no-store", **headers}
    )


def _download(path: Path, name: str, media_type: str) -> Response:
    headers = {
        "content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}",
        "cache-control": "no-store",
    }
    return FileResponse(path, media_type=media_type, headers=headers)


async def _refuse(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": " ".join(str(error).split())}, 400)


async def _refuse_large(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"that is too large: {error.args[0] >> 20:,} MB are the most"}, 413)


async def _fail(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "something went wrong that should not: the terminal says what"}, 500)


async def _cancelled(_: Request, __: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it
