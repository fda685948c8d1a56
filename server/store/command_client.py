"""A client that sends each command by the shortest way that is as safe as the library's own.

The library's way to one reply is longer than all the rest of a request: it makes a retry that never
comes, measures for observers that nobody has added, and takes two locks for lists that only one
task at a time can change. Pipelines and scripts go by their own methods on the same connections.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    ResponseError,
    TimeoutError,  # noqa: A004 likewise
)

Command = tuple[str | bytes | int | float, ...]
"""Its words."""


class CommandClient(Redis):
    """A client whose pool has no retries, as `server.store.connection` opens it."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command on a connection of the pool, and return its reply.

        A connection that failed is closed: the reply may still come, and is not the next one's.
        """
        pool: Any = self.connection_pool
        connection: Any = await pool.get_connection()
        try:
            await connection.send_packed_command(connection.pack_command(*args))
            return await self.parse_response(connection, args[0], **options)
        except (ConnectionError, TimeoutError, OSError):
            await connection.disconnect()
            raise
        finally:
            await pool.release(connection)

    async def execute_together(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one write, and return their replies.

        The server runs them in their order, in one turn of its event loop: one that syncs before it
        replies syncs once. If it refuses one, the error is in the place of its reply.
        """
        pool: Any = self.connection_pool
        connection: Any = await pool.get_connection()
        replies: list[Any] = []
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            for name, *_ in commands:
                replies.append(await self._reply_or_refusal(connection, name))
        finally:
            if len(replies) < len(commands):  # the others may still come
                await connection.disconnect(nowait=True)
            await pool.release(connection)
        return replies

    async def _reply_or_refusal(self, connection: Any, name: Any) -> Any:
        try:
            return await self.parse_response(connection, name)
        except ResponseError as refusal:
            return refusal
