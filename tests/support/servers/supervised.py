"""A tiny supervised server: `python -m tests.support.servers.supervised DATA_DIR [--option]`.

It speaks one line per connection: `pid` answers the worker's process, `exit N` ends the worker
with that status, `raise` with an exception. On standard output it writes `announced PORT`.
"""

import argparse
import os
import select
import signal
import socket
import sys
from pathlib import Path

from server.processes.board import ParentLink
from server.supervisor import AlreadyRunning, supervise


def bind() -> list[socket.socket]:
    """Listen on a free port of the loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    return [listening]


def serve(sockets: list[socket.socket], parent: ParentLink) -> None:
    """Answer connections until the parent is gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    (listening,) = sockets
    watched: list[socket.socket | ParentLink] = [listening, parent]
    while True:
        # A signal that comes just before the call does not end it.
        ready, _, _ = select.select(watched, [], [], 0.2)
        if parent in ready:
            return
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            continue  # Another worker was faster.
        with connection:
            connection.setblocking(True)
            connection.sendall(answer(connection.makefile().readline().split()))


def serve_stubbornly(told: Path) -> None:
    """Do not stop on SIGTERM, only leave a file that says it came."""
    signal.signal(signal.SIGTERM, lambda *_: told.touch())
    while True:
        signal.pause()


def answer(words: list[str]) -> bytes:
    """Do what the line says."""
    match words:
        case ["pid"]:
            return f"{os.getpid()}\n".encode()
        case ["exit", status]:
            sys.exit(int(status))
        case _:
            raise RuntimeError(words)


def main() -> int:
    """Serve and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-store", action="store_true")
    parser.add_argument("--stubborn", action="store_true")
    options = parser.parse_args()
    sockets: list[socket.socket] = []

    def bind_and_keep() -> list[socket.socket]:
        sockets.extend(bind())
        return sockets

    def announce() -> None:
        sys.stdout.write(f"announced {sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()

    def stubborn(_sockets: list[socket.socket], _parent: ParentLink) -> None:
        serve_stubbornly(options.data_dir / "told")

    try:
        return supervise(
            data_dir=options.data_dir,
            embedded=not options.no_store,
            processes=options.processes,
            bind=bind_and_keep,
            serve=stubborn if options.stubborn else serve,
            announce=announce,
        )
    except AlreadyRunning as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
