"""How tries at a secret are slowed down: what is counted together, and who waits how long.

A counter remembers tries, each of which is a failure until it has succeeded, and forgets them one
by one. From so many remembered tries on, the next one waits so long after the latest. Nobody is
ever locked out: every delay has a longest. The store counts, in one step; what it counts and what
follows from the count is decided here. This file must import the standard library alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from server.core.addresses import network_of

FAMILIAR_FOR: Final = timedelta(days=30)
"""How long an address from which an account signed in stays its own: it is then counted by itself,
so that nobody elsewhere delays the owner at home."""


class CounterKind(StrEnum):
    """What a counter counts."""

    FAMILIAR = "familiar"
    """An account at an address from which it signed in lately."""
    ACCOUNT = "account"
    """An account, or a name that nobody has, at all other addresses."""
    ADDRESS = "address"
    """An address, at all accounts that it is not familiar to."""
    EVERYBODY = "everybody"
    """All of that together."""
    SESSION = "session"
    """A session whose holder proves the password again: the owner, or a thief with the cookie."""
    OWNER = "owner"
    """All sessions of an account together."""
    SIGN_UP = "sign_up"
    """An address that asks whether names are taken, by signing up."""


class Act(StrEnum):
    """What a try is for."""

    SIGN_IN = "sign_in"
    PROOF = "proof"
    SIGN_UP = "sign_up"


class TryOutcome(StrEnum):
    """What became of a try."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Step:
    """From `tries` remembered ones on, the next waits `delay` after the latest."""

    tries: int
    delay: timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a count.

    Attributes:
        steps: in rising order; the last that is reached holds. More are not remembered.
        forgets: the time in which one try is forgotten.
        pardons: whether a success forgets them all, or only itself. Where one person's success
            would pardon guesses at others, only itself.
    """

    steps: tuple[Step, ...]
    forgets: timedelta
    pardons: bool


def doubling(free: int, first: timedelta, longest: timedelta) -> tuple[Step, ...]:
    """Steps of a delay that doubles with each try.

    Args:
        free: tries that cost nothing.
        first: delay after them.
        longest: it doubles up to this.
    """
    steps, delay = [Step(free, first)], first
    while delay < longest:
        delay = min(2 * delay, longest)
        steps.append(Step(steps[-1].tries + 1, delay))
    return tuple(steps)


_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)

CEILING: Final = Step(100, timedelta(hours=1))
"""NIST SP 800-63B-4 §3.2.2 wants an account disabled after 100 failures in a row. That would let
anybody lock out anybody; here one try an hour is left."""
LONGEST_DELAY: Final = 15 * _MINUTE

# Doubling from a second, as in OWASP's Authentication Cheat Sheet, «Account Lockout».
_GUESSING: Final = Rule(
    (*doubling(10, _SECOND, LONGEST_DELAY), CEILING), forgets=_DAY, pardons=True
)
_BY_ADDRESS: Final = Rule((Step(20, _MINUTE),), forgets=_MINUTE, pardons=False)

RULES: Final[Mapping[CounterKind, Rule]] = MappingProxyType({
    CounterKind.FAMILIAR: _GUESSING,
    CounterKind.ACCOUNT: _GUESSING,
    CounterKind.ADDRESS: _BY_ADDRESS,
    # 300 at once, then one a second: far above what people mistype in a town, and far below what
    # the hashing threads of one process can check.
    CounterKind.EVERYBODY: Rule((Step(300, _SECOND),), forgets=_SECOND, pardons=False),
    CounterKind.SESSION: _GUESSING,
    CounterKind.OWNER: Rule(
        (*doubling(30, _SECOND, LONGEST_DELAY), CEILING), forgets=_DAY, pardons=True
    ),
    CounterKind.SIGN_UP: _BY_ADDRESS,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter.

    Attributes:
        kind: what it counts.
        of: whose it is. May be anything that somebody typed, even a password.
        spared: whether the try neither counts here nor waits; a success pardons it all the same.
    """

    kind: CounterKind
    of: str
    spared: bool = False

    @property
    def rule(self) -> Rule:
        """What follows from its count."""
        return RULES[self.kind]


@dataclass(frozen=True, slots=True)
class Tally:
    """What a try is counted by.

    Attributes:
        familiar: counts alone where the place is familiar; None where no place can be.
        others: count together elsewhere.
    """

    familiar: Counter | None
    others: tuple[Counter, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The try may be made; these counters have counted it."""

    counters: tuple[Counter, ...]


@dataclass(frozen=True, slots=True)
class Throttled:
    """The try may not be made yet, whether it were right or wrong.

    Attributes:
        wait: for how long.
        by: the counter that says so.
    """

    wait: timedelta
    by: CounterKind


def sign_in_tally(name: str, address: str) -> Tally:
    """What a sign-in is counted by.

    Args:
        name: the canonical name; of a name that has none, as it was typed.
        address: where the request comes from.
    """
    network = network_of(address)
    return Tally(
        Counter(CounterKind.FAMILIAR, f"{network}\0{name}"),
        (
            Counter(CounterKind.ACCOUNT, name),
            Counter(CounterKind.ADDRESS, network),
            Counter(CounterKind.EVERYBODY, ""),
        ),
    )


def code_tally(user: str, address: str) -> Tally:
    """What a code that follows the password is counted by: as a sign-in, but not by the account.

    The password has waited there. Would its code wait again, whoever guesses passwords all the
    time would keep the owner out: the proof of the password does not last that long. Wrong codes
    have a row of their own, which is the account's (`server.core.factor_policy`).
    """
    tally = sign_in_tally(user, address)
    return Tally(
        replace(tally.familiar, spared=True) if tally.familiar else None,
        tuple(replace(each, spared=each.kind is CounterKind.ACCOUNT) for each in tally.others),
    )


def proof_tally(user: str, sid: str) -> Tally:
    """What proving the password of a session is counted by: nothing that a stranger can raise."""
    return Tally(None, (Counter(CounterKind.SESSION, sid), Counter(CounterKind.OWNER, user)))


def sign_up_tally(address: str) -> Tally:
    """What a sign-up is counted by. Only a name that was taken stays counted."""
    return Tally(None, (Counter(CounterKind.SIGN_UP, network_of(address)),))
