"""Answers that arrive after a newer sign-in's: the person stays signed in, and does nothing for it.

In two engines, on a real server, with a proxy in front that holds answers back.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browsers.chromium import Windows
from tests.support.browsers.firefox import firefox
from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.running.processes import eventually
from tests.support.servers.holding import HoldingProxy
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

ASK = """(name, method, path, body, token) => {
  window.answers ??= {};
  delete window.answers[name];
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers['X-CSRF-Token'] = token;
  fetch(path, { method, headers, body: body || undefined, cache: 'no-store' }).then(
    async (answer) => { window.answers[name] = [answer.status, await answer.text()]; },
  );
}"""
ANSWERED = "(name) => window.answers[name] ?? null"
DATA = "/api/session/data"


class Person:
    """Somebody at a browser's page, whose scripts ask the server.

    Args:
        run: calls a function in the page.
    """

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        self.csrf_token = ""

    def begin(self, name: str, method: str, path: str, body: Any = None) -> None:
        """Send a request and go on at once."""
        text = "" if body is None else json.dumps(body)
        self._run(ASK, name, method, path, text, self.csrf_token)

    def answer(self, name: str) -> tuple[int, Any]:
        """Wait for the answer: status and document."""
        status, text = eventually(lambda: self._run(ANSWERED, name))
        return status, json.loads(text)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request, and wait for the answer."""
        self.begin("this", method, path, body)
        return self.answer("this")

    def sign_in(self, username: str) -> str:
        """Sign in, over whatever there is; the id of the session."""
        status, told = self.ask("POST", "/api/login", {"username": username, "password": PASSWORD})
        assert status == 200, told
        self.csrf_token = told["csrf_token"]
        return str(told["session"]["id"])

    def session(self) -> tuple[int, str]:
        """What the server says of the session: status, and id or reason."""
        status, told = self.ask("GET", "/api/session")
        return status, told["session"]["id"] if status == 200 else told.get("reason", told["type"])


@pytest.fixture(scope="module")
def proxy() -> Iterator[HoldingProxy]:
    """The proxy in front."""
    with HoldingProxy() as running:
        yield running


@pytest.fixture(scope="module")
def server(proxy: HoldingProxy) -> Iterator[CurfewServer]:
    """A server that is reached through it."""
    with CurfewServer(origins=proxy.url, rotation_grace="2s") as running:
        proxy.target = running.port
        yield running


@contextmanager
def in_chromium(browser: Browser, url: str) -> Iterator[Callable[..., Any]]:
    """A page in a new window of Chromium."""
    windows = Windows(browser, url)
    page = windows.open().new_page()
    page.goto("/login")
    yield lambda function, *given: page.evaluate(f"(given) => ({function})(...given)", list(given))
    assert page.context.cookies()
    windows.close()


@contextmanager
def in_firefox(url: str) -> Iterator[Callable[..., Any]]:
    """A page in Firefox."""
    with firefox() as running:
        tab = running.open(running.window(), url)
        tab.goto("/login")
        yield tab.run


@pytest.fixture(params=["chromium", "firefox"])
def person(
    request: pytest.FixtureRequest, server: CurfewServer, proxy: HoldingProxy, username: str
) -> Iterator[Person]:
    """Somebody with an account, and not signed in, in each engine."""
    assert server.pid
    if request.param == "chromium":
        opened = in_chromium(request.getfixturevalue("browser"), proxy.url)
    else:
        opened = in_firefox(proxy.url)
    with opened as run:
        person = Person(run)
        for name in (username, f"{username}-two"):
            made = person.ask("POST", "/api/signup", {"username": name, "password": PASSWORD})
            assert made[0] == 201, made
        yield person
        proxy.release()


def late(person: Person, proxy: HoldingProxy, method: str, path: str, body: Any = None) -> None:
    """Send a request whose answer is held back."""
    proxy.hold(f"{method} {path}")
    person.begin("late", method, path, body)
    proxy.await_held()


def arrives(person: Person, proxy: HoldingProxy) -> None:
    """Let the answer arrive that was held back."""
    proxy.release()
    assert person.answer("late")[0] == 200


def test_the_rotation_of_the_session_before(
    person: Person, proxy: HoldingProxy, username: str
) -> None:
    person.sign_in(username)
    late(person, proxy, "POST", "/api/session/rotate")
    sid = person.sign_in(username)
    arrives(person, proxy)
    for _ in range(2):
        assert person.session() == (200, sid)


def test_the_first_data_of_a_visitor(person: Person, proxy: HoldingProxy, username: str) -> None:
    late(person, proxy, "PATCH", DATA, {"basket": ["tea"]})
    sid = person.sign_in(username)
    arrives(person, proxy)
    for _ in range(2):
        assert person.session() == (200, sid)
    assert person.ask("GET", DATA) == (200, {"basket": ["tea"]})


def test_a_logout(person: Person, proxy: HoldingProxy, username: str) -> None:
    person.sign_in(username)
    late(person, proxy, "POST", "/api/logout")
    sid = person.sign_in(username)
    arrives(person, proxy)
    for _ in range(2):
        assert person.session() == (200, sid)


def test_a_rotation_from_before_a_proof_of_the_password(
    person: Person, proxy: HoldingProxy, username: str
) -> None:
    sid = person.sign_in(username)
    late(person, proxy, "POST", "/api/session/rotate")
    proved = person.ask("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    assert proved[0] == 200
    arrives(person, proxy)
    for _ in range(2):
        assert person.session() == (200, sid)


def test_an_earlier_sign_in(person: Person, proxy: HoldingProxy, username: str) -> None:
    person.sign_in(username)
    credentials = {"username": f"{username}-two", "password": PASSWORD}
    late(person, proxy, "POST", "/api/login", credentials)
    sid = person.sign_in(username)
    arrives(person, proxy)
    for _ in range(2):
        assert person.session() == (200, sid)


def test_afterwards_one_cookie_is_left(
    server: CurfewServer, proxy: HoldingProxy, browser: Browser, username: str
) -> None:
    assert server.pid
    windows = Windows(browser, proxy.url)
    context = windows.open()
    page = context.new_page()
    page.goto("/login")
    person = Person(
        lambda function, *given: page.evaluate(f"(given) => ({function})(...given)", list(given))
    )
    person.ask("POST", "/api/signup", {"username": username, "password": PASSWORD})
    person.sign_in(username)
    assert [each["name"] for each in context.cookies()] == [COOKIE]  # nothing can be late yet
    person.sign_in(username)
    assert len(context.cookies()) == 2

    def asked_and_tidy() -> bool:
        assert person.session()[0] == 200
        return [each["name"] for each in context.cookies()] == [COOKIE]

    eventually(asked_and_tidy)
    windows.close()
