"""Scripts that start in the same tick of the event loop share one round trip to their master.

A store that syncs before it answers then syncs once for all of them. Saves share even the script,
which is cheaper (`batched_saves.py`); here are different scripts, each with a reply of its own.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from server.store.command_client import Command, CommandClient


class _Waiting(NamedTuple):
    command: Command
    reply: "asyncio.Future[Any]"


class SharedTrips:
    """Collects the commands of a tick and sends those for the same master together."""

    def __init__(self) -> None:
        self._ticks: dict[Redis, list[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, client: Redis, command: Command) -> Any:
        """Send a command with the others of this tick, and return its reply.

        Args:
            client: of the master. A caller that is cancelled takes nothing back: it may have run.
            command: with its name in front.

        Raises:
            Exception: what the client raises. A failed connection fails all that shared it; a
                refusal is only for the command that was refused.
        """
        loop = asyncio.get_running_loop()
        if client not in self._ticks:
            self._ticks[client] = []
            loop.call_soon(self._begin, client)
        waiting = _Waiting(command, loop.create_future())
        self._ticks[client].append(waiting)
        return await waiting.reply

    def _begin(self, client: Redis) -> None:
        task = asyncio.create_task(_send(client, self._ticks.pop(client)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _send(client: Redis, waiting: Sequence[_Waiting]) -> None:
    """Send commands, and give each its reply or its error. Nobody waits on when it is over."""
    try:
        replies = await _replies(client, [each.command for each in waiting])
    except BaseException as error:
        for each in waiting:
            _end(each.reply, error)
        if not isinstance(error, Exception):
            raise
    else:
        for each, reply in zip(waiting, replies, strict=True):
            _end(each.reply, reply)


async def _replies(client: Redis, commands: Sequence[Command]) -> Sequence[Any]:
    if len(commands) > 1 and isinstance(client, CommandClient):
        return await client.execute_together(commands)
    return await asyncio.gather(
        *(client.execute_command(*each) for each in commands),  # type: ignore[no-untyped-call]
        return_exceptions=True,
    )


def _end(reply: "asyncio.Future[Any]", found: Any) -> None:
    if reply.done():  # its caller was cancelled
        return
    if isinstance(found, asyncio.CancelledError):
        reply.cancel()
    elif isinstance(found, BaseException):
        reply.set_exception(found)
    else:
        reply.set_result(found)
