"""Session records: earlier versions' records are read, and a record is one session's alone."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any, Final, cast

import pytest

from server.core.session import Device, Session
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.codec import PURPOSE, REMEMBERED_BYTES, SessionCodec
from server.store.contract import Stored, Unreadable
from tests.support.engine.keys import KEY, key

SEALER: Final = Sealer(Keyring.from_secrets([KEY]))
CODEC: Final = SessionCodec(SEALER)
SID: Final = "00" + "A" * 22
SESSION: Final = Session(
    sid=SID,
    user="ann",
    seed=bytes(range(32)),
    created_at=1.0,
    authenticated_at=2.0,
    last_active_at=3.0,
    current_since=4.0,
    epoch="e1",
    generation=5,
    issued=6,
    issued_at=7.0,
    settles_at=8.0,
    previous=((3, 9.0), (4, 10.0)),
    refused_below=2,
    refused_until=11.0,
    device=Device("a browser", "192.0.2.1"),
    data={"cart": [1, None]},
    two_factors=True,
)
DOCUMENT: Final[dict[str, Any]] = {
    "sid": SID,
    "user": "ann",
    "seed": b64encode(bytes(range(32))).decode(),
    "created_at": 1.0,
    "authenticated_at": 2.0,
    "last_active_at": 3.0,
    "current_since": 4.0,
    "epoch": "e1",
    "generation": 5,
    "issued": 6,
    "issued_at": 7.0,
    "settles_at": 8.0,
    "previous": [[3, 9.0], [4, 10.0]],
    "refused_below": 2,
    "refused_until": 11.0,
    "device": {"user_agent": "a browser", "ip": "192.0.2.1"},
    "data": {"cart": [1, None]},
    "two_factors": True,
}
"""As every version writes it, and in this order."""


def record_of(document: dict[str, Any], header: bytes = b"7 op1 e1", context: str = SID) -> bytes:
    """A record as another version may have written it."""
    box = SEALER.seal(json.dumps(document).encode(), purpose=PURPOSE, context=context)
    return header + b"\n" + box


def test_a_record_is_written_as_other_versions_read_it() -> None:
    header, _, box = CODEC.encode(SESSION, revision=7, operation="op1").partition(b"\n")
    opened = SEALER.open(box, purpose=PURPOSE, context=SID)
    assert opened is not None
    assert header == b"7 op1 e1"
    assert list(json.loads(opened.plaintext).items()) == list(DOCUMENT.items())


def test_a_record_of_another_version_is_read() -> None:
    assert CODEC.decode(record_of(DOCUMENT), SID) == Stored(SESSION, 7)
    assert CODEC.decode(record_of(DOCUMENT | {"from_the_future": 1}), SID) == Stored(SESSION, 7)


def test_a_record_from_before_second_factors_says_one_factor() -> None:
    document = {name: value for name, value in DOCUMENT.items() if name != "two_factors"}
    assert CODEC.decode(record_of(document), SID) == Stored(replace(SESSION, two_factors=False), 7)


def test_a_record_keeps_how_its_owner_spelled_the_name() -> None:
    session = replace(SESSION, spelling="Ann")
    fresh = SessionCodec(SEALER)
    assert fresh.decode(CODEC.encode(session, revision=7, operation="o"), SID) == Stored(session, 7)


@pytest.mark.parametrize("header", [b"7 op1 e2", b"7 op1 ", b"7 op1", b"op1 e1", b""])
def test_a_header_that_tells_another_epoch_than_the_box_makes_it_unreadable(header: bytes) -> None:
    assert CODEC.decode(record_of(DOCUMENT, header), SID) == Unreadable()


def test_a_record_that_names_another_session_is_unreadable() -> None:
    document = DOCUMENT | {"sid": "00" + "B" * 22}
    assert CODEC.decode(record_of(document), SID) == Unreadable()


NEW: Final = Session(
    sid=SID,
    user="ann",
    seed=bytes(32),
    created_at=1.5,
    authenticated_at=1.5,
    last_active_at=1.5,
    current_since=1.5,
)


def test_a_default_is_left_out_where_every_version_reads_it_in_its_place() -> None:
    """Earlier versions demand the others: in a rolling upgrade they read these records."""
    box = CODEC.encode(NEW, revision=1, operation="o").partition(b"\n")[2]
    opened = SEALER.open(box, purpose=PURPOSE, context=SID)
    assert opened is not None
    assert json.loads(opened.plaintext) == {
        "sid": SID,
        "user": "ann",
        "seed": b64encode(bytes(32)).decode(),
        "created_at": 1.5,
        "authenticated_at": 1.5,
        "last_active_at": 1.5,
        "current_since": 1.5,
        "previous": [],
        "device": {"user_agent": "", "ip": ""},
    }
    written_out = DOCUMENT | {
        "user": "ann",
        "seed": b64encode(bytes(32)).decode(),
        "previous": [],
        "created_at": 1.5,
        "authenticated_at": 1.5,
        "last_active_at": 1.5,
        "current_since": 1.5,
        "epoch": "",
        "generation": 1,
        "issued": 1,
        "issued_at": 0.0,
        "settles_at": 0.0,
        "refused_below": 1,
        "refused_until": None,
        "data": {},
        "two_factors": False,
        "device": {"user_agent": "", "ip": ""},
    }
    assert CODEC.decode(record_of(written_out, b"1 o "), SID) == Stored(NEW, 1)


@pytest.mark.parametrize(
    "session",
    [
        SESSION,
        NEW,
        replace(NEW, user=None, authenticated_at=None),
        replace(NEW, generation=2, refused_until=0.0, previous=((1, 2.5),)),
        replace(NEW, data=cast("Any", {"a": (1, 1.0, True), "b": {"c": "\ud7ff"}}), epoch="e"),
    ],
    ids=repr,
)
def test_what_was_written_is_remembered_as_it_would_be_read(session: Session) -> None:
    writer = SessionCodec(SEALER)
    value = writer.encode(session, revision=3, operation="o")
    read = SessionCodec(SEALER).decode(value, SID)
    assert isinstance(read, Stored)
    remembered = writer.decode(value, SID)
    assert remembered == read
    assert repr(dict(remembered.session.data)) == repr(dict(read.session.data))


def test_what_was_written_is_not_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SessionCodec(SEALER)
    value = codec.encode(SESSION, revision=1, operation="o")
    forged = value[:-1] + bytes([value[-1] ^ 1])
    monkeypatch.setattr(Sealer, "open", lambda *_args, **_named: None)
    assert codec.decode(value, SID) == Stored(SESSION, 1)
    assert codec.decode(forged, SID) == Unreadable()
    codec.forget()
    assert codec.decode(value, SID) == Unreadable()


def test_what_a_writer_changes_later_changes_no_read() -> None:
    codec = SessionCodec(SEALER)
    data: Any = {"cart": [1]}
    value = codec.encode(replace(SESSION, data=data), revision=1, operation="o")
    data["cart"].append(2)
    found = codec.decode(value, SID)
    assert isinstance(found, Stored)
    assert found.session.data == {"cart": [1]}


def test_the_same_bytes_are_opened_once() -> None:
    codec = SessionCodec(SEALER)
    empty = replace(SESSION, data={})
    value = codec.encode(empty, revision=1, operation="o")
    first = codec.decode(value, SID)
    assert isinstance(first, Stored)
    assert codec.decode(bytes(bytearray(value)), SID) is first
    assert isinstance(codec.decode(value, SID[::-1]), Unreadable), "another id is another record"
    again = codec.encode(empty, revision=1, operation="o")
    assert codec.decode(again, SID) == first
    assert codec.decode(again, SID) is not first


def test_what_a_handler_changes_in_the_data_changes_no_later_read() -> None:
    codec = SessionCodec(SEALER)
    value = codec.encode(
        replace(SESSION, data={"cart": [1, {"a": None}]}), revision=1, operation="o"
    )
    for _ in range(2):
        found = codec.decode(value, SID)
        assert isinstance(found, Stored)
        data: Any = found.session.data
        assert data == {"cart": [1, {"a": None}]}
        data["cart"][1]["a"] = "changed"
        data["cart"].append(2)
        data["more"] = 1


def test_what_a_handler_puts_where_there_is_no_data_is_in_no_later_read() -> None:
    codec = SessionCodec(SEALER)
    value = codec.encode(replace(SESSION, data={}), revision=1, operation="o")
    for _ in range(3):
        found = codec.decode(value, SID)
        assert isinstance(found, Stored)
        data: Any = found.session.data
        assert data == {}
        data["more"] = 1


def test_a_large_record_is_not_remembered() -> None:
    codec = SessionCodec(SEALER)
    large = replace(SESSION, data={"text": "x" * REMEMBERED_BYTES})
    value = codec.encode(large, revision=1, operation="o")
    assert codec.decode(value, SID) == codec.decode(value, SID)
    assert codec._remembered.cache_info().currsize == 0


def test_what_was_read_is_forgotten_when_the_keys_change() -> None:
    ring, both = Keyring.from_secrets([KEY]), Keyring.from_secrets([key("new"), KEY])
    codec = SessionCodec(Sealer(ring))
    box = SessionCodec(Sealer(both)).encode(SESSION, revision=1, operation="o")
    assert isinstance(codec.decode(box, SID), Unreadable)
    ring.adopt(both)
    codec.forget()
    assert isinstance(codec.decode(box, SID), Stored)


@pytest.mark.parametrize("remember", [True, False])
def test_a_choice_to_be_remembered_is_in_the_record(*, remember: bool) -> None:
    chosen = replace(SESSION, remember=remember)
    written = CODEC.encode(chosen, revision=1, operation="op")
    assert CODEC.decode(written, SID) == Stored(chosen, 1)


def test_a_choice_that_was_not_made_takes_no_room() -> None:
    header, _, box = CODEC.encode(SESSION, revision=1, operation="op").partition(b"\n")
    opened = SEALER.open(box, purpose=PURPOSE, context=SID)
    assert opened is not None
    assert header
    assert "remember" not in json.loads(opened.plaintext)
