"""Counters of tries, in the store, so that all nodes count together.

What was typed is never kept: a counter's name is a keyed hash. All of them are in one shard,
because one try raises counters of an account, of an address and of everybody in one step.
"""

import functools
import hmac
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final, Protocol

from server.core.throttling import FAMILIAR_FOR, Counted, Counter, Rule, Tally, Throttled
from server.store.names import ShardNames
from server.store.scripts import Scripts

DIGEST_BYTES: Final = 16
_MS: Final = timedelta(milliseconds=1)


class TryCounters(Protocol):
    """Counts tries. Methods raise `StoreUnavailable` like those of every store."""

    async def count(self, tally: Tally, *, operation: str) -> Counted | Throttled:
        """Count a try, unless it may not be made yet."""

    async def pardon(self, tally: Tally, counted: Counted, *, operation: str) -> None:
        """The try succeeded: forget what its counters' rules pardon, and remember the place."""

    async def take_back(self, counted: Counted, *, operation: str) -> None:
        """The try was not made: as if it had not been counted."""


class RedisTryCounters:
    """Implements `TryCounters`.

    Args:
        scripts: count and settle.
        key: hashes the counters' names.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, scripts: Scripts, key: bytes, now: Callable[[], float]) -> None:
        self._scripts = scripts
        self._key = key
        self._now = now
        self._names = ShardNames(0)

    async def count(self, tally: Tally, *, operation: str) -> Counted | Throttled:
        familiar = [tally.familiar] if tally.familiar else []
        counters = [*familiar, *tally.others]
        told, first, last = await self._scripts.run(
            "count_try",
            [*map(self._key_of, counters), *map(self._mark_of, familiar)],
            [
                operation,
                round(self._now() * 1000),
                len(familiar),
                *(part for each in counters for part in _encoded(each)),
            ],
        )
        if told == b"wait":
            return Throttled(first * _MS, counters[last - 1].kind)
        return Counted(tuple(counters[first - 1 : last]))

    async def pardon(self, tally: Tally, counted: Counted, *, operation: str) -> None:
        marks = [self._mark_of(tally.familiar)] if tally.familiar else []
        kept = [0 if each.rule.pardons else _ms(each.rule.forgets) for each in counted.counters]
        await self._settle(counted.counters, operation, marks, kept)

    async def take_back(self, counted: Counted, *, operation: str) -> None:
        counters = [each for each in counted.counters if not each.spared]
        if counters:
            kept = [_ms(each.rule.forgets) for each in counters]
            await self._settle(counters, operation, [], kept)

    async def _settle(
        self, counters: Iterable[Counter], operation: str, marks: list[str], kept: list[int]
    ) -> None:
        keys = [*map(self._key_of, counters), *marks]
        lifetime = _ms(FAMILIAR_FOR) if marks else 0
        await self._scripts.run("settle_try", keys, [operation, lifetime, *kept])

    def _key_of(self, counter: Counter) -> str:
        return self._names.tries(counter.kind, self._digest(counter))

    def _mark_of(self, counter: Counter) -> str:
        return self._names.familiar(self._digest(counter))

    def _digest(self, counter: Counter) -> str:
        text = f"{counter.kind}\0{counter.of}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")[:DIGEST_BYTES].hex()


def _encoded(counter: Counter) -> tuple[int, str]:
    """A counter's rule as the script takes it."""
    return _ms(counter.rule.forgets), "" if counter.spared else _steps(counter.rule)


@functools.cache  # one entry for each rule of the program
def _steps(rule: Rule) -> str:
    return " ".join(f"{step.tries}:{_ms(step.delay)}" for step in rule.steps)


def _ms(duration: timedelta) -> int:
    return duration // _MS
