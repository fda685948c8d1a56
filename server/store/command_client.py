"""A client that sends each command by the shortest way that is as safe as the library's own.

The library's way to one reply is longer than all the rest of a request: it makes a retry that never
comes, measures for observers that nobody has added, and takes two locks for lists that only one
task at a time can change. Pipelines and scripts go by their own methods on the same connections.
"""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    TimeoutError,  # noqa: A004 likewise
)


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
