"""Sockets where a second factor is required: none by the password alone."""

from collections.abc import Iterator

import pyotp
import pytest

from tests.support.clients.client import Client, frame
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import End, end_of
from tests.support.servers.server import CurfewServer


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """It asks everybody for a second factor."""
    with CurfewServer(second_factor="required") as running:
        yield running


async def add_app(client: Client) -> None:
    begun = (await client.request("POST", "/api/totp")).json()
    body = {"setup": begun["setup"], "code": pyotp.TOTP(begun["secret"]).now()}
    assert (await client.request("PUT", "/api/totp", body)).status_code == 200


@pytest.mark.proves("6.3.3")
async def test_a_socket_of_the_password_alone_is_not_allowed(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        assert await end_of(socket) == End([], 4403, "second_factor_owed")
    await add_app(client)
    async with client.open_socket() as socket:
        assert (await frame(socket, "hello"))["session"]["id"] == client.sid


@pytest.mark.proves("6.3.3")
async def test_with_the_last_factor_all_sockets_go(people: People) -> None:
    client = await people.somebody()
    await add_app(client)
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        removed = await client.request("DELETE", "/api/totp?end_other_sessions=false")
        assert removed.json()["receipt"]["sockets_closed"] == 1
        end = await end_of(socket)
        assert (end.last["type"], end.code, end.reason) == ("ended", 4401, "credential_changed")


@pytest.mark.proves("6.3.3")
async def test_whose_factors_an_operator_took_off_sets_one_up_anew(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    await add_app(client)
    assert server.command("user", "reset-factors", user).returncode == 0
    await client.sign_in(user)
    refused = await client.request("GET", "/api/sessions")
    assert refused.json()["type"] == "/problems/second-factor-setup-required"
    async with client.open_socket() as socket:
        assert (await end_of(socket)).code == 4403
