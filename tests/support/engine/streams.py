"""The streams of one shard, as a node reads them and as scripts write them."""

from datetime import timedelta
from typing import Any, Final

import redis
from redis.asyncio import Redis

from server.core.events import Event
from server.crypto.keyring import Keyring
from server.store.clock import StoreClock
from server.store.control_log import RedisControlLog
from server.store.entries import Entries, as_mapping
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context

NAMES: Final = ShardNames(0)
NOW: Final = 1_000_000.0
KEYRING: Final = Keyring.from_secrets([KEY])
SHORT: Final = timedelta(milliseconds=1)


def entries(node: str = "n1") -> Entries:
    """A node's entries."""
    return Entries(KEYRING, quiet_context(lambda: NOW, node=node))


def log_of(
    client: Redis, node: str = "n1", *, reader: Redis | None = None, serves: bool = True
) -> RedisControlLog:
    """A node's view of the streams of one shard."""
    return RedisControlLog(
        reader or client,
        client,
        Scripts(client),
        entries(node),
        StoreClock(client),
        1,
        node,
        SHORT,
        serves=serves,
    )


def append(raw: redis.Redis, event: Event, *, stream: str = NAMES.control) -> None:
    """Append an event as a script does."""
    fields: Any = as_mapping(entries().sign(event))
    raw.xadd(stream, fields)


def begin_another_history(raw: redis.Redis) -> None:
    """Promote a replica, which this store is for a moment."""
    raw.replicaof("127.0.0.1", "1")
    raw.replicaof("NO", "ONE")


def connections(raw: redis.Redis) -> set[str]:
    """The ids of all connections to the store."""
    found: Any = raw.client_list()
    return {each["id"] for each in found}
