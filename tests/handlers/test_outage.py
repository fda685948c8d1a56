"""The store does not answer: nobody is signed out, nobody is let in, everybody is told."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from tornado.httpclient import HTTPResponse
from tornado.ioloop import IOLoop

from server.core.errors import StoreUnavailable
from server.services import Services
from server.store.connection import COMMAND_TIMEOUT, MAX_CONNECTIONS
from tests.support.clients.browser import Browser, json_of, page_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.routes import LOOK, all_routes
from tests.support.servers.valkey import ValkeyServer

SLACK_SECONDS = 5.0
"""For a machine that has other things to do."""
CREDENTIALS = {"username": "anna", "password": PASSWORD}


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey for the test alone, which may be killed."""
    with ValkeyServer() as own:
        yield own


@pytest.fixture
def store_url(own_valkey: ValkeyServer) -> str:
    """Where the application's store is."""
    return own_valkey.url


def is_unavailable(answer: HTTPResponse) -> None:
    """Check that the answer says to come back, and leaves the browser as it is."""
    assert answer.code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert "Clear-Site-Data" not in answer.headers


@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("A95", "16.5.2", "16.5.3")
async def test_no_session_is_judged_and_none_is_lost(
    browser: Browser, new_browser: Callable[[], Browser], own_valkey: ValkeyServer
) -> None:
    visitor = new_browser()
    await browser.sign_up("anna")
    own_valkey.kill()
    for route in all_routes():
        if route.path in {"/ws", "/healthz", "/readyz", "/metrics", "/openapi.json", LOOK}:
            continue
        probes = {"OPTIONS"} if route.path == "/" else set()  # answered as /readyz is
        for method in sorted(route.methods - {"HEAD"} - probes):
            answer = await browser.send(method, route.path, {})
            is_unavailable(answer)
            if route.is_api:
                assert problem_of(answer) == "unavailable"
            else:
                assert "Nobody is signed out by this" in page_of(answer)
                assert browser.sid not in page_of(answer)
    for path in ("/", "/login", "/signup", "/logout"):
        assert (await visitor.send("GET", path)).code == 200
    for method, path, body in (
        ("POST", "/api/login", CREDENTIALS),
        ("POST", "/api/signup", CREDENTIALS | {"username": "berta"}),
        ("PATCH", "/api/session/data", {"a": 1}),
    ):
        is_unavailable(await visitor.send(method, path, body))
    is_unavailable(await visitor.send("POST", "/login", form=CREDENTIALS))
    for form, other_try in (
        ({"next": "/room?id=42"}, "/login?next=%2Froom%3Fid%3D42"),
        ({}, "/login?reason=admin"),
    ):
        at_login = f"{visitor.url}/login?reason=admin"
        failed = await visitor.send("POST", "/login", form=CREDENTIALS | form, Referer=at_login)
        assert f'href="{other_try}">Try again' in page_of(failed)
    assert json_of(await visitor.send("GET", "/healthz")) == {"status": "ok"}
    refused = await visitor.send("GET", "/api/session")
    assert (refused.code, problem_of(refused)) == (401, "unauthenticated")


@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("A95", "13.1.1", "13.1.2", "13.2.6")
async def test_more_questions_than_connections_wait_their_turn_and_not_for_long(
    browser: Browser, services: Services, own_valkey: ValkeyServer, io_loop: IOLoop
) -> None:
    await browser.sign_up("anna")
    own_valkey.freeze()
    began = io_loop.time()
    asked = [services.sessions.sessions_of("anna") for _ in range(5 * MAX_CONNECTIONS)]
    connection_limits = asyncio.gather(*asked, return_exceptions=True)
    is_unavailable(await browser.send("GET", "/api/sessions"))
    assert {type(each) for each in await connection_limits} == {StoreUnavailable}
    assert io_loop.time() - began < 4 * COMMAND_TIMEOUT + SLACK_SECONDS
    own_valkey.thaw()
    assert (await browser.send("GET", "/api/sessions")).code == 200
    both = [services.sessions.sessions_of("anna") for _ in range(2 * MAX_CONNECTIONS)]
    assert [len(each) for each in await asyncio.gather(*both)] == [1] * len(both)


@pytest.mark.gen_test(timeout=30)
@pytest.mark.proves("A95", "13.1.1")
async def test_a_store_that_freezes_is_an_outage_and_the_session_goes_on_afterwards(
    browser: Browser, own_valkey: ValkeyServer
) -> None:
    await browser.sign_up("anna")
    own_valkey.freeze()
    is_unavailable(await browser.send("GET", "/api/session"))
    is_unavailable(await browser.send("POST", "/api/logout"))
    own_valkey.thaw()
    read = await browser.send("GET", "/api/session")
    assert (read.code, json_of(read)["session"]["id"]) == (200, browser.sid)
