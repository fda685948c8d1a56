"""The tries that are being checked on this node: whether they are right is not known yet."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from server.core import throttling
from server.core.throttling import CounterKind, Tally


class UndecidedTry:
    """One try, from before it is counted until it is decided.

    Args:
        tally: the counters of the try.
        tries: all tries of this node.
    """

    def __init__(self, tally: Tally, tries: "UndecidedTries") -> None:
        self.counters = frozenset([*([tally.familiar] if tally.familiar else []), *tally.others])
        self._tries = tries
        self._changed = asyncio.Event()
        self._decided: set[throttling.Counter] = set()

    async def may_pass(self, by: CounterKind) -> bool:
        """Wait, if another try stands in the way and may turn out right.

        Args:
            by: the kind of the counter that throttled this try.

        Returns:
            Whether a try in that counter was decided since this one was last counted, so that
            counting again makes sense.
        """
        self._tries.leave(self)
        (counter,) = (each for each in self.counters if each.kind is by)
        while counter not in self._decided and self._tries.is_checking(counter):
            self._changed.clear()
            await self._changed.wait()
        if counter not in self._decided:
            return False
        self._decided.clear()
        self._tries.enter(self)
        return True

    def notice(self, counters: frozenset[throttling.Counter], *, decided: bool) -> None:
        """Take note that another try is out of the way.

        Args:
            counters: of that try.
            decided: whether it was decided; otherwise it was throttled, too.
        """
        if decided:
            self._decided |= counters & self.counters
        self._changed.set()


class UndecidedTries:
    """The tries that are being counted or checked on this node, and those that wait for them."""

    def __init__(self) -> None:
        self._numbers: Counter[throttling.Counter] = Counter()
        self._checked: set[UndecidedTry] = set()
        self._all: set[UndecidedTry] = set()

    @contextmanager
    def undecided(self, tally: Tally) -> Iterator[UndecidedTry]:
        """Hold a try as undecided; leaving decides it, unless it was throttled."""
        one = UndecidedTry(tally, self)
        self._all.add(one)
        self.enter(one)
        try:
            yield one
        finally:
            self._all.remove(one)
            if one in self._checked:
                self.leave(one, decided=True)

    def is_checking(self, counter: throttling.Counter) -> bool:
        """Return whether a try in this counter is being counted or checked."""
        return self._numbers[counter] > 0

    def enter(self, one: UndecidedTry) -> None:
        """Count a try as one that may turn out right."""
        self._checked.add(one)
        self._numbers.update(one.counters)

    def leave(self, one: UndecidedTry, *, decided: bool = False) -> None:
        """Stop counting a try, and notify those that share a counter with it."""
        self._checked.remove(one)
        self._numbers.subtract(one.counters)
        self._numbers += Counter()  # forget what is at zero
        for other in self._all:
            if other is not one and not other.counters.isdisjoint(one.counters):
                other.notice(one.counters, decided=decided)
