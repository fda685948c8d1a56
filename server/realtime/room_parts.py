"""Connects the parts of rooms on one node."""

from dataclasses import dataclass
from datetime import timedelta

from server.core.context import NodeContext
from server.crypto.sealer import Sealer
from server.realtime.acknowledging import Acknowledging
from server.realtime.room_entrance import RoomEntrance
from server.realtime.room_follower import RoomFollower
from server.realtime.room_requests import RoomRequests
from server.realtime.rooms import Rooms
from server.realtime.rooms_here import RoomsHere
from server.sessions.manager import SessionManager
from server.store.contract import NodeRegistry
from server.store.room_contract import RoomStore
from server.store.stream_contract import ControlLog


@dataclass(frozen=True, slots=True)
class RoomParts:
    """The parts of rooms on one node.

    Attributes:
        rooms: what an application does with rooms.
        here: the rooms of this node's sockets.
        requests: answers clients.
        follower: follows this node's inboxes.
    """

    rooms: Rooms
    here: RoomsHere
    requests: RoomRequests
    follower: RoomFollower


def build_rooms(
    store: RoomStore,
    control: ControlLog,
    registry: NodeRegistry,
    sealer: Sealer,
    sessions: SessionManager,
    lease: timedelta,
    context: NodeContext,
) -> RoomParts:
    """Build the parts. Nothing runs yet."""
    acknowledging = Acknowledging(store, context.node)
    here = RoomsHere(sealer, acknowledging, len(store.inboxes))
    entrance = RoomEntrance(store, here, context)
    return RoomParts(
        rooms=Rooms(store, control, sealer, sessions, entrance, acknowledging, registry, context),
        here=here,
        requests=RoomRequests(store, here, entrance, acknowledging),
        follower=RoomFollower(store, here, entrance, acknowledging, lease),
    )
