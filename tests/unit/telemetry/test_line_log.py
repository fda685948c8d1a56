"""A line is the one that the logger would write, and everybody who asks sees a record."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server.telemetry.line_log import LineLog
from server.telemetry.log_format import ConsoleFormatter, JsonFormatter
from server.telemetry.log_handler import LogHandler

LOG = logging.getLogger("curfew.test.lines")
FACTS = {"problem": "not-found"}
ARGUMENTS = (logging.INFO, "%d %s", (404, "/a"), FACTS, lambda: {"ip": "192.0.2.1"})


class ServerLog:
    """The log of a server, alone: the tests' own handlers are not there while it writes."""

    def __init__(self, formatter: logging.Formatter, file: Path) -> None:
        self.handler = LogHandler(formatter, file)
        self._file = file

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Take the handlers away that pytest adds for each step of a test."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(logging.getLogger(), "handlers", [self.handler])
            yield

    def write(self) -> None:
        """Write a line."""
        with self.alone():
            LineLog(LOG).write(*ARGUMENTS)

    @property
    def lines(self) -> list[str]:
        """All lines so far."""
        self.handler.flush()
        return self._file.read_text().splitlines()


@pytest.fixture(params=[ConsoleFormatter, JsonFormatter])
def server_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerLog]:
    """Log as a server does."""
    before = LOG.level
    LOG.setLevel(logging.INFO)
    made = ServerLog(request.param(), tmp_path / "server.log")
    yield made
    made.handler.close()
    LOG.setLevel(before)


class Watching(logging.Handler):
    """Notes all records."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = list[logging.LogRecord]()

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self.seen.append(record)


@pytest.fixture
def watching() -> Watching:
    """A handler that an application may add."""
    return Watching()


def without_time(line: str) -> Any:
    """Return what a line says besides the moment."""
    if not line.startswith("{"):
        return line.split(" ", 1)[1]
    return {name: value for name, value in json.loads(line).items() if name != "time"}


def test_it_is_the_line_of_a_log_call(
    server_log: ServerLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    level, message, arguments, facts, json_facts = ARGUMENTS
    with server_log.alone():
        LOG.log(level, message, *arguments, extra={**facts, "json_facts": json_facts})
    monkeypatch.setattr(LOG, "handle", None)  # no record is made
    server_log.write()
    called, written = map(without_time, server_log.lines)
    assert written == called


def test_a_line_with_a_mistake_is_told(server_log: ServerLog) -> None:
    with server_log.alone():
        LineLog(LOG).write(logging.INFO, "%d", ("word",), {}, dict)
    (line,) = server_log.lines
    assert "a log line has a mistake" in line


@pytest.mark.parametrize("name", [LOG.name, "curfew", None])
def test_a_handler_that_somebody_adds_sees_records(
    server_log: ServerLog, name: str | None, watching: Watching
) -> None:
    with server_log.alone():
        logging.getLogger(name).addHandler(watching)
        LineLog(LOG).write(*ARGUMENTS)
        logging.getLogger(name).removeHandler(watching)
    (record,) = watching.seen
    assert record.getMessage() == "404 /a"
    assert vars(record)["problem"] == "not-found"


def test_what_somebody_switches_off_is_not_written(
    server_log: ServerLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing: Any = lambda _: False  # noqa: E731
    for owner, name, value in (
        (LOG, "filters", [refusing]),
        (LOG, "propagate", False),
        (LOG, "disabled", True),
        (logging.getLogger("curfew"), "propagate", False),
        (server_log.handler, "filters", [refusing]),
        (server_log.handler, "level", logging.WARNING),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            server_log.write()
        assert not server_log.lines, name
    server_log.write()
    assert len(server_log.lines) == 1


def test_an_application_may_make_the_records(
    server_log: ServerLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own(*args: Any, **named: Any) -> logging.LogRecord:
        record = logging.LogRecord(*args, **named)
        vars(record)["added"] = "mark"
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", own)
    server_log.write()
    (line,) = server_log.lines
    assert "mark" in line
