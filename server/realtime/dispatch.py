"""What this node does about events: closes, tells, and acknowledges to whoever waits."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from server.core import messages
from server.core.counts import Counts
from server.core.errors import StoreUnavailable
from server.core.events import (
    Acknowledgement,
    Event,
    MessageSent,
    Scope,
    SessionExtended,
    SessionsChanged,
    SessionsEnded,
    TokenRotated,
)
from server.core.reasons import NoSession
from server.realtime.deadlines import DeadlineTimers
from server.realtime.hub import Hub, SessionSockets
from server.realtime.messenger import Messenger
from server.realtime.pending_receipts import PendingReceipts
from server.realtime.reconciler import Reconciler
from server.realtime.rejected_entries import RejectedEntries
from server.store.contract import Batch, ControlLog

log = logging.getLogger("curfew.dispatch")


class Dispatch:
    """Applies batches of events to the hub.

    Args:
        node: this node's id.
        hub: the sockets here.
        deadlines: hears of extended sessions.
        desk: where this node's own terminations wait.
        control: carries acknowledgements to other nodes.
        messenger: delivers messages.
        reconciler: looks at sessions in doubt.
        refusals: told of entries that are not acted on.
        now: the store's clock, in Unix seconds.
        counts: told of closed sockets.
    """

    def __init__(
        self,
        node: str,
        hub: Hub,
        deadlines: DeadlineTimers,
        desk: PendingReceipts,
        control: ControlLog,
        messenger: Messenger,
        reconciler: Reconciler,
        refusals: RejectedEntries,
        now: Callable[[], float],
        counts: Counts,
    ) -> None:
        self._now = now
        self._counts = counts
        self._node = node
        self._hub = hub
        self._deadlines = deadlines
        self._desk = desk
        self._control = control
        self._messenger = messenger
        self._reconciler = reconciler
        self._refusals = refusals
        self._closed: defaultdict[str, int] = defaultdict(int)

    async def apply(self, batch: Batch) -> None:
        """Carry out a batch, ends first; all ends of one initiator share one acknowledgement.

        Raises:
            StoreUnavailable: sessions in doubt could not be looked at. The batch must come again.
        """
        self._refusals.note(batch.refused)
        for acknowledgement in batch.acknowledgements:
            self._desk.acknowledged(acknowledgement)
        ends = [event for event in batch.events if isinstance(event, SessionsEnded)]
        for end in ends:
            self._close_proved(end)
        await self._close_doubtful(ends)
        for event in batch.events:
            self._tell(event)
        await self._acknowledge_all(ends)

    def _close_proved(self, end: SessionsEnded) -> None:
        """At once, without asking the store: what the signed part of the event is enough for."""
        no_session = NoSession(end.reason, end.end_id, end.at)
        over = [each.sid for each in self._here(end) if end.proves_ended(each.sid, each.created_at)]
        closed = self._hub.end(over, no_session)
        self._closed[end.end_id] += closed
        if closed:
            self._counts.reached("push", self._now() - end.at)

    async def _close_doubtful(self, ends: Sequence[SessionsEnded]) -> None:
        """The rest of what the events concern: as the store says."""
        for end in ends:
            if here := self._here(end):
                looked_at = [each.sid for each in here]
                self._closed[end.end_id] += await self._reconciler.in_doubt(looked_at)

    def _here(self, end: SessionsEnded) -> list[SessionSockets]:
        """The sessions with sockets here that an end concerns."""
        match end.scope:
            case Scope.SESSION:
                candidates = self._hub.find(end.sids)
            case Scope.SHARD:
                candidates = list(self._hub.sessions())
            case _:
                candidates = self._hub.sessions_of(end.user or "")
        return [each for each in candidates if end.may_include(each.sid, each.user, each.epoch)]

    def _tell(self, event: Event) -> None:
        match event:
            case TokenRotated(sid, generation):
                self._hub.send_to_session(sid, messages.rotated(generation))
            case SessionsChanged(user):
                self._hub.send_to_user(user, messages.sessions())
            case SessionExtended(sid):
                self._deadlines.check_again(sid)
            case MessageSent():
                self._messenger.deliver(event)
            case SessionsEnded(user=str(user)):
                self._hub.send_to_user(user, messages.sessions())

    async def _acknowledge_all(self, ends: Sequence[SessionsEnded]) -> None:
        closed: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for end in ends:
            closed[end.initiator][end.end_id] = self._closed.pop(end.end_id, 0)
        for initiator, counts in closed.items():
            await self._acknowledge(initiator, Acknowledgement(self._node, counts))

    async def _acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        if initiator == self._node:
            self._desk.acknowledged(acknowledgement)
            return
        try:
            await self._control.acknowledge(initiator, acknowledgement)
        except StoreUnavailable as error:
            log.warning("an acknowledgement was lost: %s", error)
