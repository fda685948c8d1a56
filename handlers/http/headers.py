"""The headers of every answer: also of errors, redirects and files (ASVS 5.0 V3.4)."""

from typing import Final

from tornado.web import RequestHandler

NOTHING: Final = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
"""The content security policy of all answers but pages: a browser may do nothing with them."""
HSTS: Final = "max-age=31536000; includeSubDomains"


def set_security_headers(handler: RequestHandler, *, pins_https: bool) -> None:
    """Set the headers that protect browsers. A page replaces the policy by its own.

    Args:
        handler: of the request.
        pins_https: whether to tell browsers to use only HTTPS from now on.
    """
    handler.set_header("Server", "Curfew")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Referrer-Policy", "same-origin")
    handler.set_header("Cross-Origin-Opener-Policy", "same-origin")
    handler.set_header("Cross-Origin-Resource-Policy", "same-origin")
    handler.set_header("Content-Security-Policy", NOTHING)
    if pins_https:
        handler.set_header("Strict-Transport-Security", HSTS)
