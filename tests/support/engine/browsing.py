"""One honest browser and the policy as a value, so that tests can follow all their histories.

The browser has one cookie jar and any number of requests under way. A request carries the cookie
that was in the jar when it was sent. Requests and replies arrive in any order. A request and its
reply together take less than a grace, or they are lost. The cookie of a reply goes into the jar
when the reply arrives. Nothing else is assumed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from typing import Final

from server.core import policy
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import Reason
from server.core.session import Rules, Session
from server.core.token import Token, issue_token

SID: Final = "00" + "A" * 22
SEED: Final = bytes(range(32))


class Kind(Enum):
    """The kind of what is under way."""

    GET = auto()
    SOCKET = auto()
    """A handshake, whose answer cannot carry a cookie."""
    ROTATE = auto()
    ELEVATE = auto()
    """Proves the password again."""
    REPLY = auto()
    """An answer with a new cookie. Other answers change nothing."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A request, or its reply, between browser and server.

    Attributes:
        kind: what it is.
        number: the number of the token that it carries.
        sent_at: when the request was sent, also for its reply.
    """

    kind: Kind
    number: int
    sent_at: float


Story = tuple[()] | tuple[str, "Story"]


@dataclass(frozen=True, slots=True)
class History:
    """Browser and server at one moment.

    Attributes:
        session: the record.
        now: the clock.
        jar: the number of the browser's token.
        flights: what is under way.
        elevated: the number of the latest token of a change of privilege, 0 without one.
        elevated_used_at: when that token was first presented.
        story: what happened so far, the latest first. It decides nothing.
    """

    session: Session
    now: float
    jar: int = 1
    flights: tuple[Flight, ...] = ()
    elevated: int = 0
    elevated_used_at: float | None = None
    story: Story = ()

    def with_chapter(self, chapter: str) -> "History":
        """Return the same history with one more event in its story."""
        return replace(self, story=(chapter, self.story))


class SignedOutError(AssertionError):
    """An honest browser was not served."""

    def __init__(self, history: History) -> None:
        chapters, story = [repr(history.session)], history.story
        while story:
            chapter, story = story
            chapters.append(chapter)
        super().__init__("\n".join(reversed(chapters)))


@cache
def token(number: int) -> Token:
    """Return the genuine token with a number."""
    return issue_token(SID, SEED, number)


def new_session(now: float, **fields: object) -> Session:
    """Return a session that was just created."""
    made = Session(SID, "ann", SEED, now, now, now, now)
    return replace(made, **fields)  # type: ignore[arg-type]  # checked when it runs


def send(history: History, kind: Kind) -> History:
    """Let the browser send a request with the cookie it has now."""
    flight = Flight(kind, history.jar, history.now)
    after = replace(history, flights=(*history.flights, flight))
    return after.with_chapter(f"{history.now}: the browser sends {flight}")


def arrive(history: History, flight: Flight, rules: Rules) -> History:
    """Let a request be judged and answered, or the cookie of a reply go into the jar.

    Raises:
        SignedOutError: the browser was honest, but its request was refused or its session ended.
    """
    history = lose(history, flight).with_chapter(f"{history.now}: {flight} arrives")
    if flight.kind is Kind.REPLY:
        return replace(history, jar=flight.number)
    verdict = policy.evaluate(
        history.session,
        token(flight.number),
        history.now,
        rules,
        may_rotate=flight.kind is not Kind.SOCKET,
    )
    if not isinstance(verdict, Accept):
        return _not_served(history, flight, verdict, rules)
    return _served(history, flight, verdict, rules)


def lose(history: History, flight: Flight) -> History:
    """Lose a request or a reply."""
    rest = list(history.flights)
    rest.remove(flight)
    return replace(history, flights=tuple(rest))


def wait(history: History, seconds: float, patience: float) -> History:
    """Let time pass. What has been under way for `patience` seconds is lost."""
    now = history.now + seconds
    arriving = (each for each in history.flights if now - each.sent_at < patience)
    return replace(history, now=now, flights=tuple(arriving))


def _served(history: History, flight: Flight, verdict: Accept, rules: Rules) -> History:
    if flight.number == history.elevated and history.elevated_used_at is None:
        history = replace(history, elevated_used_at=history.now)
    if flight.kind is Kind.ELEVATE:
        verdict = policy.elevate(verdict.session, history.now)
        number = verdict.session.generation
        history = replace(history, elevated=number, elevated_used_at=None)
    elif flight.kind is Kind.ROTATE and flight.number == verdict.session.generation:
        verdict = policy.rotate(verdict.session, history.now, rules)
    history = replace(history, session=verdict.session)
    if verdict.token is None:
        return history
    reply = Flight(Kind.REPLY, verdict.token.generation, flight.sent_at)
    if flight.kind is Kind.SOCKET:
        raise SignedOutError(
            history.with_chapter("a handshake was handed a token that it cannot deliver")
        )
    return replace(history, flights=(*history.flights, reply))


def _not_served(history: History, flight: Flight, verdict: Verdict, rules: Rules) -> History:
    """Accept that a token from before a change of privilege is refused, but not as a theft."""
    if flight.number < history.elevated:
        if verdict == Refuse(Refusal.OVERTAKEN):
            return history
        used_at = history.elevated_used_at
        grace = rules.rotation_grace.total_seconds()
        over = used_at is not None and history.now >= used_at + grace
        if over and verdict == End(Reason.TOKEN_REUSE):
            return history
    raise SignedOutError(history.with_chapter(f"{verdict} for {flight}"))


def shape(history: History, horizon: float) -> tuple[object, ...]:
    """Return what decides the future of a history: times relative to now, numbers as ranks.

    Two histories of one shape have the same futures, because the policy only compares times with
    now and numbers with each other.

    Args:
        history: the history.
        horizon: the longest duration of the rules. Earlier times decide nothing.
    """
    numbers = {history.jar, history.session.generation, *(each.number for each in history.flights)}
    least = min(numbers) - 1
    record = [getattr(history.session, name) for name in _DECIDING]
    given = {*numbers, history.elevated, *_numbers(record)}
    ranks = {number: rank for rank, number in enumerate(sorted({max(n, least) for n in given}))}

    def reduce(value: object) -> object:
        match value:
            case float():
                return max(value - history.now, -horizon)
            case int():
                return ranks[max(value, least)]
            case tuple():
                return tuple(map(reduce, value))
        return value

    flights = sorted(
        (each.kind.value, ranks[each.number], each.sent_at - history.now)
        for each in history.flights
    )
    browser = (history.jar, history.elevated, history.elevated_used_at)
    return (*map(reduce, record), *map(reduce, browser), *flights)


_INERT: Final = {
    *("sid", "user", "seed", "epoch", "device", "data"),
    *("created_at", "authenticated_at", "last_active_at"),
}
"""Fields that do not decide what becomes of a token while no timeout is near."""
_DECIDING: Final = tuple(name for name in Session.__slots__ if name not in _INERT)


def _numbers(values: object) -> Iterator[int]:
    if isinstance(values, int):
        yield values
    elif isinstance(values, tuple | list):
        for each in values:
            yield from _numbers(each)
