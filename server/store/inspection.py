"""What must be known of a store before it is used."""

from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.receipt import Durability
from server.store.connection import ask
from server.store.names import SHARD_COUNT


async def claim_layout(client: Redis, shards: int) -> None:
    """Note for how many shards the store is laid out, or find it noted alike.

    Raises:
        ConfigurationError: it was laid out for another number; users would not be found.
        StoreUnavailable: the store did not answer.
    """
    await ask("claim layout", lambda: client.set(SHARD_COUNT, shards, nx=True))
    found = int(await ask("claim layout", lambda: client.get(SHARD_COUNT)))
    if found != shards:
        detail = f"CURFEW_SHARDS is {shards}, but this store was laid out for {found}. Set {found}."
        raise ConfigurationError(detail)


async def durability_of(client: Redis) -> Durability:
    """What is known of a write once it is answered. A store that does not tell is `memory`.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    try:
        config = await ask("durability", lambda: client.config_get("append*"))
    except StoreUnavailable as error:
        if error.cause in {"NoPermissionError", "ResponseError"}:
            return Durability.MEMORY
        raise
    told = {_text(name): _text(value) for name, value in config.items()}
    synced = told.get("appendonly") == "yes" and told.get("appendfsync") == "always"
    return Durability.FSYNC if synced else Durability.MEMORY


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
