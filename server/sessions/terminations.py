"""Terminations: ends sessions and answers with a receipt that tells the truth.

The session is dead in the store when the script has run; what is waited for afterwards is every
listed node's word that it has closed the sockets and serves the session no more (P1).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from server.core.audit import AuditEvent, Record
from server.core.reasons import Reason
from server.core.receipt import Durability, NodeCounts, Receipt, State
from server.core.session import Session
from server.store.contract import Ended, SessionStore

log = logging.getLogger("curfew.terminations")


class Waiting(Protocol):
    """Collects what nodes say about one end."""

    @property
    def sockets_closed(self) -> int:
        """By all nodes that acknowledged."""

    async def wait_for(self, nodes: Mapping[str, float], wait: timedelta) -> NodeCounts:
        """Wait until all `nodes` acknowledged or lost their lease, but not longer than `wait`."""


class Desk(Protocol):
    """Where acknowledgements arrive."""

    def expecting(self, end_id: str) -> AbstractContextManager[Waiting]:
        """Collect acknowledgements of `end_id`, from before it exists."""


End = Callable[[str], Awaitable[Ended]]
"""Carries out the end with the given event id."""


class Terminations:
    """Ends sessions: one, all others, all of a user, everything.

    Args:
        store: where sessions are.
        desk: where acknowledgements arrive.
        random: cryptographically strong random bytes, as many as asked for.
        node: this node's id.
        wait: how long a caller waits for other nodes.
        durability: what is known of the store's writes.
        monotonic: seconds, never set back.
        terminated: told of every receipt.
        record: told what is worth looking into.
    """

    def __init__(
        self,
        store: SessionStore,
        desk: Desk,
        random: Callable[[int], bytes],
        node: str,
        wait: timedelta,
        durability: Durability,
        monotonic: Callable[[], float],
        terminated: Callable[[Reason, Receipt], object],
        record: Record,
    ) -> None:
        self._store = store
        self._desk = desk
        self._random = random
        self._node = node
        self._wait = wait
        self._monotonic = monotonic
        self._terminated = terminated
        self._record = record
        self.durability = durability

    async def one(self, session: Session, reason: Reason) -> Receipt:
        """End one session. One that had ended before counts as none, and is no fault.

        Raises:
            StoreUnavailable: not known to have ended; asking again is safe.
        """

        async def end(end_id: str) -> Ended:
            return await self._store.end_session(
                session.sid, user=session.user, end_id=end_id, reason=reason, initiator=self._node
            )

        return await self._with_receipt(reason, session.user or "", end)

    async def all_of(self, user: str, reason: Reason, *, keep: str | None = None) -> Receipt:
        """End all sessions of a user, and any sign-in under way, but for the session `keep`.

        Raises:
            StoreUnavailable: not known to have ended; asking again is safe.
        """

        async def end(end_id: str) -> Ended:
            return await self._store.end_user(
                user, keep=keep, end_id=end_id, reason=reason, initiator=self._node
            )

        return await self._with_receipt(reason, user, end)

    async def everything(self, reason: Reason) -> list[Receipt]:
        """End all sessions of everybody; a receipt for each shard.

        Raises:
            StoreUnavailable: the shards before the failing one have ended; asking again is safe.
        """
        return [await self._shard(shard, reason) for shard in range(self._store.shards)]

    async def _shard(self, shard: int, reason: Reason) -> Receipt:
        async def end(end_id: str) -> Ended:
            return await self._store.end_shard(
                shard, end_id=end_id, reason=reason, initiator=self._node
            )

        receipt = await self._with_receipt(reason, "", end)
        self._record(AuditEvent.SESSION_ENDED, reason=reason.value, end=receipt.end_id, shard=shard)
        return receipt.with_sessions(await self._store.sweep_shard(shard))

    async def _with_receipt(self, reason: Reason, user: str, end: End) -> Receipt:
        started, end_id = self._monotonic(), self._random(16).hex()
        with self._desk.expecting(end_id) as waiting:
            ended = await end(end_id)
            for sid in ended.sids:
                self._record(
                    AuditEvent.SESSION_ENDED, user=user, sid=sid, reason=reason.value, end=end_id
                )
            counts = await waiting.wait_for(ended.nodes, self._wait)
            receipt = Receipt(
                end_id=end_id,
                state=State.PENDING if ended.replicated is False else counts.state,
                sessions=len(ended.sids),
                sockets_closed=waiting.sockets_closed,
                nodes=counts,
                durability=Durability.REPLICAS if ended.replicated else self.durability,
                elapsed_ms=(self._monotonic() - started) * 1000,
            )
        self._terminated(reason, receipt)
        log.info("terminated", extra={"reason": reason.value, **receipt.as_json()})
        return receipt
