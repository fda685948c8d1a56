"""The Tornado application. Every handler reaches it, so it holds what all of them use, typed."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tornado.httputil import HTTPServerRequest
from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler, StaticFileHandler

from handlers.http.connection_limits import ConnectionLimits
from handlers.http.cookie import SessionCookie
from handlers.http.pings import Pings
from handlers.http.spare_cookies import SpareCookies
from server.core.messages import MAX_FRAME_BYTES
from server.services import Services
from settings import Settings

HANDLERS: Final = Path(__file__).parents[1]
PING_INTERVAL: Final = 25
"""Seconds. It finds dead peers, and is shorter than the idle limits of common load balancers."""
CLOCK_TOLERANCE: Final = timedelta(days=1)
"""Added to a cookie's life: Tornado compares its age with this machine's clock, which may be wrong.
The policy decides by the store's clock; this is only a bound."""

log = logging.getLogger("curfew.access")


class Curfew(Application):
    """The application.

    Attributes:
        services: the session engine.
        routes: all routes, the application's own first.
        configuration: the settings.
        cookie: writes and reads the session cookie.
        spare_cookies: writes and reads the cookies beside it.
        origins: browser origins whose requests may change something.
        hosts: values of the Host header that name this server.
        connection_limits: counts the open connections.
        pings: pings our sockets.
    """

    def __init__(
        self,
        services: Services,
        configuration: Settings,
        routes: Sequence[URLSpec],
        *,
        not_found: type[RequestHandler],
        static_files: type[StaticFileHandler],
    ) -> None:
        self.services = services
        self.routes = tuple(routes)
        self.configuration = configuration
        name, keys = configuration.cookie_name, services.keyring.derive("session cookie")
        max_age = configuration.rules.absolute_timeout + CLOCK_TOLERANCE
        self.cookie = SessionCookie(name, keys, max_age=max_age, secure=True)
        self.spare_cookies = SpareCookies(name, keys, max_age)
        self.origins = configuration.origins
        self.hosts = configuration.hosts
        self.connection_limits = ConnectionLimits.of_this_process(configuration.trusted_proxies)
        self.pings = Pings(PING_INTERVAL)
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        super().__init__(
            list(routes),
            default_handler_class=not_found,
            template_path=str(HANDLERS / "pages" / "templates"),
            static_path=str(HANDLERS.parent / "static"),
            static_handler_class=static_files,
            websocket_max_message_size=MAX_FRAME_BYTES,
            websocket_ping_interval=PING_INTERVAL,
        )
        self._by_path = by_path(self.routes)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return what answers a request. Tornado tries one pattern after another; most need none.

        Tornado looks alone as soon as an application adds handlers for some hosts.
        """
        route = self._by_path.get(request.path)
        if route is None or len(self.default_router.rules) > 1:
            return super().find_handler(request, **kwargs)
        return self.get_handler_delegate(request, route.handler_class, route.kwargs)

    def log_request(self, handler: RequestHandler) -> None:
        """Count the answer and log a line. Query, body and headers stay out: they may hold secrets.

        The path is escaped: it may hold any byte from 128 on, and terminals obey some of them.
        """
        request, status = handler.request, handler.get_status()
        seconds = request.request_time()
        self.services.metrics.answered(
            type(handler).__name__, request.method or "", status, seconds
        )
        path = ascii(request.path)[1:-1]
        refusal = getattr(handler, "refusal", "")
        facts = {"problem": refusal} if refusal else {}
        log.info("%d %s %s %.1f ms", status, request.method, path, 1000 * seconds, extra=facts)

    def serves_host(self, host: str) -> bool:
        """Return whether a Host header names this server."""
        return host.lower() in self.hosts

    def request_begins(self) -> None:
        """Count a request that must end before this process does."""
        self._under_way += 1
        self._idle.clear()

    def request_ends(self) -> None:
        """Stop counting a request: its answer was handed over."""
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()


def by_path(routes: Sequence[URLSpec]) -> dict[str, URLSpec]:
    """Return the routes of paths without variable parts, unless another one is tried first."""
    fixed = {str(each.reverse()): each for each in reversed(routes) if not each.regex.groups}
    return {
        path: route
        for path, route in fixed.items()
        if route is next(each for each in routes if each.regex.match(path))
    }
