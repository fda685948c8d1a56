"""Whom a request says that it is forwarded for, told by strangers and by a listed proxy."""

from typing import Any

import pytest

from tests.support.clients.client import Client
from tests.support.servers.server import CurfewServer

SPOOFED = {
    "X_Forwarded_For": "198.51.100.7",
    "X_Real_IP": "198.51.100.8",
    "Forwarded": 'for="198.51.100.9";proto=https;host=evil.example',
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "evil.example",
    "X_Client_IP": "198.51.100.10",
    "True_Client_IP": "198.51.100.11",
}


async def address_told_by(client: Client, **headers: Any) -> str:
    """The address that the list of sessions shows of a sign-in with these headers."""
    credentials = {"username": "ann", "password": "a quiet lantern over the harbour"}
    client.cookie = client.csrf_token = ""
    answer = await client.request("POST", "/api/login", credentials, **headers)
    assert answer.status_code == 200, answer.text
    assert "198.51.100" not in str(answer.headers)
    client.csrf_token = answer.json()["csrf_token"]
    listed = (await client.request("GET", "/api/sessions", **headers)).json()["sessions"]
    return next(str(each["ip"]) for each in listed if each["current"])


@pytest.mark.proves("A68", "4.1.3", "15.3.4")
async def test_no_header_changes_the_address_of_a_peer_that_is_not_listed() -> None:
    with CurfewServer(trusted_proxies="192.0.2.0/24") as server:
        async with Client(server.url) as client:
            await client.sign_up("ann")
            assert await address_told_by(client, **SPOOFED) == "127.0.0.1"


@pytest.mark.proves("A68", "4.1.3", "15.3.4")
async def test_a_listed_proxy_is_believed_in_one_header_and_about_one_hop() -> None:
    with CurfewServer(trusted_proxies="127.0.0.1") as server:
        async with Client(server.url) as client:
            await client.sign_up("ann")
            assert await address_told_by(client, **SPOOFED) == "198.51.100.7"
            chain = "6.6.6.6, 198.51.100.7"
            assert await address_told_by(client, X_Forwarded_For=chain) == "198.51.100.7"
            only = {name: SPOOFED[name] for name in SPOOFED if name != "X_Forwarded_For"}
            assert await address_told_by(client, **only) == "127.0.0.1"
