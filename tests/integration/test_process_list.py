"""However it stops, nothing of it is left running, and the next start finds what there was."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.clients.people import people_of
from tests.support.clients.sockets import end_of, frame, raw_socket
from tests.support.running.processes import eventually, lives, processes_of
from tests.support.servers.server import CurfewServer, ExactServer
from tests.support.servers.workers import workers_of

GONE_WITHIN_SECONDS = 15.0
IN_GOOD_ORDER = {signal.SIGTERM, signal.SIGINT}


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    """With default settings; may be stopped and started again."""
    with ExactServer() as running:
        yield running


def everything_of(server: CurfewServer) -> list[int]:
    """All processes: the parent, its workers, the store and the store's guard."""
    return [server.pid, *workers_of(server), *processes_of(server.data_dir)]


def send(signum: signal.Signals) -> Callable[[CurfewServer], None]:
    """A way to stop: a signal to the parent."""

    def stop(server: CurfewServer) -> None:
        server.stop(signum)

    stop.__name__ = signum.name
    return stop


def ctrl_c_in_a_terminal(server: CurfewServer) -> None:
    """The whole process group gets it; the second signal changes nothing, it only waits."""
    os.killpg(server.pid, signal.SIGINT)
    server.stop(signal.SIGCONT)


def kill_everything_at_once(server: CurfewServer) -> None:
    """As a loss of power does."""
    for pid in everything_of(server):
        os.kill(pid, signal.SIGKILL)
    server.stop(signal.SIGKILL)


WAYS = [
    *map(send, [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]),
    ctrl_c_in_a_terminal,
    kill_everything_at_once,
]


@pytest.mark.parametrize("stop", WAYS, ids=lambda way: way.__name__)
async def test_nothing_is_left_and_a_second_start_finds_accounts_and_sessions(
    server: CurfewServer, stop: Callable[[CurfewServer], None]
) -> None:
    async with people_of(server.url) as people:
        client = await people.somebody()
        await client.request("PATCH", "/api/session/data", {"kept": "yes"})
        ended = await people.again(client)
        await ended.request("POST", "/api/logout", keep=False)

        running = everything_of(server)
        assert len(running) == 4
        started = time.monotonic()
        await asyncio.to_thread(stop, server)
        await asyncio.to_thread(eventually, lambda: not any(map(lives, running)))
        assert time.monotonic() - started < GONE_WITHIN_SECONDS
        assert processes_of(server.data_dir) == []
        assert "Traceback" not in server.log

        server.start()
        answer = await client.request("GET", "/api/session/data")
        assert (answer.status_code, answer.json()) == (200, {"kept": "yes"})
        assert (await client.request("GET", "/api/session")).json()["session"]["id"] == client.sid
        dead = await ended.request("GET", "/api/session")
        assert (dead.status_code, dead.json()["reason"]) == (401, "logout")
        await people.again(client)


async def test_a_stop_asks_each_client_to_come_back_in_a_moment(server: CurfewServer) -> None:
    async with people_of(server.url) as people:
        client = await people.somebody()
        async with client.open_socket() as one, client.open_socket() as two:
            for each in (one, two):
                await frame(each, "hello")
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            ends = [await end_of(each) for each in (one, two)]
        assert await stopping == 0
    for end in ends:
        assert (end.code, end.last["type"]) == (1012, "drain")
        assert 0 <= end.last["reconnect_in_ms"] < 5_000


async def test_a_peer_that_does_not_answer_cannot_hold_up_the_stop(server: CurfewServer) -> None:
    async with people_of(server.url) as people:
        client = await people.somebody()
        async with raw_socket(client) as stubborn:
            await stubborn.types_until("hello")
            started = time.monotonic()
            assert await asyncio.to_thread(server.stop) == 0
            assert time.monotonic() - started < GONE_WITHIN_SECONDS
    assert "Traceback" not in server.log


def test_a_second_start_on_the_same_folder_says_who_is_there_and_stops(
    server: CurfewServer,
) -> None:
    second = server.command()
    assert second.returncode == 1
    assert second.stdout == ""
    assert f"another Curfew (pid {server.pid}) serves from {server.data_dir}" in second.stderr
    assert second.stderr.count("\n") == 1
    assert len(everything_of(server)) == 4


def test_a_port_that_is_taken_is_told_in_one_line_and_leaves_nothing(
    server: CurfewServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        other = CurfewServer(data_dir=str(tmp_path / "other"), port=str(server.port))
        refused = stack.push(other).command()
    assert refused.returncode == os.EX_CONFIG
    assert refused.stderr.startswith(f"CURFEW_PORT {server.port} ")
    assert "cannot be used" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert processes_of(tmp_path) == []


def test_the_start_says_where_to_go(server: CurfewServer) -> None:
    assert f"Curfew serves on {server.url}/" in server.log
    assert str(server.data_dir) in server.log


def test_a_new_folder_and_its_keys_are_for_the_owner_only(server: CurfewServer) -> None:
    assert (server.data_dir / "secret_keys").stat().st_mode & 0o777 == 0o600
    assert server.data_dir.stat().st_mode & 0o777 == 0o700
