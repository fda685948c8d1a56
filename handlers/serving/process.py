"""One worker process: it opens the services, serves, and stops in order."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Sequence
from functools import partial
from typing import Final

from tornado.routing import URLSpec

from handlers.front.server import FrontServer
from handlers.http.application import Curfew
from handlers.http.devices import describe
from handlers.http.failures import MalformedRequestRedaction
from handlers.pages.not_found import NotFoundHandler
from handlers.pages.static_files import StaticFiles
from handlers.routes import ROUTES
from handlers.serving.drain import drain
from handlers.serving.heartbeats import heartbeats
from handlers.serving.reloading import WorkerReload
from handlers.serving.stopping import StopRequest, until_stopped
from handlers.serving.tls import tls_context
from server.processes.board import ParentLink
from server.services import open_services
from server.telemetry.log_handler import LogHandler
from settings import Settings

READ_AT_MOST: Final = 1024 * 1024
"""Bytes of a body. One that is over a handler's own limit, and not over this, is read and answered
413."""
MAX_HEADER_BYTES: Final = 16 * 1024
BODY_TIMEOUT: Final = 10.0
FIRST_TIMEOUT: Final = 10.0
"""Seconds from the connection to the end of its first request's headers, the TLS handshake
included, however slowly the bytes come in."""
COLLECT_EVERY: Final = 50_000
"""New objects between two collections. They take up to 10 MB."""
IDLE_TIMEOUT: Final = 75.0
"""Seconds from the end of one request to the headers of the next. Common proxies close an idle
connection earlier."""


async def serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    parent: ParentLink,
    routes: Sequence[URLSpec] = (),
    *,
    log_handler: LogHandler,
) -> None:
    """Serve until SIGTERM comes, or until the parent process is gone.

    Args:
        settings: the settings.
        sockets: they are listening already.
        parent: connects this process with its parent.
        routes: the application's own, matched before Curfew's.
        log_handler: writes this process's log lines.

    Raises:
        StoreUnavailable: the store did not answer at the start, within `CURFEW_STORE_WAIT`.
        ConfigurationError: the store does not fit the settings.
    """
    logging.getLogger("tornado.general").addFilter(MalformedRequestRedaction())
    describe("")  # loads the parser's tables, which takes a tenth of a second
    serve_until = partial(_serve, settings, sockets, parent, routes, log_handler)
    async with heartbeats(parent.beat):
        await until_stopped(parent.fileno(), serve_until)


async def _serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    parent: ParentLink,
    routes: Sequence[URLSpec],
    log_handler: LogHandler,
    stop: StopRequest,
) -> None:
    async with open_services(settings) as services:
        log_handler.count_lost(services.metrics.lines_lost)
        application = Curfew(
            services,
            settings,
            [*routes, *ROUTES],
            not_found=NotFoundHandler,
            static_files=StaticFiles,
        )
        server = FrontServer(
            application,
            connection_limits=application.connection_limits,
            first_timeout=FIRST_TIMEOUT,
            ssl_options=tls_context(settings),
            max_body_size=READ_AT_MOST,
            max_header_size=MAX_HEADER_BYTES,
            body_timeout=BODY_TIMEOUT,
            idle_connection_timeout=IDLE_TIMEOUT,
        )
        spare_the_collector()
        server.add_sockets(sockets)
        reload = WorkerReload(
            settings, parent, log_handler, services.keyring, server.use_certificate
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.advance)
        reload.advance()  # a signal that came earlier was ignored
        await stop.wait()
        await drain(server, application)


def spare_the_collector() -> None:
    """Let Python look for garbage less often, and never again in what is here at the start.

    Most objects are freed without it. With Python's own settings it takes a seventh of a request's
    time, and stops the process for tenths of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, *gc.get_threshold()[1:])
