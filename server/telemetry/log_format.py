"""Log lines: for people on the console, or one JSON object per line for machines.

Log calls say what happened, and give facts as `extra`. They never contain a secret.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

# No line shows them, and each would be asked for at every call (docs.python.org, "Optimization").
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ConsoleFormatter(logging.Formatter):
    """Formats for people: time, level, logger, message and facts on one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = "".join(f" {name}={value!r}" for name, value in _facts(record).items())
        return super().format(record) + facts


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
        return json.dumps(line, default=str)


def configure_logging(log_format: str) -> None:
    """Write all log lines to standard error.

    Args:
        log_format: `console` or `json`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger(
        "tornado.access"
    ).propagate = False  # `log_request` writes a line for each answer
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def configure_command_logging(log_format: str) -> None:
    """Write a command's log lines to standard error: its lines of the audit trail, and warnings.

    The command prints everything else.

    Args:
        log_format: `console` or `json`.
    """
    configure_logging(log_format)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("curfew.audit").setLevel(logging.INFO)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
