"""Which of a browser's tokens counts: the newest sign-in's, and only one that would be served."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

from server.core.choice import Candidate, answers_may_be_under_way, may_be_sent_again, served
from server.core.session import Rules, Session
from server.core.token import issue_token

NOW = 1_000_000.0
RULES = Rules(rotation_interval=timedelta(minutes=15), rotation_grace=timedelta(seconds=30))
FORGED = "A" * 43


def session(name: str, user: str | None, created_at: float) -> Session:
    """Return a session that is in use."""
    return Session(
        sid="00" + name * 22,
        user=user,
        seed=name.encode() * 32,
        created_at=created_at,
        authenticated_at=created_at,
        last_active_at=NOW,
        current_since=created_at,
    )


def shown(by: Session, number: int = 1) -> Candidate:
    """Return a session with a genuine token of it."""
    return Candidate(issue_token(by.sid, by.seed, number), by)


OLD, NEW = session("a", "ann", NOW - 60), session("b", "ann", NOW - 5)
VISITOR = session("c", None, NOW - 1)


def test_the_newest_sign_in_is_the_best_in_whatever_order_they_come() -> None:
    for order in permutations([shown(OLD), shown(NEW), shown(VISITOR)]):
        assert [each.session for each in served(order, NOW, RULES)] == [NEW, OLD, VISITOR]


def test_of_one_session_the_later_token_counts() -> None:
    rotated = replace(OLD, generation=2, issued=2, previous=((1, NOW + 10),))
    best = served([shown(rotated, 1), shown(rotated, 2)], NOW, RULES)[0]
    assert best.token.generation == 2


def test_a_token_that_would_not_be_served_alone_takes_no_part() -> None:
    forged = Candidate(replace(shown(NEW).token, secret=FORGED), NEW)
    stolen = shown(replace(NEW, generation=3, issued=3))
    overtaken = shown(replace(NEW, generation=2, issued=2, refused_below=2))
    timed_out = shown(replace(NEW, last_active_at=NOW - 7200, created_at=NOW - 7200))
    for each in (forged, stolen, overtaken, timed_out):
        assert [best.session for best in served([each, shown(OLD)], NOW, RULES)] == [OLD]
        assert served([each], NOW, RULES) == []


def test_an_answer_may_be_under_way_until_the_table_has_settled() -> None:
    assert not answers_may_be_under_way(OLD, NOW)
    assert answers_may_be_under_way(replace(OLD, issued=2), NOW)
    assert answers_may_be_under_way(replace(OLD, settles_at=NOW + 1), NOW)


def test_a_token_is_not_sent_again_if_its_successor_may_come_first() -> None:
    assert may_be_sent_again(OLD, NOW, RULES)
    due_soon = replace(OLD, current_since=NOW - RULES.rotation_interval.total_seconds() + 30)
    assert not may_be_sent_again(due_soon, NOW, RULES)
    assert may_be_sent_again(due_soon, NOW - 1, RULES)
    assert not may_be_sent_again(replace(OLD, issued=2), NOW, RULES)
