"""Reads heads of requests. What the latest ones say is remembered, by all their bytes.

A client sends the same header lines with all its requests to one address, and mostly with those to
others. Whether they are well-formed, and what they mean, is a question of these bytes alone.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from handlers.front.parser import Head, HeaderLines, read_fields, read_head

REMEMBERED: Final = 2048
REMEMBERED_BYTES: Final = 2048
"""So many of the latest requests, with at most so many bytes behind their first line, are read once
in a minute. All together take up to 12 MB."""
REMEMBERED_SECONDS: Final = 60.0


class HeadReader:
    """Reads the heads of all connections of one server.

    Args:
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._remembered = lru_cache(REMEMBERED)(read_fields)
        self._forget_at = monotonic() + REMEMBERED_SECONDS

    def read(self, data: bytes) -> Head:
        """Read a request from its first line to the empty line after its headers.

        Raises:
            Refused: as `read_head`.
        """
        return read_head(data, self._fields_of)

    def _fields_of(self, data: bytes) -> HeaderLines:
        if len(data) > REMEMBERED_BYTES:
            return read_fields(data)
        now = self._monotonic()
        if now >= self._forget_at:  # cookies are among them, which are secret
            self._forget_at = now + REMEMBERED_SECONDS
            self._remembered.cache_clear()
        return self._remembered(data)
