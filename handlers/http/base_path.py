"""Serve below a path of a host, such as `/auth`, while all handlers and pages know only `/`.

The path is taken off each request before its handler is found, and put before each address of ours
that an answer leads to: in redirects, and in the links and forms of pages. So routes, `next` and
the paths in log lines stay as they are without it, also in applications.
"""

import logging
import re
from collections.abc import Iterable
from typing import Final

from tornado.httputil import HTTPServerRequest

from server.core.errors import ConfigurationError

log = logging.getLogger("curfew.http")

_LINK: Final = re.compile(
    rb"""(\s(?:href|src|action|formaction|data-options|data-stale)=["'])(/(?!/)[^"']*)"""
)
"""An attribute that holds an address of ours. Untrusted text in a page has its quotes escaped."""


class BasePath:
    """The path below which everything is.

    Args:
        path: with a slash before it and none behind it; empty for the whole host.

    Attributes:
        path: likewise.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._warned = False

    def require_no_route(self, patterns: Iterable[str]) -> None:
        """Require that no address of ours begins with the path, or it could mean either.

        Args:
            patterns: the regular expressions of the routes.

        Raises:
            ConfigurationError: one does.
        """
        first = _first_part(self.path)
        if first and first in {_first_part(re.sub(r"[\\$]", "", each)) for each in patterns}:
            raise ConfigurationError(
                f"CURFEW_BASE_PATH is {self.path!r}, but /{first} is an address of this server; it "
                "takes another path."
            )

    def enter(self, request: HTTPServerRequest) -> bool:
        """Take the path off a request's; return whether it was there."""
        inner = self._inner(request.path)
        if inner is None:
            self._warn(request)
            return False
        request.path = inner
        return True

    def within(self, address: str) -> str:
        """Return an address of ours without the path, whether or not it has it."""
        inner = self._inner(address) if self.path else None
        return address if inner is None else inner

    def located(self, address: str) -> str:
        """Return an address of ours as browsers need it; any other one as it is."""
        if not address.startswith("/") or address.startswith("//"):
            return address
        return address if self._inner(address) is not None else self.path + address

    def locate_links(self, page: bytes) -> bytes:
        """Return a page whose links, forms and files are those below the path."""
        return _LINK.sub(lambda found: found[1] + self._located(found[2]), page)

    def _located(self, address: bytes) -> bytes:
        return self.located(address.decode()).encode()

    def _inner(self, address: str) -> str | None:
        """Return what is behind the path; None if the address is not below it."""
        if not address.startswith(self.path):
            return None
        inner = address[len(self.path) :]
        if inner.startswith("/"):
            return inner
        return f"/{inner}" if not inner or inner[0] in "?#" else None

    def _warn(self, request: HTTPServerRequest) -> None:
        if not self._warned:
            self._warned = True
            facts = {"base_path": self.path, "path": ascii(request.path)[1:-1]}
            log.warning("a request was not below the base path: does a proxy cut it off?",
                        extra=facts)  # fmt: skip


def _first_part(path: str) -> str:
    """Return what is between the first two slashes; empty if there is none."""
    return path.partition("/")[2].partition("/")[0]
