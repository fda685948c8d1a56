"""Log lines: for people on the console, or one JSON object per line for machines.

Log calls say what happened, and give facts as `extra`. They never contain a secret. A server's
lines are written by a thread, and a command's at once.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from server.telemetry.log_context import current_request
from server.telemetry.log_handler import LogHandler, log_what_python_prints

# No line shows them, and each would be asked for at every call (docs.python.org, "Optimization").
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # noqa: SLF001 the way that the same page names

_STANDARD = frozenset(
    {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "json_facts"}
)
_JSON: Final = json.JSONEncoder(default=str, separators=(",", ":"))


class Line(NamedTuple):
    """What a line says.

    Attributes:
        created: Unix seconds.
        level: its name.
        logger: its name.
        text: the message.
        facts: by name.
        json_facts: returns further facts, for programs alone.
    """

    created: float
    level: str
    logger: str
    text: str
    facts: Mapping[str, Any]
    json_facts: Callable[[], Mapping[str, Any]] | None = None

    @classmethod
    def of(cls, record: logging.LogRecord) -> "Line":
        """Return what a record says, without the error that it may bring."""
        return cls(
            record.created,
            record.levelname,
            record.name,
            record.getMessage(),
            _facts(record),
            getattr(record, "json_facts", None),
        )


class LineFormatter(logging.Formatter):
    """Formats what a record would say, too."""

    def format_line(self, line: Line) -> str:
        """Return the line."""
        raise NotImplementedError


class ConsoleFormatter(LineFormatter):
    """Formats for people: time, level, logger, message and facts on one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")
        self._second, self._clock = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record) + _listed(_facts(record))
        return self.format_line(Line.of(record))

    def format_line(self, line: Line) -> str:
        """Return the line as the library would put it together, in a third of the time."""
        clock, facts = self._time_of(line.created), _listed(line.facts)
        return f"{clock} {line.level:<7} {line.logger}  {line.text}{facts}"

    def formatTime(  # noqa: N802 the library's name
        self,
        record: logging.LogRecord,
        datefmt: str | None = None,  # noqa: ARG002 - always the same
    ) -> str:
        """Return the time of day."""
        return self._time_of(record.created)

    def _time_of(self, created: float) -> str:
        """Return the time of day, made once a second."""
        second = int(created)
        if second != self._second:
            self._clock = time.strftime("%H:%M:%S", time.localtime(second))
            self._second = second
        return self._clock


class JsonFormatter(LineFormatter):
    """Formats one object per line. Untrusted text is a JSON string, so it cannot forge a line.

    A line may bring further facts in `json_facts`, a function that returns them. They are for
    programs: for people they would only be long.

    Attributes:
        process: facts of this process for every line, by name.
    """

    process: Mapping[str, object] = MappingProxyType({})
    _second, _clock = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = self._said(Line.of(record))
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return _JSON.encode(said)

    def format_line(self, line: Line) -> str:
        """Return the line."""
        return _JSON.encode(self._said(line))

    def _said(self, line: Line) -> dict[str, Any]:
        said: dict[str, Any] = {
            "time": self._time(line.created),
            "level": line.level.lower(),
            "logger": line.logger,
            "message": line.text,
            **self.process,
        }
        if request := current_request.get():
            said["request_id"] = request
        if line.json_facts is not None:
            said.update(line.json_facts())
        said.update(line.facts)
        return said

    def _time(self, created: float) -> str:
        """Return a time as ISO 8601, of which all but the fraction is made once a second."""
        second = int(created)
        if second != self._second:
            self._clock = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second
        return f"{self._clock}.{int((created - second) * 1e6):06d}+00:00"


def configure_logging(
    log_format: str, file: Path | None = None, level: int = logging.INFO
) -> LogHandler:
    """Write the log lines of a server, to a file or to standard error.

    Args:
        log_format: `console` or `json`.
        file: the log file; None for standard error.
        level: of the lines that are written at least. The audit trail is always complete.

    Returns:
        What writes them.

    Raises:
        OSError: the file cannot be opened.
    """
    handler = LogHandler(_formatter(log_format), file)
    _log_to(handler)
    logging.getLogger().setLevel(level)
    logging.getLogger("curfew.audit").setLevel(min(level, logging.INFO))
    log_what_python_prints()
    return handler


def configure_command_logging(log_format: str) -> None:
    """Write a command's log lines to standard error: its lines of the audit trail, and warnings.

    The command prints everything else.

    Args:
        log_format: `console` or `json`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(log_format))
    _log_to(handler)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("curfew.audit").setLevel(logging.INFO)


def _formatter(log_format: str) -> logging.Formatter:
    return JsonFormatter() if log_format == "json" else ConsoleFormatter()


def _log_to(handler: logging.Handler) -> None:
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger(
        "tornado.access"
    ).propagate = False  # `log_request` writes a line for each answer
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def _listed(facts: Mapping[str, Any]) -> str:
    return "".join([f" {name}={value!r}" for name, value in facts.items()])


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
