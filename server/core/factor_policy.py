"""What makes a presented second factor good. Nothing acts here.

Every use leaves a trace in the record that it was judged by: the time step of a code, the recovery
code that is gone, the count of wrong codes, a passkey's counter. The record is written by
compare-and-set before anybody is told anything, so of two uses of one code exactly one wins, and
no guess goes uncounted.

    presented            | good if                                        | else
    a code of the app    | of this step or a neighbour, later than the    | counted; after five in a
                         | last one used; no wait is running              | row the next must wait
    a recovery code      | not used yet                                   | refused, not counted
    a passkey            | its signature was right and its counter went up| refused

This file must import the standard library alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from server.core.factors import Factors, Method
from server.core.one_time_codes import is_totp_code, matching_step, steps_around, without_code

FREE_WRONG_CODES: Final = 5
FIRST_WAIT_SECONDS: Final = 30.0
LONGEST_WAIT_SECONDS: Final = 3600.0
"""Who has the password and tries for a year has 8,760 tries, and 3 codes in a million are good at a
time: 2.6 %. NIST SP 800-63B-4 3.2.2 disables the factor after 100; a wait locks nobody out."""

_MOST_DOUBLINGS: Final = 16

Codes = Callable[[str, Iterable[int]], Mapping[int, str]]
"""A secret's right codes for time steps."""


class Flaw(StrEnum):
    """Why a second factor is refused; for the audit, never for the one who presented it."""

    CODE = "code"
    RECOVERY_CODE = "recovery-code"
    PASSKEY = "passkey"
    SIGN_COUNT = "sign-count"
    """A counter that did not go up: there is a copy of the passkey (WebAuthn 6.1.1)."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The second factor is right."""

    method: Method


@dataclass(frozen=True, slots=True)
class Wrong:
    """It is not, or was used before."""

    flaw: Flaw


@dataclass(frozen=True, slots=True)
class TooManyTries:
    """There were too many wrong codes; this one was not looked at."""

    wait_seconds: float


FactorOutcome = Proved | Wrong | TooManyTries


@dataclass(frozen=True, slots=True)
class Judged:
    """What to answer, and the factors as they must be written before it is answered."""

    factors: Factors
    outcome: FactorOutcome


def judge_code(factors: Factors, codes: Codes, given: str, now: float) -> Judged:
    """Judge a code from the app, or a recovery code.

    Recovery codes do not wait and do not count: nobody guesses one, so whoever got hold of the
    password cannot lock its owner out.

    Args:
        factors: as the store has them.
        codes: asked for the right codes.
        given: as it was typed.
        now: Unix seconds on the store's clock (ASVS 5.0 6.5.8).
    """
    if not is_totp_code(given):
        return _judge_recovery_code(factors, given)
    if wait := seconds_to_wait(factors, now):
        return Judged(factors, TooManyTries(wait))
    totp, step = factors.totp, None
    if totp is not None:
        right = codes(totp.secret, steps_around(now))
        step = matching_step(right, given, after=totp.last_step)
    if totp is None or step is None:
        missed = replace(factors, wrong_codes=factors.wrong_codes + 1, wrong_code_at=now)
        return Judged(missed, Wrong(Flaw.CODE))
    used = replace(factors, totp=replace(totp, last_step=step), wrong_codes=0)
    return Judged(used, Proved(Method.TOTP))


def judge_passkey(factors: Factors, identifier: str, sign_count: int, now: float) -> Judged:
    """Judge a passkey whose signature was right.

    Args:
        factors: as the store has them.
        identifier: the credential's id.
        sign_count: the counter that it shows; one that does not count shows 0 all the time.
        now: Unix seconds on the store's clock.
    """
    passkey = factors.passkey(identifier)
    if passkey is None:
        return Judged(factors, Wrong(Flaw.PASSKEY))
    counts = max(passkey.sign_count, sign_count) > 0
    if counts and sign_count <= passkey.sign_count:
        return Judged(factors, Wrong(Flaw.SIGN_COUNT))
    used = replace(passkey, sign_count=sign_count, last_used_at=now)
    passkeys = tuple(used if each is passkey else each for each in factors.passkeys)
    return Judged(replace(factors, passkeys=passkeys, wrong_codes=0), Proved(Method.PASSKEY))


def seconds_to_wait(factors: Factors, now: float) -> float:
    """How long until a code from the app is looked at again: twice as long for each wrong one."""
    over = factors.wrong_codes - FREE_WRONG_CODES
    if over < 0:
        return 0.0
    wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(over, _MOST_DOUBLINGS))
    return max(0.0, factors.wrong_code_at + wait - now)


def _judge_recovery_code(factors: Factors, given: str) -> Judged:
    left = without_code(factors.recovery, given) if factors.recovery else None
    if left is None:
        return Judged(factors, Wrong(Flaw.RECOVERY_CODE))
    return Judged(replace(factors, recovery=left, wrong_codes=0), Proved(Method.RECOVERY_CODE))
