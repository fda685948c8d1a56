"""Two stores that are masters, behind a balancer that leads new connections to either."""

import asyncio
from contextlib import ExitStack
from typing import Final

from redis.asyncio import Redis

from server.store import acl
from server.store.connection import execute
from tests.support.servers.proxy import Proxy
from tests.support.servers.valkey import PASSWORD, ValkeyServer

WHERE: Final = "curfew:{00}:where"
"""A key that says of each master which it is."""


class TwoMasters:
    """Two masters behind a balancer, each of which says which it is."""

    def __init__(self, stack: ExitStack) -> None:
        self.first, self.second = (
            stack.enter_context(ValkeyServer(tcp=True)) for _ in ("first", "second")
        )
        self.balancer = stack.enter_context(Proxy(self.first.port))
        self.url = f"redis://{acl.USER}:{PASSWORD}@127.0.0.1:{self.balancer.port}"
        for name, server in (("first", self.first), ("second", self.second)):
            with server.client() as owner:
                owner.set(WHERE, name)

    def move(self) -> None:
        """Let new connections lead to the second."""
        self.balancer.point_at(self.second.port)

    def demote(self) -> None:
        """Make the first a replica of nobody that is there."""
        with self.first.client() as owner:
            owner.replicaof("127.0.0.1", "1")


def connections(server: ValkeyServer) -> int:
    """How many connections of ours the server has."""
    with server.client() as owner:
        return sum(each["name"] == "curfew" for each in owner.client_list())


async def use(client: Redis, number: int) -> None:
    """Open so many connections, and leave them idle.

    One that a busy machine opens too late is tried again, as the program does.
    """
    await asyncio.gather(*(execute("use", lambda: client.get(WHERE)) for _ in range(number)))
