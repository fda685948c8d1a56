"""Names each request, so that the log lines of several systems about it can be brought together.

A trusted proxy may bring a name (`X-Request-ID`) and the trace that the request belongs to
(`traceparent`, W3C Trace Context). Anybody else could send those of others, or anything at all.
"""

import random
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from handlers.http.client import Network, is_in
from server.telemetry.log_context import current_request

REQUEST_ID: Final = "X-Request-ID"
TRACEPARENT: Final = "traceparent"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._+/=:@-]{1,128}")
_TRACEPARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
"""Version, trace, parent and flags; a later version than 00 may have more behind a hyphen."""
_LONGEST_TRACEPARENT: Final = 256


class RequestName(NamedTuple):
    """How a request is called.

    Attributes:
        id: the request.
        trace: the trace that it belongs to: 32 hexadecimal digits.
        answered_trace: the `traceparent` of the answer, which names this server's part of the
            trace; empty if the request brought none.
    """

    id: str
    trace: str
    answered_trace: str = ""

    def name_lines(self) -> None:
        """Put the id on the log lines of this task from here on."""
        current_request.set(self.id)

    def answer(self, headers: HTTPHeaders) -> None:
        """Put the name into the headers of an answer."""
        headers[REQUEST_ID] = self.id
        if self.answered_trace:
            headers[TRACEPARENT] = self.answered_trace


class RequestIds:
    """Takes the names that trusted proxies give, and makes the others.

    Args:
        trusted: proxies that are believed.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def name(self, request: HTTPServerRequest) -> RequestName:
        """Return the name of a request, which is new for each call unless a proxy gives it."""
        made = f"{random.getrandbits(128) or 1:032x}"
        if self._trusted and is_in(request.remote_ip or "", self._trusted):
            return _given(request.headers, made)
        return RequestName(made, made)


def _given(headers: HTTPHeaders, made: str) -> RequestName:
    """Return the name that a proxy gives, with what was made for what it does not say well."""
    given = headers.get(REQUEST_ID, "")
    name = given if _REQUEST_ID.fullmatch(given) else made
    parent = headers.get(TRACEPARENT, "")[: _LONGEST_TRACEPARENT + 1]
    match = _TRACEPARENT.fullmatch(parent) if len(parent) <= _LONGEST_TRACEPARENT else None
    if match is None or (match[1] == "00" and match[5]):
        return RequestName(name, made)
    return RequestName(name, match[2], f"00-{match[2]}-{made[16:]}-{match[4]}")
