"""Counters of tries, in the store, so that all nodes count together.

What was typed is never kept: the name of a counter is a keyed hash. All counters are in one shard,
because one try raises the counters of an account, of an address and of everybody in one step.
"""

import functools
import hmac
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from server.core.durations import milliseconds
from server.core.throttling import (
    FAMILIAR_FOR,
    Counted,
    Counter,
    CounterKind,
    Rule,
    Tally,
    Throttled,
)
from server.store.names import ShardNames
from server.store.scripts import Scripts

DIGEST_BYTES: Final = 16


class TryCounters:
    """Counts tries. Every method raises `StoreUnavailable` if the store fails.

    Args:
        scripts: runs `count_try` and `settle_try`.
        key: hashes the names of counters.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, scripts: Scripts, key: bytes, now: Callable[[], float]) -> None:
        self._scripts = scripts
        self._key = key
        self._now = now
        self._names = ShardNames(0)

    def use_key(self, key: bytes) -> None:
        """Hash names with another key. The counters begin anew."""
        self._key = key

    async def count(self, tally: Tally, *, operation: str) -> Counted | Throttled:
        """Count a try, unless one of its counters says to wait.

        Args:
            tally: the counters of the try.
            operation: the id of the try; counting again with the same id is safe.

        Returns:
            The counters that have counted the try, or how long to wait.
        """
        familiar = [tally.familiar] if tally.familiar else []
        marks = [self._mark_of(each) for each in familiar]
        forgotten = [self._forgotten(each.of.partition("\0")[2]) for each in familiar]
        counters, now_ms = [*familiar, *tally.others], round(self._now() * 1000)
        outcome, first, last = await self._scripts.run(
            "count_try",
            [*map(self._key_of, counters), *marks, *forgotten],
            [
                operation,
                now_ms,
                len(familiar),
                *(part for each in counters for part in _rule_args(each)),
            ],
        )
        if outcome == b"wait":
            return Throttled(timedelta(milliseconds=first), counters[last - 1].kind)
        return Counted(tuple(counters[first - 1 : last]), now_ms)

    async def record_success(self, tally: Tally, counted: Counted, *, operation: str) -> None:
        """Reset or lower the counters, each by its rule, and remember the address as familiar.

        Args:
            tally: the counters of the try.
            counted: those that have counted it.
            operation: the id of the try.
        """
        marks = [self._mark_of(tally.familiar)] if tally.familiar else []
        counters = [each for each in counted.counters if not each.rule.counts_successes]
        forgets_ms = [
            0 if each.rule.pardons else milliseconds(each.rule.forgets) for each in counters
        ]
        await self._settle(counters, operation, marks, forgets_ms, counted.at_ms)

    async def forget(self, user: str) -> None:
        """Forget the tries of an account, and from which addresses it signed in.

        Whoever makes an account under the name later begins without them.

        Args:
            user: canonical user name.
        """
        counters = (Counter(CounterKind.ACCOUNT, user), Counter(CounterKind.OWNER, user))
        await self._scripts.run(
            "forget_tries",
            [self._forgotten(user), *map(self._key_of, counters)],
            [round(self._now() * 1000), milliseconds(FAMILIAR_FOR)],
        )

    async def record_failure(self, counted: Counted, *, operation: str) -> None:
        """Lower the counters of successes. Asks the store only if there are any.

        Args:
            counted: the counters that have counted the try.
            operation: the id of the try.
        """
        successes = tuple(each for each in counted.counters if each.rule.counts_successes)
        await self.withdraw(Counted(successes), operation=operation)

    async def withdraw(self, counted: Counted, *, operation: str) -> None:
        """Lower the counters as if the try had not been made.

        Args:
            counted: the counters that have counted it.
            operation: the id of the try.
        """
        counters = [each for each in counted.counters if not each.spared]
        if counters:
            forgets_ms = [milliseconds(each.rule.forgets) for each in counters]
            await self._settle(counters, operation, [], forgets_ms)

    async def _settle(
        self,
        counters: Iterable[Counter],
        operation: str,
        marks: list[str],
        forgets_ms: list[int],
        at_ms: int = 0,
    ) -> None:
        keys = [*map(self._key_of, counters), *marks]
        mark_ttl_ms = milliseconds(FAMILIAR_FOR) if marks else 0
        args: list[str | int] = [operation, mark_ttl_ms, at_ms, *forgets_ms]
        await self._scripts.run("settle_try", keys, args, shared=True)

    def _key_of(self, counter: Counter) -> str:
        return self._names.tries(counter.kind, self._digest(counter))

    def _mark_of(self, counter: Counter) -> str:
        return self._names.familiar(self._digest(counter))

    def _forgotten(self, user: str) -> str:
        return self._names.forgotten(self._hashed(f"forgotten\0{user}"))

    def _digest(self, counter: Counter) -> str:
        return self._hashed(f"{counter.kind}\0{counter.of}")

    def _hashed(self, name: str) -> str:
        text = name.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")[:DIGEST_BYTES].hex()


def _rule_args(counter: Counter) -> tuple[int, str]:
    """Return a counter's rule as the script takes it."""
    return milliseconds(counter.rule.forgets), "" if counter.spared else _steps(counter.rule)


@functools.cache  # one entry for each rule of the program
def _steps(rule: Rule) -> str:
    return " ".join(f"{step.tries}:{milliseconds(step.delay)}" for step in rule.steps)
