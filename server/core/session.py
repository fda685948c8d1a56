"""The session record and the rules it lives by.

The record is a value: every change is a new record, made by the functions of `policy` and
`changes` and written by the store in one compare-and-set. The one formula for deadlines is here;
the store's TTL, the cookie's Max-Age, the closing of sockets and the page's countdown call it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

from server.core.reasons import Reason

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MAX_DATA_BYTES: Final = 64 * 1024
"""Of one session's data as JSON. A session is no database; larger things get a key of their own."""

TOUCHES_PER_IDLE_TIMEOUT: Final = 10
"""Activity is written at most this often per idle timeout, so throttling costs a person at most
a tenth of it however short it is set."""

LONGEST_WARNING: Final = timedelta(minutes=2)
"""WCAG 2.2 SC 2.2.1 asks for at least 20 s in which a simple action extends a limit."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The session policy's durations, bounds and demands; the defaults are in `settings.py`."""

    idle_timeout: timedelta = timedelta(minutes=30)
    absolute_timeout: timedelta = timedelta(hours=12)
    rotation_interval: timedelta = timedelta(minutes=15)
    rotation_grace: timedelta = timedelta(seconds=30)
    reauthentication_window: timedelta = timedelta(minutes=5)
    touch_interval: timedelta = timedelta(seconds=30)
    max_sessions_per_user: int = 10
    second_factor_required: bool = False

    @property
    def effective_touch_interval(self) -> timedelta:
        """The throttle in force: shorter than asked where the idle timeout is short."""
        return min(self.touch_interval, self.idle_timeout / TOUCHES_PER_IDLE_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Device:
    """What the browser said of itself at sign-in. Shown to the session's owner, never trusted."""

    user_agent: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One session. Times are Unix seconds on the store's clock.

    Attributes:
        sid: stable public handle; not a credential.
        user: canonical user name, or None for an anonymous visitor with data.
        seed: 32 random bytes from which every token of this session is computed.
        created_at: fixed for life; the absolute deadline counts from it.
        authenticated_at: when a password was last proved, None for an anonymous visitor.
        last_active_at: last recorded activity; the idle deadline counts from it.
        epoch: the shard's epoch at creation; ending everything changes the shard's.
        generation: the current token's number.
        current_since: when that token became current.
        issued: the highest number ever handed out; above `generation` it awaits its first use.
        issued_at: when `issued` was first handed out.
        settles_at: until then replies carrying an earlier token may still reach the browser, so
            no further number is handed out.
        previous: tokens that were overtaken and are still served. Each pair is one promotion: the
            first number it overtook, up to the next pair's or the current one, and until when.
        refused_below: tokens under this number were overtaken by a change of privilege and are
            refused …
        refused_until: … without being taken for theft until this time; None while the token
            that overtook them has not come back.
        device: what the browser said of itself.
        data: the application's mapping.
        two_factors: whether its person was proved by two factors, which a passkey is by itself.
            Records from before this was kept say no.
    """

    sid: str
    user: str | None
    seed: bytes = field(repr=False)
    created_at: float
    authenticated_at: float | None
    last_active_at: float
    current_since: float
    epoch: str = ""
    generation: int = 1
    issued: int = 1
    issued_at: float = 0.0
    settles_at: float = 0.0
    previous: tuple[tuple[int, float], ...] = ()
    refused_below: int = 1
    refused_until: float | None = None
    device: Device = Device()
    data: Mapping[str, Json] = field(default_factory=dict, repr=False)
    two_factors: bool = False


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a session ends by itself, in Unix seconds on the store's clock."""

    idle_expires_at: float
    absolute_expires_at: float

    @property
    def expires_at(self) -> float:
        """The earlier one."""
        return min(self.idle_expires_at, self.absolute_expires_at)

    @property
    def next_reason(self) -> Reason:
        """Which of the two timeouts comes first."""
        if self.idle_expires_at < self.absolute_expires_at:
            return Reason.IDLE_TIMEOUT
        return Reason.ABSOLUTE_TIMEOUT

    def timeout_at(self, now: float) -> Reason | None:
        """The timeout that `now` has reached, the absolute one first; None while both are ahead."""
        if now >= self.absolute_expires_at:
            return Reason.ABSOLUTE_TIMEOUT
        return Reason.IDLE_TIMEOUT if now >= self.idle_expires_at else None


def deadlines(session: Session, rules: Rules) -> Deadlines:
    """The one formula. Rotation and data writes change neither input of it."""
    absolute = session.created_at + rules.absolute_timeout.total_seconds()
    idle = session.last_active_at + rules.idle_timeout.total_seconds()
    return Deadlines(min(idle, absolute), absolute)


def warning_time(rules: Rules) -> timedelta:
    """How long before a deadline people are warned, where there is an open socket to say it on."""
    return min(LONGEST_WARNING, min(rules.idle_timeout, rules.absolute_timeout) / 5)


def is_recently_authenticated(session: Session, now: float, rules: Rules) -> bool:
    """Whether the password was proved within the reauthentication window (ASVS 7.5.1)."""
    if session.authenticated_at is None:
        return False
    return now < session.authenticated_at + rules.reauthentication_window.total_seconds()


def owes_second_factor(session: Session, rules: Rules) -> bool:
    """Whether a second factor must be set up or proved before the session is served (ASVS 6.3.3).

    Told by the record alone, so that no request asks the store for it.
    """
    return rules.second_factor_required and session.user is not None and not session.two_factors
