"""Closes the sockets of sessions that events report as ended, and acknowledges the ends."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement, Scope, SessionsEnded
from server.core.reasons import NoSession
from server.realtime.hub import Hub, SessionSockets
from server.realtime.reconciler import Reconciler
from server.sessions.pending_receipts import PendingReceipts
from server.store.stream_contract import ControlLog

log = logging.getLogger("curfew.dispatch")


class EndedSessions:
    """Carries out ends on this node.

    Args:
        hub: the sockets on this node.
        reconciler: compares sessions with the store where an event is no proof.
        control: carries acknowledgements to other nodes.
        receipts: takes the acknowledgements of this node's own ends.
        context: this node's id, clocks and counters.
    """

    def __init__(
        self,
        hub: Hub,
        reconciler: Reconciler,
        control: ControlLog,
        receipts: PendingReceipts,
        context: NodeContext,
    ) -> None:
        self._hub = hub
        self._reconciler = reconciler
        self._control = control
        self._receipts = receipts
        self._context = context
        self._closed: defaultdict[str, int] = defaultdict(int)

    async def close(self, ends: Sequence[SessionsEnded]) -> None:
        """Close the sockets of all sessions that the ends concern; the proved ones first.

        Raises:
            StoreUnavailable: some sessions could not be compared. Call again with the same ends.
        """
        for end in ends:
            with self._context.tracer.span_after(
                end.trace, "close sockets", self._facts(end)
            ) as span:
                await self._close_proved(end)
                span.add({"curfew.sockets_closed": self._closed[end.end_id]})
        for end in ends:
            await self._close_unproved(end)

    async def acknowledge(self, ends: Sequence[SessionsEnded]) -> None:
        """Acknowledge ends that were carried out: in one write, however many nodes asked for some.

        Nodes of earlier versions do not read that, so each of them gets one of its own.
        """
        closed: defaultdict[str | None, dict[str, int]] = defaultdict(dict)
        for end in ends:
            is_other = end.initiator != self._context.node
            to = None if is_other and end.is_heard_together else end.initiator
            closed[to][end.end_id] = self._closed.pop(end.end_id, 0)
        for initiator, counts in closed.items():
            await self._acknowledge(initiator, Acknowledgement(self._context.node, counts))

    async def _close_proved(self, end: SessionsEnded) -> None:
        """Close at once what the signed part of the event proves; the store is not asked."""
        no_session = NoSession(end.reason, end.end_id, end.at)
        proved = [
            each.sid for each in self._here(end) if end.proves_ended(each.sid, each.created_at)
        ]
        closed = await self._hub.close_many(proved, no_session)
        self._closed[end.end_id] += closed
        if closed:
            self._context.counts.reached("push", self._context.now() - end.at)

    async def _close_unproved(self, end: SessionsEnded) -> None:
        """Compare the remaining sessions that the event concerns with the store."""
        if sids := [each.sid for each in self._here(end)]:
            self._closed[end.end_id] += await self._reconciler.after_unproved_end(sids)

    def _facts(self, end: SessionsEnded) -> dict[str, str]:
        return {"curfew.end": end.end_id, "curfew.node": self._context.node}

    def _here(self, end: SessionsEnded) -> list[SessionSockets]:
        """Return the sessions with sockets on this node that an end concerns."""
        match end.scope:
            case Scope.SESSION:
                candidates = self._hub.find(end.sids)
            case Scope.SHARD:
                candidates = list(self._hub.sessions())
            case _:
                candidates = self._hub.sessions_of(end.user or "")
        return [each for each in candidates if end.may_include(each.sid, each.user, each.epoch)]

    async def _acknowledge(self, initiator: str | None, acknowledgement: Acknowledgement) -> None:
        if initiator == self._context.node:
            self._receipts.acknowledge(acknowledgement)
            return
        try:
            if initiator is None:
                await self._control.acknowledge_together(acknowledgement)
            else:
                await self._control.acknowledge(initiator, acknowledgement)
        except StoreUnavailable as error:
            log.warning("an acknowledgement was lost: %s", error)
