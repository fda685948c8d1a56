"""The rules that slow down guessing: which tries are counted together, and who waits how long.

A counter remembers tries and forgets them one by one. A try counts as a failure until it succeeds.
With more tries remembered, the next one has to wait longer after the latest. Nobody is ever locked
out, because every delay has a maximum. The store counts, in one atomic step; the rules here say
what it counts and what follows from the count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from server.core.addresses import network_of

FAMILIAR_FOR: Final = timedelta(days=30)
"""How long an address is familiar to an account that signed in from it. It is counted separately,
so that nobody at another address delays the owner at home."""


class CounterKind(StrEnum):
    """Which tries a counter counts."""

    FAMILIAR = "familiar"
    """Tries for one account from an address that is familiar to it."""
    ACCOUNT = "account"
    """Tries for one account, or for a name without account, from all other addresses."""
    ADDRESS = "address"
    """Tries from one address, for all accounts that it is not familiar to."""
    EVERYBODY = "everybody"
    """All tries from addresses that are not familiar, together."""
    SESSION = "session"
    """Tries in one session to prove the password again: by the owner, or a thief of the cookie."""
    OWNER = "owner"
    """The same tries in all sessions of one account together."""
    SIGN_UP = "sign_up"
    """Sign-ups from one address, by which somebody could find out which names are taken."""
    NEW_AT_ADDRESS = "new_at_address"
    """Accounts that were made from one address."""
    NEW_ACCOUNTS = "new_accounts"
    """Accounts that were made from all addresses together."""


class Act(StrEnum):
    """What somebody tries to do."""

    SIGN_IN = "sign_in"
    PROOF = "proof"
    SIGN_UP = "sign_up"


class TryOutcome(StrEnum):
    """How a try ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Step:
    """With `tries` or more remembered, the next one must come `delay` after the latest."""

    tries: int
    delay: timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a count.

    Attributes:
        steps: in rising order; the last one reached counts. Tries beyond the last step are not
            remembered.
        forgets: the time after which one more try is forgotten.
        pardons: whether a success makes the counter forget all tries, or only the one that
            succeeded. False where one person's success would pardon guesses at other accounts.
        counts_successes: whether a try stays counted if it succeeds, and not if it fails.
    """

    steps: tuple[Step, ...]
    forgets: timedelta
    pardons: bool
    counts_successes: bool = False


def doubling(free: int, first: timedelta, longest: timedelta) -> tuple[Step, ...]:
    """Return the steps of a delay that doubles with each try.

    Args:
        free: the number of tries without a delay.
        first: the delay after them.
        longest: the delay at which doubling stops.
    """
    steps, delay = [Step(free, first)], first
    while delay < longest:
        delay = min(2 * delay, longest)
        steps.append(Step(steps[-1].tries + 1, delay))
    return tuple(steps)


def hourly(number: int) -> Rule:
    """Return the rule for successes: `number` at once, and as many in each hour."""
    each = timedelta(hours=1) / number
    return Rule((Step(number, each),), forgets=each, pardons=False, counts_successes=True)


_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)

CEILING: Final = Step(100, timedelta(hours=1))
"""NIST SP 800-63B-4 §3.2.2 disables an account after 100 failures in a row. Then anybody could lock
out anybody; here one try in an hour is left."""
LONGEST_DELAY: Final = 15 * _MINUTE

# Doubling from a second, as in OWASP's Authentication Cheat Sheet, «Account Lockout».
_GUESSING: Final = Rule(
    (*doubling(10, _SECOND, LONGEST_DELAY), CEILING), forgets=_DAY, pardons=True
)
_BY_ADDRESS: Final = Rule((Step(20, _MINUTE),), forgets=_MINUTE, pardons=False)

ACCOUNTS_PER_ADDRESS: Final = 60
"""In an hour: more than the people of one company or one school who sign up on the same morning."""
ACCOUNTS_IN_ALL: Final = 1000

RULES: Final[Mapping[CounterKind, Rule]] = MappingProxyType({
    CounterKind.FAMILIAR: _GUESSING,
    CounterKind.ACCOUNT: _GUESSING,
    CounterKind.ADDRESS: _BY_ADDRESS,
    # 300 at once, then one a second: far above the typing errors of the people of a town, and far
    # below what the hashing threads of one process can check.
    CounterKind.EVERYBODY: Rule((Step(300, _SECOND),), forgets=_SECOND, pardons=False),
    CounterKind.SESSION: _GUESSING,
    CounterKind.OWNER: Rule(
        (*doubling(30, _SECOND, LONGEST_DELAY), CEILING), forgets=_DAY, pardons=True
    ),
    CounterKind.SIGN_UP: _BY_ADDRESS,
    CounterKind.NEW_AT_ADDRESS: hourly(ACCOUNTS_PER_ADDRESS),
    CounterKind.NEW_ACCOUNTS: hourly(ACCOUNTS_IN_ALL),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter.

    Attributes:
        kind: which tries it counts.
        of: what it belongs to: a name, an address or a session's id. May be any text that
            somebody typed, even a password.
        spared: whether this try is not counted here and does not wait for this counter. A success
            still makes it forget.
        set_rule: its rule, where a setting decides.
    """

    kind: CounterKind
    of: str
    spared: bool = False
    set_rule: Rule | None = None

    @property
    def rule(self) -> Rule:
        """The rule for this counter."""
        return self.set_rule or RULES[self.kind]


@dataclass(frozen=True, slots=True)
class Tally:
    """The counters for one try.

    Attributes:
        familiar: the only one that counts if the address is familiar; None if none can be.
        others: the ones that count if it is not.
    """

    familiar: Counter | None
    others: tuple[Counter, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The try is allowed.

    Attributes:
        counters: those that have counted it.
        at_ms: when, in Unix milliseconds on the store's clock.
    """

    counters: tuple[Counter, ...]
    at_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Throttled:
    """The try is not allowed yet, no matter whether the secret is right.

    Attributes:
        wait: how long to wait.
        by: the kind of counter that demands the wait.
    """

    wait: timedelta
    by: CounterKind


def sign_in_tally(name: str, address: str) -> Tally:
    """Return the counters for a sign-in.

    Args:
        name: the canonical user name; if there is none, the name as it was typed.
        address: the address that the request comes from.
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
    """Return the counters for a code after the password: those of a sign-in, without the account's.

    The password has waited for the account's counter already. If the code waited for it again,
    somebody who guesses passwords all the time could keep the owner out, because the proof of the
    password expires before the wait is over. Wrong codes have a count of their own in the account
    (`server.core.factor_policy`).
    """
    tally = sign_in_tally(user, address)
    return Tally(
        replace(tally.familiar, spared=True) if tally.familiar else None,
        tuple(replace(each, spared=each.kind is CounterKind.ACCOUNT) for each in tally.others),
    )


def proof_tally(user: str, sid: str) -> Tally:
    """Return the counters for proving the password in a session; no stranger can raise these."""
    return Tally(None, (Counter(CounterKind.SESSION, sid), Counter(CounterKind.OWNER, user)))


@dataclass(frozen=True, slots=True)
class SignUpLimits:
    """How many accounts people may make themselves, in an hour.

    Attributes:
        per_address: from one address; for IPv6, from one /64.
        in_all: from all addresses together.
    """

    per_address: int = ACCOUNTS_PER_ADDRESS
    in_all: int = ACCOUNTS_IN_ALL


SIGN_UP_LIMITS: Final = SignUpLimits()


def sign_up_tally(address: str, limits: SignUpLimits = SIGN_UP_LIMITS) -> Tally:
    """Return the counters for a sign-up.

    An account that was made stays counted as one, and a name that is taken as a try at a name.
    """
    network = network_of(address)
    at_address, in_all = hourly(limits.per_address), hourly(limits.in_all)
    return Tally(
        None,
        (
            Counter(CounterKind.SIGN_UP, network),
            Counter(CounterKind.NEW_AT_ADDRESS, network, set_rule=at_address),
            Counter(CounterKind.NEW_ACCOUNTS, "", set_rule=in_all),
        ),
    )
