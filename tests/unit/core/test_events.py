"""Ends of sessions, as nodes hear of them: whom they may be about, and what they prove."""

from dataclasses import replace
from typing import Final

import pytest

from server.core.events import CLOCKS_DIFFER, EVERYTHING, Scope, SessionsEnded
from server.core.reasons import Reason

SID: Final = "00" + "A" * 22
OTHER: Final = "00" + "B" * 22
ELSEWHERE: Final = "01" + "A" * 22
NOW: Final = 1_000_000.0
LONG_BEFORE: Final = NOW - 3600
ALL: Final = (EVERYTHING,)


def end(scope: Scope, sids: tuple[str, ...] = (SID,), keep: str = "") -> SessionsEnded:
    """Make an end that was asked for now, of ann's sessions or those of shard 0."""
    return SessionsEnded(
        scope=scope,
        end_id="e1",
        initiator="n1",
        reason=Reason.LOGOUT,
        asked_at=NOW,
        user="ann",
        shard=0,
        keep=keep,
        at=NOW,
        sids=sids,
    )


def test_the_end_of_a_session_includes_that_session_alone_and_proves_it() -> None:
    ended = end(Scope.SESSION)
    assert ended.may_include(SID, "ann", "")
    assert not ended.may_include(OTHER, "ann", "")
    assert ended.proves_ended(SID, NOW + 10)


@pytest.mark.parametrize("scope", [Scope.USER, Scope.LIMIT])
def test_an_end_of_a_user_may_include_all_but_the_session_to_keep(scope: Scope) -> None:
    ended = end(scope, ALL, keep=OTHER)
    assert ended.may_include(SID, "ann", "")
    assert not ended.may_include(OTHER, "ann", "")
    assert not ended.may_include(SID, "bob", "")
    assert not ended.may_include(SID, None, "")


def test_an_end_of_visitors_includes_no_session_of_a_user() -> None:
    ended = replace(end(Scope.USER, ALL), user=None)
    assert ended.may_include(SID, None, "")
    assert not ended.may_include(SID, "ann", "")


def test_an_end_of_a_shard_may_include_its_sessions_from_before_the_new_epoch() -> None:
    ended = end(Scope.SHARD, ALL)
    assert ended.may_include(SID, "bob", "earlier")
    assert not ended.may_include(SID, "bob", "e1")
    assert not ended.may_include(ELSEWHERE, "bob", "earlier")


@pytest.mark.parametrize("scope", [Scope.USER, Scope.SHARD])
def test_older_sessions_are_proved_to_have_ended_and_newer_ones_are_not(scope: Scope) -> None:
    ended = end(scope, ALL)
    assert ended.proves_ended(SID, LONG_BEFORE)
    assert not ended.proves_ended(SID, NOW + 1)


def test_clocks_may_differ_by_a_tenth_of_a_second() -> None:
    ended = end(Scope.USER, ALL)
    assert ended.proves_ended(SID, NOW - 0.101)
    assert not ended.proves_ended(SID, NOW - CLOCKS_DIFFER)
    assert not ended.proves_ended(SID, NOW - 0.099)


def test_a_list_of_sessions_proves_nothing_of_others() -> None:
    ended = end(Scope.USER, (SID,))
    assert ended.proves_ended(SID, LONG_BEFORE)
    assert not ended.proves_ended(OTHER, LONG_BEFORE)
    assert not end(Scope.USER, ()).proves_ended(SID, LONG_BEFORE)


def test_everything_stands_alone_or_not_at_all() -> None:
    assert not end(Scope.USER, (EVERYTHING, OTHER)).proves_ended(SID, LONG_BEFORE)


def test_an_end_for_the_limit_proves_nothing() -> None:
    """Which sessions were the least recently used, only the script knew."""
    assert not end(Scope.LIMIT, (SID,)).proves_ended(SID, LONG_BEFORE)
    assert not end(Scope.LIMIT, ALL).proves_ended(SID, LONG_BEFORE)
