"""The session record, its rules and its deadlines.

The record is a value: every change makes a new record, by the functions of `policy` and `changes`,
which the store writes in one compare-and-set. The one formula for deadlines is here. The store's
TTL, the cookie's Max-Age, the closing of sockets and the page's countdown all use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cached_property
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from server.core.reasons import Reason

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MAX_DATA_BYTES: Final = 64 * 1024
"""The most data of one session, as JSON. Keep larger things elsewhere: a session is no database."""

TOUCHES_PER_IDLE_TIMEOUT: Final = 10
"""The touch interval is at most the idle timeout divided by this. So throttled writes cost an
active person at most a tenth of the idle timeout, however short that is."""

LONGEST_WARNING: Final = timedelta(minutes=2)
"""WCAG 2.2 SC 2.2.1 asks for at least 20 s in which a simple action extends a limit."""


class RuleSeconds(NamedTuple):
    """The durations of `Rules` that every request is judged by, in seconds."""

    idle: float
    absolute: float
    remember_idle: float
    remember_absolute: float
    rotation_interval: float
    rotation_grace: float
    touch_interval: float


@dataclass(frozen=True)
class Rules:
    """The durations, limits and demands of the session policy; `settings.py` sets the defaults."""

    idle_timeout: timedelta = timedelta(minutes=30)
    absolute_timeout: timedelta = timedelta(hours=12)
    remember_idle_timeout: timedelta = timedelta(days=7)
    remember_absolute_timeout: timedelta = timedelta(days=30)
    rotation_interval: timedelta = timedelta(minutes=15)
    rotation_grace: timedelta = timedelta(seconds=30)
    reauthentication_window: timedelta = timedelta(minutes=5)
    touch_interval: timedelta = timedelta(seconds=30)
    max_sessions_per_user: int = 10
    second_factor_required: bool = False

    @property
    def effective_touch_interval(self) -> timedelta:
        """The touch interval in force: shorter than the setting if the idle timeout is short."""
        idle_timeout = min(self.idle_timeout, self.remember_idle_timeout)
        return min(self.touch_interval, idle_timeout / TOUCHES_PER_IDLE_TIMEOUT)

    @cached_property
    def seconds(self) -> RuleSeconds:
        """The durations in force, in seconds: computed once, and used by every request."""
        return RuleSeconds(
            idle=self.idle_timeout.total_seconds(),
            absolute=self.absolute_timeout.total_seconds(),
            remember_idle=self.remember_idle_timeout.total_seconds(),
            remember_absolute=self.remember_absolute_timeout.total_seconds(),
            rotation_interval=self.rotation_interval.total_seconds(),
            rotation_grace=self.rotation_grace.total_seconds(),
            touch_interval=self.effective_touch_interval.total_seconds(),
        )


@dataclass(frozen=True, slots=True)
class Device:
    """What the browser said about itself at sign-in: shown to the session's owner, not trusted."""

    user_agent: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One session. Times are Unix seconds on the store's clock.

    Attributes:
        sid: the session's id, stable and public; not a credential.
        user: canonical user name; None for an anonymous visitor with data.
        seed: 32 random bytes from which every token of this session is computed.
        created_at: never changes; the absolute deadline counts from it.
        authenticated_at: when the person was last authenticated; None for an anonymous visitor.
        last_active_at: last recorded activity; the idle deadline counts from it.
        epoch: the shard's epoch at creation; ending all sessions changes the shard's epoch.
        generation: the number of the current token.
        current_since: when that token became current.
        issued: the highest number issued so far; above `generation` until its first use.
        issued_at: when `issued` was issued first.
        settles_at: until then replies with an earlier token may still reach the browser, so no
            further number is issued.
        previous: tokens that were overtaken and are still served, one pair for each promotion:
            the first number it overtook (the last is the one before the next pair's, or before
            the current one), and until when these are served.
        refused_below: tokens below this number were overtaken by a change of privilege and are
            refused …
        refused_until: … but do not count as theft before this time. None until the token that
            overtook them comes back.
        device: what the browser said about itself.
        data: the application's data.
        two_factors: whether the person was authenticated by two factors; a passkey counts as two.
            False in records from before this attribute.
        remember: what was chosen at sign-in. True: the person is remembered after the browser has
            closed, and timeouts of their own apply. False: the cookie ends with the browser. None
            if nothing was chosen: the cookie lasts as long as the session.
        spelling: the user's name as its owner spelled it; empty if it is spelled like `user`.
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
    remember: bool | None = None
    spelling: str = ""

    @property
    def name(self) -> str:
        """The user's name as its owner sees it; empty for an anonymous visitor."""
        return self.spelling or self.user or ""


_values_of: Final = attrgetter(*(each.name for each in fields(Session)))


def holding(session: Session, data: Mapping[str, Json]) -> Session:
    """Return the record with other data. `dataclasses.replace` would take twice as long."""
    made = Session(*_values_of(session))
    object.__setattr__(made, "data", data)
    return made


class Deadlines(NamedTuple):
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
        """Return the timeout reached at `now`, the absolute one first; None if neither is."""
        if now >= self.absolute_expires_at:
            return Reason.ABSOLUTE_TIMEOUT
        return Reason.IDLE_TIMEOUT if now >= self.idle_expires_at else None


def deadlines(session: Session, rules: Rules) -> Deadlines:
    """Return the deadlines of a session. Rotation and data writes do not move them."""
    seconds = rules.seconds
    if session.remember:
        idle_timeout, absolute_timeout = seconds.remember_idle, seconds.remember_absolute
    else:
        idle_timeout, absolute_timeout = seconds.idle, seconds.absolute
    absolute = session.created_at + absolute_timeout
    return Deadlines(min(session.last_active_at + idle_timeout, absolute), absolute)


def warning_time(rules: Rules) -> timedelta:
    """Return how long before a deadline people are warned, over an open socket."""
    ordinary = min(rules.idle_timeout, rules.absolute_timeout)
    remembered = min(rules.remember_idle_timeout, rules.remember_absolute_timeout)
    return min(LONGEST_WARNING, min(ordinary, remembered) / 5)


def is_recently_authenticated(session: Session, now: float, rules: Rules) -> bool:
    """Return whether the person authenticated within the reauthentication window (ASVS 7.5.1)."""
    if session.authenticated_at is None:
        return False
    return now < session.authenticated_at + rules.reauthentication_window.total_seconds()


def owes_second_factor(session: Session, rules: Rules) -> bool:
    """Return whether a second factor must be set up or proved before any other use (ASVS 6.3.3).

    The record alone decides this, so that no request has to ask the store.
    """
    return rules.second_factor_required and session.user is not None and not session.two_factors
