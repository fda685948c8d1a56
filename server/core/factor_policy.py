"""The rules by which a presented second factor is accepted or refused.

Each use changes the record that it is judged by: the time step of a code, the recovery codes that
are left, the count of wrong codes, the counter of a passkey. The record is written by
compare-and-set before anybody gets an answer. So of two uses of one code exactly one wins, and
every wrong guess is counted.

    presented            | accepted if                                    | else
    a code of the app    | of this step or a neighbour, later than the    | counted; after five in a
                         | last one used; no wait is running              | row the next must wait
    a recovery code      | not used yet                                   | refused, not counted
    a passkey            | its signature is right and its counter went up | refused
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
"""With this wait an attacker who knows the password has 8,760 tries in a year. 3 codes in a million
are right at any time, so the chance of success is 2.6 %. NIST SP 800-63B-4 3.2.2 disables the
factor after 100 wrong tries; a wait locks nobody out."""

_MOST_DOUBLINGS: Final = 16

Codes = Callable[[str, Iterable[int]], Mapping[int, str]]
"""Computes the right codes of a secret, by time step."""


class Flaw(StrEnum):
    """Why a second factor is refused: for the audit trail, never for the one who presented it."""

    CODE = "code"
    RECOVERY_CODE = "recovery-code"
    PASSKEY = "passkey"
    SIGN_COUNT = "sign-count"
    """The counter did not go up, so there may be a copy of the passkey (WebAuthn 6.1.1)."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The second factor is right."""

    method: Method


@dataclass(frozen=True, slots=True)
class Wrong:
    """The second factor is wrong, or was used before."""

    flaw: Flaw


@dataclass(frozen=True, slots=True)
class TooManyTries:
    """There were too many wrong codes before; this one was not checked."""

    wait_seconds: float


FactorOutcome = Proved | Wrong | TooManyTries


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome, and the factors to write before anybody is told of it."""

    factors: Factors
    outcome: FactorOutcome


def judge_code(factors: Factors, codes: Codes, given: str, now: float) -> Judged:
    """Judge a code of the app, or a recovery code.

    Recovery codes need not wait, and wrong ones are not counted: they are too long to be guessed.
    So a person who stole the password cannot keep the owner out by wrong codes.

    Args:
        factors: as stored.
        codes: computes the right codes.
        given: the code as it was typed.
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
    """Judge a passkey whose signature is right.

    Args:
        factors: as stored.
        identifier: the credential's id.
        sign_count: its present counter; always 0 for a passkey that does not count.
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
    """Return how long no code of the app is checked; each wrong one doubles this time."""
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
