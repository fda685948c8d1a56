"""Answers in every order, applied to a jar as a browser does; and what a thief makes of cookies."""

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import count, permutations
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.clients.client import COOKIE, PASSWORD, frame
from tests.support.servers.server import CurfewServer

DATA = "/api/session/data"
BROWSER = {"Sec-Fetch-Site": "same-origin"}
PROGRAM: dict[str, str] = {}
_numbers = count(1)

Answers = dict[str, httpx.Response]


class Jar:
    """A browser that decides itself when an answer arrives.

    Args:
        http: sends the requests.
        headers: what it says of itself.
    """

    def __init__(self, http: httpx.AsyncClient, headers: Mapping[str, str]) -> None:
        self.cookies: dict[str, str] = {}
        self.csrf_token = ""
        self._http = http
        self._headers = headers

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request; its answer changes nothing yet."""
        headers = {**self._headers, "X-CSRF-Token": self.csrf_token, "Cookie": self.header}
        given = {name: value for name, value in headers.items() if value}
        return await self._http.request(method, path, json=body, headers=given)

    @property
    def header(self) -> str:
        """What it sends."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def take(self, answer: httpx.Response) -> httpx.Response:
        """Let an answer arrive."""
        for header in answer.headers.get_list("Set-Cookie"):
            name, _, rest = header.partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0;" not in rest:
                self.cookies[name] = rest.partition(";")[0]
        return answer

    async def sign_in(self, username: str) -> httpx.Response:
        """Sign in, over whatever there is."""
        credentials = {"username": username, "password": PASSWORD}
        answer = await self.send("POST", "/api/login", credentials)
        assert answer.status_code == 200, answer.text
        self.csrf_token = answer.json()["csrf_token"]
        return answer

    async def session(self) -> tuple[int, str]:
        """Ask who it is: status, and id or reason."""
        answer = self.take(await self.send("GET", "/api/session"))
        told = answer.json()
        return answer.status_code, told["session"]["id"] if answer.is_success else told["reason"]


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """A server whose answers take 30 s at most."""
    with CurfewServer() as running:
        yield running


@pytest.fixture
async def http(server: CurfewServer) -> AsyncIterator[httpx.AsyncClient]:
    """Sends requests as pages of the server do."""
    headers = {"Origin": server.url}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as client:
        yield client


async def somebody(jar: Jar) -> str:
    """Make an account; its name."""
    username = f"late-{next(_numbers)}"
    credentials = {"username": username, "password": PASSWORD}
    made = await jar.send("POST", "/api/signup", credentials)
    assert made.status_code == 201, made.text
    return username


@pytest.mark.parametrize("headers", [BROWSER, PROGRAM], ids=["browser", "program"])
@pytest.mark.parametrize("order", list(permutations(["rotation", "sign-in", "logout"])), ids=str)
async def test_in_whatever_order_they_arrive_the_sign_in_stays(
    http: httpx.AsyncClient, headers: Mapping[str, str], order: tuple[str, ...]
) -> None:
    jar = Jar(http, headers)
    username = await somebody(jar)
    jar.take(await jar.sign_in(username))
    answers = {
        "rotation": await jar.send("POST", "/api/session/rotate"),
        "logout": await jar.send("POST", "/api/logout"),
        "sign-in": await jar.sign_in(username),
    }
    sid = answers["sign-in"].json()["session"]["id"]
    for name in order:
        jar.take(answers[name])
    for _ in range(2):
        assert await jar.session() == (200, sid)


@pytest.mark.parametrize("headers", [BROWSER, PROGRAM], ids=["browser", "program"])
async def test_a_rotation_from_before_the_sign_in_does_not_hide_it_from_a_socket(
    http: httpx.AsyncClient, server: CurfewServer, headers: Mapping[str, str]
) -> None:
    jar = Jar(http, headers)
    username = await somebody(jar)
    jar.take(await jar.sign_in(username))
    late = await jar.send("POST", "/api/session/rotate")
    sid = jar.take(await jar.sign_in(username)).json()["session"]["id"]
    jar.take(late)
    cookie = {"Cookie": jar.header}
    async with connect(server.socket_url, origin=server.url, additional_headers=cookie) as socket:  # type: ignore[arg-type]  # NewType of str
        assert (await frame(socket, "hello"))["session"]["id"] == sid
    assert await jar.session() == (200, sid)


@pytest.mark.parametrize("first", ["data", "sign-in"])
async def test_a_visitors_first_data_and_a_sign_in_at_one_moment_are_both_kept(
    http: httpx.AsyncClient, first: str
) -> None:
    jar = Jar(http, BROWSER)
    username = await somebody(jar)
    answers: Answers = {}
    for name in ("data", "sign-in") if first == "data" else ("sign-in", "data"):
        if name == "data":
            jar.csrf_token = ""
            answers[name] = await jar.send("PATCH", DATA, {"basket": 1})
        else:
            answers[name] = await jar.sign_in(username)
    signed_in = answers["sign-in"].json()
    jar.csrf_token = signed_in["csrf_token"]
    jar.take(answers["sign-in"])
    jar.take(answers["data"])
    assert await jar.session() == (200, signed_in["session"]["id"])
    assert (await jar.send("GET", DATA)).json() == {"basket": 1}
    assert set(jar.cookies) == {COOKIE}


async def test_a_cookie_stolen_before_the_sign_in_never_becomes_the_new_session(
    http: httpx.AsyncClient,
) -> None:
    owner, thief = Jar(http, BROWSER), Jar(http, BROWSER)
    username = await somebody(owner)
    owner.take(await owner.sign_in(username))
    stolen = owner.cookies.copy()
    late = await owner.send("POST", "/api/session/rotate")
    sid = owner.take(await owner.sign_in(username)).json()["session"]["id"]
    owner.take(late)
    for cookies in (stolen, {COOKIE: owner.cookies[COOKIE]}):
        thief.cookies = dict(cookies)
        assert await thief.session() == (401, "superseded")
    assert await owner.session() == (200, sid)


async def test_a_spare_is_no_way_around_rotation() -> None:
    with CurfewServer(rotation_grace="1s") as server:
        headers = {"Origin": server.url}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as http:
            owner, thief = Jar(http, BROWSER), Jar(http, BROWSER)
            username = await somebody(owner)
            owner.take(await owner.sign_in(username))
            owner.take(await owner.sign_in(username))
            thief.cookies = {name: each for name, each in owner.cookies.items() if name != COOKIE}
            assert len(thief.cookies) == 1
            rotated = await owner.send("POST", "/api/session/rotate")
            owner.take(rotated)
            assert (await owner.session())[0] == 200
            overtaken_at = rotated.json()["generation"]
            while (found := await thief.session())[0] == 200:  # within the grace, as any token
                thief.cookies = {n: e for n, e in thief.cookies.items() if n != COOKIE}
            assert (overtaken_at, found) == (2, (401, "token_reuse"))
            assert await owner.session() == (401, "token_reuse")
