"""Ends in the store, each one an atomic script. The other half of the session store."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis

from server.core.events import EVERYTHING, Scope
from server.core.reasons import Reason
from server.core.session import Rules
from server.core.token import shard_of_sid
from server.store.codec import read_tombstone
from server.store.contract import Ended
from server.store.entries import Entries
from server.store.names import ShardNames, shard_of_user
from server.store.scanning import scan
from server.store.scripts import Scripts

RECORD_KEPT_AFTER_EXPIRY: Final = timedelta(hours=1)
"""So that a person who comes back after lunch is told why, and not only that, it ended."""
ENDS_REMEMBERED: Final = timedelta(days=1)
"""How long an end of many sessions is remembered, against sign-ins that were under way and against
requests that come again: longer than either can take."""


class EndsOfSessions:
    """Ends one, all of a user, everything; what `SessionStore` says of ends."""

    def __init__(
        self, client: Redis, scripts: Scripts, entries: Entries, rules: Rules, shards: int
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._entries = entries
        self._rules = rules
        self.shards = shards

    def shard_of(self, user: str) -> int:
        return shard_of_user(user, self.shards)

    async def end(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        names = self._names(sid)
        entry = self._entries.of_end(
            Scope.SESSION,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=names.shard,
            user=user,
            sids=sid,
        )
        (earlier, *nodes), replicated = await self._scripts.end(
            "end_session",
            [
                names.session(sid),
                names.ended(sid),
                names.epoch,
                names.index(user or ""),
                names.control,
                names.nodes,
            ],
            [end_id, sid, reason.value, self._absolute_ms, *entry],
        )
        if earlier == b"ended":
            return Ended((sid,), _leases(nodes), replicated=replicated)
        return Ended((), _leases(nodes), read_tombstone(earlier), replicated)

    async def end_user(
        self, user: str, *, keep: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        names = ShardNames(self.shard_of(user))
        entry = self._entries.of_end(
            Scope.USER,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=names.shard,
            user=user,
            keep=keep,
        )
        (sids, *nodes), replicated = await self._scripts.end(
            "end_user",
            [
                names.index(user),
                names.user_epoch(user),
                names.control,
                names.nodes,
                names.carried_out(end_id),
                names.epoch,
            ],
            [
                end_id,
                reason.value,
                keep or "",
                self._absolute_ms,
                names.prefix,
                milliseconds(ENDS_REMEMBERED),
                *entry,
            ],
        )
        return Ended(tuple(sids.decode().split()), _leases(nodes), replicated=replicated)

    async def end_shard(self, shard: int, *, end_id: str, reason: Reason, initiator: str) -> Ended:
        names = ShardNames(shard)
        entry = self._entries.of_end(
            Scope.SHARD,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=shard,
            sids=EVERYTHING,
        )
        nodes, replicated = await self._scripts.end(
            "end_shard",
            [names.epoch, names.control, names.nodes, names.carried_out(end_id)],
            [end_id, reason.value, milliseconds(ENDS_REMEMBERED), *entry],
        )
        return Ended((), _leases(nodes), replicated=replicated)

    async def sweep_shard(self, shard: int) -> int:
        names, swept = ShardNames(shard), 0
        async for keys in scan(self._client, names.session("*")):
            swept += await self._scripts.run(
                "sweep", [names.epoch, *keys], [names.prefix, self._absolute_ms]
            )
        return swept

    def _names(self, sid: str) -> ShardNames:
        return ShardNames(shard_of_sid(sid))

    @property
    def _absolute_ms(self) -> int:
        """How long anything about a session can matter: no cookie of it is older than this."""
        return milliseconds(self._rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY)


def milliseconds(duration: timedelta) -> int:
    """As the scripts take durations."""
    return int(duration / timedelta(milliseconds=1))


def pairs(flat: Sequence[Any]) -> Iterable[tuple[bytes, bytes]]:
    """Names with their values, as scripts answer them by turns."""
    return zip(flat[::2], flat[1::2], strict=True)


def _leases(flat: Sequence[Any]) -> dict[str, float]:
    return {node.decode(): float(ends_at) for node, ends_at in pairs(flat)}
