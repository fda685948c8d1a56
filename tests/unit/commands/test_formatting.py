"""The lines that commands print."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from server.commands.formatting import (
    hours,
    key_line,
    receipt_line,
    records,
    removed_factors_line,
    session_line,
)
from server.core.factors import Factors, Passkey, Totp
from server.core.receipt import Durability, NodeCounts, Receipt, State
from server.core.session import Device, Session
from server.store.contract import ListedSession
from tests.support.engine.browsing import new_session

COUNTS = Counter({
    ("session", 1): 3, ("account", 1): 2, ("activity", 1): 1,
    ("session", 2): 9,
    ("account", None): 4,
})  # fmt: skip


def test_a_session_line_says_who_is_remembered() -> None:
    session = replace(new_session(0.0), user="ada", remember=True)
    assert session_line(ListedSession(session, 0)).endswith("  remembered")
    ordinary = replace(session, remember=None)
    assert "remembered" not in session_line(ListedSession(ordinary, 0))


def test_a_receipt_is_one_line_of_what_the_http_api_answers() -> None:
    nodes = NodeCounts(acked=2, waiting=1)
    receipt = Receipt("an-id", State.PENDING, 1, 4, nodes, Durability.FSYNC, 12.34)
    assert json.loads(receipt_line(receipt)) == receipt.as_json()
    assert "\n" not in receipt_line(receipt)


def test_a_session_is_one_line_with_the_time_of_its_last_activity_in_utc() -> None:
    session = Session(
        sid="sid", user="ada", seed=bytes(32), created_at=0.0, authenticated_at=None,
        last_active_at=86_399.9, current_since=0.0, device=Device("Firefox", "192.0.2.1"),
    )  # fmt: skip
    assert session_line(ListedSession(session, sockets=2)) == (
        "sid  ada  active 1970-01-01T23:59:59+00:00  2 sockets  192.0.2.1  Firefox"
    )
    assert "  1 socket  " in session_line(ListedSession(session, sockets=1))


def test_removed_second_factors_are_counted() -> None:
    passkey = Passkey("id", "key", "localhost", 0, "phone", 0.0)
    only_app = Factors(totp=Totp("secret", 0, 0.0))
    only_passkeys = Factors(passkeys=(passkey, passkey))
    assert removed_factors_line(only_app).startswith("Removed the app and 0 passkeys,")
    assert removed_factors_line(only_passkeys).startswith("Removed no app and 2 passkeys,")
    one = Factors(passkeys=(passkey,))
    assert removed_factors_line(one).startswith("Removed no app and 1 passkey,")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(hours=13), "13 h 0 min"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(seconds=61), "0 h 2 min"),
        (timedelta(seconds=1), "0 h 1 min"),
    ],
)
def test_a_time_left_is_rounded_up_to_minutes(left: timedelta, text: str) -> None:
    assert hours(left) == text


def test_records_are_counted_by_the_key_that_sealed_them() -> None:
    assert records(1, COUNTS) == "3 sessions, 2 accounts and 1 list of activity"
    assert records(2, COUNTS) == "9 sessions, 0 accounts and 0 lists of activity"


def test_a_key_is_one_line_with_what_depends_on_it() -> None:
    rings = [(2, 1), (1, 2), (3,), ()]
    assert key_line(2, 1, COUNTS, rings, timedelta(minutes=90)) == (
        "2  1  3 sessions, 2 accounts and 1 list of activity, cookies for 1 h 30 min more, "
        "had by 2 and written with by 1 of 4 servers"
    )
    assert ", no cookies, had by 1 and written with by 1 of 4 servers" in (
        key_line(1, 3, COUNTS, rings, timedelta(0))
    )
