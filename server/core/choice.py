"""Which of several tokens that one browser presents is the right one.

A browser has one session. It presents tokens of several only if an answer from before a sign-in
arrived after it: cookies cannot tell the order in which answers were meant. The newer sign-in is
the one that the person saw. Only tokens that would be served alone take part, so a stolen token
opens no more beside others than by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from server.core.policy import Accept, evaluate
from server.core.session import Rules, Session
from server.core.token import Token


@dataclass(frozen=True, slots=True)
class Candidate:
    """A presented token, and the record of the session that it names."""

    token: Token
    session: Session


def served(candidates: Iterable[Candidate], now: float, rules: Rules) -> list[Candidate]:
    """Return those that would be served alone, the best first.

    A signed-in session comes before a visitor's, a newer one before an older one, and of one
    session the later token.

    Args:
        candidates: what a browser presents.
        now: Unix seconds on the store's clock.
        rules: the durations in force.
    """
    return sorted(
        (each for each in candidates if _is_served(each, now, rules)), key=_rank, reverse=True
    )


def answers_may_be_under_way(session: Session, now: float) -> bool:
    """Return whether a reply with another token of this session may still reach the browser."""
    return session.issued > session.generation or now < session.settles_at


def may_be_sent_again(session: Session, now: float, rules: Rules) -> bool:
    """Return whether the current token may be sent once more.

    Not if its successor could be issued before the reply arrives: the reply would put the current
    token over it, and after another grace it would count as stolen.
    """
    due = session.current_since + rules.seconds.rotation_interval
    arrives = now + rules.seconds.rotation_grace
    return arrives < due and not answers_may_be_under_way(session, now)


def _is_served(candidate: Candidate, now: float, rules: Rules) -> bool:
    verdict = evaluate(
        candidate.session, candidate.token, now, rules, may_rotate=False, is_activity=False
    )
    return isinstance(verdict, Accept)


def _rank(candidate: Candidate) -> tuple[bool, float, int]:
    session = candidate.session
    return session.user is not None, session.created_at, candidate.token.generation
