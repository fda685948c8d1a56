"""The `user` commands that change accounts, beside a server with two processes: live and truly."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.integration.test_commands import Commands
from tests.support.clients.client import PASSWORD
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of, frame
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer(processes="2") as running:
        assert len(workers_of(running)) == 2
        yield running


@pytest.fixture
def commands(server: CurfewServer) -> Commands:
    return Commands(server)


async def can_sign_in(people: People, user: str) -> bool:
    body = {"username": user, "password": PASSWORD}
    answer = await (await people.visitor()).request("POST", "/api/login", body)
    return answer.status_code == 200


async def test_user_delete_closes_the_sockets_and_deletes_the_account(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    assert "say --yes" in await commands.refusal("user", "delete", user)
    async with client.open_socket() as one, client.open_socket() as two:
        for each in (one, two):
            await frame(each, "hello")
        receipt = await commands.receipt("user", "delete", user, "--yes")
        ends = [await end_of(each) for each in (one, two)]
    assert (receipt["sessions"], receipt["sockets_closed"]) == (1, 2)
    assert (receipt["state"], receipt["nodes"]["acked"]) == ("complete", 2)
    assert {(each.code, each.reason) for each in ends} == {(4401, "account_deleted")}
    assert not await can_sign_in(people, user)
    assert "no account" in await commands.refusal("user", "delete", user, "--yes")
    assert user not in (await commands.done("user", "list")).split()


async def test_user_rename_closes_the_sockets_and_the_new_name_signs_in(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        told = await commands.done("user", "rename", user, f"{user}-again")
        end = await end_of(socket)
    assert told.startswith(f"{user} is {user}-again now.\n")
    assert end.reason == "account_renamed"
    assert await can_sign_in(people, f"{user}-again")
    assert not await can_sign_in(people, user)
    other = await user_of(await people.somebody())
    taken = await commands.run("user", "rename", other, f"{user}-again")
    assert taken.returncode == 1
    assert "taken" in taken.stderr


async def test_user_enable_lets_a_disabled_user_in_again(
    commands: Commands, people: People
) -> None:
    user = await user_of(await people.somebody())
    await commands.done("user", "disable", user)
    assert not await can_sign_in(people, user)
    assert await commands.done("user", "enable", user) == f"{user} can sign in again.\n"
    assert await can_sign_in(people, user)


async def test_user_admin_gives_the_role_and_takes_it_with_a_receipt(
    commands: Commands, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    assert (await client.request("GET", "/api/admin/users")).status_code == 403
    await commands.done("user", "admin", user)
    assert (await client.request("GET", "/api/admin/users")).status_code == 200
    listed = await commands.done("user", "list")
    line = next(line for line in listed.splitlines() if line.startswith(f"{user} "))
    assert line.endswith("  administrator")
    for words in (("admin", user, "--remove"), ("delete", user, "--yes")):
        refused = await commands.run("user", *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.endswith("Nobody else is an administrator; say --force to mean it.\n")
    receipt = await commands.receipt("user", "admin", user, "--remove", "--force")
    assert (receipt["sessions"], receipt["state"]) == (1, "complete")
    assert (await client.request("GET", "/api/session")).json()["reason"] == "admin"


async def test_sign_ins_at_two_processes_while_the_account_is_deleted_leave_nobody(
    people: People,
) -> None:
    for number in range(1, 9):
        owner = await people.somebody()
        user = await user_of(owner)
        body = {"username": user, "password": PASSWORD}
        # Each round at its own address: failures at one address would be throttled together.
        others = [await people.visitor(f"127.0.2.{number}") for _ in range(4)]
        deleted, *tried = await asyncio.gather(
            owner.request("DELETE", "/api/account"),
            *(each.request("POST", "/api/login", body) for each in others),
        )
        assert deleted.status_code == 200
        assert {each.status_code for each in tried} <= {200, 401, 409}
        for each in others:
            assert (await each.request("GET", "/api/session")).status_code == 401
