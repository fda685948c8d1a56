"""Where a server's log lines go: each is formatted once, and a thread writes it.

Whatever else Python would print while a server runs, such as warnings and errors that nothing
catches, becomes a log line, too: a print waits for its reader.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

from server.core.plurals import counted
from server.telemetry.log_writer import LogWriter

STANDARD_OUTPUT: Final = 1
STANDARD_ERROR: Final = 2
AUDIT: Final = "curfew.audit"
"""The logger whose lines an investigation needs, whatever happens a moment later."""
LAST_SECONDS: Final = 2.0
"""How long a process that ends waits for its last lines to be written."""

log = logging.getLogger("curfew.log")


class LogHandler(logging.Handler):
    """Formats each record once, and hands its line to a writer.

    Args:
        formatter: makes the lines.
        file: the log file; None for standard error.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, formatter: logging.Formatter, file: Path | None = None) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._file = file
        self._descriptor = STANDARD_ERROR if file is None else _open(file)
        self._writer = LogWriter(self._descriptor, self._lost_line)
        self._writer.enlarge_pipe()

    @property
    def lost(self) -> int:
        """The number of lines of this process that were not written, and will not be."""
        return self._writer.lost

    def name_process(self, node: str = "") -> None:
        """Name this process on lines of JSON from now on, with its node if it has one."""
        if self.formatter is not None:
            vars(self.formatter)["process"] = {"pid": os.getpid()} | (
                {"node": node} if node else {}
            )

    def count_lost(self, count: Callable[[int], object]) -> None:
        """Call `count`, from any thread, with the number of lines whenever some are lost."""
        self._writer.count_lost(count)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 a log call never fails
            line = self._line(record.name, logging.ERROR, "a log line has a mistake: %r", error)
        urgent = record.levelno >= logging.WARNING or record.name == AUDIT
        self._writer.write(line + "\n", urgent=urgent)

    def write(self, line: str) -> None:
        """Queue a line that is not urgent, and that a record did not bring."""
        with self.lock or nullcontext():
            self._writer.write(line + "\n")

    def flush(self) -> None:
        """Wait until all lines are written, but not for long: nobody may read them."""
        self._writer.flush(LAST_SECONDS)

    def close(self) -> None:
        """Give up what `flush` could not write."""
        self._writer.finish(0)
        super().close()

    def reopen(self) -> None:
        """Continue in a new file of the same name: the old one was renamed.

        Raises:
            OSError: the file cannot be opened; lines still go to the old one.
        """
        if self._file is None:
            return
        opened = _open(self._file, os.O_NONBLOCK)  # a FIFO that nobody reads would be waited for
        try:
            os.dup2(opened, self._descriptor, inheritable=False)
        finally:
            os.close(opened)

    def _lost_line(self, lost: int) -> str:
        text = "%s lost: they could not be written"
        lines = counted(lost, "log line was", "log lines were")
        return self._line(log.name, logging.WARNING, text, lines) + "\n"

    def _line(self, name: str, level: int, text: str, *arguments: object) -> str:
        return self.format(logging.LogRecord(name, level, "", 0, text, arguments, None))


def log_what_python_prints() -> None:
    """Log warnings and uncaught errors of this process, which Python would print."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = threading.excepthook = _log_unraisable


def print_line(text: str) -> None:
    """Print a line on standard output, unless its reader lets it wait."""
    writer = LogWriter(STANDARD_OUTPUT, lambda _: "")
    writer.write(text + "\n", urgent=True)
    writer.finish(LAST_SECONDS)


def _open(file: Path, flags: int = 0) -> int:
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | flags, 0o640)


def _log_uncaught(kind: Any, error: Any, trace: Any) -> None:
    """Log what ends the process."""
    log.critical("uncaught error", exc_info=(kind, error, trace))


def _log_unraisable(failure: Any) -> None:
    """Log what a thread or a finalizer raised, where nothing can catch it."""
    exc_info = (failure.exc_type, failure.exc_value, failure.exc_traceback)
    log.error("error that nothing can catch", exc_info=exc_info)
