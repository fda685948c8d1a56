"""The Redis client: its timeouts, its connections, and how its failures are reported.

Timeouts are short and explicit, and the client library retries nothing: its own retries would run a
write twice whose reply was lost, and with its defaults it takes 59 s to notice a frozen server.
`execute` retries once, so it is for reads and for scripts that take an operation id.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from server.core.errors import StoreMoved, StoreUnavailable
from server.store.master import MasterLink, leads_elsewhere

COMMAND_TIMEOUT: Final = 0.75
"""Seconds for one reply. Two tries stay under the 2 s within which a dead store is noticed."""
CONNECT_TIMEOUT: Final = 0.5
MAX_CONNECTIONS: Final = 64
LONGEST_BLOCK: Final = timedelta(milliseconds=500)
"""A blocking read of a quiet stream is answered at least this often …"""
READ_TIMEOUT: Final = 1.5
"""… so this many seconds of silence mean a failure: a frozen store is noticed within them."""


def open_client(url: str, link: MasterLink | None = None) -> Redis:
    """Return a client for commands. It connects at the first one; close it as a context manager.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        link: what drops its connections; None for a client that stands alone.
    """
    return _open(url, link or MasterLink(), COMMAND_TIMEOUT, MAX_CONNECTIONS)


def open_reader(url: str, link: MasterLink | None = None) -> Redis:
    """Return a client with one connection, for the blocking reads of the streams.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        link: what drops its connection; None for a client that stands alone.
    """
    return _open(url, link or MasterLink(), READ_TIMEOUT, 1)


def _open(url: str, link: MasterLink, read_timeout: float, connections: int) -> Redis:
    pool = link.open_pool(
        url,
        max_connections=connections,
        timeout=COMMAND_TIMEOUT,
        socket_timeout=read_timeout,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # sending it would cost each new connection two round trips
    )
    return Redis.from_pool(pool)


async def execute_once(operation: str, command: Callable[[], Awaitable[Any]]) -> Any:
    """Run `command` and return its reply.

    Args:
        operation: names it in errors.
        command: sends it.

    Raises:
        StoreMoved: the server is not a master that serves.
        StoreUnavailable: the store did not answer, or refused.
    """
    try:
        return await command()
    except NoScriptError:
        raise
    except (TimeoutError, RedisError, OSError) as error:
        kind = StoreMoved if leads_elsewhere(error) else StoreUnavailable
        raise kind(operation, _name_of(error)) from error


def _name_of(error: Exception) -> str:
    """Return the error's name; for a connection that TLS refused, the name of TLS's error."""
    cause = error.__cause__ or error.__context__
    return type(cause if isinstance(cause, ssl.SSLError) else error).__name__


async def execute(operation: str, command: Callable[[], Awaitable[Any]]) -> Any:
    """Run `command` and return its reply; try again once if another connection may succeed.

    Args:
        operation: names it in errors.
        command: sends it. It may run twice.

    Raises:
        StoreUnavailable: the store did not answer, or refused.
    """
    try:
        return await execute_once(operation, command)
    except StoreUnavailable as error:
        if not _may_succeed_elsewhere(error.__cause__):
            raise
        return await execute_once(operation, command)


async def replies_of(pipeline: Pipeline) -> list[Any]:
    """Send a pipeline, and return its replies, with errors in the places of some.

    The errors no longer hold the frames in which they were read. These hold all the replies, in a
    cycle that only the garbage collector would find. A stream that does not exist is such an error,
    with every read.
    """
    replies: list[Any] = await pipeline.execute(raise_on_error=False)
    for each in replies:
        if isinstance(each, Exception):
            each.__traceback__ = None
    return replies


def _may_succeed_elsewhere(cause: BaseException | None) -> bool:
    """Return whether another connection may succeed; a server that refused would refuse again.

    One that is no master has changed nothing, and another connection may lead to the master.
    """
    failed = type(cause).__name__ in {"ConnectionError", "TimeoutError"}
    return failed or isinstance(cause, OSError | asyncio.TimeoutError) or leads_elsewhere(cause)
