"""Delivers what the application published for a user, a session or a socket, and who it added."""

import logging
from collections.abc import Callable, Iterable

from server.core.events import DataPublished, RoomGranted
from server.core.room_frames import SharedFrame, published
from server.crypto.sealer import Sealer
from server.realtime.acknowledging import Acknowledging, Owing
from server.realtime.hub import Connection, Hub
from server.realtime.room_entrance import RoomEntrance

log = logging.getLogger("curfew.rooms")

PURPOSE = "published 1"


class PublishedData:
    """Carries out what the message stream brings from applications.

    Args:
        hub: the sockets on this node.
        sealer: opens the data, which are bound to whom they are for.
        entrance: lets sockets into rooms.
        acknowledging: notes who got something that must be acknowledged.
    """

    def __init__(
        self, hub: Hub, sealer: Sealer, entrance: RoomEntrance, acknowledging: Acknowledging
    ) -> None:
        self._hub = hub
        self._sealer = sealer
        self._entrance = entrance
        self._acknowledging = acknowledging

    def deliver(self, data: DataPublished) -> int:
        """Queue data for the sockets here that they are for; return how many there are."""
        sockets = list(self._sockets(data.user, data.sid, data.connection))
        with self._acknowledging.expecting(data.mark, data.publisher, data.mark) as sent:
            if sockets:
                self._send(data, sockets, sent)
        return len(sockets)

    def _send(
        self, data: DataPublished, sockets: Iterable[Connection], sent: Callable[[Owing], object]
    ) -> None:
        context = context_of(data.user, data.sid, data.connection)
        opened = self._sealer.open(data.box, purpose=PURPOSE, context=context)
        if opened is None:
            log.warning("data that was published did not open and was dropped")
            return
        frame = SharedFrame(published(opened.plaintext.decode("ascii"), mark=data.mark))
        for each in sockets:
            sent(each)
            each.send(frame)

    def let_in(self, granted: RoomGranted) -> None:
        """Let the sockets of a user or session into the room to which it was added."""
        guests = list(self._sockets(granted.user, granted.sid, ""))
        self._entrance.grant(granted.room, guests)

    def _sockets(self, user: str, sid: str, connection: str) -> Iterable[Connection]:
        found = self._hub.find([sid]) if sid else self._hub.sessions_of(user)
        for sockets in found:
            for each in list(sockets.connections.values()):
                if connection in {"", each.id}:
                    yield each


def sealed_for(sealer: Sealer, text: str, user: str, sid: str, connection: str) -> bytes:
    """Return data that open only for those whom they are for.

    Args:
        sealer: seals them.
        text: JSON in ASCII.
        user: all sockets of this user; empty for a session.
        sid: all sockets of this session.
        connection: only this socket of the session; empty for all.
    """
    context = context_of(user, sid, connection)
    return sealer.seal(text.encode("ascii"), purpose=PURPOSE, context=context)


def context_of(user: str, sid: str, connection: str) -> str:
    """Return what data are bound to."""
    return f"{user} {sid} {connection}"
