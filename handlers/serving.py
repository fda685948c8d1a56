"""One server process: opens the services, listens, and stops in order."""

import asyncio
import logging
import random
import signal
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from handlers.application import Curfew
from handlers.pages import NotFoundHandler, StaticFiles
from handlers.routes import ROUTES
from handlers.socket import SocketHandler
from server.services import Services, open_services
from settings import Settings
from tornado.httpserver import HTTPServer
from tornado.routing import URLSpec

log = logging.getLogger("curfew.serving")

MAX_BODY_BYTES: Final = 128 * 1024
"""Twice the largest session data, as JSON escapes may double it."""
MAX_HEADER_BYTES: Final = 16 * 1024
BODY_TIMEOUT: Final = 10.0
IDLE_TIMEOUT: Final = 75.0
"""Seconds; of a kept connection without a request, and of one whose headers do not come."""
DRAIN_WINDOW_MS: Final = 2_000
"""Over which clients of a stopping server are asked to come back."""
LAST_REQUESTS: Final = 5.0
"""Seconds that requests under way get to finish."""


async def serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    parent: int,
    routes: Sequence[URLSpec] = (),
) -> None:
    """Serve until a SIGTERM, or until the parent process is gone.

    Args:
        settings: the settings.
        sockets: already listening.
        parent: file descriptor whose end of file says that the parent is gone.
        routes: the application's own, looked at before ours.

    Raises:
        StoreUnavailable: the store did not answer at the start.
        ConfigurationError: the store does not fit the settings.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_reader(parent, stopped.set)
    async with open_services(settings) as services:
        application = Curfew(
            services,
            settings,
            [*routes, *ROUTES],
            not_found=NotFoundHandler,
            static_files=StaticFiles,
        )
        server = HTTPServer(
            application,
            ssl_options=_tls(settings),
            max_body_size=MAX_BODY_BYTES,
            max_header_size=MAX_HEADER_BYTES,
            body_timeout=BODY_TIMEOUT,
            idle_connection_timeout=IDLE_TIMEOUT,
        )
        server.add_sockets(sockets)
        await stopped.wait()
        loop.remove_reader(parent)
        server.stop()
        _drain(services)
        await _finish(server)


def _drain(services: Services) -> None:
    """Tell each client a moment of its own to come back, so that they do not come all at once."""
    for live in services.hub.sessions():
        for connection in list(live.connections.values()):
            if isinstance(connection, SocketHandler):
                connection.drain(random.randrange(DRAIN_WINDOW_MS))  # noqa: S311 - spread, no secret


async def _finish(server: HTTPServer) -> None:
    try:
        async with asyncio.timeout(LAST_REQUESTS):
            await server.close_all_connections()
    except TimeoutError:
        log.warning("some connections did not finish in time")


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context
