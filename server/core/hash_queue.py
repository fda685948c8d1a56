"""Who waits for a password hash, and whose turn it is: a fair queue, without threads or clocks.

Hashes are slow on purpose, so a stranger can make the server work hardest by them. Networks take
turns (fair queueing, RFC 970), and whoever proves a password goes before whoever makes an account.
Known and unknown names wait in the same line, so that neither the order nor the time of an answer
reveals which names exist (ASVS 5.0 6.3.8).
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, Generic, Protocol, TypeVar

_T = TypeVar("_T")

PROOFS_PER_SIGN_UP: Final = 3
"""While both wait, one turn in four is a sign-up's: sign-ups are slow then, but never stuck."""


class Urgency(Enum):
    """The two classes of hashes, the more urgent one first."""

    PROOF = auto()
    """A password that is to be proved or replaced: by sign-in, or by somebody who is signed in."""
    SIGN_UP = auto()


class Departure(Protocol):
    """Done when a client has closed its connection; an `asyncio.Future` is one."""

    def add_done_callback(self, callback: Callable[[Any], object], /) -> None:
        """Call `callback` when the client has gone, or soon if it has gone already."""

    def remove_done_callback(self, callback: Callable[[Any], object], /) -> int:
        """Do not call `callback` any more."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whoever waits for a hash.

    Attributes:
        network: what counts as one client (`network_of`); empty for the operator's commands.
        urgency: which class the hash is in.
        gone: when the client leaves; None if it cannot.
    """

    network: str = ""
    urgency: Urgency = Urgency.PROOF
    gone: Departure | None = field(default=None, compare=False, repr=False)


OPERATOR: Final = Applicant()


@dataclass(frozen=True, slots=True)
class Entered(Generic[_T]):
    """The work has a place.

    Attributes:
        displaced: other work that lost its place to it; None if there was a free one.
    """

    displaced: _T | None = None


@dataclass(frozen=True, slots=True)
class QueueFull:
    """There is no place, and nobody holds more places than the applicant would."""


class HashQueue(Generic[_T]):
    """A bounded fair queue.

    Args:
        workers: how much work may run at once.
        waiting: how much more may wait.
        per_network: how much of one network may run and wait.
    """

    def __init__(self, workers: int, waiting: int, per_network: int) -> None:
        self._workers = workers
        self._places = workers + waiting
        self._per_network = per_network
        self._lines: dict[Urgency, dict[str, deque[_T]]] = {each: {} for each in Urgency}
        self._applicants: dict[_T, Applicant] = {}
        self._running: set[_T] = set()
        self._held: Counter[str] = Counter()
        self._proofs_in_a_row = 0

    @property
    def running(self) -> int:
        """How much work runs."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How much work waits."""
        return len(self._applicants) - len(self._running)

    def enter(self, work: _T, applicant: Applicant) -> Entered[_T] | QueueFull:
        """Give work a place, if need be in place of other work that waits.

        A network that holds all it may only displaces its own sign-ups. If the queue is full, a
        proof displaces a sign-up, and whoever has few places displaces whoever has most, so that no
        single network keeps others out.
        """
        displaced = None
        if self._held[applicant.network] >= self._per_network:
            displaced = self._newest_sign_up_of(applicant)
        elif len(self._applicants) >= self._places:
            displaced = self._newest_of_the_longest(applicant)
        else:
            self._add(work, applicant)
            return Entered()
        if displaced is None:
            return QueueFull()
        self.leave(displaced)
        self._add(work, applicant)
        return Entered(displaced)

    def take(self) -> _T | None:
        """Return the work whose turn it is, which runs from now on; None if none may start."""
        urgency = self._whose_turn()
        if urgency is None:
            return None
        line = self._lines[urgency]
        network, waiting = next(iter(line.items()))
        work = waiting.popleft()
        del line[network]
        if waiting:
            line[network] = waiting  # at the end: the other networks come first now
        self._running.add(work)
        is_proof = urgency is Urgency.PROOF
        self._proofs_in_a_row = self._proofs_in_a_row + 1 if is_proof else 0
        return work

    def leave(self, work: _T) -> bool:
        """Give back a place, and return whether the work waited. What runs keeps its place."""
        applicant = self._applicants.get(work)
        if applicant is None or work in self._running:
            return False
        line = self._lines[applicant.urgency]
        line[applicant.network].remove(work)
        if not line[applicant.network]:
            del line[applicant.network]
        self._forget(work)
        return True

    def finish(self, work: _T) -> None:
        """Give back the place of work that ran."""
        self._running.remove(work)
        self._forget(work)

    def clear(self) -> list[_T]:
        """Remove all work that waits, and return it."""
        waiting = [each for each in self._applicants if each not in self._running]
        for each in waiting:
            self.leave(each)
        return waiting

    def _whose_turn(self) -> Urgency | None:
        if len(self._running) >= self._workers:
            return None
        proofs, sign_ups = (bool(self._lines[each]) for each in Urgency)
        is_due = not proofs or self._proofs_in_a_row >= PROOFS_PER_SIGN_UP
        if sign_ups and is_due and self._may_run_sign_up():
            return Urgency.SIGN_UP
        return Urgency.PROOF if proofs else None

    def _may_run_sign_up(self) -> bool:
        """Keep one worker free of them, if there are several: a sign-in never waits for one."""
        running = sum(self._applicants[each].urgency is Urgency.SIGN_UP for each in self._running)
        return running < max(1, self._workers - 1)

    def _newest_sign_up_of(self, applicant: Applicant) -> _T | None:
        waiting = self._lines[Urgency.SIGN_UP].get(applicant.network)
        return waiting[-1] if waiting and applicant.urgency is Urgency.PROOF else None

    def _newest_of_the_longest(self, applicant: Applicant) -> _T | None:
        sign_ups = self._lines[Urgency.SIGN_UP].values()
        if sign_ups and applicant.urgency is Urgency.PROOF:
            return max(sign_ups, key=len)[-1]
        line = self._lines[applicant.urgency]
        longest: deque[_T] = max(line.values(), key=len, default=deque())
        own = len(line.get(applicant.network, ()))
        return longest[-1] if len(longest) > own + 1 else None

    def _add(self, work: _T, applicant: Applicant) -> None:
        self._applicants[work] = applicant
        self._held[applicant.network] += 1
        self._lines[applicant.urgency].setdefault(applicant.network, deque()).append(work)

    def _forget(self, work: _T) -> None:
        network = self._applicants.pop(work).network
        self._held[network] -= 1
        if not self._held[network]:
            del self._held[network]
