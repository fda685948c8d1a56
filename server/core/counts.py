"""The calls by which the engine reports what its metrics count, without importing the metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.throttling import Act, TryOutcome


@dataclass(frozen=True, slots=True)
class Counts:
    """One function for each thing that is counted; each returns at once and never raises.

    Attributes:
        terminated: sessions were ended; takes the reason and the receipt.
        ended: sessions ended and nobody waits for a receipt; takes the reason.
        reached: sockets of this node were closed for an end; takes the path that brought it
            (`push`, `gap`, `sweep` or `lease`) and the seconds since the end.
        swept: the slow sweep closed sockets; takes their number, which should be 0.
        socket_closed: this node closed a socket; takes the close code and the reason word.
        socket_left: a client closed its socket; takes its close code, None if it was lost.
        tried: somebody tried a password or a code; takes the act and the outcome.
    """

    terminated: Callable[[Reason, Receipt], object]
    ended: Callable[[Reason], object]
    reached: Callable[[str, float], object]
    swept: Callable[[int], object]
    socket_closed: Callable[[int, str], object]
    socket_left: Callable[[int | None], object]
    tried: Callable[[Act, TryOutcome], object]


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """The same for the ways to the store.

    Attributes:
        answered: a command, or a batch of them, was answered; takes the seconds from its sending.
        failed: it was not, or nobody could connect; takes one of `FAILURES`.
    """

    answered: Callable[[float], object] = lambda _: None
    failed: Callable[[str], object] = lambda _: None


FAILURES: Final = ("connection", "timeout", "not_master", "full", "refused")
"""Why the store did not do what it should: the connection was refused or lost; no answer came in
time; the server is no master that serves; its memory is full; it lets nobody in with this
password or certificate."""
