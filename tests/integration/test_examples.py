"""The programs of `examples/` do what the README says, against a real server."""

import asyncio
import itertools
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
    command: list[str], address: str, username: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The client as a process, which is gone at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        address,
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
        async with running(client(tmp_path), server.url, await user_of(person)) as process:
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


CLIENTS = pytest.mark.parametrize("client", [python_client, node_client])


async def test_the_clients_work_below_a_path(tmp_path: Path) -> None:
    with CurfewServer(base_path="/app") as server:
        server.command("user", "add", "ada", given=f"{PASSWORD}\n")
        for client in (python_client, node_client):
            async with running(client(tmp_path), f"{server.url}/app", "ada") as process:
                session = json.loads(await line_with('"hello"', process))["session"]["id"]
                await asyncio.to_thread(server.command, "sessions", "end", session)
                assert await line_with("closed", process) == "closed: 4401 admin\n"


async def last_words(client: Command, folder: Path, *words: str, password: str | None) -> str:
    """The one line with which the client ends at once."""
    given = {name: value for name, value in os.environ.items() if name != "PASSWORD"}
    process = await asyncio.create_subprocess_exec(
        *client(folder),
        *words,
        env=given if password is None else {**given, "PASSWORD": password},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(COMES_BACK_WITHIN_SECONDS):
        printed, said = await process.communicate()
    assert (process.returncode, printed) == (1, b"")
    assert said.count(b"\n") == 1, said.decode()
    return said.decode().strip()


@CLIENTS
async def test_a_client_that_cannot_sign_in_says_why_in_one_line(
    server: CurfewServer, client: Command, tmp_path: Path
) -> None:
    async with people_of(server.url) as people:
        name = await user_of(await people.somebody())

    number = itertools.count()

    async def told(address: str, *, password: str | None = PASSWORD) -> str:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        return await last_words(client, folder, address, name, password=password)

    wrong = await told(server.url, password="eleven herons")
    assert wrong == "not signed in: The user name or the password is wrong."
    assert (await told(server.url + "/", password="eleven herons")) == wrong
    assert await told(f"{server.url}/nowhere") == "not signed in: 404 Not Found"
    for address in ("http://127.0.0.1:1", server.url.partition("//")[2], "htp://127.0.0.1"):
        assert f"{address} does not answer as Curfew does" in await told(address)
    other = await asyncio.start_server(answer_as_another, "127.0.0.1", 0)
    async with other:
        address = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        assert await told(address) == "not signed in: 501 Not Here"
    assert (await told(server.url, password=None)).startswith("usage: PASSWORD=")


async def answer_as_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a server that is no Curfew."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 501 Not Here\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<b/>")
    await writer.drain()
    writer.close()


@CLIENTS
async def test_a_client_without_its_arguments_says_how_to_start_it(
    client: Command, tmp_path: Path
) -> None:
    said = await last_words(client, tmp_path, "http://127.0.0.1:8888", password=PASSWORD)
    assert said.startswith("usage: PASSWORD='…'")


async def test_a_client_that_is_interrupted_just_ends(server: CurfewServer) -> None:
    async with people_of(server.url) as people:
        name = await user_of(await people.somebody())
        async with running(python_client(Path()), server.url, name) as process:
            await line_with('"hello"', process)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0


@CLIENTS
async def test_a_client_of_a_server_below_a_path_gets_frames(
    client: Command, tmp_path: Path
) -> None:
    with CurfewServer(base_path="/auth") as server:
        made = server.command("user", "add", "ada", given=f"{PASSWORD}\n")
        assert made.returncode == 0, made.stderr
        address = f"{server.url}/auth"
        async with running(client(tmp_path), address, "ada") as process:
            await line_with('"hello"', process)


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
