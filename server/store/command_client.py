"""A client that sends commands by the shortest way that is as safe as the library's own.

The library's way to one reply is longer than all the rest of a request: it makes a retry that never
comes, measures for observers that nobody has added, and takes two locks for lists that only one
task at a time can change. With a pipeline it also looks in each command for some of its own.
Transactions, and scripts, go by the library's methods on the same connections.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
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

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: FBT001, FBT002 theirs
        """Return what collects commands, to be sent together."""
        if transaction:
            return super().pipeline(transaction, shard_hint)
        return _Together(self.connection_pool, self.response_callbacks, False, shard_hint)

    async def execute_together(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one write, and return their replies; errors in their places."""
        together: Any = self.pipeline(transaction=False)
        for each in commands:
            together.execute_command(*each)
        replies: list[Any] = await together.execute(raise_on_error=False)
        return replies


class _Together(Pipeline):
    """Commands that are sent together, and are no transaction."""

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 theirs
        """Send them in one write, and return their replies; errors in their places, or raised.

        The server runs them in their order, in one turn of its event loop: one that syncs before it
        replies syncs once. A connection that failed is closed, as with a single command.
        """
        if self.scripts or self.explicit_transaction or self.watching:
            return await super().execute(raise_on_error)
        commands, self.command_stack = self.command_stack, []
        if not commands:
            return []
        pool: Any = self.connection_pool
        connection: Any = await pool.get_connection()
        replies: list[Any] = []
        try:
            packed = connection.pack_commands([args for args, _ in commands])
            await connection.send_packed_command(packed)
            for each in commands:
                replies.append(await self._reply(connection, *each))  # noqa: PERF401 they are counted
        finally:
            if len(replies) < len(commands):  # the others may still come
                await connection.disconnect(nowait=True)
            await pool.release(connection)
        if raise_on_error:
            self.raise_first_error(commands, replies)
        return replies

    async def _reply(self, connection: Any, args: Any, options: Any) -> Any:
        try:
            return await self.parse_response(connection, args[0], **options)
        except ResponseError as error:
            return error
