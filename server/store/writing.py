"""How a command is written to the store: by the task that sends it, which can be cancelled.

The client library writes in a task of its own and waits by `asyncio.wait_for`. With Python 3.11
that call returns as if nothing had happened if it is cancelled just when the writing is done: the
cancellation is lost, and a background task goes on for ever.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    RedisError,
    TimeoutError,  # noqa: A004 likewise
)

AT_ONCE: Final = 16 * 1024
"""As long as a connection keeps no more bytes, nobody who writes has to wait: the loops' own limit
is larger. So there is no need for a timer."""
UVLOOP_CLOSED: Final = "the handler is closed"
"""How uvloop's `RuntimeError` ends for a write on a connection that was lost meanwhile."""


async def write(connection: AbstractConnection, command: Iterable[bytes]) -> None:
    """Write a packed command. A failure closes the connection, as part of it may be on its way.

    Args:
        connection: it is open.
        command: all parts of it.

    Raises:
        TimeoutError: the store did not take it in time.
        ConnectionError: the connection was lost.
    """
    writer: Any = connection._writer  # noqa: SLF001 - their connections are made to be subclassed
    try:
        writer.writelines(command)
        if writer.transport.get_write_buffer_size() <= AT_ONCE:
            await writer.drain()  # only looks whether the connection is lost
            return
        async with asyncio.timeout(connection.socket_timeout):
            await writer.drain()
    except BaseException as error:
        await connection.disconnect(nowait=True)
        if (failure := _failure_of(error)) is None:
            raise
        raise failure from error


def _failure_of(error: BaseException) -> RedisError | None:
    """Return the client's own error for what the loop said; both loops say it in their words."""
    match error:
        case asyncio.TimeoutError():
            return TimeoutError("Timeout writing to socket")
        case OSError():
            return ConnectionError(f"Error while writing to socket. {error}.")
        case RuntimeError() if UVLOOP_CLOSED in str(error):
            return ConnectionError(UVLOOP_CLOSED)
    return None
