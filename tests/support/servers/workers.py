"""The processes of a running server, and which of its nodes hold whose sockets."""

import subprocess

import redis

from server.embedded.store import store_url
from server.store.names import ShardNames
from tests.support.servers.server import CurfewServer


def workers_of(server: CurfewServer) -> list[int]:
    """The forked server processes."""
    listing = subprocess.run(
        ["ps", "-axww", "-o", "pid=,ppid=,stat=,command="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = (line.split(None, 3) for line in listing.splitlines())
    return [
        int(pid)
        for pid, parent, state, command in (line for line in lines if len(line) == 4)
        if parent == str(server.pid) and not state.startswith("Z") and "run.py" in command
    ]


def sockets_by_node(server: CurfewServer, user: str, sid: str) -> dict[str, int]:
    """How many sockets of a session each node says that it holds."""
    with redis.Redis.from_url(store_url(server.data_dir)) as client:
        counts = client.hgetall(ShardNames(0).sockets(user))
    assert isinstance(counts, dict)
    named = {tuple(name.decode().split(" ")): int(count) for name, count in counts.items()}
    return {node: count for (owner, node), count in named.items() if owner == sid}


def megabytes_of_workers(server: CurfewServer) -> float:
    """What the server's processes hold in memory, without the store's."""
    listing = subprocess.run(
        ["ps", "-axww", "-o", "ppid=,rss=,command="], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(None, 2) for line in listing.splitlines()]
    workers = [line for line in lines if line[0] == str(server.pid) and "run.py" in line[2]]
    assert workers
    return sum(int(rss) for _, rss, _ in workers) / 1000
