"""That something is not there is believed only of a master that serves.

A master that has just become a replica goes on answering reads on the connections that it has, and
knows of nothing that began on the new master. It refuses the write behind the question, and then
all its connections are left.

These ask: loads of sessions; loads of accounts that are about to be changed, and of names and looks
that are given away; the user of a passkey; an account that an administrator names. The others need
not, for one of these reasons:

- A write of the same act came before, which a replica would have refused: the count of a try at
  signing in, or of a proof; the first step of a rename. Or the session of the request began on the
  new master, and its load has asked.
- A write follows that compares: an epoch with that of `create`, a revision with that of a save.
- Nothing is decided by it: lists that people look at, metrics, a warning in the log.
- The connection is new and has asked for the role: all commands, and each start.

What a replica still *has* is older state; a node serves by it for a lease at most (P1).
"""

from typing import Final

from redis.asyncio import Redis

from server.store.connection import execute
from server.store.names import ShardNames

NO_NODE: Final = ""
"""Its removal changes nothing, but only a master that serves does it."""


async def is_kept(client: Redis, operation: str, names: ShardNames, *keys: str) -> bool:
    """Return whether there is something that was not found, as only a master may say.

    Args:
        client: the store.
        operation: names the question in errors.
        names: of the shard.
        keys: of the shard, one of which may be there.

    Raises:
        StoreUnavailable: no master answered.
    """

    async def ask() -> list[int]:
        pipeline = client.pipeline(transaction=False)
        pipeline.exists(*keys)
        pipeline.zrem(names.nodes, NO_NODE)
        replies: list[int] = await pipeline.execute()
        return replies

    kept, _ = await execute(operation, ask)
    return bool(kept)


async def require_master(client: Redis, user: str = "", shards: int = 1) -> None:
    """Leave all connections to a server that is no master any more.

    Args:
        client: the store.
        user: canonical name of whom the question is about; a cluster has several masters.
        shards: how many shards the store has.

    Raises:
        StoreUnavailable: no master answered.
    """
    names = ShardNames.of_user(user, shards)
    await execute("ask the master", lambda: client.zrem(names.nodes, NO_NODE))
