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
from redis.maint_notifications import MaintNotificationsConfig

from server.core.errors import StoreMoved, StoreUnavailable
from server.store.checked_connections import open_pool
from server.store.command_client import CommandClient
from server.store.master import MasterLink, MasterUnknown, is_moving, leads_elsewhere

COMMAND_TIMEOUT: Final = 0.75
"""Seconds for one reply. Two tries stay under the 2 s within which a dead store is noticed."""
CONNECT_TIMEOUT: Final = 0.5
MAX_CONNECTIONS: Final = 64
LONGEST_BLOCK: Final = timedelta(milliseconds=500)
"""A blocking read of a quiet stream is answered at least this often …"""
MOVING_PAUSES: Final = (0.02, 0.04, 0.08, 0.16, 0.32)
"""Seconds between tries while a cluster moves a slot key by key; less than one reply may take."""
READ_TIMEOUT: Final = 1.5
"""… so this many seconds of silence mean a failure: a frozen store is noticed within them."""


def open_client(url: str, link: MasterLink | None = None) -> Redis:
    """Return a client for commands. It connects at the first one; close it as a context manager.

    Args:
        url: of the store.
        link: what drops its connections, and finds the servers that Sentinel names; None for a
            client that stands alone.
    """
    return _open(url, link or MasterLink(), COMMAND_TIMEOUT, MAX_CONNECTIONS, blocks=False)


def open_reader(url: str, link: MasterLink | None = None) -> Redis:
    """Return a client with one connection, for the blocking reads of the streams.

    Args:
        url: of the store.
        link: likewise for its connection.
    """
    return _open(url, link or MasterLink(), READ_TIMEOUT, 1, blocks=True)


def _open(
    url: str, link: MasterLink, read_timeout: float, connections: int, *, blocks: bool
) -> Redis:
    pool = open_pool(
        url,
        link,
        blocks=blocks,
        max_connections=connections,
        timeout=COMMAND_TIMEOUT,
        socket_timeout=read_timeout,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # sending it would cost each new connection two round trips
        maint_notifications_config=MaintNotificationsConfig(enabled=False),  # and this another one
    )
    return CommandClient.from_pool(pool)


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
        return await _execute_again(operation, command, error.__cause__)


async def execute_at_most_once(operation: str, command: Callable[[], Awaitable[Any]]) -> Any:
    """Run `command` and return its reply; try again if a server said that nothing ran.

    Args:
        operation: names it in errors.
        command: sends it.

    Raises:
        StoreUnavailable: the store did not answer, or refused.
    """
    try:
        return await execute_once(operation, command)
    except StoreUnavailable as error:
        if not _ran_nowhere(error):
            raise
        return await _execute_again(operation, command, error.__cause__, at_most_once=True)


def _ran_nowhere(error: StoreUnavailable) -> bool:
    """Return whether a server said that it did not run the command."""
    return isinstance(error, StoreMoved) and not isinstance(error.__cause__, MasterUnknown)


async def _execute_again(
    operation: str,
    command: Callable[[], Awaitable[Any]],
    cause: BaseException | None,
    *,
    at_most_once: bool = False,
) -> Any:
    """Try again; some more times for keys that a cluster is moving, of which nothing ran."""
    for pause in MOVING_PAUSES:
        if not is_moving(cause):
            break
        await asyncio.sleep(pause)
        try:
            return await execute_once(operation, command)
        except StoreUnavailable as error:
            if at_most_once and not _ran_nowhere(error):
                raise
            cause = error.__cause__
    return await execute_once(operation, command)


async def replies_of(pipeline: Pipeline) -> list[Any]:
    """Send a pipeline, and return its replies, with errors in the places of some.

    A pipeline that failed can be sent again. The client library empties it; sent once more it would
    be answered with nothing, which is no answer of the store.

    The errors no longer hold the frames in which they were read. These hold all the replies, in a
    cycle that only the garbage collector would find. A stream that does not exist is such an error,
    with every read.
    """
    commands = pipeline.command_stack
    try:
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
    except Exception:
        pipeline.command_stack = commands
        raise
    for each in replies:
        if isinstance(each, Exception):
            each.__traceback__ = None
    return replies


async def values_of(pipeline: Pipeline) -> list[Any]:
    """Send a pipeline, and return its replies, none of which may be an error.

    So `execute` hears of a member of a cluster that lacks the key of one of the commands.

    Raises:
        RedisError: the first error among the replies.
    """
    replies = await replies_of(pipeline)
    for each in replies:
        if isinstance(each, RedisError):
            raise each
    return replies


def _may_succeed_elsewhere(cause: BaseException | None) -> bool:
    """Return whether another connection may succeed; a server that refused would refuse again.

    One that is no master has changed nothing, and another connection may lead to the master.
    """
    if isinstance(cause, MasterUnknown):
        return cause.has_moved
    failed = type(cause).__name__ in {"ConnectionError", "TimeoutError"}
    return failed or isinstance(cause, OSError | asyncio.TimeoutError) or leads_elsewhere(cause)
