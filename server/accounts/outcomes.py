"""What services answer when they do not do what was asked. All of it is expected, so it is values.

`handlers/http/outcomes.py` is the one place that turns them into problems.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from server.core.credentials import BadPassword, BadUsername
from server.core.factor_policy import TooManyTries
from server.core.factors import Method
from server.core.throttling import Throttled
from server.sessions.creation import SignInInterrupted


class Denial(Enum):
    """Refusals without further details."""

    SIGN_UP_CLOSED = auto()
    """People may not make accounts themselves."""
    WRONG_CREDENTIALS = auto()
    """At sign-in. Wrong, unknown and disabled are the same, so the client learns no more."""
    WRONG_PASSWORD = auto()
    """The current password of somebody who is signed in."""
    CHALLENGE_EXPIRED = auto()
    """The proof of the password is too old, or no longer one."""
    WRONG_SECOND_FACTOR = auto()
    """The code that completes a sign-in is wrong, too old, or was used before."""
    PASSKEY_REFUSED = auto()
    """At sign-in: unknown, removed, copied, or of a disabled account."""
    WRONG_CODE = auto()
    """The code of somebody who is signed in is wrong, too old, or was used before."""
    WRONG_PASSKEY = auto()
    """It is no passkey of who is signed in."""
    SESSION_NOT_FOUND = auto()
    """The user has no such live session. Unknown and somebody else's are the same."""
    FACTOR_NOT_FOUND = auto()
    """The account has no such second factor."""
    PASSKEYS_UNAVAILABLE = auto()
    """Browsers take no passkeys at this address."""
    LAST_ADMINISTRATOR = auto()
    """Nobody would be left who may act on other people's accounts."""
    ACCOUNT_NOT_FOUND = auto()
    """There is no such account, or not any more."""
    RENAME_UNFINISHED = auto()
    """The account is being renamed, to another name. That comes to its end first."""
    NO_SECOND_FACTOR = auto()
    """Recovery codes stand in for a second factor, and the account has none."""


@dataclass(frozen=True, slots=True)
class NameTaken:
    """Somebody has this user name."""

    detail: str = "This user name is taken. Choose another one."


@dataclass(frozen=True, slots=True)
class NotSignedUp:
    """No account was made; says why."""

    why: NameTaken | BadUsername | BadPassword


@dataclass(frozen=True, slots=True)
class NotRenamed:
    """The account kept its name; says why."""

    why: NameTaken | BadUsername


@dataclass(frozen=True, slots=True)
class PasswordNotChanged:
    """The new password is not allowed; says why."""

    why: BadPassword


@dataclass(frozen=True, slots=True)
class SecondFactorOwed:
    """The password was right, and the account requires a second factor.

    Attributes:
        methods: how it can be proved.
        challenge: what must come with it.
    """

    methods: tuple[Method, ...]
    challenge: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactorMissing:
    """The password was right, and a signed-in user must send a code with it."""

    methods: tuple[Method, ...]


class NotAdded(Enum):
    """Why a second factor was not set up."""

    EXPIRED = auto()
    """The setup took too long, or it was begun by somebody else or for something else."""
    WRONG_CODE = auto()
    BAD_PASSKEY = auto()
    BAD_NAME = auto()
    ALREADY = auto()
    """There is an app, or this passkey, already."""
    TOO_MANY = auto()


NotDone = (
    Denial
    | NotAdded
    | NotRenamed
    | NotSignedUp
    | PasswordNotChanged
    | SecondFactorOwed
    | SecondFactorMissing
    | SignInInterrupted
    | Throttled
    | TooManyTries
)
"""Everything that an act can answer in place of doing what was asked. Of a session that ended
meanwhile it answers `NoSession`, as any request does."""
