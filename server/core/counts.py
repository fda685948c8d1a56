"""What a node counts. Nothing here knows how it is counted."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.throttling import Act, TryOutcome


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls that are made where things happen. Each returns at once and never raises.

    Attributes:
        terminated: counts an end that was answered with a receipt.
        ended: counts an end without a receipt.
        reached: counts an end that closed sockets here: how this node heard of it (`push`, `gap`,
            `sweep` or `lease`), and how many seconds after the end.
        swept: takes the number of sockets that a periodic sweep closed; it should be 0.
        socket_closed: counts a socket that this node closed, with close code and reason word.
        socket_left: counts a socket that its client closed, with its code; None if it was lost.
        tried: counts a try at a password or a code.
    """

    terminated: Callable[[Reason, Receipt], object]
    ended: Callable[[Reason], object]
    reached: Callable[[str, float], object]
    swept: Callable[[int], object]
    socket_closed: Callable[[int, str], object]
    socket_left: Callable[[int | None], object]
    tried: Callable[[Act, TryOutcome], object]
