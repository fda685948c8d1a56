"""What the parent process does before it starts workers: check the set-up, and open the port."""

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from typing import Final

from tornado.netutil import bind_sockets

from handlers.serving.inherited import InheritedSockets, require_fit
from handlers.serving.tls import make_certificate, tls_context
from handlers.serving.unix_listening import listen_on_path
from server.core.errors import ConfigurationError
from server.core.listen_address import ANY_OF_BOTH_FAMILIES, unix_path
from server.services import open_services
from settings import Settings

NOTHING_INHERITED: Final = InheritedSockets()


def listen(
    settings: Settings, inherited: InheritedSockets = NOTHING_INHERITED
) -> list[socket.socket]:
    """Return listening sockets, after checking that the certificate loads and the store answers.

    Args:
        settings: the settings.
        inherited: sockets of a service manager, which are used instead of new ones.

    Raises:
        ConfigurationError: the settings, the store, or the nodes on it do not allow a start.
        StoreNotReached: the store did not answer within `CURFEW_STORE_WAIT`, or never will.
        StoreUnavailable: the store did not answer any more.
    """
    require_fit(settings, inherited.serving)
    make_certificate(settings)
    tls_context(settings)
    asyncio.run(_reach_store(settings))
    if inherited.serving:
        return inherited.serving
    if path := unix_path(settings.host):
        try:
            return [listen_on_path(path)]
        except OSError as error:
            raise ConfigurationError(
                f"CURFEW_HOST {settings.host} cannot be used: {error.strerror}."
            ) from None
    own = settings.running.metrics_port
    taken_by = "CURFEW_METRICS_PORT" if settings.port == own else ""
    return _bind("CURFEW_PORT", settings.port, "CURFEW_HOST", settings.host, taken_by)


def listen_for_scrapes(
    settings: Settings, inherited: InheritedSockets = NOTHING_INHERITED
) -> list[socket.socket]:
    """Return the listening sockets of the port for metrics; none without one.

    Args:
        settings: the settings.
        inherited: sockets of a service manager, which are used instead of new ones.

    Raises:
        ConfigurationError: the port cannot be used.
    """
    if inherited.scrapes:
        return inherited.scrapes
    port, address = settings.running.metrics_port, settings.running.metrics_address
    if port is None:
        return []
    return _bind("CURFEW_METRICS_PORT", port, "CURFEW_METRICS_ADDRESS", address)


def _bind(
    port_name: str, port: int, host_name: str, host: str, taken_by: str = ""
) -> list[socket.socket]:
    """Return listening sockets.

    Args:
        port_name: the setting of the port.
        port: the port.
        host_name: the setting of the address.
        host: the address.
        taken_by: the setting by which this server itself may have the port already.
    """
    try:
        return bind_sockets(port, None if host == ANY_OF_BOTH_FAMILIES else host)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a host name"
        if taken_by and isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            why = f"{taken_by} is the same"
        raise ConfigurationError(
            f"{port_name} {port} on {host_name} {host} cannot be used: {why}."
        ) from None


def announcement(
    settings: Settings, inherited: Sequence[socket.socket] = (), name: str = "Curfew"
) -> str:
    """Return what to tell the person who started the server.

    Args:
        settings: the settings.
        inherited: sockets of a service manager, on which it serves.
        name: of the application.
    """
    where = "your store" if settings.store_url else f"the store in {settings.data_dir}"
    place = ", ".join(map(_name_of, inherited)) or _place(settings)
    text = f"{name} serves on {place} with {where}. Ctrl-C stops it."
    if settings.store_url:
        text += f"\n{_folder_of(settings)}"
    if settings.tls_self_made:
        text += "\nIts certificate is self-made: browsers warn once, and go on if you tell them to."
    return text


def _place(settings: Settings) -> str:
    if unix_path(settings.host):
        return settings.host
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{settings.scheme}://{host}:{settings.port}{settings.base_path}/"


def _name_of(listening: socket.socket) -> str:
    """Return the address of a service manager's socket."""
    name = listening.getsockname()
    if not isinstance(name, tuple):
        return f"the service manager's unix:{os.fsdecode(name)}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"the service manager's {host}:{name[1]}"


def _folder_of(settings: Settings) -> str:
    if settings.needs_folder or os.access(settings.data_dir, os.W_OK):
        return f"Its data folder, with the lock and its own files, is {settings.data_dir}."
    return f"It has no data folder, and needs none: {settings.data_dir} cannot be written in."


async def _reach_store(settings: Settings) -> None:
    async with open_services(settings, serves=False, prepares=True) as services:
        if await services.node_rules.others():  # one of them may have crashed a moment ago
            await services.engine.lease.settle()
        await services.node_rules.require_same()
