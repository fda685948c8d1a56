"""Ends sessions and returns receipts that state only what is known.

A session is dead in the store as soon as the script has run. The wait that follows is for every
listed node to confirm that it has closed the sockets and no longer serves the session (P1).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.reasons import Reason
from server.core.receipt import Durability, Receipt, State
from server.core.session import Session
from server.sessions.pending_receipts import PendingReceipts
from server.store.contract import Ended, SessionStore

log = logging.getLogger("curfew.terminations")

WriteEnd = Callable[[str], Awaitable[Ended]]
"""Writes the end with the given id to the store."""


class Terminations:
    """Ends sessions: one, all others, all of a user, all of everybody.

    Args:
        store: the session store.
        receipts: collects the acknowledgements of nodes.
        wait: how long a caller waits for other nodes.
        context: this node's id, clocks, randomness, counters and audit trail.
    """

    def __init__(
        self,
        store: SessionStore,
        receipts: PendingReceipts,
        wait: timedelta,
        context: NodeContext,
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._wait = wait
        self._context = context

    async def one(self, session: Session, reason: Reason) -> Receipt:
        """End one session. If it had already ended, the receipt counts no session.

        Raises:
            StoreUnavailable: it is not known whether the session ended; trying again is safe.
        """
        return await self._one(session.sid, session.user, reason)

    async def unopened(self, sid: str, reason: Reason) -> Receipt:
        """End a session whose record does not open here, so that nobody knows whose it is.

        Raises:
            StoreUnavailable: it is not known whether the session ended; trying again is safe.
        """
        return await self._one(sid, None, reason)

    async def _one(self, sid: str, user: str | None, reason: Reason) -> Receipt:
        async def write(end_id: str) -> Ended:
            return await self._store.end_session(
                sid, user=user, end_id=end_id, reason=reason, initiator=self._context.node
            )

        return await self._end(reason, user or "", write)

    async def all_of(self, user: str, reason: Reason, *, keep: str | None = None) -> Receipt:
        """End all sessions of a user, and any sign-in under way.

        Args:
            user: the canonical user name.
            reason: why they end.
            keep: the id of a session that goes on.

        Raises:
            StoreUnavailable: it is not known whether they ended; trying again is safe.
        """

        async def write(end_id: str) -> Ended:
            return await self._store.end_user(
                user, keep=keep, end_id=end_id, reason=reason, initiator=self._context.node
            )

        return await self._end(reason, user, write)

    async def by(self, write: WriteEnd, user: str, reason: Reason) -> Receipt:
        """End sessions of a user by a step that also changes something else.

        Args:
            write: does it; the ids of the sessions that it ended are in what it returns.
            user: the canonical user name.
            reason: why they end.
        """
        return await self._end(reason, user, write)

    async def everything(self, reason: Reason) -> list[Receipt]:
        """End all sessions of everybody; return a receipt for each shard.

        All shards end at the same time. Their records are removed when all have ended.

        Raises:
            StoreUnavailable: only some shards have ended; trying again is safe.
        """
        shards = range(self._store.shards)
        ends = [self._shard(shard, reason) for shard in shards]
        done = await asyncio.gather(*ends, return_exceptions=True)
        if failures := [each for each in done if isinstance(each, BaseException)]:
            raise failures[0]
        receipts = [each for each in done if isinstance(each, Receipt)]
        return [
            receipt.with_sessions(await self._store.sweep_shard(shard))
            for shard, receipt in zip(shards, receipts, strict=True)
        ]

    async def _shard(self, shard: int, reason: Reason) -> Receipt:
        async def write(end_id: str) -> Ended:
            return await self._store.end_shard(
                shard, end_id=end_id, reason=reason, initiator=self._context.node
            )

        receipt = await self._end(reason, "", write)
        self._context.record(
            AuditEvent.SESSION_ENDED, reason=reason.value, end=receipt.end_id, shard=shard
        )
        return receipt

    async def _end(self, reason: Reason, user: str, write: WriteEnd) -> Receipt:
        """Write an end, wait for the nodes, and return the receipt."""
        started, end_id = self._context.monotonic(), self._context.new_id()
        tracer, facts = self._context.tracer, {"curfew.end": end_id, "curfew.reason": reason.value}
        with (
            tracer.span("end sessions", facts) as span,
            self._receipts.expecting(end_id) as pending,
        ):
            with tracer.span("write the end", facts):  # what the other nodes do comes after this
                ended = await write(end_id)
            for sid in ended.sids:
                self._context.record(
                    AuditEvent.SESSION_ENDED, user=user, sid=sid, reason=reason.value, end=end_id
                )
            with tracer.span("wait for the nodes", facts):
                nodes = await pending.wait_for(ended, self._wait)
            receipt = Receipt(
                end_id=end_id,
                state=State.PENDING if ended.replicated is False else nodes.state,
                sessions=len(ended.sids),
                sockets_closed=pending.sockets_closed,
                nodes=nodes,
                durability=Durability.REPLICAS if ended.replicated else ended.durability,
                elapsed_ms=(self._context.monotonic() - started) * 1000,
            )
            span.add({"curfew.state": receipt.state.value, "curfew.sessions": receipt.sessions})
        self._context.counts.terminated(reason, receipt)
        log.info("terminated", extra={"reason": reason.value, **receipt.as_json()})
        return receipt
