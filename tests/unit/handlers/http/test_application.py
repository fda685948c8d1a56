"""The application: its hosts, the requests that are under way, and the line of an answer."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from prometheus_client import generate_latest
from tornado.routing import Router, URLSpec
from tornado.web import RequestHandler, url

from handlers.http.application import Curfew, by_path
from handlers.http.session import SessionHandler
from tests.support.clients.client import Client
from tests.support.clients.requests import request

Captured = pytest.LogCaptureFixture
HandlerOf = Callable[..., SessionHandler]


@pytest.fixture
def lines(caplog: Captured) -> Captured:
    """The lines of answers."""
    caplog.set_level(logging.INFO, "curfew.access")
    return caplog


@pytest.mark.parametrize("variables", [{"ORIGINS": "https://example.org,https://b.example:8443"}])
async def test_the_hosts_are_those_of_the_origins_in_any_case(app: Curfew) -> None:
    assert app.serves_host("example.org")
    assert app.serves_host("EXAMPLE.org")
    assert app.serves_host("b.example:8443")
    assert not app.serves_host("b.example")
    assert not app.serves_host("www.example.org")
    assert not app.serves_host("")


async def is_idle(app: Curfew) -> bool:
    """Return whether nobody has to wait for the requests under way."""
    waiting = asyncio.create_task(app.idle())
    await asyncio.sleep(0)
    return not waiting.cancel()


async def test_it_is_idle_until_a_request_begins(app: Curfew) -> None:
    assert await is_idle(app)
    app.request_begins()
    assert not await is_idle(app)


async def test_it_is_idle_again_when_the_last_of_its_requests_ends(app: Curfew) -> None:
    app.request_begins()
    app.request_begins()
    app.request_ends()
    assert not await is_idle(app)
    app.request_ends()
    assert await is_idle(app)


async def test_the_line_of_an_answer_has_no_query(
    app: Curfew, handler_of: HandlerOf, lines: Captured
) -> None:
    app.log_request(handler_of(address="/account?token=hush"))
    (message,) = lines.messages
    assert message.startswith("200 GET /account ")
    assert message.endswith(" ms")


async def test_a_path_cannot_command_the_terminal(
    app: Curfew, handler_of: HandlerOf, lines: Captured
) -> None:
    app.log_request(handler_of(address="/a\x9b31mb"))
    assert "/a\\x9b31mb" in lines.messages[0]
    assert lines.messages[0].isascii()


async def test_the_line_of_a_refusal_names_its_problem(
    app: Curfew, handler_of: HandlerOf, lines: Captured
) -> None:
    served, refused = handler_of(), handler_of()
    refused.refusal = "not-admin"  # type: ignore[attr-defined]  # as `BaseHandler` has it
    app.log_request(served)
    app.log_request(refused)
    assert [vars(each).get("problem") for each in lines.records] == [None, "not-admin"]


async def test_an_answer_is_counted_under_the_name_of_its_handler(
    app: Curfew, handler_of: HandlerOf
) -> None:
    app.log_request(handler_of())
    shown = generate_latest(app.services.metrics.registry).decode()
    (line,) = (each for each in shown.splitlines() if each.startswith("curfew_http_requests_total"))
    assert 'handler="SessionHandler",method="GET"' in line
    assert line.endswith('status="200"} 1.0')


class First(RequestHandler):
    """A handler of some path."""


class Second(RequestHandler):
    """Another one."""


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ([url("/x", First), url("/y", Second)], {"/x": First, "/y": Second}),
        ([url("/x", First), url("/x", Second)], {"/x": First}),
        ([url("/(x)", First), url("/x", Second)], {}),
        ([url("/x", First), url("/(x)", Second)], {"/x": First}),
    ],
)
def test_a_path_is_looked_up_only_if_its_route_is_the_first_that_fits(
    routes: list[URLSpec], found: dict[str, type[RequestHandler]]
) -> None:
    assert {path: route.handler_class for path, route in by_path(routes).items()} == found


def handler_for(router: Router, path: str) -> type[RequestHandler]:
    """Return the handler's class that a router finds for a path."""
    found = router.find_handler(request(address=path, host="127.0.0.1"))
    handler: type[RequestHandler] = vars(found)["handler_class"]
    return handler


async def test_a_look_up_finds_what_tornado_would_find(app: Curfew) -> None:
    assert len(app._by_path) > 30
    for path in app._by_path:
        assert handler_for(app, path) is handler_for(app.default_router, path)


async def test_handlers_for_some_hosts_come_first(app: Curfew) -> None:
    (path, *_) = app._by_path
    app.add_handlers(r"127\.0\.0\.1", [(path, Second)])
    assert handler_for(app, path) is Second


@pytest.mark.parametrize("variables", [{"BASE_PATH": "/auth"}])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/auth/api/session", 401),
        ("GET", "/api/session", 404),
        ("GET", "/auth/readyz", 200),
        ("GET", "/readyz", 200),
        ("OPTIONS", "/", 204),
    ],
)
async def test_everything_is_below_the_base_path_except_what_machines_probe(
    client: Client, method: str, path: str, status: int
) -> None:
    assert (await client.http.request(method, path)).status_code == status


async def test_what_a_balancer_may_ask_of_a_start_page_is_told(client: Client) -> None:
    answer = await client.http.request("OPTIONS", "/", headers={"Host": "a.balancer"})
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_an_application_that_was_given_no_node_says_so(app: Curfew) -> None:
    with pytest.raises(RuntimeError, match="without a `Node`"):
        _ = app.node_of_application


class OwnStart(RequestHandler):
    """An application's own page at `/`, which has never heard of HAProxy."""

    def get(self) -> None:
        """Answer."""
        self.finish("own")


class AnswersOptions(OwnStart):
    """One that answers OPTIONS, too."""

    def options(self) -> None:
        """Answer in a way of its own."""
        self.set_status(205)


@pytest.mark.parametrize(
    ("routes", "status"),
    [
        ([url("/$", OwnStart)], 204),
        ([url("/$", AnswersOptions)], 205),
        ([url("/other$", OwnStart)], 204),
    ],
)
async def test_haproxys_check_is_answered_whatever_page_an_application_has(
    client: Client, status: int
) -> None:
    answer = await client.http.request("OPTIONS", "/")
    assert answer.status_code == status
