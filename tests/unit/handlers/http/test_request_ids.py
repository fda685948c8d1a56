"""Names of requests: those that a trusted proxy gives, and new ones for all others."""

import re
from ipaddress import ip_network

import pytest
from tornado.httputil import HTTPHeaders

from handlers.http.request_ids import RequestIds, RequestName
from tests.support.clients.requests import request

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
HEXADECIMAL = re.compile(r"[0-9a-f]{32}")


def name(*headers: tuple[str, str], peer: str = "10.0.0.2") -> RequestName:
    """Name a request; 10.0.0.2 is the trusted proxy."""
    return RequestIds([ip_network("10.0.0.2")]).name(request(*headers, peer=peer))


def test_what_a_trusted_proxy_gives_is_taken_and_answered() -> None:
    named, answer = name(("X-Request-ID", "abc-1"), ("traceparent", TRACEPARENT)), HTTPHeaders()
    named.answer(answer)
    assert (named.id, named.trace) == ("abc-1", TRACE)
    assert answer["X-Request-ID"] == "abc-1"
    version, trace, part, flags = answer["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert re.fullmatch(r"[0-9a-f]{16}", part)
    assert part != PARENT


def test_nobody_else_is_believed() -> None:
    named = name(("X-Request-ID", "abc"), ("traceparent", TRACEPARENT), peer="192.0.2.1")
    assert HEXADECIMAL.fullmatch(named.id)
    assert named == RequestName(named.id, named.id)
    nobody = RequestIds([]).name(request(("X-Request-ID", "abc"), peer="10.0.0.2"))
    assert nobody.id != "abc"


def test_every_request_gets_another_name() -> None:
    assert len({name().id for _ in range(100)}) == 100
    answer = HTTPHeaders()
    name().answer(answer)
    assert "traceparent" not in answer


@pytest.mark.parametrize(
    "given", ["", "a b", "a,b", "é", "x" * 129, '"', "<script>", "a\\n", "a;b"]
)
def test_a_name_that_is_too_long_or_strange_is_replaced(given: str) -> None:
    assert HEXADECIMAL.fullmatch(name(("X-Request-ID", given)).id)


def test_two_names_are_none() -> None:
    assert HEXADECIMAL.fullmatch(name(("X-Request-ID", "a"), ("X-Request-ID", "b")).id)


@pytest.mark.parametrize("given", ["x" * 128, "0A/9+=:@._-"])
def test_the_usual_names_are_taken(given: str) -> None:
    assert name(("X-Request-ID", given)).id == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        TRACEPARENT.upper(),
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{TRACEPARENT}-more",
        f"01-{TRACE}-{PARENT}-01more",
        f"01-{TRACE}-{PARENT}-01-" + "x" * 300,
        TRACEPARENT[:-1],
    ],
)
def test_a_trace_that_breaks_the_standard_is_none(given: str) -> None:
    named = name(("traceparent", given))
    assert named.trace != TRACE
    assert named.answered_trace == ""


def test_a_later_version_may_have_more() -> None:
    assert name(("traceparent", f"01-{TRACE}-{PARENT}-01-more")).trace == TRACE
