"""The headers that every answer carries, errors, redirects and files too (ASVS 5.0 V3.4)."""

from typing import Final

from tornado.web import RequestHandler

NOTHING: Final = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
"""The content security policy of what is no page: nothing may be made of it in a browser."""
HSTS: Final = "max-age=31536000; includeSubDomains"


def set_security_headers(handler: RequestHandler, *, pins_https: bool) -> None:
    """Set them; a page replaces the policy by its own.

    Args:
        handler: of the request.
        pins_https: whether browsers are told to use nothing but HTTPS from now on.
    """
    handler.set_header("Server", "Curfew")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Referrer-Policy", "same-origin")
    handler.set_header("Cross-Origin-Opener-Policy", "same-origin")
    handler.set_header("Cross-Origin-Resource-Policy", "same-origin")
    handler.set_header("Content-Security-Policy", NOTHING)
    if pins_https:
        handler.set_header("Strict-Transport-Security", HSTS)
