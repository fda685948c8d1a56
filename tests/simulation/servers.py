"""Servers that follow one another, and the balancer that leads new connections to one of them.

A promoted replica has what it had got until then, and begins another history. The old master lives
on: as a replica that refuses writes and still answers reads, or as one that takes itself for the
master because nobody reached it.
"""

import asyncio
from dataclasses import dataclass, replace

from redis.exceptions import ReadOnlyError, ResponseError

from server.store.contract import Ended
from tests.simulation.memory import Memory
from tests.simulation.stream import Stream

REPLICATION = 0.1
"""Seconds for which an end waits for the replica, if that has stopped following."""


class Server:
    """The process of a store. It may freeze, and then continue with all waiting requests.

    Args:
        memory: its data.
        history: names its data and all that was ever written to it.

    Attributes:
        is_master: whether it takes itself for the master.
        demoted_at: when it stopped doing so.
        is_followed: whether its replica has every write at once.
    """

    def __init__(self, memory: Memory, history: str = "first") -> None:
        self.memory = memory
        self.history = history
        self.is_master = self.is_followed = True
        self.demoted_at = float("inf")
        self._thawed = asyncio.Event()
        self._thawed.set()

    @property
    def told(self) -> bytes:
        """The answer to `INFO replication`."""
        role = "master" if self.is_master else "slave"
        return f"role:{role}\r\nmaster_replid:{self.history}\r\n".encode()

    def freeze(self) -> None:
        """Stop executing requests."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Execute the waiting requests, and go on."""
        self._thawed.set()

    async def running(self) -> None:
        """Wait until requests are executed."""
        await self._thawed.wait()

    def demote(self, at: float) -> None:
        """Become a replica: refuse writes, and answer reads with what is here."""
        self.is_master, self.demoted_at = False, at
        for future in self.memory.waiting:
            if not future.done():
                future.set_exception(ResponseError("UNBLOCKED force unblock, state changed"))
        self.memory.waiting.clear()

    def require_master(self) -> None:
        """Refuse a write.

        Raises:
            ReadOnlyError: this is a replica.
        """
        if not self.is_master:
            raise ReadOnlyError("You can't write against a replica.", status_code="READONLY")

    async def news(self, longest: float) -> None:
        """Do as a blocking read: wait until something was appended.

        Raises:
            ResponseError: this has become a replica.
        """
        future = asyncio.get_running_loop().create_future()
        self.memory.waiting.append(future)
        try:
            async with asyncio.timeout(longest):
                await future
        except TimeoutError:
            pass
        await self.running()

    async def confirm(self, ended: Ended) -> Ended:
        """Do as `WAIT`: say whether the replica has an end."""
        if not self.is_followed:
            await asyncio.sleep(REPLICATION)
        return replace(ended, replicated=self.is_followed)


@dataclass
class Balancer:
    """Leads new connections to one server, and leaves the others as they are."""

    target: Server


def replica_of(server: Server, history: str) -> Server:
    """Return a server with the data of another one as they are now."""
    old = server.memory
    new = Memory(old.now, old.rules, old.lease, old.shards)
    new.records, new.tombstones = dict(old.records), dict(old.tombstones)
    new.accounts, new.made_under = dict(old.accounts), dict(old.made_under)
    new.index = {user: dict(sids) for user, sids in old.index.items()}
    new.sockets = {user: dict(counts) for user, counts in old.sockets.items()}
    new.user_epochs, new.shard_ends = dict(old.user_epochs), dict(old.shard_ends)
    new.completed_ends, new.dropped = dict(old.completed_ends), dict(old.dropped)
    new.nodes, new.renewals = dict(old.nodes), dict(old.renewals)
    new.control, new.messages = _copy(old.control), _copy(old.messages)
    old.rooms.copy_to(new.rooms)
    new.replies = {node: _copy(stream) for node, stream in old.replies.items()}
    new.acknowledgements, new.earlier = _copy(old.acknowledgements), old.earlier
    return Server(new, history)


def knows(memory: Memory, end_id: str) -> bool:
    """Return whether an end is in a store."""
    ends = {each.end_id for each in memory.tombstones.values()}
    return end_id in memory.completed_ends or end_id in ends


def _copy(stream: Stream) -> Stream:
    return replace(stream, entries=list(stream.entries))
