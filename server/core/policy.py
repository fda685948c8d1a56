"""The whole session policy as one table: what a presented token leads to.

The first row that matches decides. A promotion makes a newer token the current one. *Previous*
are the tokens that a promotion overtook, each for one grace from that promotion.

 #  presented                          verdict
 1  secret does not match              Refuse (forged)
 2  past the absolute deadline         End `absolute_timeout`
 3  past the idle deadline             End `idle_timeout`
 4  overtaken by a change of           Refuse (overtaken), until the token that overtook it came
    privilege                          back and a grace has passed; then row 8
 5  the current generation             Accept; if rotation is due, issue the successor
 6  any later than the current one     Accept and promote: it becomes current, and the tokens that
                                       it overtook are previous until now + grace
 7  previous, inside the grace         Accept, set no cookie
 8  any other, so genuine and older    End `token_reuse`

Within a grace of its first issue, every request gets the same successor. If the successor never
comes back, the next number is issued, but only after the table has *settled*: every reply that
carries an earlier number has arrived or never will. Otherwise a late reply could replace a newer
cookie by an older one, and the honest owner would end at row 8. (The one assumption here is that a
reply arrives within the grace or not at all. This is what the grace is for.)

A genuine number that the record does not know was issued by a later version of the record: the
store has lost writes, or somebody has restored an older record. Row 6 brings the record up to date.
So the owner stays signed in, and anybody who then uses an older token ends at row 8.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from server.core.reasons import Reason
from server.core.session import Rules, Session, deadlines
from server.core.token import Token, is_genuine, issue_token

MAX_PREVIOUS: Final = 16
"""The most promotions within one grace whose overtaken tokens are still served."""


class Refusal(StrEnum):
    """Why a token is refused although its session goes on."""

    FORGED = "forged"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Accept:
    """Serve the request.

    Attributes:
        session: the record. If it has changed, it must be written before the request is served.
        changed: whether `session` must be written.
        token: the token to set as the cookie; None leaves the browser's cookie as it is.
        issued: the number issued for the first time, to tell open sockets; None if there is none.
    """

    session: Session
    changed: bool = False
    token: Token | None = None
    issued: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """End the session everywhere."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not serve the request; the session goes on."""

    why: Refusal


Verdict = Accept | End | Refuse


def evaluate(
    session: Session,
    presented: Token,
    now: float,
    rules: Rules,
    *,
    may_rotate: bool = True,
    is_activity: bool = True,
) -> Verdict:
    """Judge a presented token by the table above.

    Args:
        session: the record as stored.
        presented: a token that names this session.
        now: Unix seconds on the store's clock.
        rules: the durations in force.
        may_rotate: whether the reply can set a cookie. For a socket's handshake that is not sure.
        is_activity: whether a person caused the request, which moves the idle deadline.
    """
    if not is_genuine(presented, session.seed):
        return Refuse(Refusal.FORGED)
    if timeout := deadlines(session, rules).timeout_at(now):
        return End(timeout)
    if _is_overtaken(session, presented, now):
        return Refuse(Refusal.OVERTAKEN)
    if presented.generation == session.generation:
        return _accept_current(session, now, rules, may_rotate=may_rotate, is_activity=is_activity)
    if presented.generation > session.generation:
        return _promote(session, presented.generation, now, rules, is_activity=is_activity)
    if _is_previous(session, presented.generation, now):
        return _accept(session, _touched(session, now, rules) if is_activity else session)
    return End(Reason.TOKEN_REUSE)


def touch(session: Session, now: float, rules: Rules) -> Verdict:
    """Judge activity that comes without a token: an `activity` frame on an open socket."""
    if timeout := deadlines(session, rules).timeout_at(now):
        return End(timeout)
    return _accept(session, _touched(session, now, rules))


def current(session: Session, now: float, rules: Rules) -> Verdict:
    """Judge a session by its deadlines alone, for a socket that was let in before."""
    timeout = deadlines(session, rules).timeout_at(now)
    return End(timeout) if timeout else Accept(session)


def rotate(session: Session, now: float, rules: Rules) -> Accept:
    """Issue the next number because a client asked for it.

    A second request before that number came back gets the same number. If a rotation that was due
    happened before, and the table has not settled since, nothing changes.
    """
    if _awaits_first_use(session, now, rules):
        return _hand_out_again(session, session, rules)
    if now < session.settles_at:
        return Accept(session)
    return _issue(session, session.issued + 1, now)


def elevate(session: Session, now: float, *, two_factors: bool = False) -> Accept:
    """Record that the person was just authenticated: the token changes at once, without grace.

    Args:
        session: the record as stored.
        now: Unix seconds on the store's clock.
        two_factors: whether by two factors. If by one, two factors proved before still count.
    """
    proved = session.two_factors or two_factors
    return renew(replace(session, authenticated_at=now), now, two_factors=proved)


def renew(session: Session, now: float, *, two_factors: bool) -> Accept:
    """Change the token at once, without grace, after a change of the account's credentials.

    From now on older tokens are refused (ASVS 7.2.4). Until the new one comes back they do not
    count as theft, because the reply that carries it may be lost.

    Args:
        session: the record as stored.
        now: Unix seconds on the store's clock.
        two_factors: whether the session counts as proved by two factors from now on.
    """
    number = session.issued + 1
    renewed = replace(
        session,
        last_active_at=max(session.last_active_at, now),
        generation=number,
        current_since=now,
        issued=number,
        issued_at=now,
        settles_at=now,
        previous=(),
        refused_below=number,
        refused_until=None,
        two_factors=two_factors,
    )
    return _with_token(renewed, number)


def by_one_factor(session: Session) -> Accept:
    """Record that the session no longer counts as proved by two factors; its token stays."""
    return Accept(replace(session, two_factors=False), changed=session.two_factors)


def _is_previous(session: Session, number: int, now: float) -> bool:
    """Return whether the promotion that overtook this number is less than a grace ago."""
    graces = [until for first, until in session.previous if first <= number]
    return bool(graces) and now < graces[-1]


def _still_served(session: Session, now: float) -> tuple[tuple[int, float], ...]:
    """Return the previous tokens still in their grace.

    Their number is limited, because a client can ask for rotations as fast as it likes.
    """
    served = tuple(pair for pair in session.previous if now < pair[1])
    return served[1 - MAX_PREVIOUS :]


def _is_overtaken(session: Session, presented: Token, now: float) -> bool:
    if presented.generation >= session.refused_below:
        return False
    return session.refused_until is None or now < session.refused_until


def _accept_current(
    session: Session, now: float, rules: Rules, *, may_rotate: bool, is_activity: bool
) -> Accept:
    current = _touched(session, now, rules) if is_activity else session
    current = _came_back(current, now, rules)
    if not (may_rotate and _rotation_is_due(session, now, rules)):
        return _accept(session, current)
    if _awaits_first_use(session, now, rules):
        return _hand_out_again(session, current, rules)
    if now < session.settles_at:
        return _accept(session, current)
    return _issue(replace(current, settles_at=now + 2 * _grace(rules)), session.issued + 1, now)


def _awaits_first_use(session: Session, now: float, rules: Rules) -> bool:
    return session.issued > session.generation and now < session.issued_at + _grace(rules)


def _hand_out_again(before: Session, after: Session, rules: Rules) -> Accept:
    """Issue the same number again.

    The last reply with it is sent within one grace of its first issue, and arrives within another
    one, so the table settles two graces after the first issue.
    """
    settles_at = before.issued_at + 2 * _grace(rules)
    if settles_at > after.settles_at:
        after = replace(after, settles_at=settles_at)
    token = issue_token(after.sid, after.seed, after.issued)
    return replace(_accept(before, after), token=token)


def _rotation_is_due(session: Session, now: float, rules: Rules) -> bool:
    return now >= session.current_since + rules.seconds.rotation_interval


def _issue(session: Session, number: int, now: float) -> Accept:
    return _with_token(replace(session, issued=number, issued_at=now), number)


def _with_token(session: Session, number: int) -> Accept:
    token = issue_token(session.sid, session.seed, number)
    return Accept(session, changed=True, token=token, issued=number)


def _promote(
    session: Session, number: int, now: float, rules: Rules, *, is_activity: bool
) -> Accept:
    """Make a later number the current one.

    It came back, so its last reply arrives within one grace from now, and the table settles then.
    """
    promoted = replace(
        session,
        generation=number,
        current_since=now,
        issued=max(session.issued, number),
        settles_at=min(session.settles_at, now + _grace(rules)),
        previous=(*_still_served(session, now), (session.generation, now + _grace(rules))),
        last_active_at=max(session.last_active_at, now) if is_activity else session.last_active_at,
    )
    return Accept(_came_back(promoted, now, rules), changed=True)


def _came_back(session: Session, now: float, rules: Rules) -> Session:
    """Start the last grace of the tokens that a change of privilege overtook."""
    if session.refused_below > 1 and session.refused_until is None:
        return replace(session, refused_until=now + _grace(rules))
    return session


def _touched(session: Session, now: float, rules: Rules) -> Session:
    due = session.last_active_at + rules.seconds.touch_interval
    return replace(session, last_active_at=now) if now >= due else session


def _accept(before: Session, after: Session) -> Accept:
    return Accept(after, changed=after is not before)


def _grace(rules: Rules) -> float:
    return rules.seconds.rotation_grace
