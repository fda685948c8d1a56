"""The latest ends, read from the streams by somebody who only looks.

Nothing is written for it, and nobody waits. It costs the store one short read for each shard when
it is asked, whatever the number of sessions. Streams keep ends for a while only: this is a view of
what happens now, and no archive; the audit trail is.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.core.events import SessionsEnded
from server.core.recent_ends import Done, RecentEnd
from server.store.clock import StoreClock
from server.store.connection import execute
from server.store.control_log import REPLIES_TTL, entries_of, text_of
from server.store.entries import Entries
from server.store.names import ShardNames

SEEN_BACK: Final = timedelta(minutes=10)
"""How far the first read looks back."""
ENTRIES_PER_READ: Final = 500
READS: Final = 4
"""Of one stream, at most, each time. Behind a flood, the next time goes on where it was."""
KEPT: Final = 100


class EndWatch:
    """Reads the latest ends. Each reader has one of its own.

    Args:
        client: the store.
        entries: verifies what is read.
        clock: the store's clock.
        shards: how many shards the store has.
        is_cluster: whether answers are in the shard of each end, and not all in the first.
    """

    def __init__(
        self,
        client: Redis,
        entries: Entries,
        clock: StoreClock,
        shards: int,
        *,
        is_cluster: bool = False,
    ) -> None:
        self._client = client
        self._entries = entries
        self._clock = clock
        self._after: list[str | None] = [None] * shards
        self._is_cluster = is_cluster
        self._ends: deque[tuple[int, SessionsEnded]] = deque(maxlen=KEPT)
        """The shard, and the end."""
        self._turn = asyncio.Lock()

    async def latest(self) -> Sequence[RecentEnd]:
        """Return the latest ends, the latest first, with the answers of the nodes.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        async with self._turn:
            shards = range(len(self._after))
            found = await asyncio.gather(*(self._read(shard) for shard in shards))
            # Only now: a shard that does not answer must not cost the others their ends.
            for shard, entries in enumerate(found):
                self._after[shard] = entries[-1][0] if entries else self._after[shard]
            events = (
                (shard, self._entries.read(*entry)) for shard in shards for entry in found[shard]
            )
            new = [(shard, each) for shard, each in events if isinstance(each, SessionsEnded)]
            self._ends.extend(sorted(new, key=lambda each: each[1].at))
            done = await self._answers()
        return [RecentEnd(each, done.get(each.end_id, ())) for _, each in reversed(self._ends)]

    async def _read(self, shard: int) -> list[tuple[str, Any]]:
        """Return what one shard has had since the last time."""
        back = self._clock.now() - SEEN_BACK.total_seconds()
        return await self._entries_after(
            ShardNames(shard).control, self._after[shard] or _entry_at(back)
        )

    async def _answers(self) -> Mapping[str, tuple[Done, ...]]:
        """Return the answers to ends of the last minute, by the id of the end."""
        oldest = self._clock.now() - REPLIES_TTL.total_seconds()
        recent = {each.end_id: each.at for _, each in self._ends if each.at > oldest}
        places = [
            (ShardNames(shard if self._is_cluster else 0), each)
            for shard, each in self._ends
            if each.end_id in recent
        ]
        streams = {names.replies(each.initiator) for names, each in places}
        streams |= {names.acknowledgements for names, _ in places}
        if not streams:
            return {}
        after = _entry_at(min(recent.values()))
        found: dict[str, dict[str, Done]] = {}
        for stream in sorted(streams):
            for entry, fields in await self._entries_after(stream, after):
                answer = self._entries.overhear(fields)
                if answer is None:
                    continue
                at = int(entry.partition("-")[0]) / 1000
                for end_id in answer.closed.keys() & recent.keys():
                    seconds = max(0.0, at - recent[end_id])
                    done = Done(answer.node, answer.closed[end_id], seconds)
                    found.setdefault(end_id, {}).setdefault(answer.node, done)
        return {end_id: tuple(answers.values()) for end_id, answers in found.items()}

    async def _entries_after(self, name: str, after: str) -> list[tuple[str, Any]]:
        found = list[tuple[str, Any]]()
        for _ in range(READS):
            read = partial(self._client.xread, {name: after}, count=ENTRIES_PER_READ)
            streams = entries_of(await execute("ends", read))
            entries = [
                (text_of(entry), fields) for _, entries in streams for entry, fields in entries
            ]
            found += entries
            if len(entries) < ENTRIES_PER_READ:
                break
            after = entries[-1][0]
        return found


def _entry_at(moment: float) -> str:
    """Return an id before every entry of a moment and of later ones."""
    return f"{max(0, int(moment * 1000) - 1)}-0"
