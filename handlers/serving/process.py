"""One worker process: it opens the services, serves, and stops in order."""

import asyncio
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from tornado.routing import URLSpec
from tornado.web import url

from handlers.front.server import FrontServer
from handlers.http.additions import NOTHING, Additions
from handlers.http.application import Curfew
from handlers.http.devices import describe
from handlers.http.failures import MalformedRequestRedaction
from handlers.http.guards import WHOLE_AT_MOST
from handlers.http.node import Node
from handlers.pages.brand_styles import BrandStyles
from handlers.pages.not_found import NotFoundHandler
from handlers.pages.start import StartPage
from handlers.pages.static_files import StaticFiles
from handlers.routes import ROUTES
from handlers.serving.drain import drain
from handlers.serving.heartbeats import heartbeats
from handlers.serving.lifecycle import Leave, application_running
from handlers.serving.own_metrics import OwnMetrics, telling
from handlers.serving.reloading import WorkerReload
from handlers.serving.stopping import StopRequest, until_stopped
from handlers.serving.tls import expiry_of_certificate, tls_context
from server.processes.board import ParentLink
from server.services import Services, open_services
from server.telemetry.log_handler import LogHandler
from settings import Settings

READ_AT_MOST: Final = WHOLE_AT_MOST
"""Bytes of a body. One that is over a handler's own limit, and not over this, is read and answered
413."""
MAX_HEADER_BYTES: Final = 16 * 1024
BODY_TIMEOUT: Final = 10.0
FIRST_TIMEOUT: Final = 10.0
"""Seconds from the connection to the end of its first request's headers, the TLS handshake
included, however slowly the bytes come in."""
COLLECT_EVERY: Final = 5_000, 20, 50
"""New objects between two collections; how many of these between two that also look at what the
last ones left; and of those, between two that look at all. One of 50,000 objects stops the process
for 15 to 35 ms, which is the worst that others see of a crowd; one of 5,000 for a tenth of that."""
IDLE_TIMEOUT: Final = 75.0
"""Seconds from the end of one request to the headers of the next. Common proxies close an idle
connection earlier."""


async def serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    parent: ParentLink,
    additions: Additions = NOTHING,
    *,
    log_handler: LogHandler,
    leave: Leave = sys.exit,
) -> None:
    """Serve until SIGTERM comes, or until the parent process is gone.

    Args:
        settings: the settings.
        sockets: they are listening already.
        parent: connects this process with its parent.
        additions: what an application adds.
        log_handler: writes this process's log lines.
        leave: says why this process cannot go on, and ends it, where the application hangs.

    Raises:
        StoreUnavailable: the store did not answer at the start, within `CURFEW_STORE_WAIT`.
        ConfigurationError: the store does not fit the settings.
    """
    log_handler.name_process()
    logging.getLogger("tornado.general").addFilter(MalformedRequestRedaction())
    describe("")  # loads the parser's tables, which takes a tenth of a second
    async with heartbeats(parent.beat), telling(parent.channel) as metrics:
        serve_until = partial(
            _serve, settings, sockets, parent, additions, log_handler, metrics, leave
        )
        await until_stopped(parent.fileno(), serve_until)


async def _serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    parent: ParentLink,
    additions: Additions,
    log_handler: LogHandler,
    metrics: OwnMetrics,
    leave: Leave,
    stop: StopRequest,
) -> None:
    async with AsyncExitStack() as stack:
        with stop.cancels():
            opening = open_services(settings, accounts=additions.accounts)
            services = await stack.enter_async_context(opening)
            log_handler.name_process(services.metrics.node)
            log_handler.count_lost(services.metrics.lines_lost)
            metrics.tell_of(services.metrics.registry)
            node = Node(services, settings, additions.settings, serves=True)
            await stack.enter_async_context(
                application_running(additions, node, place=parent.place, leave=leave)
            )
        application = application_of(services, settings, additions, node)
        application.metrics_of_all = metrics.of_all
        server = FrontServer(
            application,
            connection_limits=application.connection_limits,
            first_timeout=FIRST_TIMEOUT,
            on_malformed=services.metrics.set_up.malformed,
            ssl_options=tls_context(settings),
            max_body_size=READ_AT_MOST,
            max_header_size=MAX_HEADER_BYTES,
            body_timeout=BODY_TIMEOUT,
            idle_connection_timeout=IDLE_TIMEOUT,
        )
        spare_the_collector()
        server.add_sockets(sockets)

        def use_certificate(context: ssl.SSLContext) -> None:
            server.use_certificate(context)
            services.metrics.set_up.certificate_loaded(expiry_of_certificate(settings))

        services.metrics.set_up.certificate_loaded(expiry_of_certificate(settings))
        reload = WorkerReload(settings, parent, log_handler, services.keyring, use_certificate)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.advance)
        reload.advance()  # a signal that came earlier was ignored
        parent.serves()
        await stop.wait()
        await drain(server, application, parent.stopping)


def application_of(
    services: Services, settings: Settings, additions: Additions, node: Node
) -> Curfew:
    """Return what answers requests: ours, and before it what an application adds."""
    return Curfew(
        services,
        settings,
        routes_of(additions),
        start_page=StartPage,
        not_found=NotFoundHandler,
        static_files=StaticFiles,
        additions=additions,
        node=node,
    )


def routes_of(additions: Additions) -> list[URLSpec]:
    """Return all routes, the application's own first."""
    brand = [url(r"/brand\.css", BrandStyles)] if additions.brand.styles else []
    return [*additions.routes, *brand, *ROUTES]


def spare_the_collector() -> None:
    """Let Python look for garbage less often, and never again in what is here at the start.

    Most objects are freed without it. With Python's own settings it takes a seventh of a request's
    time, and stops the process for tenths of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)
