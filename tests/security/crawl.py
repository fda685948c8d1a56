"""Every answer that a server gives: all routes, methods and roles, and everything it refuses."""

import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx

from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.clients.routes import all_routes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
STATIC = ("/static/css/curfew.css", "/static/js/page.js", "/static/favicon.svg", "/static/nothing")
NOWHERE = ("/nothing", "/api/nothing", "/account/x.css", "/account;.js", "/.git/config", "/%00")
SOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
WRONG_HANDSHAKES: tuple[dict[str, str], ...] = (
    {"Connection": "keep-alive"},
    {"Connection": "close, Upgraded"},
    {"Upgrade": "h2c"},
    {"Sec-WebSocket-Version": "8"},
    {"Sec-WebSocket-Version": ""},
    {"Sec-WebSocket-Key": ""},
    {"Sec-WebSocket-Protocol": "curfew.v2"},
    {"Host": "evil.test"},
    {"Origin": "https://evil.test"},
)


@dataclass(frozen=True)
class Role:
    """Somebody who asks.

    Attributes:
        name: for whoever reads a failure.
        cookie: empty without a session.
    """

    name: str
    cookie: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each request."""
        return {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}


@dataclass(frozen=True)
class Asked:
    """A question that a crawl asks."""

    method: str
    path: str
    role: Role
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def questions(roles: list[Role]) -> Iterator[Asked]:
    """Everything. Nobody has a CSRF token, so that nothing is changed on the way."""
    for role in roles:
        for path in [*(route.path for route in all_routes()), *STATIC, *NOWHERE]:
            for method in METHODS:
                yield Asked(method, path, role)
        yield Asked("GET", "/", role, (("Host", "evil.test"),))
        yield Asked("POST", "/api/logout", role, (("Origin", "https://evil.test"),))
        yield Asked("GET", "/api/session", role, (("Sec-Fetch-Dest", "script"),))
        yield Asked("GET", "/account", role, (("Sec-Fetch-Dest", "iframe"),))
        yield Asked("POST", "/api/login", role, (("Content-Type", "text/plain"),), b"{}")
        yield Asked("POST", "/api/login", role, body=b"x" * 200_000)
        yield Asked("POST", "/login", role, body=b"\xff")
        for wrong in WRONG_HANDSHAKES:
            yield Asked("GET", "/ws", role, tuple({**SOCKET, **wrong}.items()))


async def crawl(
    url: str, trust: ssl.SSLContext | None, roles: list[Role]
) -> AsyncIterator[tuple[Asked, httpx.Response]]:
    """Ask everything, and yield each question with its answer."""
    headers = {"Origin": url}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, verify=trust or False, timeout=20
    ) as client:
        for asked in questions(roles):
            given = {**asked.role.headers, **dict(asked.headers)}
            yield (
                asked,
                await client.request(
                    asked.method, asked.path, headers=given, content=asked.body or None
                ),
            )


async def signed_in(url: str, trust: ssl.SSLContext | None, username: str) -> Role:
    """Somebody who signed in a moment ago; the account is made unless it exists."""
    async with httpx.AsyncClient(
        base_url=url, headers={"Origin": url}, verify=trust or False, timeout=20
    ) as client:
        credentials = {"username": username, "password": PASSWORD}
        await client.post("/api/signup", json=credentials)
        answer = await client.post("/api/login", json=credentials)
        assert answer.status_code == 200, answer.text
        header = answer.headers["Set-Cookie"]
        return Role(username, header.partition("=")[2].partition(";")[0])
