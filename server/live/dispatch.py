"""What this node does about events: closes, tells, and acknowledges to whoever waits."""

import logging
from collections import defaultdict
from collections.abc import Callable

from server.core import messages
from server.core.counting import Counts
from server.core.errors import StoreUnavailable
from server.core.events import (
    EVERYTHING,
    Acknowledgement,
    Event,
    MessageSent,
    SessionExtended,
    SessionsChanged,
    SessionsEnded,
    TokenRotated,
)
from server.core.reasons import Farewell
from server.live.deadlines import DeadlineKeeper
from server.live.hub import Hub
from server.live.messenger import Messenger
from server.live.receipts import ReceiptDesk
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
        now: the store's clock, in Unix seconds.
        counts: told of closed sockets.
    """

    def __init__(
        self,
        node: str,
        hub: Hub,
        deadlines: DeadlineKeeper,
        desk: ReceiptDesk,
        control: ControlLog,
        messenger: Messenger,
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

    async def apply(self, batch: Batch) -> None:
        """Carry out a batch; all ends of one origin share one acknowledgement."""
        closed: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for event in batch.events:
            if isinstance(event, SessionsEnded):
                closed[event.origin][event.event] = self._end(event)
            else:
                self._tell(event)
        for acknowledgement in batch.acknowledgements:
            self._desk.acknowledged(acknowledgement)
        for origin, counts in closed.items():
            await self._acknowledge(origin, Acknowledgement(self._node, counts))

    def _end(self, event: SessionsEnded) -> int:
        farewell = Farewell(event.reason, event.event, event.at)
        if event.sids == (EVERYTHING,):
            closed = self._hub.end_other_epochs(event.event, farewell)
        else:
            closed = self._hub.end(event.sids, farewell)
        if closed:
            self._counts.reached("push", self._now() - event.at)
        if event.user:
            self._hub.send_to_user(event.user, messages.sessions())
        return closed

    def _tell(self, event: Event) -> None:
        match event:
            case TokenRotated(sid, generation):
                self._hub.send_to_session(sid, messages.rotated(generation))
            case SessionsChanged(user):
                self._hub.send_to_user(user, messages.sessions())
            case SessionExtended(sid):
                self._deadlines.look_again(sid)
            case MessageSent():
                self._messenger.deliver(event)

    async def _acknowledge(self, origin: str, acknowledgement: Acknowledgement) -> None:
        if origin == self._node:
            self._desk.acknowledged(acknowledgement)
            return
        try:
            await self._control.acknowledge(origin, acknowledgement)
        except StoreUnavailable as error:
            log.warning("an acknowledgement was lost: %s", error)
