"""Count every try at a password or a code before the password or code is checked.

Of many tries at one moment, no more are checked than are allowed; one that succeeds is taken out of
the count again. A refusal costs no hash and loads no account, so right and wrong, known and unknown
get the same answer in the same time (ASVS 5.0 6.1.1, 6.3.1, 6.3.8).
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

from server.accounts.undecided_tries import UndecidedTries, UndecidedTry
from server.core.addresses import network_of
from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.factor_policy import Proved, TooManyTries
from server.core.throttling import (
    SIGN_UP_LIMITS,
    Act,
    Counted,
    SignUpLimits,
    Tally,
    Throttled,
    TryOutcome,
    code_tally,
    proof_tally,
    sign_in_tally,
    sign_up_tally,
)
from server.crypto.passwords import HasherBusy
from server.store.try_counters import TryCounters

PLACES_PER_ADDRESS: Final = 16
"""Of about 66 that a node's hashing has: one address can fill a quarter of them."""


class Attempt:
    """A try that was counted and may be made now. Call one method, once, when it has ended.

    If none is called, it stays counted, like a failure.
    """

    def __init__(
        self,
        counters: TryCounters,
        tally: Tally,
        counted: Counted,
        operation: str,
        count: Callable[[TryOutcome], object],
    ) -> None:
        self._counters = counters
        self._tally = tally
        self._counted = counted
        self._operation = operation
        self._count = count

    async def succeeded(self) -> None:
        """Take the try out of the count of failures: all was right, a second factor too."""
        self._count(TryOutcome.SUCCEEDED)
        await self._counters.record_success(self._tally, self._counted, operation=self._operation)

    def failed(self) -> None:
        """Leave the try in the count: the password or the code was wrong."""
        self._count(TryOutcome.FAILED)

    async def missed(self) -> None:
        """Leave the try in the count of failures, and take it out of the count of successes."""
        self.failed()
        await self._counters.record_failure(self._counted, operation=self._operation)

    async def settle(self, outcome: object) -> None:
        """End the try by the outcome of a second factor's check."""
        match outcome:
            case Proved():
                await self.succeeded()
            case TooManyTries():  # it was not looked at
                await self.withdrawn()
            case _:
                self.failed()

    async def withdrawn(self) -> None:
        """Take the try out of the count, and keep earlier failures.

        Nothing was learned by it, or the password was right and a code is asked for next.
        """
        await self._counters.withdraw(self._counted, operation=self._operation)


class Throttle:
    """Slows guessing down.

    Args:
        counters: shared by all nodes.
        context: this node's randomness, counters and audit trail.
        sign_ups: how many accounts people may make themselves.
    """

    def __init__(
        self,
        counters: TryCounters,
        context: NodeContext,
        sign_ups: SignUpLimits = SIGN_UP_LIMITS,
    ) -> None:
        self._counters = counters
        self._context = context
        self._sign_ups = sign_ups
        self._busy: Counter[str] = Counter()
        self._busy_sign_ups: Counter[str] = Counter()
        self._undecided = UndecidedTries()

    def sign_in(self, name: str, address: str) -> AbstractAsyncContextManager[Attempt | Throttled]:
        """Count a try at signing in by password.

        Args:
            name: the canonical name; of a name that has none, as it was typed.
            address: where the request comes from.

        Raises:
            HasherBusy: too many tries from this address are under way here.
            StoreUnavailable: it cannot be counted, so it must not be made.
        """
        return self._try(Act.SIGN_IN, sign_in_tally(name, address), address)

    def code(self, user: str, address: str) -> AbstractAsyncContextManager[Attempt | Throttled]:
        """Count a try at the code that follows a right password. Raises as `sign_in`."""
        return self._try(Act.SIGN_IN, code_tally(user, address), address)

    def proof(
        self, user: str, sid: str, address: str
    ) -> AbstractAsyncContextManager[Attempt | Throttled]:
        """Count a try of a signed-in person to prove the password again. Raises as `sign_in`.

        Such tries are counted apart from sign-ins: only somebody with a session can delay them, and
        they delay no sign-in.
        """
        return self._try(Act.PROOF, proof_tally(user, sid), address)

    def sign_up(self, address: str) -> AbstractAsyncContextManager[Attempt | Throttled]:
        """Count a try at making an account, which shows if a name is taken. Raises as `sign_in`.

        An account that was made stays in the count, too.
        """
        return self._try(Act.SIGN_UP, sign_up_tally(address, self._sign_ups), address)

    async def forget(self, user: str) -> None:
        """Forget the tries of an account that was removed; see `TryCounters.forget`."""
        await self._counters.forget(user)

    @asynccontextmanager
    async def _try(
        self, act: Act, tally: Tally, address: str
    ) -> AsyncIterator[Attempt | Throttled]:
        place = self._place(act, network_of(address))
        with place, self._undecided.undecided(tally) as undecided:
            operation = self._context.new_id()
            counted = await self._count(tally, operation, undecided)
            if isinstance(counted, Throttled):
                self._refuse(act, counted, address)
                yield counted
                return
            count = partial(self._context.counts.tried, act)
            attempt = Attempt(self._counters, tally, counted, operation, count)
            try:
                yield attempt
            except HasherBusy:  # an overload, not a verdict
                await attempt.withdrawn()
                raise

    async def _count(
        self, tally: Tally, operation: str, undecided: UndecidedTry
    ) -> Counted | Throttled:
        """Count a try. If only tries that are being checked here stand in its way, wait for them.

        They may turn out right, and what is right must not use up tries: a browser that starts
        again may sign in many times at once.
        """
        while True:
            counted = await self._counters.count(tally, operation=operation)
            if isinstance(counted, Counted) or not await undecided.may_pass(counted.by):
                return counted

    def _refuse(self, act: Act, throttled: Throttled, address: str) -> None:
        """Record it without a name: looking one up would show by its time whether it exists."""
        self._context.counts.tried(act, TryOutcome.THROTTLED)
        self._context.record(
            AuditEvent.LOGIN_THROTTLED,
            ip=address,
            by=throttled.by.value,
            seconds=throttled.wait.total_seconds(),
        )

    @contextmanager
    def _place(self, act: Act, network: str) -> Iterator[None]:
        """Hold one of a network's places. Sign-ups take none from those who prove a password."""
        busy = self._busy_sign_ups if act is Act.SIGN_UP else self._busy
        others = self._busy[network] if act is Act.SIGN_UP else 0
        if busy[network] + others >= PLACES_PER_ADDRESS:
            raise HasherBusy
        busy[network] += 1
        try:
            yield
        finally:
            busy[network] -= 1
            if not busy[network]:
                del busy[network]
