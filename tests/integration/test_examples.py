"""The programs of `examples/` do what the README says, against a real server."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.browsers.node import NODE, package
from tests.support.clients.client import PASSWORD
from tests.support.clients.people import people_of, user_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

ROOT = Path(__file__).parents[2]
COMES_BACK_WITHIN_SECONDS = 30.0

Command = Callable[[Path], list[str]]


def python_client(_folder: Path) -> list[str]:
    return [sys.executable, str(ROOT / "examples/client.py")]


def node_client(folder: Path) -> list[str]:
    """As a reader of the README has it: in a folder of its own, next to its package."""
    (folder / "node_modules").symlink_to(package("ws").parent)
    program = folder / "client.mjs"
    shutil.copy(ROOT / "examples" / program.name, program)
    return [str(NODE), str(program)]


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """A running server."""
    with CurfewServer() as running:
        yield running


@asynccontextmanager
async def running(
    command: list[str], server: CurfewServer, username: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The client as a process, which is gone at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        server.url,
        username,
        env={**os.environ, "PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_with(text: str, process: asyncio.subprocess.Process) -> str:
    """The next line that it prints with this text in it."""
    assert process.stdout is not None
    async with asyncio.timeout(COMES_BACK_WITHIN_SECONDS):
        while line := (await process.stdout.readline()).decode():
            if text in line:
                return line
    pytest.fail(f"the client ended before it said {text}")


@pytest.mark.parametrize("client", [python_client, node_client])
async def test_the_client_prints_frames_comes_back_and_stops_when_it_is_over(
    server: CurfewServer, client: Command, tmp_path: Path
) -> None:
    async with people_of(server.url) as people:
        person = await people.somebody()
        async with running(client(tmp_path), server, await user_of(person)) as process:
            hello = json.loads(await line_with('"hello"', process))
            async with person.open_socket() as socket:
                await socket.send('{"type":"message","data":"hello yourself"}')
                assert "hello yourself" in await line_with('"message"', process)

            (worker,) = workers_of(server)
            os.kill(worker, signal.SIGKILL)
            again = json.loads(await line_with('"hello"', process))
            assert again["session"]["id"] == hello["session"]["id"]

            await person.request("DELETE", f"/api/sessions/{hello['session']['id']}")
            assert '"terminated"' in await line_with('"ended"', process)
            assert await line_with("closed", process) == "closed: 4401 terminated\n"
            assert await process.wait() == 0


async def test_a_handler_of_ones_own_keeps_a_note_in_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # as `python -m` in the project's folder does
    with CurfewServer(script=ROOT / "examples/notes.py") as server:
        async with people_of(server.url) as people:
            client, visitor = await people.somebody(), await people.visitor()
            other = await people.again(client)
            put = await client.request("PUT", "/api/note", {"note": "lights out at ten"})
            assert put.json() == {"note": "lights out at ten"}
            assert (await client.request("GET", "/api/note")).json() == put.json()
            assert (await other.request("GET", "/api/note")).json() == {"note": None}
            assert (await visitor.request("GET", "/api/note")).status_code == 401
            assert (await client.request("PUT", "/api/note", {"text": 1})).status_code == 400
            client.csrf_token = ""
            assert (await client.request("PUT", "/api/note", {"note": ""})).status_code == 403
