"""Each way a session can end: all its sockets are told why, and closed, and no others are."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.clients.client import PASSWORD, Client
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of, frame
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer

SESSION_LIMIT = 3


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With a small limit and a short grace."""
    with CurfewServer(max_sessions_per_user=str(SESSION_LIMIT), rotation_grace="100ms") as running:
        yield running


@dataclass
class Case:
    """A session to be ended, a second one of the same user, and what can end them."""

    server: CurfewServer
    people: People
    client: Client
    other: Client

    async def command(self, *arguments: str) -> None:
        """Act on the running server from outside."""
        done = await asyncio.to_thread(self.server.command, *arguments)
        assert done.returncode == 0, done.stderr


async def logout(case: Case) -> httpx.Response:
    return await case.client.request("POST", "/api/logout")


async def terminated(case: Case) -> httpx.Response:
    return await case.other.request("DELETE", f"/api/sessions/{case.client.sid}")


async def terminated_with_all_others(case: Case) -> httpx.Response:
    return await case.other.request("DELETE", "/api/sessions?scope=others")


async def admin(case: Case) -> None:
    await case.command("sessions", "end", case.client.sid)


async def credential_changed(case: Case) -> httpx.Response:
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}
    return await case.other.request("PUT", "/api/password", passwords)


async def account_disabled(case: Case) -> None:
    await case.command("user", "disable", await user_of(case.client))


async def session_limit(case: Case) -> None:
    for _ in range(SESSION_LIMIT - 1):
        await case.people.again(case.other)


async def token_reuse(case: Case) -> None:
    stolen = case.client.cookie
    await case.client.request("POST", "/api/session/rotate")
    await case.client.request("GET", "/api/session")
    case.client.cookie = stolen

    async def grace_is_over() -> bool:
        return (await case.client.request("GET", "/api/session")).status_code == 401

    await until(grace_is_over)


async def superseded(case: Case) -> None:
    credentials = {"username": await user_of(case.client), "password": PASSWORD}
    await case.client.request("POST", "/api/login", credentials)


Act = Callable[[Case], Awaitable[httpx.Response | None]]

ENDS: dict[Act, str] = {
    logout: "logout",
    terminated: "terminated",
    terminated_with_all_others: "terminated",
    admin: "admin",
    credential_changed: "credential_changed",
    account_disabled: "account_disabled",
    session_limit: "session_limit",
    token_reuse: "token_reuse",
    superseded: "superseded",
}


@pytest.mark.proves("A45", "7.4.1", "7.4.2", "7.4.3")
@pytest.mark.parametrize(("act", "reason"), ENDS.items(), ids=[each.__name__ for each in ENDS])
async def test_ended_with_the_reason_precedes_the_close_on_every_socket_of_the_session(
    server: CurfewServer, people: People, act: Act, reason: str
) -> None:
    client = await people.somebody()
    case = Case(server, people, client, await people.again(client))
    async with client.open_socket() as one, client.open_socket() as two:
        for each in (one, two):
            await frame(each, "hello")
        answer = await act(case)
        ends = [await end_of(each) for each in (one, two)]
    for end in ends:
        assert (end.code, end.reason) == (4401, reason)
        assert end.last.keys() == {"type", "reason", "event", "at"}
        assert (end.last["type"], end.last["reason"]) == ("ended", reason)
    assert ends[0].last["event"] == ends[1].last["event"]
    if answer is not None:
        receipt = answer.json()
        assert receipt["event"] == ends[0].last["event"]
        assert (receipt["sessions"], receipt["sockets_closed"]) == (1, 2)
        assert receipt["state"] == "complete"
        assert receipt["nodes"] == {"acked": 1, "lease_expired": 0, "waiting": 0}


@pytest.mark.proves("A54")
@pytest.mark.parametrize("act", [logout, terminated, terminated_with_all_others, token_reuse])
async def test_the_end_of_one_session_leaves_the_others_alone(
    server: CurfewServer, people: People, act: Act
) -> None:
    client, stranger = await people.somebody(), await people.somebody()
    other = await people.again(client)
    async with other.open_socket() as spared, stranger.open_socket() as foreign:
        await act(Case(server, people, client, other))
        for each in (spared, foreign):
            await each.send('{"type":"ping"}')
            await frame(each, "pong")


async def test_ending_all_closes_this_one_too(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    async with client.open_socket() as one, other.open_socket() as two:
        for each in (one, two):
            await frame(each, "hello")
        receipt = (await client.request("DELETE", "/api/sessions?scope=all")).json()
        reasons = {(await end_of(each)).reason for each in (one, two)}
    assert (receipt["sessions"], receipt["sockets_closed"]) == (2, 2)
    assert reasons == {"terminated"}


async def test_a_visitors_sockets_end_when_the_sign_in_supersedes_the_session(
    people: People,
) -> None:
    user = await user_of(await people.somebody())
    visitor = await people.visitor()
    await visitor.request("PATCH", "/api/session/data", {"basket": 1})
    token = (await visitor.request("GET", "/api/session")).json()["csrf_token"]
    async with visitor.open_socket() as socket:
        await frame(socket, "hello")
        answer = await visitor.request(
            "POST",
            "/api/login",
            {"username": user, "password": PASSWORD},
            X_CSRF_Token=token,
        )
        assert answer.status_code == 200, answer.text
        assert (await end_of(socket)).reason == "superseded"


async def test_a_second_logout_closes_nothing_and_is_no_fault(people: People) -> None:
    client = await people.somebody()
    await client.request("POST", "/api/logout", keep=False)
    again = await client.request("POST", "/api/logout", keep=False)
    assert again.status_code == 401
    assert again.json()["reason"] == "logout"
