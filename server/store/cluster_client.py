"""A client whose commands each go to the master that serves their keys."""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.crc import key_slot
from redis.exceptions import ClusterDownError
from redis.exceptions import ConnectionError as ClientConnectionError

from server.core.errors import StoreUnavailable
from server.core.store_url import Place
from server.store.cluster import Cluster
from server.store.connection import open_client, open_reader, replies_of
from server.store.information import INFO
from server.store.names import SHARD_COUNT

_HOME: Final = SHARD_COUNT
"""A key of the shard whose master answers what is about no key, such as the time."""
KEYLESS: Final = frozenset({"INFO", INFO, "WAIT", "WAITAOF", "SCRIPT LOAD", "SCRIPT EXISTS"})
"""Commands with words that are no keys."""


class ClusterClient(Redis):
    """Finds the master of each command by its first key. All keys of a command are in one shard.

    Args:
        cluster: knows the masters.
        blocks: whether the commands are blocking reads; there is one connection then.
    """

    def __init__(self, cluster: Cluster, *, blocks: bool = False) -> None:
        self._clients: dict[Place, Redis] = {}
        super().__init__(connection_pool=_PoolsOfMasters(self._clients))
        self._cluster = cluster
        self._open = open_reader if blocks else open_client
        self._reads: dict[Place, _TickReads] = {}
        self._scans: dict[str, Place] = {}

    def of(self, key: str | bytes) -> Redis:
        """Return a client of the master that serves a key now.

        Raises:
            ClusterDownError: nobody is known to.
        """
        return self._at(self._place_of(key))

    def masters(self) -> list[Redis]:
        """Return a client of each master."""
        return [self._at(place) for place in self._cluster.map.masters()]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command on the master of its first key."""
        if args[0] == "SCAN":
            return await self._scan(*args, **options)
        return await self.of(key_of(args) or _HOME).execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: FBT001, FBT002, ARG002 theirs
        """Return a pipeline whose commands go to the masters of their keys."""
        return _RoutedPipeline(self)

    def mget(self, keys: Any, *others: Any) -> Any:
        """Read keys of one shard. Reads of one tick from one master share a round trip."""
        wanted = [*([keys] if isinstance(keys, str | bytes) else keys), *others]
        place = self._place_of(wanted[0])
        if place not in self._reads:
            self._reads[place] = _TickReads(self._at(place), partial(self._reads.pop, place))
        return self._reads[place].read(wanted)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: ARG002, FBT001 theirs
        """Close the connections to all masters."""
        for each in self._clients.values():
            await each.aclose()

    async def _scan(self, *args: Any, **options: Any) -> Any:
        """Scan the master of a pattern's shard, and make sure that it serves that shard.

        A cursor means nothing to another master, and one that has lost the slot finds nothing.
        """
        pattern, cursor = str(key_of(args)), int(args[1])
        place = self._place_of(pattern)
        if cursor and self._scans.get(pattern) != place:
            raise ClientConnectionError("the keys moved to another master during a scan")
        self._scans[pattern] = place
        async with self._at(place).pipeline(transaction=False) as pipeline:
            pipeline.execute_command(*args, **options)
            pipeline.exists(pattern)
            found, _ = await pipeline.execute()
        return found

    def _place_of(self, key: str | bytes) -> Place:
        slot = key_slot(key.encode() if isinstance(key, str) else key)
        place = self._cluster.map.owner(slot)
        if place is None:
            raise ClusterDownError("no master is known", status_code="CLUSTERDOWN")
        return place

    def _at(self, place: Place) -> Redis:
        if place not in self._clients:
            self._clients[place] = self._open(self._cluster.url(place), self._cluster.link(place))
        return self._clients[place]


class _RoutedPipeline(Pipeline):
    """Collects commands, and sends each to the master of its key."""

    def __init__(self, client: ClusterClient) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, False, None)
        self._client = client

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 theirs
        """Send them, and return the replies. A command without a key goes where the first one goes.

        Those for several masters go to each at the same time.
        """
        keys = [key_of(args) for args, _ in self.command_stack]
        first = next((each for each in keys if each is not None), _HOME)
        places: dict[Redis, list[int]] = {}
        for number, key in enumerate(keys):
            places.setdefault(self._client.of(first if key is None else key), []).append(number)
        found = await asyncio.gather(
            *(self._send(to, numbers, raise_on_error) for to, numbers in places.items())
        )
        replies = dict(zip(itertools.chain(*places.values()), itertools.chain(*found), strict=True))
        return [replies[number] for number in range(len(keys))]

    async def _send(self, to: Redis, numbers: Sequence[int], raise_on_error: bool) -> list[Any]:  # noqa: FBT001 theirs
        async with to.pipeline(transaction=False) as pipeline:
            pipeline.command_stack = [self.command_stack[number] for number in numbers]
            replies: list[Any] = await pipeline.execute(raise_on_error)
        return replies


class _TickReads:
    """The reads that one master gets in one tick of the event loop, in one round trip.

    Args:
        client: of the master.
        on_send: called when no more reads are taken.
    """

    def __init__(self, client: Redis, on_send: Callable[[], object]) -> None:
        self._client = client
        self._on_send = on_send
        self._waiting: list[tuple[Sequence[str | bytes], asyncio.Future[Any]]] = []
        self._task = asyncio.create_task(self._send())

    def read(self, keys: Sequence[str | bytes]) -> "asyncio.Future[Any]":
        """Return the future values of some keys, all of one slot."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, reply))
        return reply

    async def _send(self) -> None:
        self._on_send()
        try:
            replies = await self._replies()
        except Exception as error:  # noqa: BLE001 - it is theirs who wait
            replies = [error] * len(self._waiting)
        for (_, waiting), reply in zip(self._waiting, replies, strict=True):
            if waiting.done():  # its caller was cancelled
                continue
            if isinstance(reply, Exception):
                waiting.set_exception(reply)
            else:
                waiting.set_result(reply)

    async def _replies(self) -> list[Any]:
        if len(self._waiting) == 1:
            return [await self._client.mget(self._waiting[0][0])]
        async with self._client.pipeline(transaction=False) as pipeline:
            for keys, _ in self._waiting:
                pipeline.mget(keys)
            return await replies_of(pipeline)


class _PoolsOfMasters(ConnectionPool):
    """Stands for the pools of all masters.

    Args:
        clients: of the masters.
    """

    def __init__(self, clients: Mapping[Place, Redis]) -> None:
        super().__init__()
        self._clients = clients

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 theirs
        """Drop the connections to all masters."""
        for each in list(self._clients.values()):
            await each.connection_pool.disconnect(inuse_connections)


def key_of(command: Sequence[Any]) -> str | bytes | None:
    """Return the first key of a command; None if it is about no key."""
    match command:
        case ("EVALSHA", _, number, *words):
            return _as_key(words[0]) if number else None
        case ("SCAN", _, b"MATCH", pattern, *_):
            return _as_key(pattern)
        case ("XREAD", *words):
            return _as_key(words[words.index(b"STREAMS") + 1])
        case (name, key, *_) if name not in KEYLESS:
            return _as_key(key)
    return None


def _as_key(word: Any) -> str | bytes:
    return word if isinstance(word, str | bytes) else str(word)


def first_of(keys: Sequence[str | bytes]) -> str | bytes:
    """Return the key by which a script finds its master."""
    return keys[0] if keys else _HOME


def master_of(client: Redis, key: str | bytes) -> Redis:
    """Return the client of the one server that has a key now, for commands that belong together."""
    return client.of(key) if isinstance(client, ClusterClient) else client


def masters_of(client: Redis) -> list[Redis]:
    """Return a client of each server that has keys.

    Raises:
        StoreUnavailable: nobody may connect to one of them.
    """
    try:
        return client.masters() if isinstance(client, ClusterClient) else [client]
    except ClusterDownError as error:
        raise StoreUnavailable("the masters", "ClusterDownError") from error
