"""A store that answers, and refuses: nobody is let in, signed out or told a lie by it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.store import acl
from tests.support.clients.client import Client, frame, set_cookie
from tests.support.clients.people import People
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import PASSWORD, ValkeyServer

Owner = Any
"""redis-py has no types for `execute_command`."""
REQUESTS = [
    ("GET", "/api/session", None),
    ("GET", "/api/sessions", None),
    ("PATCH", "/api/session/data", {"a": 1}),
    ("POST", "/api/session/rotate", None),
    ("POST", "/api/logout", None),
    ("GET", "/account", None),
]
WRITES = REQUESTS[2:5]


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer(tcp=True) as running:
        yield running


@pytest.fixture(scope="module")
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    """Its lease outlasts the tests: what is looked at is each request's own answer."""
    with CurfewServer(store_url=store.url, node_lease="60s") as running:
        yield running
        assert "Traceback" not in running.log


def give_rights(owner: Owner) -> None:
    """Curfew's user as it should be."""
    rules = acl.acl_rules(PASSWORD, replicas=1)
    owner.execute_command("ACL", "SETUSER", acl.USER, *rules)


def forget_the_user(owner: Owner) -> None:
    """Its connections are cut, and its password is not known any more."""
    owner.execute_command("ACL", "DELUSER", acl.USER)


def take_rights(owner: Owner) -> None:
    """The user may do nothing."""
    owner.execute_command("ACL", "SETUSER", acl.USER, "-@all")


def follow_another(owner: Owner) -> None:
    """A replica answers READONLY to every write."""
    owner.replicaof("127.0.0.1", "1")


def lead_again(owner: Owner) -> None:
    """No replica any more."""
    owner.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("refuse", "mend", "refused"),
    [
        (forget_the_user, give_rights, REQUESTS),
        (take_rights, give_rights, REQUESTS),
        (follow_another, lead_again, WRITES),
    ],
)
@pytest.mark.proves("A95", "16.5.2", "16.5.3")
async def test_a_store_that_refuses_is_one_that_does_not_answer(
    store: ValkeyServer,
    people: People,
    refuse: Callable[[Owner], None],
    mend: Callable[[Owner], None],
    refused: list[tuple[str, str, object]],
) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        with store.client() as owner:
            refuse(owner)
            try:
                for method, path, body in refused:
                    answer = await client.request(method, path, body)
                    assert answer.status_code == 503, (path, answer.text)
                    assert set_cookie(answer) is None
                    assert "Clear-Site-Data" not in answer.headers
            finally:
                mend(owner)
        await until(lambda: is_served(client))
        await socket.send('{"type":"ping"}')
        await frame(socket, "pong")


async def is_served(client: Client) -> bool:
    """Whether the session is served; unavailable is the only other answer there is."""
    answer = await client.request("GET", "/api/session")
    assert answer.status_code in {200, 503}
    return answer.status_code == 200
