"""Passes what the streams bring to the parts of this node that act on it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from server.core import messages
from server.core.events import (
    DataPublished,
    Event,
    MessageSent,
    RoomGranted,
    SessionExtended,
    SessionsChanged,
    SessionsEnded,
    TokenRotated,
)
from server.realtime.deadlines import DeadlineTimers
from server.realtime.ended_sessions import EndedSessions
from server.realtime.hub import Hub
from server.realtime.messenger import Messenger
from server.realtime.published_data import PublishedData
from server.realtime.rejected_entries import RejectedEntries
from server.sessions.pending_receipts import PendingReceipts
from server.store.stream_contract import Batch

SEND_AT_ONCE: Final = 100
"""Frames that are sent before others have their turn: each takes about 15 microseconds."""

OF_MESSAGE_STREAM: Final = (MessageSent, DataPublished, RoomGranted)


class Dispatch:
    """Applies batches of events to this node.

    Args:
        hub: the sockets on this node.
        ended_sessions: closes the sockets of sessions that ended, and acknowledges the ends.
        receipts: takes acknowledgements of ends that this node asked for.
        deadlines: checks sessions whose deadline moved.
        messenger: delivers messages.
        published: delivers what the application publishes, and lets sockets into rooms.
        rejected_entries: reports entries that are not acted on.
    """

    def __init__(
        self,
        hub: Hub,
        ended_sessions: EndedSessions,
        receipts: PendingReceipts,
        deadlines: DeadlineTimers,
        messenger: Messenger,
        published: PublishedData,
        rejected_entries: RejectedEntries,
    ) -> None:
        self._hub = hub
        self._ended_sessions = ended_sessions
        self._receipts = receipts
        self._deadlines = deadlines
        self._messenger = messenger
        self._published = published
        self._rejected_entries = rejected_entries
        self._observer: Callable[[SessionsEnded], object] | None = None

    def observe_ends(self, observer: Callable[[SessionsEnded], object]) -> None:
        """Call `observer` with each end, after its sockets were closed."""
        self._observer = observer

    async def apply(self, batch: Batch) -> None:
        """Apply a batch: close the sockets of ended sessions first, deliver messages last.

        So no flood of messages delays an end or its acknowledgement. After `SEND_AT_ONCE` frames,
        others have their turn.

        Raises:
            StoreUnavailable: some sessions could not be compared. The batch must be applied again.
        """
        self._rejected_entries.note(batch.refused)
        for acknowledgement in batch.acknowledgements:
            self._receipts.acknowledge(acknowledgement)
        ends = [event for event in batch.events if isinstance(event, SessionsEnded)]
        await self._ended_sessions.close(ends)
        for event in batch.events:
            if not isinstance(event, OF_MESSAGE_STREAM):
                self._push(event)
        if self._observer is not None:
            for end in ends:
                self._observer(end)
        await self._ended_sessions.acknowledge(ends)
        await self._deliver(batch.events)

    async def _deliver(self, events: Iterable[Event]) -> None:
        """Deliver messages in their order, some in each turn of the loop."""
        frames = 0
        for event in events:
            match event:
                case MessageSent():
                    frames += self._messenger.deliver(event)
                case DataPublished():
                    frames += self._published.deliver(event)
                case RoomGranted():
                    self._published.let_in(event)
            if frames >= SEND_AT_ONCE:
                frames = 0
                await asyncio.sleep(0)

    def _push(self, event: Event) -> None:
        """Send what an event means for the sockets here."""
        match event:
            case TokenRotated(sid, generation):
                self._hub.send_to_session(sid, messages.rotated(generation))
            case SessionsChanged(user):
                self._hub.send_to_user(user, messages.sessions())
            case SessionExtended(sid):
                self._deadlines.check_again(sid)
            case SessionsEnded(user=str(user)):
                self._hub.send_to_user(user, messages.sessions())
