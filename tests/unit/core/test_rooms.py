"""Names, sizes and positions of rooms."""

from datetime import timedelta

import pytest

from server.core.room_entries import RoomRemoval
from server.core.rooms import (
    MAX_DATA_BYTES,
    MAX_KEPT,
    Member,
    Present,
    RoomOptions,
    RoomRefusal,
    digest_of,
    flaw_of_name,
    message_after,
    position_of,
    text_of,
)


@pytest.mark.parametrize("name", ["a", "chat:1", "Ünïcode 🦊", "a" * 200, "{7}*"])
def test_printable_text_of_200_bytes_is_a_name(name: str) -> None:
    assert flaw_of_name(name) is None
    assert digest_of(name).isalnum()


@pytest.mark.parametrize(
    "name", ["", "a" * 201, "ä" * 101, "\x00", "a\nb", "\ud800", "\x7f", "\x9b", 5, None, b"a", []]
)
def test_anything_else_is_none(name: object) -> None:
    assert flaw_of_name(name) is RoomRefusal.BAD_NAME


def test_data_are_json_and_as_large_as_a_frame() -> None:
    assert text_of({"a": [1, None]}) == '{"a":[1,null]}'
    assert text_of("x" * MAX_DATA_BYTES) is RoomRefusal.TOO_LARGE
    assert text_of(float("nan")) is RoomRefusal.NOT_JSON
    assert text_of("\ud800") is RoomRefusal.NOT_JSON
    assert text_of(object()) is RoomRefusal.NOT_JSON  # type: ignore[arg-type]


def test_a_position_is_good_in_its_own_history_and_life_of_the_room_only() -> None:
    position = position_of("history", "e1", 7)
    assert message_after(position, "history", "e1") == 7
    for history, epoch in [("another", "e1"), ("history", "e2")]:
        assert message_after(position, history, epoch) is None
    for nonsense in (
        "",
        ".",
        "7",
        position + "x",
        position.replace(".7", ".²"),
        position + "-",
        position + "0" * 5_000,
    ):
        assert message_after(nonsense, "history", "e1") is None


def test_how_much_is_kept_is_limited() -> None:
    assert RoomOptions().kept == 0
    assert RoomOptions(keep=10**9).kept == MAX_KEPT
    assert RoomOptions(keep=-1).kept == 0
    assert (RoomOptions(keep_for=timedelta(minutes=1)).kept, RoomOptions().kept_ms) == (MAX_KEPT, 0)
    assert RoomOptions(keep=3, keep_for=timedelta(minutes=1)).kept_ms == 60_000
    assert RoomOptions(keep_for=timedelta(microseconds=1)).kept_ms == 1  # 0 is no limit


def test_a_removal_concerns_a_user_with_all_sessions_or_one_session() -> None:
    ann, bob = Member("ann", "s1"), Member("bob", "s2")
    assert RoomRemoval("ann").concerns(ann)
    assert not RoomRemoval("ann").concerns(bob)
    assert RoomRemoval("bob", "s2").concerns(bob)
    assert not RoomRemoval("ann", "s3").concerns(ann)


def test_who_is_present_is_a_user_or_a_visitors_session() -> None:
    assert Present("ann", "", 2).who == "ann"
    assert Present(None, "s1", 1).who == "s1"
