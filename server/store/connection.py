"""The Redis client: how it is opened, what it may take, and how its failures are told.

Timeouts are short and explicit, and nothing is retried behind our back: redis-py's own retries
execute a write again whose reply was lost, and its defaults take 59 s to notice a frozen server.
`ask` retries once, so it is for reads and for scripts that carry an operation id.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from server.core.errors import StoreUnavailable

COMMAND_TIMEOUT: Final = 0.75
"""Seconds for one reply. Two tries stay under the 2 s within which a dead store is noticed."""
CONNECT_TIMEOUT: Final = 0.5
MAX_CONNECTIONS: Final = 64
LONGEST_BLOCK: Final = timedelta(milliseconds=500)
"""A quiet stream answers a blocking read at least this often …"""
READ_TIMEOUT: Final = 1.5
"""… so that silence for this many seconds means trouble: a frozen store is noticed within it."""


def open_client(url: str) -> Redis:
    """A client for commands; it connects at the first one, and is closed as a context manager.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
    """
    return _open(url, COMMAND_TIMEOUT, MAX_CONNECTIONS)


def open_reader(url: str) -> Redis:
    """A client with one connection, for the blocking reads of the streams."""
    return _open(url, READ_TIMEOUT, 1)


def _open(url: str, read_timeout: float, connections: int) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=COMMAND_TIMEOUT,
        socket_timeout=read_timeout,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        client_name="curfew",
        driver_info=None,  # telling it would cost each new connection two round trips
    )
    return Redis.from_pool(pool)


async def ask_once(operation: str, command: Callable[[], Awaitable[Any]]) -> Any:
    """The answer to `command`.

    Raises:
        StoreUnavailable: the store did not answer, or answered that it cannot.
    """
    try:
        return await command()
    except NoScriptError:
        raise
    except (TimeoutError, RedisError, OSError) as error:
        raise StoreUnavailable(operation, _name_of(error)) from error


def _name_of(error: Exception) -> str:
    """What to look into: behind a failed connection, the reason why TLS refused the store."""
    cause = error.__cause__ or error.__context__
    return type(cause if isinstance(cause, ssl.SSLError) else error).__name__


async def ask(operation: str, command: Callable[[], Awaitable[Any]]) -> Any:
    """The answer to `command`, which is tried again when its connection failed.

    Raises:
        StoreUnavailable: the store did not answer, or answered that it cannot.
    """
    try:
        return await ask_once(operation, command)
    except StoreUnavailable as error:
        if not _lost_reply(error.__cause__):
            raise
        return await ask_once(operation, command)


def _lost_reply(cause: BaseException | None) -> bool:
    """Whether another connection may fare better; a server that refused will refuse again."""
    return isinstance(cause, OSError | asyncio.TimeoutError) or type(cause).__name__ in {
        "ConnectionError",
        "TimeoutError",
    }
