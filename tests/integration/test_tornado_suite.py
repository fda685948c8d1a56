"""Tornado's own tests of its server, as a judge from outside: run against ours.

The cases come from the installed package and make their servers as always; they get ours in place
of Tornado's. What a line of the log says of a malformed request is ours to word: the cases judge
the answers.
"""

import logging
import unittest
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

import pytest
from tornado import testing
from tornado.log import gen_log
from tornado.test import httpserver_test, routing_test, web_test, websocket_test, wsgi_test
from tornado.testing import ExpectLog

from handlers.front.server import FrontServer

JUDGES: Final[list[ModuleType]] = [
    httpserver_test, web_test, websocket_test, routing_test, wsgi_test,
]  # fmt: skip
LEFT_OUT: Final = {
    "HTTPConnectionTest.test_newlines": "lines end in CR LF only (RFC 9112 2.2)",
    "KeepAliveTest.test_keepalive_chunked": "faulty framing (RFC 9112 6.1)",
    "UnixSocketTestFile.test_unix_socket_bad_request": "our 400 has a date and a problem",
    "UnixSocketTestAbstract.test_unix_socket_bad_request": "likewise",
    "BodyLimitsTest.test_large_body_buffered": "what is too large is told so: 413 in place of 400",
    "BodyLimitsTest.test_large_body_buffered_chunked": "likewise",
    "BodyLimitsTest.test_large_body_streaming": "likewise",
    "BodyLimitsTest.test_large_body_streaming_chunked": "likewise",
    "BodyLimitsTest.test_body_size_override_reset": "likewise",
    "BodyLimitsTest.test_timeout": "what comes too late is told so: 408 in place of nothing",
}


class AnyWording(ExpectLog):
    """Wants a line on a malformed message, whatever it says."""

    def __init__(self, logger: Any, regex: str, *args: Any, **more: Any) -> None:
        if logger is gen_log and (
            more.get("level") == logging.INFO or regex == "Unsatisfiable read"
        ):
            regex = "Malformed HTTP message from .*|" + regex
        super().__init__(logger, regex, *args, **more)


def cases() -> Iterator[unittest.TestCase]:
    """All of the judges' cases."""

    def flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
        for each in suite:
            if isinstance(each, unittest.TestSuite):
                yield from flat(each)
            elif type(each).__name__ != "AbstractBaseWrapper":
                yield each

    for judge in JUDGES:
        yield from flat(unittest.defaultTestLoader.loadTestsFromModule(judge))


def name_of(case: unittest.TestCase) -> str:
    """Its class and method."""
    return ".".join(case.id().split(".")[-2:])


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put our server where Tornado's would be made."""
    made_in = [testing, *(each for each in JUDGES if hasattr(each, "HTTPServer"))]
    for place in made_in:
        monkeypatch.setattr(place, "HTTPServer", FrontServer)
    monkeypatch.setattr(httpserver_test, "ExpectLog", AnyWording)
    monkeypatch.setattr(web_test, "ExpectLog", AnyWording)
    # As Tornado's own runner has it.
    monkeypatch.setattr(logging.getLogger("tornado.access"), "level", logging.CRITICAL)


@pytest.mark.parametrize("case", [pytest.param(each, id=name_of(each)) for each in cases()])
def test_tornado_finds_its_own_server_in_ours(case: unittest.TestCase) -> None:
    if why := LEFT_OUT.get(name_of(case)):
        pytest.skip(why)
    result = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Tornado deprecates is its own affair
        unittest.TestSuite([case]).run(result)
    assert not result.errors + result.failures, "\n".join(
        text for _, text in result.errors + result.failures
    )


def test_what_is_left_out_is_there() -> None:
    assert LEFT_OUT.keys() <= {name_of(each) for each in cases()}
