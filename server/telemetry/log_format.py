"""Log lines: for people on the console, or one JSON object per line for machines.

Log calls say what happened, and give facts as `extra`. They never contain a secret. A server's
lines are written by a thread, and a command's at once.
"""

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from server.telemetry.log_handler import LogHandler, log_what_python_prints

# No line shows them, and each would be asked for at every call (docs.python.org, "Optimization").
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # noqa: SLF001 the way that the same page names

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_JSON: Final = json.JSONEncoder(default=str)


class ConsoleFormatter(logging.Formatter):
    """Formats for people: time, level, logger, message and facts on one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")
        self._second, self._clock = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = "".join(f" {name}={value!r}" for name, value in _facts(record).items())
        return super().format(record) + facts

    def formatTime(  # noqa: N802 the library's name
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        """Return the time of day, made once a second."""
        second = int(record.created)
        if second != self._second:
            self._clock = time.strftime(datefmt or "%H:%M:%S", time.localtime(second))
            self._second = second
        return self._clock


class JsonFormatter(logging.Formatter):
    """Formats one object per line. Untrusted text is a JSON string, so it cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _JSON.encode(line)


def configure_logging(log_format: str, file: Path | None = None) -> LogHandler:
    """Write all log lines of a server, to a file or to standard error.

    Args:
        log_format: `console` or `json`.
        file: the log file; None for standard error.

    Returns:
        What writes them.

    Raises:
        OSError: the file cannot be opened.
    """
    handler = LogHandler(_formatter(log_format), file)
    _log_to(handler)
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


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
