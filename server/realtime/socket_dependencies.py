"""What all sockets of a node share."""

from dataclasses import dataclass

from server.core.context import NodeContext
from server.core.reasons import NoSession
from server.core.session import Session
from server.realtime.deadlines import DeadlineTimers
from server.realtime.fence import Fence
from server.realtime.fences import Fences
from server.realtime.hub import Hub
from server.realtime.messenger import Messenger
from server.realtime.room_requests import RoomRequests
from server.realtime.socket_admission import SocketAdmission
from server.sessions.manager import SessionManager


@dataclass(frozen=True, slots=True)
class SocketDependencies:
    """What all sockets of a node share.

    Attributes:
        hub: the sockets on this node.
        admission: decides whether one more socket may open.
        fence: says whether this node may serve.
        deadlines: warns and closes sockets of sessions that expire.
        messenger: sends application data between sockets.
        rooms: answers what clients ask about rooms.
        sessions: reads and touches sessions.
        context: this node's clocks and counters.
    """

    hub: Hub
    admission: SocketAdmission
    fence: Fence | Fences
    deadlines: DeadlineTimers
    messenger: Messenger
    rooms: RoomRequests
    sessions: SessionManager
    context: NodeContext

    def may_serve(self, session: Session | NoSession | None) -> bool:
        """Return whether this node may serve a session now; None for some session."""
        fence = self.fence.of(session.sid) if isinstance(session, Session) else self.fence
        return fence.is_open
