"""A WebSocket of Node's `ws`: a client that no part of ours and of Tornado's was tried with."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.browsers.node import NODE, package
from tests.support.clients.client import PATIENCE_SECONDS, Client

PROGRAM = Path(__file__).with_suffix(".mjs")


class NodeSocket:
    """A socket in a process of Node."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout

    async def say(self, **fields: Any) -> None:
        """Send a frame."""
        self._stdin.write(f"{json.dumps(fields)}\n".encode())
        await self._stdin.drain()

    async def next(self) -> dict[str, Any]:
        """Return the next frame, whatever it is; of type `closed` when the socket has closed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            told: dict[str, Any] = json.loads(await self._stdout.readline())
        return told

    async def frame(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a kind; frames of other kinds before it are passed over."""
        while (told := await self.next())["type"] != kind:
            pass
        return told

    async def of_room(self) -> dict[str, Any]:
        """Return the next frame that is about a room."""
        while "room" not in (told := await self.next()):
            pass
        return told

    def kill(self) -> None:
        """Kill the process: it says nothing to the server."""
        self._process.kill()


@asynccontextmanager
async def node_socket(client: Client, path: str = "/ws") -> AsyncIterator[NodeSocket]:
    """Open a socket of a browser in a process of its own, which is gone at the end."""
    headers = {"Cookie": client.http.headers["Cookie"], "Origin": client.url}
    address = client.url.replace("http", "ws", 1) + path
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), str(PROGRAM), str(package("ws").parent), address, json.dumps(headers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield NodeSocket(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
