"""Writing a command: it can be cancelled at every moment, and its failures are the client's own."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest
from redis.asyncio import Connection, Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    TimeoutError,  # noqa: A004 likewise
)

from server.store.writing import AT_ONCE, write

KEY = "curfew:{00}:where"
TURNS = 12
"""More turns of the loop than a command takes to be written."""


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("number", range(TURNS))
async def test_a_task_that_asks_the_store_is_cancelled_at_any_moment(
    client: Redis, number: int
) -> None:
    async def ask_and_stay() -> None:
        await client.get(KEY)
        await asyncio.Event().wait()

    await client.get(KEY)
    asking = asyncio.create_task(ask_and_stay())
    await turns(number)
    asking.cancel()
    await asyncio.wait([asking], timeout=1)
    assert asking.cancelled()


class Refusing:
    """Writes nothing, and says why."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error
        self.transport = self

    def get_write_buffer_size(self) -> int:
        """Say that the store has taken nothing for long."""
        return AT_ONCE + 1

    def writelines(self, _: Iterable[bytes]) -> None:
        """Fail."""
        if self._error:
            raise self._error

    async def drain(self) -> None:
        """Never end."""
        await asyncio.Event().wait()

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, TimeoutError),
        (ConnectionResetError("reset"), ConnectionError),
        (RuntimeError("unable to perform operation; the handler is closed"), ConnectionError),
        (RuntimeError("a mistake"), RuntimeError),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
    ids=repr,
)
async def test_a_failure_closes_the_connection(
    error: BaseException | None, expected: type[BaseException]
) -> None:
    connection: Any = Connection(socket_timeout=0.01)
    connection._reader = connection._writer = cast("Any", Refusing(error))
    with pytest.raises(expected):
        await write(connection, [b"x"])
    assert not connection.is_connected
