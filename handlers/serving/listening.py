"""What the parent process does before it starts workers: check the set-up, and open the port."""

import asyncio
import socket

from tornado.netutil import bind_sockets

from handlers.serving.tls import make_certificate, tls_context
from server.core.errors import ConfigurationError
from server.services import open_services
from settings import Settings


def listen(settings: Settings) -> list[socket.socket]:
    """Return listening sockets, after checking that the certificate loads and the store answers.

    Raises:
        ConfigurationError: the settings, the store, or the nodes on it do not allow a start.
        StoreNotReached: the store did not answer within `CURFEW_STORE_WAIT`, or never will.
        StoreUnavailable: the store did not answer any more.
    """
    make_certificate(settings)
    tls_context(settings)
    asyncio.run(_reach_store(settings))
    try:
        return bind_sockets(settings.port, settings.host)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a host name"
        raise ConfigurationError(
            f"CURFEW_PORT {settings.port} on CURFEW_HOST {settings.host} cannot be used: {why}."
        ) from None


def announcement(settings: Settings) -> str:
    """Return what to tell the person who started the server."""
    scheme = "https" if settings.tls_cert else "http"
    where = "your store" if settings.store_url else f"the store in {settings.data_dir}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    text = f"Curfew serves on {scheme}://{host}:{settings.port}/ with {where}. Ctrl-C stops it."
    if settings.tls_self_made:
        text += "\nIts certificate is self-made: browsers warn once, and go on if you tell them to."
    return text


async def _reach_store(settings: Settings) -> None:
    async with open_services(settings, serves=False, prepares=True) as services:
        if await services.node_rules.others():  # one of them may have crashed a moment ago
            await services.engine.lease.settle()
        await services.node_rules.require_same()
