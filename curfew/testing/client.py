"""A person's browser, as far as HTTP and WebSockets go: a jar, the Origin, the CSRF token."""

import asyncio
import json
import ssl
from functools import cache
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect

PASSWORD: Final = "a quiet lantern over the harbour"
COOKIE: Final = "__Host-Http-curfew"
PATIENCE_SECONDS: Final = 15.0


class Client:
    """Talks to one server with one cookie jar.

    Args:
        url: the server's address, which is also the Origin.
        user_agent: what the browser says of itself.
        address: the loopback address that it connects from.

    Attributes:
        url: the same.
        csrf_token: goes with each request; empty before somebody signs in.
        sid: the id of the session.
        http: sends the requests.
    """

    def __init__(
        self, url: str, user_agent: str = "test browser", address: str | None = None
    ) -> None:
        self.url = url
        self.csrf_token = ""
        self.sid = ""
        self.http = httpx.AsyncClient(
            base_url=url,
            headers={"Origin": url, "User-Agent": user_agent},
            timeout=20.0,
            transport=httpx.AsyncHTTPTransport(
                verify=_trust(),
                limits=httpx.Limits(max_connections=300, max_keepalive_connections=100),
                local_address=address,
            ),
        )

    @property
    def cookie(self) -> str:
        """The cookie's value, as the browser would send it; empty without one."""
        return str(self.http.headers.get("Cookie", "")).partition("=")[2]

    @cookie.setter
    def cookie(self, value: str) -> None:
        if value:
            self.http.headers["Cookie"] = f"{COOKIE}={value}"
        else:
            self.http.headers.pop("Cookie", None)

    async def request(
        self, method: str, path: str, body: Any = None, *, keep: bool = True, **headers: str
    ) -> httpx.Response:
        """Send a request as a page of ours would.

        Args:
            method: HTTP method.
            path: with its query.
            body: sent as JSON, unless None.
            keep: whether the jar takes a new cookie from the answer.
            headers: further headers, with underscores for dashes.
        """
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.csrf_token:
            given.setdefault("X-CSRF-Token", self.csrf_token)
        response = await self.http.request(method, path, json=body, headers=given)
        return self._taken(response) if keep else response

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a page of ours would, with the CSRF token.

        Args:
            path: of the form's address.
            fields: what is filled in.
        """
        sent = {"csrf_token": self.csrf_token, **fields}
        return self._taken(await self.http.post(path, data=sent))

    async def sign_up(self, username: str, password: str = PASSWORD) -> Self:
        """Make an account and sign in."""
        made = await self.request("POST", "/api/signup", _credentials(username, password))
        if made.status_code != HTTPStatus.CREATED:
            raise AssertionError(made.text)
        return await self.sign_in(username, password)

    async def sign_in(self, username: str, password: str = PASSWORD) -> Self:
        """Sign in, in place of whatever session there was."""
        self.cookie = self.csrf_token = ""
        answer = await self.request("POST", "/api/login", _credentials(username, password))
        if answer.status_code != HTTPStatus.OK:
            raise AssertionError(answer.text)
        self.csrf_token = answer.json()["csrf_token"]
        self.sid = answer.json()["session"]["id"]
        return self

    def open_socket(self, **options: Any) -> connect:
        """Return a WebSocket of this browser, as an asynchronous context manager.

        Args:
            options: `path` of the socket, by default `/ws`; others as of `websockets.connect`.
        """
        cookie = self.http.headers.get("Cookie")
        headers = options.pop("additional_headers", {}) | ({"Cookie": cookie} if cookie else {})
        return connect(
            self.url.replace("http", "ws", 1) + options.pop("path", "/ws"),
            origin=options.pop("origin", self.url),
            subprotocols=["curfew.v1"],  # type: ignore[list-item]  # NewType of str
            additional_headers=headers,
            # What a test does not read would hold up the close of its socket for 10 s.
            **{"max_queue": None, **options},
        )

    def _taken(self, response: httpx.Response) -> httpx.Response:
        new = set_cookie(response)
        if new is not None:
            self.cookie = new
        return response

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.http.aclose()


def set_cookie(response: httpx.Response) -> str | None:
    """Return the value that the answer sets our cookie to; None if it leaves it alone."""
    for header in response.headers.get_list("Set-Cookie"):
        name, _, rest = header.partition("=")
        if name == COOKIE:
            return rest.partition(";")[0]
    return None


async def frame(
    socket: ClientConnection, kind: str, seconds: float = PATIENCE_SECONDS
) -> dict[str, Any]:
    """Return the next frame of a kind; frames of other kinds before it are passed over.

    Args:
        socket: of a client.
        kind: the frame's `type`.
        seconds: how long to wait.
    """
    async with asyncio.timeout(seconds):
        while True:
            received: dict[str, Any] = json.loads(await socket.recv())
            if received["type"] == kind:
                return received


@cache
def _trust() -> ssl.SSLContext:
    """Return what all clients trust. To read it takes 20 ms, more than a request."""
    return httpx.create_ssl_context()


def _credentials(username: str, password: str) -> dict[str, str]:
    return {"username": username, "password": password}
