"""The one place that turns what an act came to into a problem.

The acts in `server/accounts` know no HTTP: each answers with a value, and this maps every value.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from handlers.http import account_problems, factor_problems, problems
from handlers.http.problems import Problem, ProblemRaised
from server.accounts.outcomes import (
    Denial,
    NameTaken,
    NotAdded,
    NotDone,
    NotRenamed,
    NotSignedUp,
    PasswordNotChanged,
    SecondFactorMissing,
    SecondFactorOwed,
)
from server.core.credentials import BadPassword, BadUsername
from server.core.factor_policy import TooManyTries
from server.core.throttling import Throttled
from server.sessions.creation import SignInInterrupted

Done = TypeVar("Done")

DENIALS: Final[Mapping[Denial, Problem]] = MappingProxyType(
    {
        Denial.SIGN_UP_CLOSED: account_problems.SIGNUP_CLOSED,
        Denial.WRONG_CREDENTIALS: account_problems.WRONG_CREDENTIALS,
        Denial.WRONG_PASSWORD: account_problems.WRONG_PASSWORD,
        Denial.CHALLENGE_EXPIRED: factor_problems.CHALLENGE_EXPIRED,
        Denial.WRONG_SECOND_FACTOR: factor_problems.WRONG_SECOND_FACTOR,
        Denial.PASSKEY_REFUSED: factor_problems.PASSKEY_REFUSED,
        Denial.WRONG_CODE: factor_problems.WRONG_CODE,
        Denial.WRONG_PASSKEY: factor_problems.WRONG_PASSKEY,
        Denial.SESSION_NOT_FOUND: problems.SESSION_NOT_FOUND,
        Denial.FACTOR_NOT_FOUND: factor_problems.FACTOR_NOT_FOUND,
        Denial.PASSKEYS_UNAVAILABLE: factor_problems.PASSKEYS_UNAVAILABLE,
        Denial.LAST_ADMINISTRATOR: account_problems.LAST_ADMINISTRATOR,
        Denial.ACCOUNT_NOT_FOUND: account_problems.USER_NOT_FOUND,
        Denial.RENAME_UNFINISHED: account_problems.RENAME_UNFINISHED,
        Denial.NO_SECOND_FACTOR: factor_problems.NO_SECOND_FACTOR,
    }
)
NOT_ADDED: Final[Mapping[NotAdded, Problem]] = MappingProxyType(
    {
        NotAdded.EXPIRED: factor_problems.SETUP_EXPIRED,
        NotAdded.WRONG_CODE: factor_problems.WRONG_CODE,
        NotAdded.BAD_PASSKEY: factor_problems.BAD_PASSKEY,
        NotAdded.BAD_NAME: factor_problems.BAD_PASSKEY_NAME,
        NotAdded.ALREADY: factor_problems.FACTOR_EXISTS,
        NotAdded.TOO_MANY: factor_problems.TOO_MANY_PASSKEYS,
    }
)


def problem_of_outcome(outcome: NotDone) -> Problem:
    """Return the problem of an act that was not done."""
    match outcome:
        case Denial():
            return DENIALS[outcome]
        case NotAdded():
            return NOT_ADDED[outcome]
        case NotSignedUp(why) | NotRenamed(why):
            return _not_signed_up(why)
        case PasswordNotChanged(bad):
            return account_problems.bad_password(
                "The password was not changed", bad.detail, bad.flaw
            )
        case SecondFactorOwed(methods, challenge):
            return factor_problems.second_factor_owed(methods, challenge)
        case SecondFactorMissing(methods):
            return factor_problems.second_factor_missing(methods)
        case SignInInterrupted():
            return account_problems.SIGN_IN_INTERRUPTED
        case Throttled(wait):
            return problems.throttled(wait)
        case TooManyTries(seconds):
            return problems.throttled(timedelta(seconds=seconds))


def require_done(outcome: Done | NotDone) -> Done:
    """Return what an act did.

    Raises:
        ProblemRaised: it was not done.
    """
    if isinstance(outcome, NotDone):
        raise ProblemRaised(problem_of_outcome(outcome))
    return outcome


def _not_signed_up(why: NameTaken | BadUsername | BadPassword) -> Problem:
    match why:
        case NameTaken(detail):
            return account_problems.name_taken(detail)
        case BadUsername(flaw, detail):
            return account_problems.bad_username(detail, flaw)
        case BadPassword(flaw, detail):
            return account_problems.bad_password(account_problems.NO_ACCOUNT_MADE, detail, flaw)
