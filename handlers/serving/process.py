"""One server process: opens the services, listens, and stops in order."""

import asyncio
import logging
import random
import signal
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from tornado.routing import URLSpec

from handlers.http.application import Curfew
from handlers.http.devices import describe
from handlers.http.failures import MalformedRequestRedaction
from handlers.pages.not_found import NotFoundHandler
from handlers.pages.static_files import StaticFiles
from handlers.routes import ROUTES
from handlers.serving.bounded_server import BoundedServer
from server.core.addresses import names_of
from server.core.errors import ConfigurationError
from server.crypto.certificate import keep_certificate
from server.services import open_services
from settings import Settings

log = logging.getLogger("curfew.serving")

READ_AT_MOST: Final = 1024 * 1024
"""Bytes of a body; up to here one over the handlers' own limit is read, and told 413."""
MAX_HEADER_BYTES: Final = 16 * 1024
BODY_TIMEOUT: Final = 10.0
FIRST_TIMEOUT: Final = 10.0
"""Seconds from the connection to the end of its first request's headers, the TLS handshake
included, however the bytes trickle in."""
IDLE_TIMEOUT: Final = 75.0
"""Seconds from one request's end to the next one's headers; longer than common proxies keep one."""
DRAIN_WINDOW: Final = timedelta(seconds=5)
"""Over which clients of a stopping server are asked to come back: never all at once."""
LAST_REQUESTS: Final = 10.0
"""Seconds that requests under way get to finish."""
LAST_CLOSES: Final = 6.0
"""Seconds that sockets get; Tornado cuts a peer that does not answer its close frame after 5."""


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
    logging.getLogger("tornado.general").addFilter(MalformedRequestRedaction())
    describe("")  # the parser's tables take a tenth of a second to load, once
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
        server = BoundedServer(
            application,
            connection_limits=application.connection_limits,
            first_timeout=FIRST_TIMEOUT,
            ssl_options=tls_context(settings),
            max_body_size=READ_AT_MOST,
            max_header_size=MAX_HEADER_BYTES,
            body_timeout=BODY_TIMEOUT,
            idle_connection_timeout=IDLE_TIMEOUT,
        )
        server.add_sockets(sockets)
        await stopped.wait()
        loop.remove_reader(parent)
        server.stop()
        services.engine.hub.drain(DRAIN_WINDOW, random.random)
        await _finish(application, server)


async def _finish(application: Curfew, server: BoundedServer) -> None:
    """Let requests under way end, then close what is still open."""
    try:
        async with asyncio.timeout(LAST_REQUESTS):
            await application.idle()
    except TimeoutError:
        log.warning("some requests did not finish in time")
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_CLOSES):
            await server.close_all_connections()


def make_certificate(settings: Settings) -> None:
    """Have the self-made certificate ready, where the settings ask for one.

    For the parent process, which has the data folder to itself; the workers only read the files.

    Raises:
        ConfigurationError: the data folder takes no files.
    """
    if not settings.tls_self_made or settings.tls_cert is None or settings.tls_key is None:
        return
    names = names_of(settings.host, settings.origins)
    try:
        keep_certificate(settings.tls_cert, settings.tls_key, names)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"CURFEW_TLS_CERT=self: no certificate: {error}.") from None


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What the server speaks TLS with, if it does.

    Raises:
        ConfigurationError: the files are no certificate and its key.
    """
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"CURFEW_TLS_CERT and CURFEW_TLS_KEY are no certificate with its key: {error}."
        ) from None
    return context
