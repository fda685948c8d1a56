"""Clients that hang up at any moment: nobody gets an answer that was meant for another."""

import asyncio
import json
import os
import random
import re
from contextlib import suppress

import pytest

from tests.support.clients.client import COOKIE, Client
from tests.support.servers.server import CurfewServer

AT_ONCE = 20
REQUESTS = 100
"""Of each of them: 2,000 in all."""
ABORTED_SHARE = 0.5
LONGEST_SECONDS = 0.02
"""Until it is given up: under this load some are answered by then and most are not."""

CHANCE = random.Random(os.urandom(8))  # noqa: S311 - a schedule is no secret
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Caller:
    """Asks on one connection after the other, and hangs up on some."""

    def __init__(self, port: int, people: dict[str, Client]) -> None:
        self._port = port
        self._people = people
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.answered = self.aborted = 0

    async def call(self) -> None:
        """Send all requests."""
        for _ in range(REQUESTS):
            user = CHANCE.choice(sorted(self._people))
            if self._connection is None:
                self._connection = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._connection
            writer.write(self._request(user))
            if CHANCE.random() < ABORTED_SHARE:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHANCE.random() * LONGEST_SECONDS):
                        await reader.read(1)
                self.hang_up()
                self.aborted += 1
            else:
                self._check(await _body(reader), user)
                self.answered += 1
        self.hang_up()

    def hang_up(self) -> None:
        """Cut the connection, whatever is under way."""
        if self._connection is not None:
            self._connection[1].transport.abort()
            self._connection = None

    def _request(self, user: str) -> bytes:
        client = self._people[user]
        method, path, body = CHANCE.choice([
            ("GET", "/api/session", b""),
            ("GET", "/api/session/data", b""),
            ("GET", "/api/sessions", b""),
            ("PATCH", "/api/session/data", json.dumps({"n": CHANCE.random()}).encode()),
        ])  # fmt: skip
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Origin: {client.url}",
            f"Cookie: {COOKIE}={client.cookie}",
            f"X-CSRF-Token: {client.csrf_token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + body

    def _check(self, answer: dict[str, object], user: str) -> None:
        told, sid = json.dumps(answer), self._people[user].sid
        assert f'"name": "{user}"' in told or sid in told, (user, told)
        for other, client in self._people.items():
            if other != user:
                assert client.sid not in told
                assert f'"{other}"' not in told


async def _body(reader: asyncio.StreamReader) -> dict[str, object]:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = _LENGTH.search(head)
    assert length is not None
    found: dict[str, object] = json.loads(await reader.readexactly(int(length[1])))
    return found


@pytest.mark.proves("A97")
async def test_of_2000_requests_half_of_them_given_up_none_is_answered_to_another() -> None:
    with CurfewServer(processes="2") as server:
        async with Client(server.url) as ann, Client(server.url) as bob:
            people = {"ann": ann, "bob": bob}
            for user, client in people.items():
                await client.sign_up(user)
                await client.request("PATCH", "/api/session/data", {"name": user})
            callers = [Caller(server.port, people) for _ in range(AT_ONCE)]
            await asyncio.gather(*(each.call() for each in callers))
            for user, client in people.items():
                data = (await client.request("GET", "/api/session/data")).json()
                assert data["name"] == user
        assert "Traceback" not in server.log
    assert min(sum(each.answered for each in callers), sum(each.aborted for each in callers)) > 500
