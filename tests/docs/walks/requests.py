"""Which of our files run while a server does something: the four walks of docs/architecture.md."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.clients.factors import App
from tests.support.servers.server import CurfewServer

NOTING_RUN: Final = Path(__file__).with_name("noting_run.py")
ROUNDS: Final = 2
"""Only files that run in each count, so that the node's work in the background does not."""
CALM: Final = {"node_lease": "60s", "sweep_interval": "1h"}
"""Settings with which there is little of that work."""

Files = frozenset[str]
Walk = Callable[["Walker"], Awaitable[None]]
_names = count(1)


class Walker:
    """Somebody with a browser, on a server that can note what runs.

    Args:
        client: the browser.
        which: `own` for what runs for the request alone, `all` for the node's other tasks too.
    """

    def __init__(self, client: Client, which: str) -> None:
        self.client = client
        self._which = which
        self.user = f"walker-{next(_names)}"
        self.files: Files = frozenset()

    @asynccontextmanager
    async def noting(self) -> AsyncIterator[None]:
        """Note the files that run meanwhile."""
        await self.client.http.get(f"/noting?begin={self._which}")
        yield
        self.files = frozenset((await self.client.http.get("/noting")).json()["files"])


async def get(walker: Walker) -> None:
    """One authenticated GET."""
    await walker.client.sign_up(walker.user)
    async with walker.noting():
        assert (await walker.client.request("GET", "/api/session")).status_code == 200


async def log_out(walker: Walker) -> None:
    """One logout, without sockets."""
    await walker.client.sign_up(walker.user)
    async with walker.noting():
        receipt = (await walker.client.request("POST", "/api/logout")).json()
    assert receipt["state"] == "complete"


async def log_out_with_a_socket(walker: Walker) -> None:
    """One logout, to the last close frame and the receipt."""
    await walker.client.sign_up(walker.user)
    async with walker.client.open_socket() as socket:
        await frame(socket, "hello")
        async with walker.noting():
            receipt = (await walker.client.request("POST", "/api/logout")).json()
            await frame(socket, "ended")
            await socket.wait_closed()
    assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)


async def sign_in(walker: Walker) -> None:
    """One sign-in by the password."""
    await walker.client.sign_up(walker.user)
    async with walker.noting():
        await walker.client.sign_in(walker.user)


async def message(walker: Walker) -> None:
    """One message from one socket to another."""
    await walker.client.sign_up(walker.user)
    async with walker.client.open_socket() as here, walker.client.open_socket() as there:
        for socket in (here, there):
            await frame(socket, "hello")
        async with walker.noting():
            await here.send(json.dumps({"type": "message", "data": "lights out at ten"}))
            await frame(there, "message")


async def sign_in_by_two_factors(walker: Walker) -> None:
    """One sign-in by the password and a code."""
    client = walker.client
    await client.sign_up(walker.user)
    begun = (await client.request("POST", "/api/totp")).json()
    app = App(begun["secret"], time.time)
    confirmation = {"setup": begun["setup"], "code": app.code(0)}
    assert (await client.request("PUT", "/api/totp", confirmation)).status_code == 200
    client.cookie = client.csrf_token = ""
    async with walker.noting():
        credentials = {"username": walker.user, "password": PASSWORD}
        owed = (await client.request("POST", "/api/login", credentials)).json()
        answer = {"challenge": owed["challenge"], "code": app.code()}
        signed_in = await client.request("POST", "/api/login/second-factor", answer)
    assert signed_in.status_code == 200, signed_in.text


async def files_run(server: CurfewServer, walk: Walk, which: str = "own") -> Files:
    """Return the files that run each time.

    Args:
        server: from `noting_server`.
        walk: what is done.
        which: `own` for what runs for the request alone, `all` for the node's other tasks too.
    """
    rounds = []
    for _ in range(1 + ROUNDS):
        async with Client(server.url) as client:
            walker = Walker(client, which)
            await walk(walker)
            rounds.append(walker.files)
    return frozenset.intersection(*rounds[1:])  # the first also runs what runs only once


def noting_server() -> CurfewServer:
    """Return a server of the code that `PYTHONPATH` names."""
    return CurfewServer(script=NOTING_RUN, **CALM)
