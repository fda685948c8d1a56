"""The problems of requests that are refused before any handler sees them.

They are answered in the form of all other problems: what stands between the client and the server
passes them on, and the client learns what to do.
"""

from collections.abc import Mapping
from typing import Final

from handlers.http.problems import BODY_TOO_LARGE, Problem, bad_request

REQUEST_TIMEOUT: Final = Problem(
    408, "request-timeout", "The request took too long", "The rest of the request did not come."
)
TARGET_TOO_LONG: Final = Problem(
    414, "target-too-long", "The address is too long", "The first line has more than 16 KiB."
)
HEADERS_TOO_LARGE: Final = Problem(
    431,
    "headers-too-large",
    "The headers are too large",
    "A request has at most 16 KiB and 100 lines of headers. Cookies are most of it, mostly.",
)
UNKNOWN_CODING: Final = Problem(
    501,
    "unknown-coding",
    "The transfer coding is not known",
    "Send the body with a Content-Length, or with the transfer coding `chunked` alone.",
)
MALFORMED: Final = bad_request("It is no HTTP request, or its headers contradict each other.")

UNREAD: Final[Mapping[int, Problem]] = {
    each.status: each
    for each in (
        MALFORMED,
        REQUEST_TIMEOUT,
        BODY_TOO_LARGE,
        TARGET_TOO_LONG,
        HEADERS_TOO_LARGE,
        UNKNOWN_CODING,
    )
}
"""The problem of each status that a request may be refused with before it is read."""
