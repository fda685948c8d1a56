"""A store whose memory is full, or that drops keys then: whoever ends sessions is let do it.

Ends help out of such trouble. So each kind is carried out: by their owner, by an administrator over
HTTP, and by every command.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.clients.people import People, people_of, user_of
from tests.support.clients.sockets import end_of
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer


def evict(store: ValkeyServer) -> None:
    """Let the store drop keys when it is full, which it is not."""
    with store.client() as owner:
        owner.config_set("maxmemory", "500mb")
        owner.config_set("maxmemory-policy", "allkeys-lru")


def fill(store: ValkeyServer) -> None:
    """Leave no room for anything, and let nothing be dropped."""
    with store.client() as owner:
        owner.config_set("maxmemory-policy", "noeviction")
        owner.config_set("maxmemory", owner.info("memory")["used_memory"] // 2)


def empty(store: ValkeyServer) -> None:
    """Put it right."""
    with store.client() as owner:
        owner.config_set("maxmemory", "0")
        owner.config_set("maxmemory-policy", "noeviction")


each_trouble = pytest.mark.parametrize("trouble", [evict, fill])


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer(tcp=True) as running:
        yield running


@pytest.fixture(scope="module")
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    with CurfewServer(store_url=store.url, processes="2") as running:
        assert running.command("user", "add", "root", "--admin", given=f"{PASSWORD}\n").stdout
        yield running
        assert "Traceback" not in running.log


@dataclass(frozen=True)
class Scene:
    """Who is there when the trouble begins."""

    server: CurfewServer
    people: People
    root: Client

    def command(self, *words: str) -> Any:
        """The one receipt that a command prints."""
        ran = self.server.command(*words)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture
async def scene(server: CurfewServer, store: ValkeyServer) -> AsyncIterator[Scene]:
    async with people_of(server.url) as people:
        yield Scene(server, people, await (await people.visitor()).sign_in("root"))
    empty(store)


def is_complete(receipt: Any) -> bool:
    """Whether a receipt tells of one session with one socket, and of both processes."""
    counted = (receipt["sessions"], receipt["sockets_closed"], receipt["nodes"]["acked"])
    return receipt["state"] == "complete" and counted == (1, 1, 2)


@each_trouble
@pytest.mark.parametrize("way", ["logout", "own", "admin", "disable", "sid", "user"])
async def test_every_end_is_carried_out(
    scene: Scene, store: ValkeyServer, trouble: Any, way: str
) -> None:
    ann = await scene.people.somebody()
    user = await user_of(ann)
    beside = await scene.people.again(ann)  # whose session is not the one to end
    if way in {"admin", "disable", "user"}:
        await beside.request("POST", "/api/logout")
    async with ann.open_socket() as socket:
        await frame(socket, "hello")
        trouble(store)
        match way:
            case "logout":
                receipt = (await ann.request("POST", "/api/logout")).json()
            case "own":
                receipt = (await beside.request("DELETE", f"/api/sessions/{ann.sid}")).json()
            case "admin":
                path = f"/api/admin/users/{user}/sessions"
                receipt = (await scene.root.request("DELETE", path)).json()
            case "disable":
                path, body = f"/api/admin/users/{user}/disabled", {"disabled": True}
                receipt = (await scene.root.request("PUT", path, body)).json()
            case "sid":
                receipt = scene.command("sessions", "end", ann.sid)
            case "user":
                receipt = scene.command("sessions", "end", "--user", user)
        assert is_complete(receipt), receipt
        assert (await end_of(socket)).code == 4401
    assert (await ann.request("GET", "/api/session")).status_code == 401


@each_trouble
async def test_everything_is_ended(scene: Scene, store: ValkeyServer, trouble: Any) -> None:
    ann = await scene.people.somebody()
    async with ann.open_socket() as socket:
        await frame(socket, "hello")
        trouble(store)
        receipt = scene.command("sessions", "end", "--all", "--yes")
        assert (receipt["state"], receipt["nodes"]["acked"]) == ("complete", 2)
        assert receipt["sessions"] >= 2
        assert (await end_of(socket)).reason == "admin"
    assert (await scene.root.request("GET", "/api/session")).status_code == 401


@each_trouble
async def test_a_disabled_account_is_out(scene: Scene, store: ValkeyServer, trouble: Any) -> None:
    ann = await scene.people.somebody()
    user = await user_of(ann)
    async with ann.open_socket() as socket:
        await frame(socket, "hello")
        trouble(store)
        assert is_complete(scene.command("user", "disable", user))
        assert (await end_of(socket)).reason == "account_disabled"


async def test_a_full_store_takes_nothing_but_ends(scene: Scene, store: ValkeyServer) -> None:
    ann, visitor = await scene.people.somebody(), await scene.people.visitor()
    credentials = {"username": await user_of(ann), "password": PASSWORD}
    fill(store)
    for client, method, path, body in (
        (visitor, "POST", "/api/signup", {**credentials, "username": "somebody-new"}),
        (visitor, "POST", "/api/login", credentials),
        (ann, "PATCH", "/api/session/data", {"a": 1}),
    ):
        assert (await client.request(method, path, body)).status_code == 503, path
    assert (await ann.request("GET", "/api/session")).status_code == 200
    empty(store)
    assert (await ann.request("PATCH", "/api/session/data", {"a": 1})).status_code == 200


async def test_the_doctor_tells_of_a_store_that_drops_keys(
    scene: Scene, store: ValkeyServer
) -> None:
    evict(store)
    ran = scene.server.command("doctor")
    assert "eviction   allkeys-lru: a full store drops ends, and the sessions live again\n" in (
        ran.stdout
    )
    assert "data       " in ran.stdout
    assert ran.returncode == 78
    assert "Set maxmemory-policy noeviction." in ran.stderr


async def test_the_doctor_examines_a_full_store(scene: Scene, store: ValkeyServer) -> None:
    fill(store)
    ran = scene.server.command("doctor")
    assert ran.returncode == 0, ran.stderr
    assert "eviction   none" in ran.stdout


def test_a_server_starts_on_a_full_store_so_that_it_can_end_sessions(
    server: CurfewServer, store: ValkeyServer
) -> None:
    """As a worker does that is replaced."""
    assert server.url
    fill(store)
    with ExitStack() as stack:
        stack.callback(empty, store)
        keys = str(server.data_dir / "secret_keys")
        with CurfewServer(store_url=store.url, secret_keys_file=keys, log_level="debug") as another:
            eventually(lambda: "200 GET /readyz" in another.log)
            assert "Traceback" not in another.log
