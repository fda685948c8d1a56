"""Stop a server process: its clients come back to other processes, its requests finish."""

import asyncio
import logging
import random
from contextlib import suppress
from datetime import timedelta
from typing import Final

from tornado.httpserver import HTTPServer

from handlers.http.application import Curfew

log = logging.getLogger("curfew.serving")

DRAIN_WINDOW: Final = timedelta(seconds=5)
"""The clients are asked to reconnect at random moments within it, never all at once."""
LAST_REQUESTS: Final = 10.0
"""Seconds that the running requests get to finish."""
LAST_CLOSES: Final = 6.0
"""Seconds that closing the connections may take. Tornado cuts a peer that does not answer its close
frame after 5."""


async def drain(server: HTTPServer, application: Curfew) -> None:
    """Accept no more connections, let running requests finish, then close what is still open."""
    server.stop()
    application.services.hub.drain(DRAIN_WINDOW, random.random)
    try:
        async with asyncio.timeout(LAST_REQUESTS):
            await application.idle()
    except TimeoutError:
        log.warning("some requests did not finish in time")
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_CLOSES):
            await server.close_all_connections()
