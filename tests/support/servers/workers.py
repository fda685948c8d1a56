"""The processes of a running server, and which of its nodes hold whose sockets."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.support.servers.server import CurfewServer

HELD_SECONDS: Final = 0.18
LET_GO_SECONDS: Final = 0.02


@contextmanager
def held_up(worker: int) -> Iterator[None]:
    """Let a process run for a tenth of the time, so that others take nearly all new connections.

    The kernel gives a connection to the first process that asks. While there is little to do, that
    may be the same one each time.
    """
    over = threading.Event()

    def hold_up() -> None:
        while not over.is_set():
            os.kill(worker, signal.SIGSTOP)
            over.wait(HELD_SECONDS)
            os.kill(worker, signal.SIGCONT)
            over.wait(LET_GO_SECONDS)

    thread = threading.Thread(target=hold_up, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def workers_of(server: CurfewServer) -> list[int]:
    """The forked server processes."""
    listing = subprocess.run(
        ["ps", "-axww", "-o", "pid=,ppid=,stat=,command="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [line.split(None, 3) for line in listing.splitlines()]
    commands = {line[0]: line[3] for line in lines if len(line) == 4}
    # A fork is listed with its parent's command, the store's guard with its own.
    return [
        int(pid)
        for pid, parent, state, *command in lines
        if parent == str(server.pid)
        and not state.startswith("Z")
        and command == [commands.get(parent)]
    ]


def sockets_by_node(server: CurfewServer, user: str, sid: str) -> dict[str, int]:
    """How many sockets of a session each node says that it holds."""
    with server.owner() as client:
        keys = list(client.scan_iter(f"curfew:{{*}}:sockets:{user}", count=500))
        counts: Any = client.hgetall(keys[0]) if keys else {}
    named = {tuple(name.decode().split(" ")): int(count) for name, count in counts.items()}
    return {node: count for (owner, node), count in named.items() if owner == sid}


def megabytes_of_workers(server: CurfewServer) -> float:
    """What the server's processes hold in memory, without the store's."""
    workers = ",".join(map(str, workers_of(server)))
    listing = subprocess.run(
        ["ps", "-o", "rss=", "-p", workers], capture_output=True, text=True, check=True
    ).stdout
    return sum(map(int, listing.split())) / 1000
