"""What the sockets of a node share."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core.counts import Counts
from server.core.session import Rules
from server.realtime.deadlines import CurrentSession, DeadlineTimers
from server.realtime.fence import Fence
from server.realtime.hub import Hub
from server.realtime.messenger import Messenger
from server.realtime.socket_admission import SocketAdmission


@dataclass(frozen=True, slots=True)
class SocketDependencies:
    """What all sockets of a node share.

    Attributes:
        hub: the sockets here.
        door: whether one more may open.
        fence: whether this node may serve.
        deadlines: keeps the deadlines of sessions with sockets here.
        messenger: application data between sockets.
        current: the session as the store has it, ended first when it is past a deadline.
        touch: the same, after recording that a person did something.
        now: the store's clock, in Unix seconds.
        monotonic: seconds, never set back.
        rules: the durations in force.
        counts: told of closed sockets.
    """

    hub: Hub
    door: SocketAdmission
    fence: Fence
    deadlines: DeadlineTimers
    messenger: Messenger
    current: CurrentSession
    touch: CurrentSession
    now: Callable[[], float]
    monotonic: Callable[[], float]
    rules: Rules
    counts: Counts
