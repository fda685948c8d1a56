"""What the sockets of a node share."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core.counting import Counts
from server.core.session import Rules
from server.live.deadlines import DeadlineKeeper, Look
from server.live.door import Door
from server.live.fence import Fence
from server.live.hub import Hub
from server.live.messenger import Messenger


@dataclass(frozen=True, slots=True)
class SocketParts:
    """What all sockets of a node share.

    Attributes:
        hub: the sockets here.
        door: whether one more may open.
        fence: whether this node may serve.
        deadlines: keeps the deadlines of sessions with sockets here.
        messenger: application data between sockets.
        look: the session as the store has it, ended first when it is past a deadline.
        touch: the same, after recording that a person did something.
        now: the store's clock, in Unix seconds.
        monotonic: seconds, never set back.
        rules: the durations in force.
        counts: told of closed sockets.
    """

    hub: Hub
    door: Door
    fence: Fence
    deadlines: DeadlineKeeper
    messenger: Messenger
    look: Look
    touch: Look
    now: Callable[[], float]
    monotonic: Callable[[], float]
    rules: Rules
    counts: Counts
