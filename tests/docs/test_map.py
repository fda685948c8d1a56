"""The map of the rooms is the one that the imports give, and leads in one direction."""

import pytest

from tests.docs.map.__main__ import PAGE, PICTURE, with_table
from tests.docs.map.drawing import drawn
from tests.docs.map.floor_plan import PLACES
from tests.docs.map.rooms import circle, read_rooms

ROOMS = read_rooms()
AGAIN = "it is out of date: run `make map`"


def test_the_picture_is_what_the_code_gives() -> None:
    assert PICTURE.read_text(encoding="utf-8") == drawn(ROOMS), AGAIN


def test_the_table_says_the_same() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text, ROOMS) == text, AGAIN
    assert all(f"{room.purpose}. |" in text for room in ROOMS.values()), "there is no table"


def test_no_room_imports_itself_by_way_of_others() -> None:
    assert circle(ROOMS) == set()


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_a_room_imports_only_rooms_below_it(name: str) -> None:
    row = PLACES[name][0]
    assert {other for other in ROOMS[name].imports if PLACES[other][0] <= row} == set()


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_a_room_says_what_it_is_for(name: str) -> None:
    assert ROOMS[name].purpose
