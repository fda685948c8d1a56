"""What is wrong on this machine: ports, the limit of open files, the log file, the data folder."""

import errno
import os
import resource
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.core.findings import Finding, findings_of_files
from server.core.listen_address import ANY_OF_BOTH_FAMILIES, unix_path
from server.core.open_files import connections_with
from server.processes.lock import is_locked
from server.processes.unix_sockets import is_taken
from settings import Settings

ANY: Final = {ANY_OF_BOTH_FAMILIES, "0.0.0.0"}  # noqa: S104 - it is compared with


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that a server would listen on, with the settings that name it and its address."""

    port_setting: str
    port: int
    host_setting: str
    host: str


def examine_machine(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong. Nothing is changed, and a server that runs is left alone."""
    yield from _folder(settings.data_dir)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield from findings_of_files(soft, connections_with(soft))
    if settings.log_file:
        yield from _log_file(settings.log_file)
    yield from _own_ports(settings)
    if not _is_running(settings.data_dir):  # a server that runs here has the port itself
        if path := unix_path(settings.host):
            yield from _unix_socket(path)
        else:
            yield from _port(Listener("CURFEW_PORT", settings.port, "CURFEW_HOST", settings.host))
        if port := settings.running.metrics_port:
            host = settings.running.metrics_address
            yield from _port(Listener("CURFEW_METRICS_PORT", port, "CURFEW_METRICS_ADDRESS", host))


def _folder(folder: Path) -> Iterator[Finding]:
    name = "CURFEW_DATA_DIR"
    if not folder.is_dir():
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        found = f"this user cannot write in {folder}"
        yield Finding(name, found, "a folder of this user's own", is_problem=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o022:
        found = f"other users can change what is in {folder}, its keys and its store"
        yield Finding(name, found, f"chmod 700 {folder}")


def _log_file(file: Path) -> Iterator[Finding]:
    if file.is_dir():
        found = f"{file} is a folder"
    elif not file.parent.is_dir():
        found = f"there is no folder {file.parent}"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        found = f"this user cannot write {file}"
    else:
        return
    yield Finding("CURFEW_LOG_FILE", found, "a file of this user's own", is_problem=True)


def _own_ports(settings: Settings) -> Iterator[Finding]:
    """Yield that the server would be in its own way."""
    port, address = settings.running.metrics_port, settings.running.metrics_address
    meets = address == settings.host or not ANY.isdisjoint({address, settings.host})
    if port == settings.port and meets and not unix_path(settings.host):
        found = f"it is {port}, and so is CURFEW_PORT"
        yield Finding("CURFEW_METRICS_PORT", found, "another port", is_problem=True)


def _is_running(data_dir: Path) -> bool:
    try:
        return is_locked(data_dir)
    except OSError:
        return False


def _unix_socket(path: Path) -> Iterator[Finding]:
    if not os.access(path.parent, os.W_OK | os.X_OK):
        found = f"this user cannot make a socket in {path.parent}"
        yield Finding("CURFEW_HOST", found, "a folder of this user's own", is_problem=True)
    elif path.exists() and not path.is_socket():
        found = f"{path} is no socket"
        yield Finding("CURFEW_HOST", found, "another path, or its removal", is_problem=True)
    elif is_taken(path):
        found = f"another program listens on {path}"
        yield Finding("CURFEW_HOST", found, "a path of its own", is_problem=True)


def _port(listener: Listener) -> Iterator[Finding]:
    try:
        kind, flags = socket.SOCK_STREAM, socket.AI_PASSIVE
        host = listener.host if listener.host not in {"", ANY_OF_BOTH_FAMILIES} else None
        places = socket.getaddrinfo(host, listener.port, type=kind, flags=flags)
        for family, _, _, _, address in places:
            _try_port(family, address)
    except (OSError, UnicodeError) as error:
        yield _finding_of(error, listener)


def _try_port(family: int, address: tuple[object, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as each:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        each.bind(address)
        each.listen()


def _finding_of(error: OSError | UnicodeError, listener: Listener) -> Finding:
    host, port = listener.host, listener.port
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        found = f"another program listens on port {port} of {host}"
        return Finding(listener.port_setting, found, "a free port", is_problem=True)
    if number == errno.EACCES:
        found = f"this user may not listen on port {port}"
        needed = "a port from 1024, or the right to (CAP_NET_BIND_SERVICE)"
        return Finding(listener.port_setting, found, needed, is_problem=True)
    why = error.strerror if isinstance(error, OSError) else "not a host name"
    found = f"{host} cannot be listened on: {why}"
    return Finding(listener.host_setting, found, "an address of this machine", is_problem=True)
