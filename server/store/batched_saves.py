"""Saves of records that start in the same tick of the event loop share one script call per shard.

A call of a script costs the process four times as much as what one save adds to it, and a store
that syncs before it answers syncs once for all of them. With one save it costs nothing.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.core.errors import StoreUnavailable
from server.store.batch import fail, run_for
from server.store.names import ShardNames
from server.store.scripts import Scripts

MAX_SAVES_PER_COMMAND: Final = 64
"""The script takes about 10 us for each, and the store answers nobody else meanwhile."""
MAX_BYTES_PER_COMMAND: Final = 256 * 1024
"""Of records in all; a single one may be larger."""


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One save, as `save.lua` takes it.

    Attributes:
        keys: of this record.
        args: of this record.
        size: bytes of the record.
    """

    keys: tuple[str, ...]
    args: tuple[str | bytes | int | float, ...]
    size: int
    reply: "asyncio.Future[Any]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class BatchedSaves:
    """Collects the saves of a tick and sends them together.

    Args:
        scripts: runs `save`.
        index_ttl_ms: how long an index is kept.
    """

    def __init__(self, scripts: Scripts, index_ttl_ms: int) -> None:
        self._scripts = scripts
        self._index_ttl_ms = index_ttl_ms
        self._ticks: dict[ShardNames, list[RecordWrite]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def save(self, names: ShardNames, write: RecordWrite) -> Any:
        """Return the script's reply to one save.

        Args:
            names: of the session's shard.
            write: what to save. A caller that is cancelled takes nothing back: it may be written.

        Raises:
            StoreUnavailable: the store did not answer. The record may have been written.
        """
        if names not in self._ticks:
            self._ticks[names] = []
            asyncio.get_running_loop().call_soon(self._send, names)
        self._ticks[names].append(write)
        return await write.reply

    def _send(self, names: ShardNames) -> None:
        for part in _parts(self._ticks.pop(names)):
            run_for(self._tasks, self._save_part(names, part), [each.reply for each in part])

    async def _save_part(self, names: ShardNames, writes: Sequence[RecordWrite]) -> None:
        keys = [names.epoch, names.control, *(key for each in writes for key in each.keys)]
        args = [self._index_ttl_ms, *(arg for each in writes for arg in each.args)]
        replies = await self._scripts.run("save", keys, args)
        for each, reply in zip(writes, replies, strict=True):
            if reply[0] == b"failed":
                fail(each.reply, StoreUnavailable("save", "ResponseError"))
            elif not each.reply.done():  # its caller was cancelled
                each.reply.set_result(reply)


def _parts(writes: Sequence[RecordWrite]) -> Iterator[Sequence[RecordWrite]]:
    """Yield the writes in order, in parts that one command may carry."""
    part: list[RecordWrite] = []
    size = 0
    for each in writes:
        is_full = len(part) == MAX_SAVES_PER_COMMAND or size + each.size > MAX_BYTES_PER_COMMAND
        if part and is_full:
            yield part
            part, size = [], 0
        part.append(each)
        size += each.size
    yield part
