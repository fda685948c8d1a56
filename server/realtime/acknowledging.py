"""Acknowledgements: a publisher may wait for a while until clients say that they got something.

Each node tells the publisher's node, over that node's inbox, to how many sockets it has sent it,
and which of them have acknowledged it, several at once. So the publisher knows when all have.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from server.core.errors import StoreUnavailable
from server.store.room_contract import Acknowledged, RoomStore

SETTLE: Final = 0.02
"""Seconds in which the acknowledgements of clients are collected before they are passed on."""
MAX_EXPECTED: Final = 1_000
"""Publications whose acknowledgements this node takes. Older ones are forgotten: at most this many
wait for slow clients."""


class Owing(Protocol):
    """A socket that owes an acknowledgement.

    Attributes:
        id: its public name.
    """

    id: str


class _Expected:
    """A publication whose acknowledgement clients here owe.

    Attributes:
        publisher: the node that waits.
        place: decides over which shard it is told.
        owing: the ids of the sockets that have not acknowledged it.
        sent: how many sockets have got it; None while it is being sent.
        collected: the ids of those that have acknowledged it since it was last told.
    """

    def __init__(self, publisher: str, place: str) -> None:
        self.publisher = publisher
        self.place = place
        self.owing: set[str] = set()
        self.sent: int | None = None
        self.collected: list[str] = []


class Awaited:
    """The acknowledgements of one of this node's publications so far.

    Attributes:
        connections: the ids of the sockets that have acknowledged it.
    """

    def __init__(self) -> None:
        self.connections: set[str] = set()
        self._sent: dict[str, int] = {}
        self._arrived = asyncio.Event()

    def take(self, acknowledged: Acknowledged) -> None:
        """Take what a node has told."""
        self.connections.update(acknowledged.connections)
        if acknowledged.sent is not None:
            self._sent[acknowledged.node] = acknowledged.sent
        self._arrived.set()

    async def all_of(self, nodes: frozenset[str]) -> None:
        """Wait until these nodes have told to whom they have sent it, and all have acknowledged."""
        while nodes - self._sent.keys() or sum(self._sent.values()) > len(self.connections):
            self._arrived.clear()
            await self._arrived.wait()


class Acknowledging:
    """Takes acknowledgements of clients here, and waits for those of this node's publications.

    Args:
        store: carries acknowledgements to other nodes.
        node: this node's id.
    """

    def __init__(self, store: RoomStore, node: str) -> None:
        self._store = store
        self._node = node
        self._expected: OrderedDict[str, _Expected] = OrderedDict()
        self._waiting: dict[str, Awaited] = {}
        self._untold: dict[str, _Expected] = {}
        self._passing_on: asyncio.Task[None] | None = None

    @contextmanager
    def expecting(
        self, mark: str, publisher: str, place: str
    ) -> Iterator[Callable[[Owing], object]]:
        """Collect to whom something is sent here; the block calls the result with each of them.

        Args:
            mark: its id; empty if nobody waits.
            publisher: the node that waits.
            place: anything; it decides over which shard the node is told.
        """
        if not mark:
            yield lambda _: None
            return
        expected, everybody = _Expected(publisher, place), set[str]()
        self._expected[mark] = expected
        while len(self._expected) > MAX_EXPECTED:
            self._expected.popitem(last=False)

        def sent(guest: Owing) -> None:
            everybody.add(guest.id)
            expected.owing.add(guest.id)

        yield sent
        expected.sent = len(everybody)
        if not everybody:
            self._expected.pop(mark, None)
        self._tell_soon(mark, expected)

    def acknowledge(self, mark: object, connection: str) -> bool:
        """Take the acknowledgement of a client; return False if it owes none with this id."""
        expected = self._expected.get(mark) if isinstance(mark, str) else None
        if expected is None or connection not in expected.owing:
            return False
        expected.owing.discard(connection)
        expected.collected.append(connection)
        self._tell_soon(str(mark), expected)
        return True

    def arrived(self, acknowledged: Acknowledged) -> None:
        """Take acknowledgements that another node has passed on."""
        if (found := self._waiting.get(acknowledged.mark)) is not None:
            found.take(acknowledged)

    @contextmanager
    def waiting(self, mark: str) -> Iterator[Awaited]:
        """Collect what nodes tell of a publication, as long as the block runs."""
        awaited = self._waiting[mark] = Awaited()
        try:
            yield awaited
        finally:
            del self._waiting[mark]

    def _tell_soon(self, mark: str, expected: _Expected) -> None:
        self._untold[mark] = expected
        if self._passing_on is None:
            self._passing_on = asyncio.create_task(self._pass_on())

    async def _pass_on(self) -> None:
        await asyncio.sleep(SETTLE)
        untold, self._untold = self._untold, {}
        self._passing_on = None
        for mark, expected in untold.items():
            connections, expected.collected = tuple(expected.collected), []
            acknowledged = Acknowledged(mark, connections, self._node, expected.sent)
            if expected.publisher == self._node:
                self.arrived(acknowledged)
                continue
            try:
                await self._store.acknowledge(expected.place, expected.publisher, acknowledged)
            except StoreUnavailable:
                continue  # the publisher does not hear of it; it knows of its time limit
