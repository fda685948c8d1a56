"""The Tornado application. Every handler reaches it, so it holds what all of them use, typed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler, StaticFileHandler

from handlers.http.access_log import log_answer
from handlers.http.additions import NOTHING, Additions
from handlers.http.base_path import BasePath
from handlers.http.client import DeviceReader
from handlers.http.closing_handshakes import ClosingHandshakes
from handlers.http.connection_limits import ConnectionLimits
from handlers.http.cookie import SessionCookie
from handlers.http.handler_delegate import HandlerDelegate
from handlers.http.handshakes import Handshakes
from handlers.http.headers import DefaultHeaders
from handlers.http.node import Node
from handlers.http.pings import Pings
from handlers.http.presented_cookies import CookieReader
from handlers.http.request_traces import RequestTraces, names_of_requests
from handlers.http.server_request import RequestDelegate
from handlers.http.spare_cookies import SpareCookies
from handlers.http.streamed_delegate import StreamedDelegate, is_streamed
from handlers.http.unnamed_clients import UnnamedClients
from server.core.messages import MAX_FRAME_BYTES
from server.services import Services
from settings import Settings

HANDLERS: Final = Path(__file__).parents[1]
TEMPLATES: Final = str(HANDLERS / "pages" / "templates")
"""Where ours are."""
STATIC: Final = str(HANDLERS.parent / "static")
"""Where our files are."""
PING_INTERVAL: Final = 25
"""Seconds. It finds dead peers, and is shorter than the idle limits of common load balancers."""
CLOCK_TOLERANCE: Final = timedelta(days=1)
"""Added to a cookie's life: Tornado compares its age with this machine's clock, which may be wrong.
The policy decides by the store's clock; this is only a bound."""

PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Who asks for these may come past the proxy, and asks each server in the same way. So does HAProxy
with its `OPTIONS /`."""


class Curfew(Application):
    """The application.

    Attributes:
        services: the session engine.
        routes: all routes, the application's own first.
        configuration: the settings.
        base_path: the path of the host below which everything is.
        cookie: writes and reads the session cookie.
        spare_cookies: writes and reads the cookies beside it.
        cookie_reader: reads both in requests.
        devices: reads which device a request comes from.
        origins: browser origins whose requests may change something.
        hosts: values of the Host header that name this server.
        connection_limits: counts the open connections.
        unnamed_clients: is told of requests whose trusted proxy does not name its client.
        pings: pings our sockets.
        closing_handshakes: waits for the answers to our close frames.
        handshakes: counts the handshakes of sockets that are under way.
        is_stopping: whether this process is about to stop, and not ready any more.
        request_ids: names requests, and makes their traces where an operator asked for them.
        metrics_of_all: returns the metrics of all processes of this machine, or None if the parent
            does not tell; None if there is no parent.
        default_headers: what answers begin with.
        additions: what an application adds to all this.
    """

    def __init__(
        self,
        services: Services,
        configuration: Settings,
        routes: Sequence[URLSpec],
        *,
        start_page: type[RequestHandler],
        not_found: type[RequestHandler],
        static_files: type[StaticFileHandler],
        additions: Additions = NOTHING,
        node: Node | None = None,
    ) -> None:
        self.services = services
        self.routes = tuple(routes)
        self.configuration = configuration
        self.additions, self._node, self._start_page = additions, node, start_page
        self.base_path = BasePath(configuration.base_path)
        self.base_path.require_no_route(patterns_of(routes))
        name, keys = configuration.cookie_name, services.keyring.derive("session cookie")
        rules = configuration.rules
        max_age = rules.absolute_timeout + CLOCK_TOLERANCE
        long_max_age = rules.remember_absolute_timeout + CLOCK_TOLERANCE
        self.cookie = SessionCookie(name, keys, max_age, secure=True, long_max_age=long_max_age)
        self.spare_cookies = SpareCookies(name, keys, max_age)
        self.cookie_reader = CookieReader(name, self.cookie, self.spare_cookies)
        services.keyring.subscribe(self.cookie_reader.forget)
        self.unnamed_clients = UnnamedClients(services.metrics.client_unnamed)
        self.devices = DeviceReader(configuration.trusted_proxies, self.unnamed_clients.met)
        self.origins, self.hosts = configuration.origins, configuration.hosts
        self.connection_limits = ConnectionLimits.of_this_process(configuration.trusted_proxies)
        self.pings = Pings(PING_INTERVAL)
        self.closing_handshakes = ClosingHandshakes()
        self.handshakes = self._limited_handshakes()
        self.is_stopping = False
        self.request_ids = names_of_requests(configuration.trusted_proxies, services.tracer)
        self.metrics_of_all: Callable[[], Awaitable[bytes | None]] | None = None
        self.default_headers = DefaultHeaders(pins_https=configuration.pins_https)
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        super().__init__(
            list(routes),
            default_handler_class=not_found,
            template_path=str([*additions.templates, TEMPLATES][0]),
            static_folders=[*map(str, additions.static), STATIC],
            static_path=STATIC,
            static_handler_class=static_files,
            websocket_max_message_size=MAX_FRAME_BYTES,
            websocket_ping_interval=PING_INTERVAL,
        )
        self._by_path = by_path(self.routes)

    def _limited_handshakes(self) -> Handshakes:
        counts, limit = self.services.metrics.set_up, self.configuration.running.handshakes
        handshakes = Handshakes(limit, counts.handshake_refused)
        counts.watch_handshakes(lambda: handshakes.under_way)
        return handshakes

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Return what makes the next request, and finds its handler."""
        return RequestDelegate(self.find_handler, server_conn, request_conn)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return what answers a request. Tornado tries one pattern after another; most need none.

        Tornado looks alone as soon as an application adds handlers for some hosts.
        """
        if self.base_path.path and not self._is_below(request):
            return self.get_handler_delegate(request, self.settings["default_handler_class"])
        route = self._by_path.get(request.path)
        if request.method == "OPTIONS" and request.path == "/" and not _takes_options(route):
            return self.get_handler_delegate(request, self._start_page)
        if route is None or len(self.default_router.rules) > 1:
            return super().find_handler(request, **kwargs)
        if is_streamed(route.handler_class):
            return self.get_handler_delegate(request, route.handler_class, route.kwargs)
        return HandlerDelegate(self, request, route.handler_class, route.kwargs or {}, self._tasks)

    def get_handler_delegate(  # type: ignore[override]  # the class that Tornado names is private
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> HTTPMessageDelegate:
        """Return what runs a handler; one whose body is streamed checks twice."""
        if not is_streamed(target_class):
            return super().get_handler_delegate(
                request, target_class, target_kwargs, path_args, path_kwargs
            )
        path = path_args or [], path_kwargs or {}
        return StreamedDelegate(self, request, target_class, target_kwargs or {}, path, self._tasks)

    def _is_below(self, request: HTTPServerRequest) -> bool:
        """Take the base path off a request; probes on this machine may leave it out."""
        if request.path in PROBES or (request.method == "OPTIONS" and request.path == "/"):
            return True
        return self.base_path.enter(request)

    def log_request(self, handler: RequestHandler) -> None:
        """Count the answer and log a line."""
        request, seconds = handler.request, handler.request.request_time()
        self.services.metrics.answered(
            type(handler).__name__, request.method or "", handler.get_status(), seconds
        )
        if isinstance(self.request_ids, RequestTraces):
            self.request_ids.end(handler)
        log_answer(handler, 1000 * seconds, self.configuration.trusted_proxies)

    @property
    def node_of_application(self) -> Node:
        """This process, as an application's handlers get it."""
        if self._node is None:
            raise RuntimeError("this server was started without a `Node`")
        return self._node

    def serves_host(self, host: str) -> bool:
        """Return whether a Host header names this server."""
        return host.lower() in self.hosts

    def request_begins(self) -> None:
        """Count a request that must end before this process does."""
        if not self._under_way:
            self._idle.clear()
        self._under_way += 1

    def request_ends(self) -> None:
        """Stop counting a request: its answer was handed over."""
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()


def patterns_of(routes: Sequence[URLSpec]) -> list[str]:
    """Return the regular expressions of all addresses: of the routes, and of files."""
    return ["/static/", *(each.regex.pattern for each in routes)]


def by_path(routes: Sequence[URLSpec]) -> dict[str, URLSpec]:
    """Return the routes of paths without variable parts, unless another one is tried first."""
    fixed = {str(each.reverse()): each for each in reversed(routes) if not each.regex.groups}
    return {
        path: route
        for path, route in fixed.items()
        if route is next(each for each in routes if each.regex.match(path))
    }


def _takes_options(route: URLSpec | None) -> bool:
    """Return whether a handler answers OPTIONS; an application's own start page may not."""
    return route is not None and route.handler_class.options is not RequestHandler.options
