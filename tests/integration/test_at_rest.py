"""What lies in the store of a busy server: nothing that anybody could use or read."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import redis

from handlers.http.cookie import SessionCookie
from server.core.token import parse_token
from server.crypto.keyring import Keyring, new_secret, parse_secret
from server.crypto.sealer import Sealer
from server.store.codec import SessionCodec
from server.store.contract import Stored
from server.store.names import ShardNames
from tests.support.clients.client import COOKIE, PASSWORD, Client, frame
from tests.support.secrets.contents import copy, everything, found_in
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

KEY = new_secret()
NAMES = ShardNames(0)
NEW_PASSWORD = "another lantern in another harbour"
BROWSER = "Peculiar-Browser/7.1"
DIARY = "diary: met the fox at dawn"
MESSAGE = "message: the fox is asleep"
BASKET = "basket: seven lanterns"


@dataclass
class Secrets:
    """What must not be found.

    Attributes:
        cookies: every one that was set.
        others: whatever else came along.
    """

    cookies: set[str] = field(default_factory=set)
    others: set[str | bytes] = field(default_factory=set)

    def all(self) -> set[str | bytes]:
        """Cookies and what they are made of too."""
        cookie = SessionCookie(
            COOKIE,
            Keyring.from_secrets([parse_secret(KEY)]).derive("session cookie"),
            max_age=timedelta(days=1),
            secure=True,
        )
        found: set[str | bytes] = {*self.others, *self.cookies}
        for value in self.cookies:
            decoded = cookie.decode(value)
            token = parse_token(decoded.token) if decoded else None
            assert token is not None
            digest = urlsafe_b64decode(token.secret + "=")
            found |= {str(token), token.secret, digest, value.rpartition("|")[2]}
        return found


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    """A Valkey that compresses nothing, so that dumps can be searched."""
    with ValkeyServer(rdbcompression="no") as running:
        yield running


@pytest.fixture(scope="module")
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    """Two processes, whose sessions rotate all the time."""
    with CurfewServer(
        processes="2",
        store_url=store.url,
        secret_keys=KEY,
        rotation_interval="50ms",
        rotation_grace="200ms",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def secrets(server: CurfewServer, store: ValkeyServer) -> Secrets:
    """Busy use, and what it left with its people."""
    secrets = Secrets({*()}, {PASSWORD, NEW_PASSWORD, KEY, parse_secret(KEY)})
    secrets.others |= {DIARY, MESSAGE, BASKET, BROWSER, "127.0.0.1", "$argon2id$"}
    asyncio.run(use(server, store, secrets))
    return secrets


async def use(server: CurfewServer, store: ValkeyServer, secrets: Secrets) -> None:
    """Everything that people do, all at once."""
    await asyncio.gather(*(_life(server, store, f"person-{n}", secrets) for n in range(5)))


async def _life(server: CurfewServer, store: ValkeyServer, name: str, secrets: Secrets) -> None:
    async with Client(server.url, BROWSER) as client, Client(server.url, BROWSER) as other:
        await client.request("PATCH", "/api/session/data", {"basket": BASKET})
        secrets.cookies.add(client.cookie)
        _look(store, secrets)
        await other.sign_up(name)
        await other.request("POST", "/api/login", {"username": name, "password": "wrong" * 5})
        client.csrf_token = (await client.request("GET", "/api/session")).json()["csrf_token"]
        secrets.others.add(client.csrf_token)
        body = {"username": name, "password": PASSWORD}
        client.csrf_token = (await client.request("POST", "/api/login", body)).json()["csrf_token"]
        for each in (client, other):
            secrets.cookies.add(each.cookie)
            secrets.others.add(each.csrf_token)
        async with client.open_socket() as here, client.open_socket() as there:
            await frame(here, "hello")
            await frame(there, "hello")
            await here.send(json.dumps({"type": "message", "data": MESSAGE}))
            assert (await frame(there, "message"))["data"] == MESSAGE
            for number in range(5):
                await client.request("PATCH", "/api/session/data", {f"note {number}": DIARY})
                await client.request("POST", "/api/session/rotate")
                secrets.cookies.add(client.cookie)
                await asyncio.sleep(0.05)  # a rotation interval
                await client.request("GET", "/api/session")
                secrets.cookies.add(client.cookie)
                _look(store, secrets)
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        changed = await client.request("PUT", "/api/password", body)
        assert changed.status_code == 200, changed.text
        secrets.cookies.add(client.cookie)
        await other.sign_in(name, NEW_PASSWORD)
        secrets.cookies.add(other.cookie)
        await other.request("PATCH", "/api/session/data", {"note": DIARY})
        assert (await other.request("POST", "/api/logout")).status_code == 200
        _look(store, secrets)


def _look(store: ValkeyServer, secrets: Secrets) -> None:
    """Open the records with the server's own key, and note their seeds."""
    codec = SessionCodec(Sealer(Keyring.from_secrets([parse_secret(KEY)])))
    with store.client() as client:
        for key in client.scan_iter(NAMES.session("*")):
            value = client.get(key)
            sid = key.decode().removeprefix(NAMES.session(""))
            stored = codec.decode(value, sid) if isinstance(value, bytes) else None
            if isinstance(stored, Stored):
                secrets.others.add(stored.session.seed)


@pytest.fixture
def client(store: ValkeyServer) -> Iterator[redis.Redis]:
    with store.client() as client:
        yield client


@pytest.mark.proves("A93")
def test_nothing_secret_is_in_any_key_or_value(secrets: Secrets, client: redis.Redis) -> None:
    haystack = everything(client)
    assert found_in(haystack, secrets.all()) == []
    for present in (b"person-3", b"rotated", b"ended", b"session:00", b"account:person-0"):
        assert present in haystack


def test_the_busy_use_left_secrets_that_a_search_would_find(
    secrets: Secrets, client: redis.Redis
) -> None:
    seeds = {each for each in secrets.others if isinstance(each, bytes)}
    assert len(secrets.cookies) > 25
    assert len(seeds) >= 15
    cookie, seed = next(iter(secrets.cookies)), next(iter(seeds))
    client.set("string", f"around {cookie} it")
    client.hset("hash", seed.hex(), "x")
    client.xadd("stream", {"x": DIARY})
    haystack = everything(client)
    client.delete("string", "hash", "stream")
    assert {cookie, seed, DIARY} <= set(found_in(haystack, secrets.all()))


@pytest.mark.proves("A93")
def test_a_copy_of_the_store_tells_no_more(secrets: Secrets, client: redis.Redis) -> None:
    with ValkeyServer(rdbcompression="no") as thief, thief.client() as stolen:
        assert copy(client, stolen) > 20
        assert found_in(everything(stolen), secrets.all()) == []


def test_the_log_tells_nothing_either(secrets: Secrets, server: CurfewServer) -> None:
    haystack = server.log_path.read_bytes()
    told = {"127.0.0.1", BROWSER}  # by the audit trail, for whoever runs the server
    assert found_in(haystack, secrets.all() - told) == []
