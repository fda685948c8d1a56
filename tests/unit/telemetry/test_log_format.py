"""Log lines: one line an event, all facts on it, and nothing that comes from outside forges one."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from server.telemetry.log_context import current_request
from server.telemetry.log_format import ConsoleFormatter, JsonFormatter, configure_logging

HOSTILE = 'a\n{"level":"error"}\r\x1b[31m\u2028\x00'


def record(message: str, *arguments: object, **facts: object) -> logging.LogRecord:
    """Return the record that a call with these facts makes."""
    made = logging.getLogger("curfew.test").makeRecord(
        "curfew.test", logging.WARNING, __file__, 1, message, arguments, None, extra=facts
    )
    made.created, made.msecs = 1_800_000_000.25, 250.0
    return made


def with_exception() -> logging.LogRecord:
    """Return the record of an exception."""
    failed = record("failed")
    try:
        int(HOSTILE)
    except ValueError:
        failed.exc_info = sys.exc_info()
    return failed


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """Give the root logger back as it was, and what Python prints to Python."""
    for owner, name in [(sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")]:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    logger, access, loop = (logging.getLogger(name) for name in (None, "tornado.access", "asyncio"))
    before = (logger.handlers[:], logger.level, access.propagate, loop.level)
    logger.handlers = []
    yield logger
    logger.handlers, level, access.propagate, loop_level = before
    logger.setLevel(level)
    loop.setLevel(loop_level)
    logging.captureWarnings(capture=False)


def test_a_json_line_is_one_object_with_time_level_logger_message_and_facts() -> None:
    line = JsonFormatter().format(record("session %s", "ended", sid="00abc", sockets=2))
    read = json.loads(line)
    assert datetime.fromisoformat(read.pop("time")).timestamp() == 1_800_000_000.25
    assert read == {
        "level": "warning",
        "logger": "curfew.test",
        "message": "session ended",
        "sid": "00abc",
        "sockets": 2,
    }


def test_nothing_from_outside_breaks_a_json_line() -> None:
    line = JsonFormatter().format(record("path %s", HOSTILE, path=HOSTILE, raw=b"\xff\n"))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == HOSTILE


def test_a_fact_that_json_cannot_say_is_said_as_text() -> None:
    assert json.loads(JsonFormatter().format(record("x", fact={1})))["fact"] == "{1}"


def test_a_json_line_holds_the_traceback() -> None:
    line = JsonFormatter().format(with_exception())
    assert "\n" not in line
    exception = json.loads(line)["exception"]
    assert exception.startswith("Traceback")
    assert "in with_exception" in exception


def test_a_console_line_has_the_facts_behind_the_message() -> None:
    line = ConsoleFormatter().format(record("session ended", sid="00abc", sockets=2))
    assert line.endswith(" WARNING curfew.test  session ended sid='00abc' sockets=2")
    assert line[2] == line[5] == ":"


def test_facts_from_outside_stay_on_their_console_line() -> None:
    line = ConsoleFormatter().format(record("refused", path=HOSTILE))
    assert line.isprintable()


def test_a_console_entry_ends_with_the_traceback() -> None:
    assert "in with_exception" in ConsoleFormatter().format(with_exception())


@pytest.mark.parametrize(("chosen", "formatter"), [("json", JsonFormatter),
                                                   ("console", ConsoleFormatter)])  # fmt: skip
def test_all_lines_go_to_standard_error_in_the_chosen_format(
    root: logging.Logger,
    capfd: pytest.CaptureFixture[str],
    chosen: str,
    formatter: type[logging.Formatter],
) -> None:
    configure_logging(chosen)
    configure_logging(chosen)
    assert [type(handler.formatter) for handler in root.handlers] == [formatter]
    logging.getLogger("anybody").info("hello")
    logging.getLogger("anybody").debug("not shown")
    logging.getLogger("tornado.access").info("said already by the application")
    logging.getLogger("asyncio").info("not shown")
    root.handlers[0].flush()
    output, errors = capfd.readouterr()
    assert not output
    assert errors.count("\n") == 1
    assert "hello" in errors


def test_a_json_line_names_the_node_the_process_and_the_request() -> None:
    formatter = JsonFormatter()
    formatter.process = {"pid": 7, "node": "0a1b"}
    token = current_request.set("some-request")
    read = json.loads(formatter.format(record("some")))
    current_request.reset(token)
    assert (read["node"], read["pid"], read["request_id"]) == ("0a1b", 7, "some-request")


def test_facts_for_programs_are_on_lines_for_programs_only() -> None:
    asked: list[str] = []

    def facts() -> dict[str, object]:
        asked.append("facts")
        return {"status": 200}

    assert "status" not in ConsoleFormatter().format(record("some", json_facts=facts))
    assert asked == []
    assert json.loads(JsonFormatter().format(record("some", json_facts=facts)))["status"] == 200


@pytest.mark.parametrize(("level", "written"), [(logging.DEBUG, 3), (logging.ERROR, 1)])
def test_the_audit_trail_is_complete_at_every_level(
    root: logging.Logger, level: int, written: int, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = configure_logging("json", level=level)
    audit = logging.getLogger("curfew.audit")
    logging.getLogger("curfew.test").debug("a detail")
    logging.getLogger("curfew.test").warning("a warning")
    audit.info("an event")
    handler.flush()
    audit.setLevel(logging.NOTSET)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == written
    assert json.loads(lines[-1])["message"] == "an event"
    assert root.handlers == [handler]
