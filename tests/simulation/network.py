"""The network between a node and the store: delays, cuts in either direction, freezes, resets.

A request travels on its own. A node that stops waiting, or is paused, does not take it back. So a
write may run long after its caller got `StoreUnavailable`.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from datetime import timedelta
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as ConnectionReset
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as NoAnswer

from server.core.errors import StoreUnavailable
from server.store.master import MasterLink
from tests.simulation.connections import Connection, ConnectionPool
from tests.simulation.servers import Balancer, Server
from tests.simulation.virtual import NODE

T = TypeVar("T")

COMMAND_TIMEOUT = 0.25
READ_TIMEOUT = 0.5
KEPT_FOR = timedelta(seconds=1.5)
"""The age at which a connection is opened anew: longer than a lease, as with the real one."""


class Link:
    """The connection of one node to the store, in both directions."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.slowest = 0.004
        self.loses_requests = self.loses_replies = False
        self.under_way: dict[asyncio.Task[Any], None] = {}  # in an order that repeats itself

    async def way(self) -> None:
        """Wait for the delay of one direction."""
        await asyncio.sleep(self._chance.uniform(0.0002, self.slowest))

    def reset(self) -> None:
        """Let all requests under way fail at once, like CLIENT KILL."""
        for task in list(self.under_way):
            task.cancel()

    def heal(self) -> None:
        """End all faults."""
        self.slowest = 0.004
        self.loses_requests = self.loses_replies = False


class Client:
    """What a node sends requests with, over its own connections.

    Args:
        balancer: where new connections lead.
        link: delays and loses what is sent.
        master: drops the connections, together with those of the node's other client.
        patience: seconds to wait for an answer.
    """

    def __init__(self, balancer: Balancer, link: Link, master: MasterLink, patience: float) -> None:
        self._balancer = balancer
        self._link = link
        self._patience = patience
        self._pool = ConnectionPool(master)

    def disconnect(self) -> None:
        """Close the connections."""
        self._pool.disconnect_idle()

    async def send(self, request: Callable[[Server], Coroutine[Any, Any, T]]) -> T:
        """Run a request on the server to which a connection leads.

        Raises:
            RedisError: as the client library does.
        """
        connection = self._pool.take()
        travel = self._begin(self._travel(connection, request))
        try:
            async with asyncio.timeout(self._patience):
                answer: T = await asyncio.shield(travel)
        except TimeoutError:
            _forget(travel)
            self._pool.throw_away(connection)
            error = NoAnswer("simulated")
            await connection.failed(error)
            raise error from None
        except asyncio.CancelledError:
            _forget(travel)
            self._pool.throw_away(connection)
            if travel.cancelled() and not _is_cancelling():
                raise ConnectionReset("simulated") from None
            raise
        except (RedisError, StoreUnavailable) as error:
            await connection.refused(error)
            self._pool.release(connection)
            raise
        self._pool.release(connection)
        return answer

    def _begin(self, travelling: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Let a request travel on its own, even if this node is paused."""
        context = copy_context()
        context.run(NODE.set, "")
        travel = asyncio.get_running_loop().create_task(travelling, context=context)
        self._link.under_way[travel] = None
        travel.add_done_callback(self._link.under_way.pop)
        return travel

    async def _travel(
        self, connection: Connection, request: Callable[[Server], Coroutine[Any, Any, T]]
    ) -> T:
        former = connection.leads_to()
        await self._link.way()
        if self._link.loses_requests:
            await asyncio.Event().wait()
        server = former or self._balancer.target
        await server.running()
        refusal: Exception | None = None
        try:
            if former is None:
                await connection.open(server)
            answer = await request(server)
        except (RedisError, StoreUnavailable) as error:
            refusal = error
        await self._link.way()
        if self._link.loses_replies:
            await asyncio.Event().wait()
        if refusal is not None:
            raise refusal
        return answer


def _forget(travel: asyncio.Task[Any]) -> None:
    """Let nobody miss an answer that nobody waits for any more."""
    travel.add_done_callback(lambda done: done.cancelled() or done.exception())


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
