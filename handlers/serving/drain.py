"""Stop a server process: its clients come back to other processes, its requests finish.

The order: it is not ready any more, so that balancers look elsewhere; it accepts no connections;
its sockets go, at a pace that the others can follow; its requests end; its connections close.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from handlers.front.server import FrontServer
from handlers.http.application import Curfew
from server.core.errors import StoreUnavailable
from server.core.pacing import WINDOW, pace_of

log = logging.getLogger("curfew.serving")

DRAIN_WINDOW: Final = WINDOW
LAST_REQUESTS: Final = 10.0
"""Seconds that the running requests get to finish."""
LAST_USES: Final = 1.5
"""Seconds in which a connection that is in use gets its last answer, which says that it ends. One
that is closed while a request is on its way makes a proxy answer 502. No whole number: proxies come
back to a server that refused them after whole seconds, on connections that they kept."""
LAST_ANSWERS: Final = 2.0
"""Seconds that requests get which came in these last moments: the store's patience, and more."""
LAST_CLOSES: Final = 6.0
"""Seconds that closing the connections may take. Tornado cuts a peer that does not answer its close
frame after 5."""
LAST_STEPS: Final = LAST_REQUESTS + LAST_USES + LAST_ANSWERS + LAST_CLOSES


def _alone() -> int:
    return 1


async def drain(
    server: FrontServer, application: Curfew, stopping: Callable[[], int] = _alone
) -> None:
    """Do all of this, and return when nothing is open any more.

    Args:
        server: accepts connections.
        application: serves them.
        stopping: returns how many processes of this server stop now, this one included.
    """
    running = application.configuration.running
    application.is_stopping = True
    server.is_draining = True
    await asyncio.sleep(running.drain_notice.total_seconds())
    server.stop_accepting()
    application.handshakes.are_taken = False
    await _hand_over_sockets(application, stopping)
    try:
        async with asyncio.timeout(LAST_REQUESTS):
            await application.idle()
    except TimeoutError:
        log.warning("some requests did not finish in time")
    # Sockets whose handshakes were under way have opened meanwhile.
    application.services.engine.hub.drain(DRAIN_WINDOW, random.random)
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_USES):
            await server.all_closed()
    server.close_idle_connections()
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_ANSWERS):
            await server.all_closed()
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_CLOSES):
            await server.close_all_connections()


async def _hand_over_sockets(application: Curfew, stopping: Callable[[], int]) -> None:
    """Close all sockets, as many at once as the nodes that stay can take."""
    engine, running = application.services.engine, application.configuration.running
    with suppress(StoreUnavailable):  # then as many stay as were listed when it last answered
        await engine.lease.look()  # one of them may have come just now
    # Asked only now: a signal to the whole group may reach a worker before its parent says so.
    leaving = stopping()
    pace = pace_of(
        engine.hub.socket_count,
        stopping=leaving,
        staying=max(0, engine.lease.listed - leaving),
        rate=running.drain_rate,
        longest=running.drain_timeout,
    )
    are_left = True
    while are_left:
        are_left = engine.hub.drain(pace.window, random.random, pace.at_once)
        if are_left:
            await asyncio.sleep(pace.window.total_seconds())
