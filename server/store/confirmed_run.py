"""One run of a script whose writes the store has to confirm: those that end sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    NoScriptError,
)

from server.core.receipt import Durability
from server.store.cluster_client import first_of, master_of
from server.store.connection import replies_of
from server.store.durability import add_probe, begin_question, end_question, judge, kept_turning

REPLICATION_MS: Final = 500
"""How long an end waits for replicas: less than the client waits for a reply."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is known of the writes of one run.

    Attributes:
        replicated: whether enough replicas have them; None if no replicas were asked for.
        durability: whether they are on the store's disk; None if the answer proves nothing.
    """

    replicated: bool | None
    durability: Durability | None


class ConfirmedRun:
    """Sends a script and the questions about its writes, together on one connection.

    A script that runs again after a lost reply writes nothing, and the store would answer for the
    earlier writes of the new connection, or for none. So every further run writes a probe.

    Args:
        client: runs it.
        script: the script.
        keys: as the script's header lists them.
        args: likewise.
        replicas: how many replicas must have its writes; 0 does not wait for any.
    """

    def __init__(
        self,
        client: Redis,
        script: AsyncScript,
        keys: Sequence[str],
        args: Sequence[str | bytes | int],
        replicas: int,
    ) -> None:
        self._client = client
        self._script = script
        self._keys = tuple(keys)
        self._first = first_of(keys)
        self._args = tuple(args)
        self._replicas = replicas
        self._runs = 0

    async def __call__(self) -> tuple[Any, Confirmation]:
        """Run it, and return its reply and what is known of its writes."""
        client = master_of(self._client, self._first)
        try:
            return await self._run(client)
        except NoScriptError:
            await client.script_load(self._script.script)
        try:
            return await self._run(client)
        except NoScriptError as error:
            raise ConnectionError("loaded into one server, and sent to another") from error

    async def _run(self, client: Redis) -> tuple[Any, Confirmation]:
        async with client.pipeline(transaction=False) as pipeline:
            begin_question(pipeline)
            pipeline.execute_command(
                "EVALSHA", self._script.sha, len(self._keys), *self._keys, *self._args
            )
            if self._runs:
                add_probe(pipeline, self._first)
            end_question(pipeline)
            if self._replicas:
                pipeline.execute_command("WAIT", self._replicas, REPLICATION_MS)
            self._runs += 1
            async with kept_turning(client):
                replies = await replies_of(pipeline)
        return self._read(replies)

    def _read(self, replies: list[Any]) -> tuple[Any, Confirmation]:
        reached = replies.pop() if self._replicas else None
        before, reply, *probe, synced, after = replies
        for each in (reply, reached):
            if isinstance(each, Exception):
                raise each
        if any(isinstance(each, Exception) for each in probe):  # as on a store that is full
            return reply, Confirmation(None if reached is None else False, Durability.UNKNOWN)
        replicated = None if reached is None else reached >= self._replicas
        return reply, Confirmation(replicated, judge(before, synced, after))
