"""Frames of the protocol: their exact form out, and the reading of whatever comes in."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core import messages
from server.core.messages import (
    ActivityFrame,
    BadFrame,
    CloseCode,
    MessageFrame,
    PingFrame,
    read_frame,
)
from server.core.reasons import NoSession, Reason
from server.core.session import Deadlines
from tests.support.engine.browsing import SEED, SID, new_session

UNTIL: Final = Deadlines(1800.5, 43200.0)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"type":"ping"}', PingFrame()),
        (' { "type" : "activity" } ', ActivityFrame()),
        ('{"type":"message","data":{"a":[1,null]}}', MessageFrame({"a": [1, None]})),
        ('{"data":null,"type":"message"}', MessageFrame(None)),
        ('{"type":"message","data":"\\u0000\\ud83e\\udd8a"}', MessageFrame("\x00🦊")),
    ],
)
def test_a_frame_of_the_protocol_is_read(text: str, frame: object) -> None:
    assert read_frame(text) == frame


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"type":"ping"}', "binary_frame"),
        (b"", "binary_frame"),
        ("", "bad_json"),
        ("{", "bad_json"),
        ('{"type":"ping"}{}', "bad_json"),
        ('{"type":"message","data":NaN}', "bad_json"),
        ('{"type":"message","data":1e999}', "bad_json"),
        ('{"type":"ping","type":"ping"}', "bad_json"),
        ("[" * 100_000, "bad_json"),
        ("1" * 5000, "bad_json"),
        ('{"type":"message","data":"\\ud800"}', "bad_json"),
        ('{"type":"message","data":' + "[" * 40 + "]" * 40 + "}", "bad_json"),
        ("null", "bad_frame"),
        ('["ping"]', "bad_frame"),
        ('"ping"', "bad_frame"),
        ("{}", "bad_frame"),
        ('{"type":null}', "bad_frame"),
        ('{"type":["ping"]}', "bad_frame"),
        ('{"type":"ping","at":1}', "bad_fields"),
        ('{"type":"activity","data":1}', "bad_fields"),
        ('{"type":"message"}', "bad_fields"),
        ('{"type":"message","data":1,"to":"bob"}', "bad_fields"),
        ('{"type":"Ping"}', "unknown_type"),
        ('{"type":"hello"}', "unknown_type"),
        ('{"type":"ended","reason":"logout"}', "unknown_type"),
    ],
)
def test_everything_else_is_told_what_is_wrong_with_it(text: str | bytes, code: str) -> None:
    frame = read_frame(text)
    assert isinstance(frame, BadFrame)
    assert frame.code == code
    assert frame.detail.endswith(".")


@given(st.one_of(st.text(), st.binary()))
def test_nothing_raises(text: str | bytes) -> None:
    assert read_frame(text) is not None


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_data_goes_through_unchanged(data: Any) -> None:
    frame = read_frame(json.dumps({"type": "message", "data": data}))
    assert isinstance(frame, MessageFrame)
    assert json.loads(messages.message("c1", frame.data))["data"] == data


def test_hello_tells_all_but_secrets() -> None:
    session = new_session(5.0, generation=3, issued=4)
    text = messages.hello("c1", session, UNTIL, 6.5, (500, 5000))
    assert json.loads(text) == {
        "type": "hello",
        "connection": "c1",
        "session": {"id": SID, "user": "ann", "generation": 3},
        "now": 6.5,
        "idle_expires_at": 1800.5,
        "absolute_expires_at": 43200.0,
        "retry": {"min_ms": 500, "max_ms": 5000},
    }
    assert SEED.hex() not in text


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (messages.rotated(4), {"type": "rotated", "generation": 4}),
        (
            messages.expiring(Reason.IDLE_TIMEOUT, 1500),
            {"type": "expiring", "reason": "idle_timeout", "in_ms": 1500},
        ),
        (
            messages.extended(UNTIL),
            {"type": "extended", "idle_expires_at": 1800.5, "absolute_expires_at": 43200.0},
        ),
        (
            messages.ended(NoSession(Reason.LOGOUT, "e1", 9.0)),
            {"type": "ended", "reason": "logout", "event": "e1", "at": 9.0},
        ),
        (
            messages.ended(NoSession()),
            {"type": "ended", "reason": "unauthenticated", "event": None, "at": None},
        ),
        (messages.sessions(), {"type": "sessions"}),
        (messages.hold(), {"type": "hold"}),
        (messages.resume(), {"type": "resume"}),
        (messages.drain(70), {"type": "drain", "reconnect_in_ms": 70}),
        (messages.message("c1", [1]), {"type": "message", "from": "c1", "data": [1]}),
        (messages.pong(), {"type": "pong"}),
        (
            messages.error(BadFrame("bad_json", "It is not.")),
            {"type": "error", "code": "bad_json", "detail": "It is not."},
        ),
    ],
)
def test_a_frame_has_exactly_the_fields_of_the_protocol(text: str, frame: object) -> None:
    assert json.loads(text) == frame
    assert text.isascii()


def test_close_codes_are_those_of_the_protocol() -> None:
    assert {code.name: code.value for code in CloseCode} == {
        "PROTOCOL": 1002,
        "POLICY": 1008,
        "TOO_BIG": 1009,
        "DRAIN": 1012,
        "OVERLOAD": 1013,
        "SESSION_ENDED": 4401,
        "NOT_ALLOWED": 4403,
        "TIMED_OUT": 4408,
        "UNVERIFIED": 4503,
        "TOO_SLOW": 4508,
    }


@pytest.mark.parametrize("reason", [*Reason, None])
def test_only_timeouts_close_as_timed_out(reason: Reason | None) -> None:
    timed_out = reason in {Reason.IDLE_TIMEOUT, Reason.ABSOLUTE_TIMEOUT}
    expected = CloseCode.TIMED_OUT if timed_out else CloseCode.SESSION_ENDED
    assert messages.close_code(reason) is expected


def test_reason_words_are_those_of_the_protocol() -> None:
    words = "logout terminated admin credential_changed account_disabled account_deleted"
    words += " account_renamed session_limit token_reuse"
    words += " idle_timeout absolute_timeout superseded"
    assert [reason.value for reason in Reason] == words.split()
