"""What the acts on accounts answer when they do not do what was asked: expected, so values.

`handlers/http/outcomes.py` says each of them as a problem, and nothing else does.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from server.core.credentials import BadPassword, BadUsername
from server.core.factor_policy import TooManyTries
from server.core.factors import Method
from server.core.throttling import Throttled
from server.sessions.creation import SignInInterrupted


class Denial(Enum):
    """Refusals that need no further words."""

    SIGN_UP_CLOSED = auto()
    """People may not make accounts themselves."""
    WRONG_CREDENTIALS = auto()
    """At sign-in. Wrong, unknown and disabled are one: who asks learns no more."""
    WRONG_PASSWORD = auto()
    """Of somebody who is signed in."""
    CHALLENGE_EXPIRED = auto()
    """The proof of the password is too old, or no longer one."""
    WRONG_SECOND_FACTOR = auto()
    """The code that should complete a sign-in."""
    PASSKEY_REFUSED = auto()
    """The passkey that should sign somebody in: unknown, removed, copied, of a disabled account."""
    WRONG_CODE = auto()
    """The code of somebody who is signed in."""
    WRONG_PASSKEY = auto()
    """The passkey of somebody who is signed in."""
    SESSION_NOT_FOUND = auto()
    """No live session of one's own. Unknown and somebody else's are one."""
    FACTOR_NOT_FOUND = auto()
    """The account has no such second factor."""
    PASSKEYS_UNAVAILABLE = auto()
    """Browsers take no passkeys at this address."""
    NO_SECOND_FACTOR = auto()
    """There is none that recovery codes could stand in for."""


@dataclass(frozen=True, slots=True)
class NameTaken:
    """Somebody has this user name."""

    detail: str = "This user name is taken. Choose another one."


@dataclass(frozen=True, slots=True)
class NotSignedUp:
    """No account was made, for what was asked for."""

    why: NameTaken | BadUsername | BadPassword


@dataclass(frozen=True, slots=True)
class PasswordNotChanged:
    """The new password will not do."""

    why: BadPassword


@dataclass(frozen=True, slots=True)
class SecondFactorOwed:
    """The password was right, and the account asks for a second factor.

    Attributes:
        methods: how it can be proved.
        challenge: what must come with it.
    """

    methods: tuple[Method, ...]
    challenge: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactorMissing:
    """Somebody who is signed in proved the password again, and a code must come with it."""

    methods: tuple[Method, ...]


class NotAdded(Enum):
    """Why a second factor was not set up."""

    EXPIRED = auto()
    """It took too long, or somebody else began it, or it was begun for something else."""
    WRONG_CODE = auto()
    BAD_PASSKEY = auto()
    BAD_NAME = auto()
    ALREADY = auto()
    """There is an app, or this passkey, already."""
    TOO_MANY = auto()


NotDone = (
    Denial
    | NotAdded
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
