"""Secret keys and data that do not belong together: noticed at once, and said plainly."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import redis

from server.crypto.keyring import parse_secret, version_of
from server.store.names import SHARD_COUNT, ShardNames
from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.clients.sockets import end_of
from tests.support.engine.keys import key, text_of
from tests.support.running.processes import eventually
from tests.support.running.waiting import until
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.valkey import ValkeyServer
from tests.support.servers.workers import workers_of

WITNESS = ShardNames(0).key_witness
KEY_A, KEY_B = text_of(key("a")), text_of(key("b"))
VERSION_A, VERSION_B = (str(version_of(parse_secret(each))) for each in (KEY_A, KEY_B))


@pytest.fixture
def store() -> Iterator[ValkeyServer]:
    """A store of one's own."""
    with ValkeyServer() as running:
        yield running


@contextmanager
def stopped(store: ValkeyServer, keys: str) -> Iterator[CurfewServer]:
    """A server with these keys that is not started."""
    with ExitStack() as stack:
        yield stack.push(CurfewServer(store_url=store.url, secret_keys=keys))


def refused(server: CurfewServer, *command: str, given: str = "") -> str:
    """The one line with which a command, or the server itself, does not start."""
    answer = server.command(*command, given=given)
    assert (answer.returncode, answer.stdout) == (os.EX_CONFIG, ""), answer
    (line,) = answer.stderr.splitlines()
    assert "do not fit the store" in line
    assert "store start-over" in line
    return line


def notes(store: ValkeyServer) -> set[str]:
    """The versions of the keys that have a note."""
    with store.client() as owner:
        found = owner.hgetall(WITNESS)
    assert isinstance(found, dict)
    return {version.decode() for version in found}


async def test_a_data_folder_that_came_back_without_its_keys_is_refused_until_they_are_there() -> (
    None
):
    with CurfewServer() as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
            assert server.stop() == 0
            file = server.data_dir / "secret_keys"
            kept = file.rename(file.with_name("elsewhere"))
            assert str(version_of(parse_secret(kept.read_text("ascii").strip()))) in refused(server)
            for command in (("sessions", "list"), ("user", "passwd", "ann"), ("keys", "reseal")):
                refused(server, *command, given=f"{PASSWORD}\n")
            doctor = server.command("doctor")
            assert doctor.returncode == 1
            assert "do not fit the store" in doctor.stderr
            kept.rename(file)
            server.start()
            assert (await ann.request("GET", "/api/session")).status_code == 200
            assert server.command("doctor").returncode == 0


async def test_a_second_server_with_other_keys_is_refused_and_the_first_goes_on(
    store: ValkeyServer,
) -> None:
    with CurfewServer(store_url=store.url, secret_keys=KEY_A) as first:
        with stopped(store, KEY_B) as second:
            assert f"under key {VERSION_A}, and the keys here are {VERSION_B}" in refused(second)
        async with Client(first.url) as ann:
            await ann.sign_up("ann")


def test_of_two_that_begin_at_once_on_an_empty_store_one_serves(store: ValkeyServer) -> None:
    for _ in range(3):
        store.flush()
        with stopped(store, KEY_A) as one, stopped(store, KEY_B) as two:
            winner = the_one_that_serves(one, two)
            winner.terminate()
            assert winner.wait(30) == 0


def the_one_that_serves(one: CurfewServer, two: CurfewServer) -> "subprocess.Popen[bytes]":
    """Start both at once, see one refused, and return the other when it serves."""
    running = [begun(one), begun(two)]
    losers = eventually(lambda: [place for place in (0, 1) if running[place].poll() is not None])
    assert [running[place].returncode for place in losers] == [os.EX_CONFIG]
    winner = 1 - losers[0]
    eventually(lambda: is_ready((one, two)[winner].url))
    return running[winner]


def begun(server: CurfewServer) -> "subprocess.Popen[bytes]":
    """The process of a server that may be refused."""
    return subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env=server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def is_ready(url: str) -> bool:
    """Whether a server serves."""
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


async def test_ends_work_under_keys_that_open_nothing(store: ValkeyServer) -> None:
    with (
        CurfewServer(store_url=store.url, secret_keys=KEY_A) as server,
        stopped(store, KEY_B) as other,
    ):
        for number, end in enumerate(("sid", "--user", "--all")):
            async with Client(server.url) as ann:
                await ann.sign_up(f"ann-{number}")
                async with ann.open_socket() as socket:
                    await frame(socket, "hello")
                    words = {"sid": [ann.sid], "--user": ["--user", f"ann-{number}"]}
                    what = words.get(end, ["--all", "--yes"])
                    ended = await asyncio.to_thread(other.command, "sessions", "end", *what)
                    assert ended.returncode == 0, ended.stderr
                    assert json.loads(ended.stdout)["sessions"] == 1
                    assert (await end_of(socket)).code == 4401
                assert (await ann.request("GET", "/api/session")).status_code == 401
        assert "no live session" in other.command("sessions", "end", ann.sid[::-1]).stderr
        assert "no account" in other.command("sessions", "end", "--user", "nobody").stderr
        assert "crypt_decrypt_fail" not in server.log
        await until_signings_in(server, "ann-1", 2)


async def until_signings_in(server: CurfewServer, user: str, number: int) -> None:
    """Sign in, and wait until the list of recent activity tells this number of sign-ins."""
    async with Client(server.url) as client:
        await client.sign_in(user)

        async def told() -> bool:
            answer = (await client.request("GET", "/api/activity")).json()
            times = [each for each in answer["activity"] if each["event"] == "authn_login_success"]
            return sum(int(each["count"]) for each in times) == number

        await until(told)


async def test_a_new_start_gives_up_what_does_not_open_and_nothing_else(
    store: ValkeyServer,
) -> None:
    with CurfewServer(store_url=store.url, secret_keys=KEY_A) as before:
        async with Client(before.url) as ann:
            await ann.sign_up("ann")
            with stopped(store, KEY_B) as too_early:
                told = too_early.command("store", "start-over", "--yes")
                assert (told.returncode, "stop those servers" in told.stderr) == (1, True)
                assert (await ann.request("GET", "/api/session")).status_code == 200
    with stopped(store, KEY_B) as server:
        asked = server.command("store", "start-over")
        assert (asked.returncode, "say --yes" in asked.stderr) == (1, True)
        refused(server)
        done = server.command("store", "start-over", "--yes")
        assert done.returncode == 0, done.stderr
        assert "1 account, 1 session and 1 list of activity" in done.stdout
        again = server.command("store", "start-over", "--yes")
        assert (again.returncode, "fit the store" in again.stderr) == (1, True)
        server.start()
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
    with stopped(store, KEY_A) as late:
        refused(late)
    assert notes(store) == {VERSION_B}


async def test_a_new_start_is_possible_when_the_servers_with_the_lost_keys_have_crashed(
    store: ValkeyServer,
) -> None:
    with CurfewServer(store_url=store.url, secret_keys=KEY_A, node_lease="6s") as before:
        async with Client(before.url) as ann:
            await ann.sign_up("ann")
        for pid in (before.pid, *workers_of(before)):
            os.kill(pid, signal.SIGKILL)
    with stopped(store, KEY_B) as server:
        refused(server)
        done = server.command("store", "start-over", "--yes")
        assert done.returncode == 0, done.stderr
        server.start()


async def test_a_new_start_signs_everybody_out_even_if_the_lost_keys_come_back(
    store: ValkeyServer,
) -> None:
    with CurfewServer(store_url=store.url, secret_keys=KEY_A) as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
            old = ann.cookie
    with store.client() as owner:
        records = {name: owner.dump(name) for name in owner.keys("curfew:*session:*")}
    with stopped(store, KEY_B) as other:
        assert other.command("store", "start-over", "--yes").returncode == 0
    with store.client() as owner:
        for name, value in records.items():
            owner.restore(name, 0, value)
    with CurfewServer(store_url=store.url, secret_keys=f"{KEY_B},{KEY_A}") as server:
        async with Client(server.url) as ann:
            ann.cookie = old
            assert (await ann.request("GET", "/api/session")).status_code == 401


async def test_keys_change_one_server_after_the_other_and_the_old_one_does_not_fit_afterwards(
    store: ValkeyServer,
) -> None:
    """Without any command in between, as where the keys are in the environment."""
    both = f"{KEY_A},{KEY_B}", f"{KEY_B},{KEY_A}"
    with CurfewServer(store_url=store.url, secret_keys=both[0]) as one:
        with CurfewServer(store_url=store.url, secret_keys=both[1]):
            assert notes(store) == {VERSION_A, VERSION_B}
            one.stop()
            one.start()  # as after a crash in the middle of the change
        one.stop()
    with CurfewServer(store_url=store.url, secret_keys=both[1]):
        eventually(lambda: notes(store) == {VERSION_B})
    with CurfewServer(store_url=store.url, secret_keys=KEY_B):
        pass
    with stopped(store, KEY_A) as old:
        refused(old)


def test_a_retired_key_fits_no_more(store: ValkeyServer) -> None:
    with CurfewServer(store_url=store.url) as server:
        old = (server.data_dir / "secret_keys").read_text("ascii")
        assert server.command("keys", "add").returncode == 0
        version = str(version_of(parse_secret(old.strip())))
        assert server.command("keys", "retire", version, "--force").returncode == 0
        assert version not in notes(store)
        server.stop()
        server.start()
        eventually(lambda: len(notes(store)) == 1)
        server.stop()
        (server.data_dir / "secret_keys").write_text(old, "ascii")
        refused(server)


async def test_a_store_from_before_there_were_notes_is_taken_over_by_keys_that_open_it(
    store: ValkeyServer,
) -> None:
    with CurfewServer(store_url=store.url, secret_keys=KEY_A) as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
    with store.client() as owner:
        owner.delete(WITNESS)
    with stopped(store, KEY_B) as other:
        refused(other)
        assert notes(store) == set()
    with CurfewServer(store_url=store.url, secret_keys=f"{KEY_B},{KEY_A}"):
        assert notes(store) == {VERSION_B}


async def test_data_that_goes_under_a_running_server_is_no_reason_to_stop(
    store: ValkeyServer,
) -> None:
    with CurfewServer(store_url=store.url, secret_keys=KEY_A) as server:
        store.flush()
        eventually(lambda: notes(store) == {VERSION_A})
        with store.client() as owner:
            assert eventually(lambda: owner.get(SHARD_COUNT)) == b"1"
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
        assert "stops serving" not in server.log


async def test_data_restored_under_a_running_server_makes_it_unready_and_signs_nobody_out(
    store: ValkeyServer,
) -> None:
    with ValkeyServer() as elsewhere, stopped(elsewhere, KEY_B) as other:
        other.command("user", "add", "ann", given=f"{PASSWORD}\n")
        with elsewhere.client() as owner:
            dumped = {name: owner.dump(name) for name in owner.scan_iter()}
    with CurfewServer(store_url=store.url, secret_keys=KEY_A, node_lease="1s") as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
            with store.client() as owner:
                before = {name: owner.dump(name) for name in owner.keys("curfew:*")}
                restore(owner, dumped)

                async def answers(status: int) -> bool:
                    return (await ann.request("GET", "/readyz")).status_code == status

                await until(lambda: answers(503))
                credentials = {"username": "ann", "password": PASSWORD}
                told = await ann.request("POST", "/api/login", credentials)
                assert told.status_code == 503
                assert "this node stops serving: The secret keys do not fit" in server.log
                restore(owner, before)
                await until(lambda: answers(200))
            assert (await ann.request("GET", "/api/session")).status_code == 200


def restore(owner: redis.Redis, dumped: dict[bytes, bytes]) -> None:
    """Put back what was in a store, and nothing else."""
    owner.flushall()
    for name, value in dumped.items():
        owner.restore(name, 0, value)
