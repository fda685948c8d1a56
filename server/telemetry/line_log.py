"""Logs the lines that every request writes, without a record that nobody would see.

The library makes a record of two dozen attributes for each call, and asks every logger above for
handlers and filters. Where the server's own handler is the only one, as in every server that an
application has not changed, all of that ends in one line of text.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from server.telemetry.log_format import Line, LineFormatter
from server.telemetry.log_handler import LogHandler


class LineLog:
    """Logs through one logger.

    Args:
        log: the logger.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def write(
        self,
        level: int,
        message: str,
        arguments: tuple[Any, ...],
        facts: Mapping[str, Any],
        json_facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Log what the logger's own method would log.

        Args:
            level: one that is enabled, under that of warnings, which are urgent.
            message: with places for the arguments.
            arguments: for these places.
            facts: by name; none has the name of an attribute that every record has.
            json_facts: returns further facts, for lines of JSON alone.
        """
        handler = self._only_handler()
        if handler is not None and isinstance(handler.formatter, LineFormatter):
            name = logging.getLevelName(level)
            with suppress(Exception):  # of a line with a mistake: the library's way tells of it
                text = message % arguments
                line = Line(time.time(), name, self._log.name, text, facts, json_facts)
                handler.write(handler.formatter.format_line(line))
                return
        extra = {**facts, "json_facts": json_facts}
        self._log.log(level, message, *arguments, extra=extra)

    def _only_handler(self) -> LogHandler | None:
        """Return the server's handler, if it alone would see a record, and as the library made it.

        Handlers, filters and a factory of records may be added at any time.
        """
        log: logging.Logger = self._log
        if log.disabled or log.filters or logging.getLogRecordFactory() is not logging.LogRecord:
            return None
        while log.parent is not None:
            if log.handlers or not log.propagate:
                return None
            log = log.parent
        if len(log.handlers) != 1:
            return None
        only = log.handlers[0]
        return only if isinstance(only, LogHandler) and not (only.filters or only.level) else None
