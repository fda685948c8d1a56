"""The record codec against arbitrary and slightly changed records: nothing opens or raises."""

import json
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.session import Device, Session
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.codec import PURPOSE, SessionCodec
from server.store.contract import Stored, Tombstone, Unreadable
from server.store.replies import read_tombstone
from tests.support.engine.keys import key

SEALER: Final = Sealer(Keyring.from_secrets([key("new")]))
CODEC: Final = SessionCodec(SEALER)
READER: Final = SessionCodec(SEALER)
"""Reads what it has not written, and so does not remember."""
SESSION: Final = Session(
    sid="00" + "A" * 22,
    user="ada",
    seed=bytes(32),
    created_at=1.0,
    authenticated_at=1.0,
    last_active_at=1.0,
    current_since=1.0,
    epoch="e",
    device=Device("a browser", "192.0.2.1"),
    data={"cart": [1, None]},
)
RECORD: Final = CODEC.encode(SESSION, revision=7, operation="a1")
HEADER, _, BOX = RECORD.partition(b"\n")
words = st.text("0123456789abce -+_.\x00", max_size=12).map(str.encode) | st.just(b"9" * 5_000)


def test_a_record_comes_back_as_it_was() -> None:
    assert READER.decode(RECORD, SESSION.sid) == Stored(SESSION, 7, stale_key=False)


def test_how_its_person_was_proved_comes_back_too() -> None:
    proved = replace(SESSION, two_factors=True)
    record = CODEC.encode(proved, revision=7, operation="a1")
    assert READER.decode(record, SESSION.sid) == Stored(proved, 7, stale_key=False)


@pytest.mark.proves("6.3.3")
def test_a_record_from_before_that_was_kept_says_one_factor() -> None:
    proved = CODEC.encode(replace(SESSION, two_factors=True), revision=7, operation="a1")
    opened = SEALER.open(proved.partition(b"\n")[2], purpose=PURPOSE, context=SESSION.sid)
    assert opened is not None
    document = json.loads(opened.plaintext)
    del document["two_factors"]
    box = SEALER.seal(json.dumps(document).encode(), purpose=PURPOSE, context=SESSION.sid)
    found = READER.decode(HEADER + b"\n" + box, SESSION.sid)
    assert found == Stored(SESSION, 7, stale_key=False)
    assert not SESSION.two_factors


@pytest.mark.proves("A85")
def test_no_flipped_bit_of_the_box_opens() -> None:
    for place in range(len(HEADER) + 1, len(RECORD)):
        for bit in range(8):
            flipped = bytes([RECORD[place] ^ (1 << bit)])
            changed = RECORD[:place] + flipped + RECORD[place + 1 :]
            assert READER.decode(changed, SESSION.sid) == Unreadable()


@pytest.mark.proves("A85")
@pytest.mark.parametrize("length", range(len(RECORD)))
def test_no_truncation_opens(length: int) -> None:
    assert READER.decode(RECORD[:length], SESSION.sid) == Unreadable()


@pytest.mark.proves("A85", "A92")
@given(st.binary())
def test_no_bytes_are_a_record(value: bytes) -> None:
    assert READER.decode(value, SESSION.sid) == Unreadable()
    assert read_tombstone(value) is None


@pytest.mark.proves("A85", "A88")
@given(st.lists(words, max_size=3).map(lambda each: b" ".join([*each, b"e"])))
def test_behind_any_header_the_session_is_as_it_was_sealed_or_unreadable(header: bytes) -> None:
    found = READER.decode(header + b"\n" + BOX, SESSION.sid)
    assert found == Unreadable() or (isinstance(found, Stored) and found.session == SESSION)


@pytest.mark.proves("A86")
@given(st.text("AB0", min_size=24, max_size=24).filter(lambda sid: sid != SESSION.sid))
def test_a_record_does_not_open_as_another_sessions(sid: str) -> None:
    assert READER.decode(RECORD, sid) == Unreadable()


@pytest.mark.proves("A85")
@given(st.lists(words | st.sampled_from([b"logout", b"1.5", b"nan", b"inf"]), max_size=4))
def test_a_tombstone_is_one_or_nothing(parts: list[bytes]) -> None:
    assert isinstance(read_tombstone(b" ".join(parts)), Tombstone | None)
