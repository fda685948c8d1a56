"""What an application does with rooms, and how it publishes; in any process that has the store."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, NamedTuple

from server.core.context import NodeContext
from server.core.durations import milliseconds
from server.core.errors import StoreUnavailable
from server.core.events import DataPublished, RoomGranted
from server.core.rooms import (
    Member,
    Present,
    Published,
    RemovedMeanwhile,
    RoomOptions,
    RoomRefusal,
    Target,
    ToRoom,
    ToSession,
    ToSocket,
    ToUser,
    flaw_of_name,
    position_of,
    text_of,
)
from server.core.session import Json, Session, deadlines
from server.core.token import is_sid
from server.crypto.sealer import Sealer
from server.realtime.acknowledging import Acknowledging
from server.realtime.published_data import sealed_for
from server.realtime.room_entrance import RoomEntrance
from server.realtime.rooms_here import sealed_for_room
from server.sessions.manager import SessionManager
from server.store.contract import NodeRegistry
from server.store.room_contract import RoomStore
from server.store.stream_contract import ControlLog

AFTER_EXPIRY: Final = timedelta(hours=1)
"""How long a session's memberships are kept after it must have expired."""
TRIES: Final = 5
"""To add a member, if others are removed from the room meanwhile."""
UNKNOWN: Final = ""
"""Stands for the nodes of a list that could not be read: none of this name tells anything."""


class _Sent(NamedTuple):
    """What was published, and on its way.

    Attributes:
        position: its place in the room; empty if it went to no room.
        nodes: which it went to; None for all that are listed.
    """

    position: str
    nodes: Collection[str] | None


class Rooms:
    """Makes rooms, adds and removes members, publishes.

    What was not done for a reason that can be expected is returned as a `RoomRefusal`. Every method
    raises `StoreUnavailable` if the store does not answer: it is not known whether it was done.

    Args:
        store: the rooms.
        control: carries data for users, sessions and sockets, and who was added, to all nodes.
        sealer: binds what is published to where it is published.
        sessions: says whether a session lives.
        entrance: follows rooms as soon as this node needs them.
        acknowledging: waits for acknowledgements.
        registry: the lists of nodes.
        context: this node's clocks, and random ids.
    """

    def __init__(
        self,
        store: RoomStore,
        control: ControlLog,
        sealer: Sealer,
        sessions: SessionManager,
        entrance: RoomEntrance,
        acknowledging: Acknowledging,
        registry: NodeRegistry,
        context: NodeContext,
    ) -> None:
        self._store = store
        self._control = control
        self._sealer = sealer
        self._sessions = sessions
        self._entrance = entrance
        self._acknowledging = acknowledging
        self._registry = registry
        self._context = context

    async def create(self, room: str, options: RoomOptions | None = None) -> RoomRefusal | None:
        """Make a room, or give one that exists other options.

        Args:
            room: the name: 1 to 200 bytes of printable text.
            options: what the room does besides delivering messages.
        """
        options = options or RoomOptions()
        return flaw_of_name(room) or await self._store.create(
            room, self._context.new_id()[:8], options
        )

    async def delete(self, room: str) -> RoomRefusal | None:
        """Delete a room with all memberships and kept messages."""
        return flaw_of_name(room) or await self._store.delete(room)

    async def add(self, room: str, *, user: str = "", session: str = "") -> RoomRefusal | None:
        """Add a user with all sessions, or one session. Its sockets join at once, later ones too.

        Args:
            room: the room, which must exist.
            user: the canonical name.
            session: the id of a session, instead of a user.
        """
        lapses_in_ms = 0
        if flaw := flaw_of_name(room) or _flaw_of_member(user, session):
            return flaw
        if session:
            found = await self._live(session)
            if found is None:
                return RoomRefusal.SESSION_ENDED
            user, lapses_in_ms = found.user or "", self._lapses_in_ms(found)
        for _ in range(TRIES):
            removals = await self._store.removals(room)
            if isinstance(removals, RoomRefusal):
                return removals
            refusal = await self._store.add(room, user, session, lapses_in_ms, removals)
            if refusal is None:
                await self._control.send(RoomGranted(user, session, room))
            if not isinstance(refusal, RemovedMeanwhile):
                return refusal
        return RoomRefusal.BUSY

    async def remove(self, room: str, *, user: str = "", session: str = "") -> RoomRefusal | None:
        """Remove a user with all sessions, or one session; also those who joined by request.

        When this has returned, nothing that is published from then on reaches the removed, on any
        node, whatever its state.

        Args:
            room: the room.
            user: the canonical name.
            session: the id of a session, instead of a user.
        """
        if flaw := flaw_of_name(room) or _flaw_of_member(user, session):
            return flaw
        if session:
            found = await self._live(session)
            if found is None:
                return None  # nothing reaches a session that has ended
            user = found.user or ""
        return await self._store.remove(room, user, session)

    async def forget(self, user: str) -> None:
        """Remove a user from all rooms: the name may soon be another person's.

        Args:
            user: the canonical name.
        """
        for room in await self._rooms_of(user):
            await self._store.remove(room, user, "")

    async def rename(self, user: str, new: str) -> None:
        """Give another name of the same person the memberships of a user.

        Args:
            user: the canonical name.
            new: the other one.
        """
        for room in await self._rooms_of(user):
            await self.add(room, user=new)

    async def presence(self, room: str) -> tuple[Present, ...] | RoomRefusal:
        """Return who is in a room, with how many sockets, on all nodes that serve."""
        if flaw := flaw_of_name(room):
            return flaw
        found = await self._store.present(room)
        return found if isinstance(found, RoomRefusal) else tuple(found)

    async def publish(
        self, to: Target, data: Json, *, acknowledge_within: timedelta | None = None
    ) -> Published | RoomRefusal:
        """Send data to a room, a user, a session or a socket: once at most, and in order.

        Args:
            to: whom.
            data: any JSON value of at most 64 KiB.
            acknowledge_within: how long to wait at most until all clients that get it acknowledge
                it; None does not ask.
        """
        text = text_of(data)
        if isinstance(text, RoomRefusal):
            return text
        if acknowledge_within is None:
            sent = await self._send(to, text, "")
            return sent if isinstance(sent, RoomRefusal) else Published(sent.position)
        self._entrance.needed.set()
        mark = self._context.new_id()
        with self._acknowledging.waiting(mark) as awaited:
            sent = await self._send(to, text, mark)
            if isinstance(sent, RoomRefusal):
                return sent
            with suppress(TimeoutError):
                async with asyncio.timeout(acknowledge_within.total_seconds()):
                    await awaited.all_of(await self._nodes_of(sent))
            return Published(sent.position, tuple(sorted(awaited.connections)))

    async def _nodes_of(self, sent: "_Sent") -> frozenset[str]:
        """Return the nodes that tell to whom they have sent it."""
        if sent.nodes is not None:
            return frozenset(sent.nodes)
        try:
            return frozenset[str]().union(*await self._registry.lists())
        except StoreUnavailable:
            return frozenset({UNKNOWN})

    async def _send(self, to: Target, text: str, mark: str) -> "_Sent | RoomRefusal":
        match to:
            case ToRoom(name):
                return await self._send_to_room(name, text, mark)
            case ToUser(user):
                if flaw := _flaw_of_member(user, ""):
                    return flaw
                return await self._send_directly(text, mark, user=user)
            case ToSession(sid) | ToSocket(sid):
                if isinstance(to, ToSocket) and not to.connection:
                    return RoomRefusal.BAD_MEMBER  # it would go to all sockets of the session
                if await self._live(sid) is None:
                    return RoomRefusal.SESSION_ENDED
                connection = to.connection if isinstance(to, ToSocket) else ""
                return await self._send_directly(text, mark, sid=sid, connection=connection)

    async def _send_to_room(self, name: str, text: str, mark: str) -> "_Sent | RoomRefusal":
        if flaw := flaw_of_name(name):
            return flaw
        box = sealed_for_room(self._sealer, text, name)
        sent = await self._store.publish(name, box, mark, self._context.node if mark else "")
        if isinstance(sent, RoomRefusal):
            return sent
        return _Sent(position_of(sent.history, sent.epoch, sent.message), sent.nodes)

    async def _send_directly(
        self, text: str, mark: str, *, user: str = "", sid: str = "", connection: str = ""
    ) -> "_Sent":
        box = sealed_for(self._sealer, text, user, sid, connection)
        publisher = self._context.node if mark else ""
        await self._control.send(DataPublished(user, sid, connection, mark, publisher, box))
        return _Sent("", None)

    async def _rooms_of(self, user: str) -> Sequence[str]:
        (names,) = await self._store.rooms_of([Member(user, "")])
        return names

    async def _live(self, sid: str) -> Session | None:
        if not is_sid(sid):
            return None
        found = await self._sessions.current(sid)
        return found if isinstance(found, Session) else None

    def _lapses_in_ms(self, session: Session) -> int:
        ends_at = deadlines(session, self._sessions.rules).absolute_expires_at
        return max(1, int((ends_at - self._context.now()) * 1000)) + milliseconds(AFTER_EXPIRY)


def _flaw_of_member(user: str, session: str) -> RoomRefusal | None:
    """Return why this is nobody; exactly one of the two is given."""
    if bool(user) == bool(session):
        return RoomRefusal.BAD_MEMBER
    if session:
        return None
    return RoomRefusal.BAD_MEMBER if flaw_of_name(user) or " " in user else None
