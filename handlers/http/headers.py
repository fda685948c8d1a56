"""The headers of every answer: also of errors, redirects and files (ASVS 5.0 V3.4)."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from tornado.httputil import HTTPHeaders, format_timestamp
from tornado.web import RequestHandler

from handlers.http.header_map import HeaderMap

OK: Final = HTTPStatus.OK.value, HTTPStatus.OK.phrase
"""The status that every answer begins with. As a number it is compared and looked up by C alone."""
NOTHING: Final = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
"""The content security policy of all answers but pages: a browser may do nothing with them."""
HSTS: Final = "max-age=31536000; includeSubDomains"
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Server": "Curfew",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": NOTHING,
}


def set_json_headers(headers: HTTPHeaders, content_type: str, size: int) -> None:
    """Describe a JSON document. Tornado's `set_header` would look for what no value here can have.

    Args:
        headers: of the answer.
        content_type: of JSON.
        size: bytes of the document.
    """
    headers["Content-Type"] = f"{content_type}; charset=UTF-8"
    headers["Content-Length"] = str(size)


def set_security_headers(handler: RequestHandler, *, pins_https: bool) -> None:
    """Set the headers that protect browsers. A page replaces the policy by its own.

    Args:
        handler: of the request.
        pins_https: whether to tell browsers to use only HTTPS from now on.
    """
    for name, value in _security_headers(pins_https=pins_https).items():
        handler.set_header(name, value)


def _security_headers(*, pins_https: bool) -> dict[str, str]:
    pinned = {"Strict-Transport-Security": HSTS} if pins_https else {}
    return {**SECURITY_HEADERS, **pinned}


class DefaultHeaders:
    """What an answer of ours begins with: made once, with a new date each second.

    Args:
        pins_https: whether to tell browsers to use only HTTPS from now on.
    """

    def __init__(self, *, pins_https: bool) -> None:
        self._second = -1
        self._headers = HeaderMap(
            {
                "Server": "",  # in the place where Tornado has it
                "Content-Type": "text/html; charset=UTF-8",
                "Date": "",
                **_security_headers(pins_https=pins_https),
                "Cache-Control": "no-store",
                "Vary": "Cookie",
            }
        )

    def now(self) -> HeaderMap:
        """Return the headers of an answer that begins now, which may change them."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._headers["Date"] = format_timestamp(second)
        return self._headers.copy()
