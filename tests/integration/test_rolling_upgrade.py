"""The version before this one and this one, side by side on one store: nobody notices."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from server.crypto.keyring import new_secret
from tests.support.clients.client import PASSWORD, Client
from tests.support.clients.sockets import end_of, frame
from tests.support.running.ports import free_port
from tests.support.servers.server import CurfewServer, ExactServer
from tests.support.servers.valkey import ValkeyServer
from tests.support.versions.unpacking import FORMER, unpack_former

OLD, NEW = "old", "new"
BOTH_WAYS = pytest.mark.parametrize(("here", "there"), [(OLD, NEW), (NEW, OLD)])

Servers = dict[str, CurfewServer]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One server of each version, with the same store, keys and origins."""
    script = unpack_former(tmp_path_factory.mktemp(FORMER))
    ports = {OLD: free_port(), NEW: free_port()}
    with ValkeyServer() as store:
        common: dict[str, Any] = {
            "store_url": store.url,
            "secret_keys": new_secret(),
            "origins": ",".join(f"http://127.0.0.1:{port}" for port in ports.values()),
            "node_lease": "2s",
            "termination_wait": "5s",
        }
        old, new = ExactServer(script=script, **common), CurfewServer(**common)
        old.port, new.port = ports[OLD], ports[NEW]
        with old, new:
            yield {OLD: old, NEW: new}


@pytest.fixture
async def person(servers: Servers) -> AsyncIterator[dict[str, Client]]:
    """One browser, as each of the two servers sees it."""
    async with Client(servers[OLD].url) as old, Client(servers[NEW].url) as new:
        yield {OLD: old, NEW: new}


def same_cookies(person: dict[str, Client], of: str) -> None:
    """Let the other server's view have what this one set."""
    for each in person.values():
        each.cookie, each.csrf_token, each.sid = (
            person[of].cookie,
            person[of].csrf_token,
            person[of].sid,
        )


async def data_at(client: Client) -> object:
    """Return the session's data."""
    return (await client.request("GET", "/api/session/data")).json()


@BOTH_WAYS
async def test_a_session_of_one_version_is_served_changed_and_ended_by_the_other(
    person: dict[str, Client], here: str, there: str
) -> None:
    await person[here].sign_up(f"ada-of-{here}")
    assert (await person[here].request("PATCH", "/api/session/data", {"of": here})).is_success
    same_cookies(person, here)
    assert (await data_at(person[there])) == {"of": here}
    assert (await person[there].request("PATCH", "/api/session/data", {"and": there})).is_success
    assert (await data_at(person[here])) == {"of": here, "and": there}
    assert (await person[there].request("POST", "/api/session/rotate")).is_success
    same_cookies(person, there)
    assert (await person[here].request("GET", "/api/session")).is_success
    async with person[here].open_socket() as one, person[there].open_socket() as two:
        await asyncio.gather(frame(one, "hello"), frame(two, "hello"))
        receipt = (await person[there].request("POST", "/api/logout")).json()
        ends = await asyncio.gather(end_of(one), end_of(two))
    assert {(end.code, end.reason) for end in ends} == {(4401, "logout")}
    assert {end.last["event"] for end in ends} == {receipt["event"]}
    assert receipt["state"] == "complete"
    assert receipt["nodes"]["acked"] == 2
    assert (await person[here].request("GET", "/api/session")).status_code == 401


async def test_an_account_of_the_old_version_signs_in_and_changes_its_password_at_the_new_one(
    person: dict[str, Client],
) -> None:
    here, there = OLD, NEW
    name, new_password = f"bea-of-{here}", "another long and new password"
    await person[here].sign_up(name)
    await person[there].sign_in(name)
    change = {"current_password": PASSWORD, "new_password": new_password}
    async with person[here].open_socket() as socket:
        await frame(socket, "hello")
        changed = await person[there].request("PUT", "/api/password", change)
        assert changed.is_success, changed.text
        assert (await end_of(socket)).reason == "credential_changed"
    await person[here].sign_in(name, new_password)


async def test_one_server_after_the_other_is_replaced_and_the_session_stays(
    servers: Servers, person: dict[str, Client]
) -> None:
    await person[OLD].sign_up("cyd")
    same_cookies(person, OLD)
    assert await asyncio.to_thread(servers[OLD].stop) == 0
    assert (await person[NEW].request("GET", "/api/session")).is_success
    await asyncio.to_thread(servers[OLD].start)
    assert (await person[OLD].request("GET", "/api/session")).is_success, "and the way back"
