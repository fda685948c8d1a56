"""The line of an answer: with facts for programs, and silent about probes."""

import json
import logging
from collections.abc import Callable

import pytest

from handlers.http.access_log import log_answer
from handlers.http.session import SessionHandler
from server.telemetry.log_format import JsonFormatter

HandlerOf = Callable[..., SessionHandler]


async def test_the_facts_are_those_of_the_request(
    handler_of: HandlerOf, caplog: pytest.LogCaptureFixture
) -> None:
    handler = handler_of(address="/account?token=hush")
    with caplog.at_level(logging.INFO, "curfew.access"):
        log_answer(handler, 12.3456, ())
    line = JsonFormatter().format(caplog.records[0])
    read = json.loads(line)
    assert "hush" not in line
    name = handler.request_name
    assert {each: read[each] for each in ("method", "path", "status", "duration_ms", "ip")} == {
        "method": "GET",
        "path": "/account",
        "status": 200,
        "duration_ms": 12.346,
        "ip": "127.0.0.1",
    }
    assert read["request_id"] == name.id == name.trace
    assert "trace_id" not in read, "it says the same"
    assert "sid" not in read


async def test_a_quiet_answer_is_for_debugging_only(
    handler_of: HandlerOf, caplog: pytest.LogCaptureFixture
) -> None:
    handler = handler_of()
    handler.access_level = logging.DEBUG  # type: ignore[attr-defined]  # as `BaseHandler` has it
    with caplog.at_level(logging.INFO, "curfew.access"):
        log_answer(handler, 1.0, ())
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, "curfew.access"):
        log_answer(handler, 1.0, ())
    assert [each.levelno for each in caplog.records] == [logging.DEBUG]
