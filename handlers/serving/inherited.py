"""The listening sockets that a service manager opened for this server (sd_listen_fds(3)).

They stay open while the server restarts: connections wait there, and none is refused.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from server.core.addresses import is_loopback, own_origins
from server.core.errors import ConfigurationError
from settings import Settings

FIRST_DESCRIPTOR: Final = 3
FOR_METRICS: Final = "metrics"
"""The name (`FileDescriptorName=`) of a socket that serves metrics; every other serves people."""


@dataclass(frozen=True, slots=True)
class InheritedSockets:
    """What was inherited; nothing, if no service manager opened a socket.

    Attributes:
        serving: for everybody, instead of `CURFEW_HOST` and `CURFEW_PORT`.
        scrapes: for metrics, instead of `CURFEW_METRICS_PORT`.
    """

    serving: list[socket.socket] = field(default_factory=list)
    scrapes: list[socket.socket] = field(default_factory=list)


def inherited_sockets(variables: Mapping[str, str], pid: int) -> InheritedSockets:
    """Return the sockets that were opened for this process.

    Args:
        variables: of the environment, by name.
        pid: this process; what was meant for another one is not used.

    Raises:
        ConfigurationError: one of them is not a stream socket that listens.
    """
    inherited = InheritedSockets()
    count = variables.get("LISTEN_FDS", "")
    if variables.get("LISTEN_PID") != str(pid) or not count.isdecimal():
        return inherited
    names = variables.get("LISTEN_FDNAMES", "").split(":")
    for number in range(int(count)):
        name = names[number] if number < len(names) else ""
        opened = _listening(FIRST_DESCRIPTOR + number, name)
        (inherited.scrapes if name == FOR_METRICS else inherited.serving).append(opened)
    return inherited


def require_fit(settings: Settings, sockets: list[socket.socket]) -> None:
    """Refuse sockets that other settings were made for.

    What is safe on loopback only is decided by `CURFEW_HOST`: TLS, sign-up and keys. So a socket
    that others can reach must not stand in for the loopback address.

    Raises:
        ConfigurationError: it says which setting to change.
    """
    for each in sockets:
        if each.family not in {socket.AF_INET, socket.AF_INET6}:
            continue
        host, port = each.getsockname()[:2]
        if is_loopback(settings.host) and not is_loopback(host):
            raise ConfigurationError(
                f"The service manager's socket listens on {host}, which other machines can reach, "
                f"and CURFEW_HOST is {settings.host!r}. Set CURFEW_HOST={host}."
            )
        own = frozenset(own_origins(settings.scheme, settings.port).split(","))
        if port != settings.port and settings.origins == own:
            raise ConfigurationError(
                f"The service manager's socket listens on port {port}, and CURFEW_PORT is "
                f"{settings.port}. Set CURFEW_PORT={port}, or CURFEW_ORIGINS to what browsers use."
            )


def _listening(descriptor: int, name: str) -> socket.socket:
    try:
        opened = socket.socket(fileno=descriptor)
        opened.set_inheritable(False)
        is_stream = opened.type == socket.SOCK_STREAM
        listens = is_stream and opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise _refusal(descriptor, name, error.strerror or "no socket") from None
    if not listens:
        opened.detach()
        raise _refusal(descriptor, name, "it does not listen for streams")
    opened.setblocking(False)
    return opened


def _refusal(descriptor: int, name: str, why: str) -> ConfigurationError:
    shown = f" ({name})" if name else ""
    return ConfigurationError(
        f"LISTEN_FDS: file descriptor {descriptor}{shown} cannot be used: {why}. "
        "A socket unit needs ListenStream= and Accept=no."
    )
