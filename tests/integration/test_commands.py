"""The sub-commands of run.py beside a running server: what they do is done live, and told truly."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest

from server.core.store_url import SHARDS_OF_CLUSTER
from tests.support.clients.client import PASSWORD
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of, frame
from tests.support.servers.server import KEPT, CurfewServer
from tests.support.servers.stores import ON_CLUSTERS

OTHER_PASSWORD = PASSWORD[::-1]


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """A running server."""
    with CurfewServer() as running:
        yield running


class Commands:
    """Runs commands on the store of a server, without holding up the test's sockets."""

    def __init__(self, server: CurfewServer) -> None:
        self._server = server

    async def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return await asyncio.to_thread(self._server.command, *arguments, given=given)

    async def done(self, *arguments: str, given: str = "") -> str:
        """What a command that succeeds prints; beside it stands what the audit trail says."""
        ran = await self.run(*arguments, given=given)
        beside = [line for line in ran.stderr.splitlines() if " curfew.audit " not in line]
        assert (ran.returncode, beside) == (0, [])
        return ran.stdout

    async def receipt(self, *arguments: str, given: str = "") -> Any:
        """The one receipt that a command prints."""
        return json.loads(await self.done(*arguments, given=given))

    async def receipts(self, *arguments: str) -> list[Any]:
        """The receipts that a command about everybody prints: one for each shard."""
        printed = [json.loads(line) for line in (await self.done(*arguments)).splitlines()]
        assert len(printed) == (SHARDS_OF_CLUSTER if ON_CLUSTERS else 1)
        return printed

    async def refusal(self, *arguments: str, given: str = "") -> str:
        """The one line with which a command fails."""
        ran = await self.run(*arguments, given=given)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr.count("\n") == 1
        return ran.stderr.strip()


@pytest.fixture
def commands(server: CurfewServer) -> Commands:
    """Runs commands on the server's store."""
    return Commands(server)


def is_complete(receipt: Any, *, sessions: int, sockets: int) -> bool:
    """Whether a receipt tells of a complete end of so many sessions and sockets."""
    told = (receipt["state"], receipt["sessions"], receipt["sockets_closed"], receipt["durability"])
    nodes = {"acked": 1, "lease_expired": 0, "waiting": 0}
    return told == ("complete", sessions, sockets, KEPT) and receipt["nodes"] == nodes


async def test_commands_take_a_name_with_blanks_around(commands: Commands) -> None:
    told = await commands.done("user", "add", " Blanche ", given=f"{PASSWORD}\n")
    assert told == "blanche can sign in now.\n"
    for words in (("user", "disable", "blanche "), ("sessions", "end", "--user", "\tblanche\n")):
        assert (await commands.receipt(*words))["state"] == "complete"
    assert await commands.done("sessions", "list", "--user", " blanche") == ""
    assert "no live session '00AAA" in await commands.refusal("sessions", "end", f" 00{'A' * 22} ")


async def test_user_add_makes_an_account_that_can_sign_in_at_once(
    commands: Commands, people: People
) -> None:
    told = await commands.done("user", "add", "Grace", given=f"{PASSWORD}\n")
    assert told == "grace can sign in now.\n"
    client = await (await people.visitor()).sign_in("grace")
    assert (await client.request("GET", "/api/admin/users/grace/sessions")).status_code == 403


async def test_user_add_admin_makes_an_administrator(commands: Commands, people: People) -> None:
    await commands.done("user", "add", "root-of-all", "--admin", given=f"{PASSWORD}\n")
    admin = await (await people.visitor()).sign_in("root-of-all")
    user = await user_of(await people.somebody())
    listed = await admin.request("GET", f"/api/admin/users/{user}/sessions")
    assert len(listed.json()["sessions"]) == 1


async def test_user_add_refuses_a_taken_name_a_bad_name_and_a_bad_password(
    commands: Commands, people: People
) -> None:
    user = await user_of(await people.somebody())
    assert "taken" in await commands.refusal("user", "add", user, given=f"{PASSWORD}\n")
    assert "3 to 32" in await commands.refusal("user", "add", "x", given=f"{PASSWORD}\n")
    assert "15 char" in await commands.refusal("user", "add", "somebody-new", given="short\n")
    assert "15 char" in await commands.refusal("user", "add", "somebody-new", given="")


async def test_user_disable_closes_the_sockets_and_refuses_to_sign_in(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    async with client.open_socket() as one, client.open_socket() as two:
        for each in (one, two):
            await frame(each, "hello")
        receipt = await commands.receipt("user", "disable", user)
        ends = [await end_of(each) for each in (one, two)]
    assert is_complete(receipt, sessions=1, sockets=2)
    assert {(each.code, each.reason) for each in ends} == {(4401, "account_disabled")}
    assert {each.last["event"] for each in ends} == {receipt["event"]}
    credentials = {"username": user, "password": PASSWORD}
    refused = await (await people.visitor()).request("POST", "/api/login", credentials)
    assert refused.json()["type"] == "/problems/wrong-credentials"


async def test_user_passwd_replaces_the_password_and_ends_all_sessions(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        receipt = await commands.receipt("user", "passwd", user, given=f"{OTHER_PASSWORD}\n")
        end = await end_of(socket)
    assert is_complete(receipt, sessions=1, sockets=1)
    assert (end.code, end.reason) == (4401, "credential_changed")
    await (await people.visitor()).sign_in(user, OTHER_PASSWORD)
    credentials = {"username": user, "password": PASSWORD}
    refused = await (await people.visitor()).request("POST", "/api/login", credentials)
    assert refused.status_code == 401


@pytest.mark.proves("6.5.6")
async def test_user_reset_factors_leaves_the_password_and_ends_all_sessions(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    begun = (await client.request("POST", "/api/totp")).json()
    body = {"setup": begun["setup"], "code": pyotp.TOTP(begun["secret"]).now()}
    assert (await client.request("PUT", "/api/totp", body)).status_code == 200
    credentials = {"username": user, "password": PASSWORD}
    visitor = await people.visitor()
    owed = await visitor.request("POST", "/api/login", credentials)
    assert owed.json()["type"] == "/problems/second-factor-required"
    told, receipt = (await commands.done("user", "reset-factors", user)).splitlines()
    assert told == "Removed the app and 0 passkeys, with their recovery codes."
    assert is_complete(json.loads(receipt), sessions=1, sockets=0)
    await visitor.sign_in(user)
    told, _ = (await commands.done("user", "reset-factors", user)).splitlines()
    assert told == "There was no second factor."


@pytest.mark.parametrize(
    "command",
    [
        ("user", "disable"),
        ("user", "passwd"),
        ("user", "reset-factors"),
        ("sessions", "end", "--user"),
    ],
    ids=" ".join,
)
async def test_an_unknown_user_is_said_to_be_unknown(
    commands: Commands, command: tuple[str, ...]
) -> None:
    refusal = await commands.refusal(*command, "nobody-there", given=f"{PASSWORD}\n")
    assert refusal == "There is no account 'nobody-there'."


async def test_sessions_list_shows_everybodys_sessions_or_one_users(
    commands: Commands, people: People
) -> None:
    client, stranger = await people.somebody(), await people.somebody()
    other = await people.again(client)
    everybody = await commands.done("sessions", "list")
    for sid in (client.sid, other.sid, stranger.sid):
        assert sid in everybody
    own = (await commands.done("sessions", "list", "--user", await user_of(client))).splitlines()
    assert {line.split()[0] for line in own} == {client.sid, other.sid}
    assert all("127.0.0.1" in line and "test browser" in line for line in own)


async def test_sessions_end_closes_the_sockets_of_one_session_and_spares_the_others(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    other = await people.again(client)
    async with client.open_socket() as socket, other.open_socket() as spared:
        await frame(socket, "hello")
        receipt = await commands.receipt("sessions", "end", client.sid)
        end = await end_of(socket)
        await spared.send('{"type":"ping"}')
        await frame(spared, "pong")
    assert is_complete(receipt, sessions=1, sockets=1)
    assert (end.code, end.reason, end.last["event"]) == (4401, "admin", receipt["event"])


async def test_sessions_end_says_that_a_session_is_gone_and_why(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    await client.request("POST", "/api/logout")
    told = await commands.refusal("sessions", "end", client.sid)
    assert told == f"There is no live session {client.sid!r}; it ended: logout."
    for nonsense in ("0" * 24, "../etc", "*", "{00}"):
        refusal = await commands.refusal("sessions", "end", nonsense)
        assert refusal == f"There is no live session {nonsense!r}."


async def test_sessions_end_user_ends_all_of_the_user_however_the_name_is_written(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    other, stranger = await people.again(client), await people.somebody()
    async with (
        client.open_socket() as one,
        other.open_socket() as two,
        stranger.open_socket() as spared,
    ):
        for each in (one, two, spared):
            await frame(each, "hello")
        receipt = await commands.receipt("sessions", "end", "--user", user.upper())
        ends = [await end_of(each) for each in (one, two)]
        await spared.send('{"type":"ping"}')
        await frame(spared, "pong")
    assert is_complete(receipt, sessions=2, sockets=2)
    assert {(each.code, each.reason) for each in ends} == {(4401, "admin")}


async def test_sessions_end_all_asks_and_without_an_answer_ends_nothing(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    assert "--yes" in await commands.refusal("sessions", "end", "--all", given="yes\n")
    assert (await client.request("GET", "/api/session")).status_code == 200


@pytest.mark.proves("7.4.5", "A35")
async def test_sessions_end_all_yes_ends_everybodys_sessions(
    commands: Commands, people: People
) -> None:
    clients = [await people.somebody() for _ in range(3)]
    visitor = await people.visitor()
    await visitor.request("PATCH", "/api/session/data", {"basket": 1})
    sockets = [await each.open_socket() for each in [*clients, visitor]]
    for socket in sockets:
        await frame(socket, "hello")
    receipts = await commands.receipts("sessions", "end", "--all", "--yes")
    ends = [await end_of(each) for each in sockets]
    assert {(each.code, each.reason) for each in ends} == {(4401, "admin")}
    assert {each["state"] for each in receipts} == {"complete"}
    assert sum(each["sockets_closed"] for each in receipts) == 4
    assert sum(each["sessions"] for each in receipts) >= 4  # those of earlier tests too
    assert await commands.done("sessions", "list") == ""
    for each in clients:
        answer = await each.request("GET", "/api/session")
        assert (answer.status_code, answer.json()["reason"]) == (401, "admin")
    again = await commands.receipts("sessions", "end", "--all", "--yes")
    assert all(is_complete(each, sessions=0, sockets=0) for each in again)
