"""What the engine tells whoever counts. It imports nothing of how it is counted."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core.reasons import Reason
from server.core.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls that are made where things happen; each returns at once and never raises.

    Attributes:
        terminated: an end with its receipt.
        ended: an end that nobody waits for.
        reached: sockets here were closed for an end; on which path they heard of it (`push`, `gap`,
            `sweep`, `lease`), and how many seconds after the end.
        swept: how many sockets the slow sweep had to close; it should be none.
        socket_closed: a socket closed from here, with code and reason word.
        socket_left: a socket closed by its client, with its code; None when it was lost.
    """

    terminated: Callable[[Reason, Receipt], object]
    ended: Callable[[Reason], object]
    reached: Callable[[str, float], object]
    swept: Callable[[int], object]
    socket_closed: Callable[[int, str], object]
    socket_left: Callable[[int | None], object]
