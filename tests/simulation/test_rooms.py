"""Seeded histories of rooms: nobody gets what is published after the removal was answered.

`make simulate` runs 20,000; the ordinary run a few, and a proof that the checks can fail.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

from server.core.room_entries import RoomEntry
from server.core.rooms import (
    Admitted,
)
from server.realtime.room_here import RoomHere, RoomPlace
from server.realtime.rooms_here import RoomsHere
from tests.simulation import room_memory
from tests.simulation.history import HistoryFailed
from tests.simulation.room_history import run_room_history

HISTORIES = int(os.environ.get("CURFEW_ROOM_HISTORIES", "40"))
FIRST_SEED = int(os.environ.get("CURFEW_FIRST_SEED", "0"))
WITHIN = 300
"""In so many histories, from the one that found it first, a broken part must be found."""


def test_nobody_gets_what_was_published_after_a_removal_and_everybody_else_gets_it_in_order() -> (
    None
):
    seeds = range(FIRST_SEED, FIRST_SEED + HISTORIES)
    with ProcessPoolExecutor() as pool:
        problems = [each for each in pool.map(outcome, seeds, chunksize=10) if each]
    assert problems == [], (
        f"replay with CURFEW_ROOM_HISTORIES=1 CURFEW_FIRST_SEED=<seed>: {problems}"
    )


def test_the_same_holds_for_a_room_that_is_deleted_and_made_again() -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + HISTORIES // 2)
    with ProcessPoolExecutor() as pool:
        problems = [each for each in pool.map(outcome_made_again, seeds, chunksize=10) if each]
    assert problems == []


def outcome_made_again(seed: int) -> str:
    """What a history found in which the room is made again."""
    return outcome(seed, is_made_again=True)


def outcome(seed: int, *, is_made_again: bool = False) -> str:
    """What a history found; empty if nothing."""
    try:
        run_room_history(seed, is_made_again=is_made_again)
    except HistoryFailed as failed:
        return str(failed)
    return ""


def _blind_to_gaps(room: RoomHere, entry: RoomEntry) -> bool:
    """Apply whatever comes, also behind a missing number."""
    room._number = entry.number
    return True


def _trusting_a_late_answer(room: RoomHere, *_: object) -> list[RoomEntry]:
    """Let a session in although it was removed while the answer was on its way."""
    del room
    return []


def _by_number_alone(place: RoomPlace, entered: Admitted) -> bool:
    """Compare the numbers of another server, too."""
    return place.since < entered.number


BROKEN: list[tuple[type, str, Callable[..., object], int]] = [
    (RoomsHere, "_remove", lambda *_: None, 0),
    (RoomHere, "take", _blind_to_gaps, 30),
    (RoomHere, "missed", _trusting_a_late_answer, 190),
    (RoomPlace, "is_behind", _by_number_alone, 5_496),
]


@pytest.mark.parametrize(
    ("where", "name", "broken", "first"),
    BROKEN,
    ids=[
        "removals are ignored",
        "gaps are ignored",
        "a late answer lets in",
        "all servers count as one",
    ],
)
def test_histories_find_what_is_broken(
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    name: str,
    broken: Callable[..., object],
    first: int,
) -> None:
    monkeypatch.setattr(where, name, broken)
    assert any("after the removal" in outcome(seed) for seed in range(first, first + WITHIN))


def test_histories_find_entries_that_do_not_name_their_life_of_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room_memory, "RoomEntry", lambda *fields: RoomEntry(*fields[:3]))
    assert "after the removal" in outcome_made_again(159)
