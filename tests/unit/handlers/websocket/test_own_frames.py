"""Frames of an application's own: one method for each type, with typed fields."""

from typing import Any

import pytest

from handlers.websocket.own_frames import FrameTaken, bound_frame, frame, own_frames_of
from server.realtime.socket_hooks import FrameRefused
from tests.support.engine.browsing import new_session


class Game:
    """What a socket handler of an application looks like here."""

    def __init__(self) -> None:
        self.moves: list[tuple[int, float]] = []

    @frame("move", x=int, y=float)
    async def go(self, session: object, x: int, y: float) -> None:
        """Note a move."""
        del session
        self.moves.append((x, y))

    @frame("any", value=object)
    async def take(self, session: object, value: object) -> None:
        """Take anything."""


async def test_a_method_gets_the_fields_by_name() -> None:
    game = Game()
    assert own_frames_of(Game) == {"move": "go", "any": "take"}
    await bound_frame(game.go)(new_session(1.0), {"y": 2, "x": 1})
    await bound_frame(game.take)(new_session(1.0), {"value": None})
    assert game.moves == [(1, 2)]


@pytest.mark.parametrize(
    "fields", [{}, {"x": 1}, {"x": 1, "y": 2, "z": 3}, {"x": "1", "y": 2}, {"x": True, "y": 1.5}]
)
async def test_other_fields_do_not_reach_it(fields: dict[str, Any]) -> None:
    game = Game()
    with pytest.raises(FrameRefused) as refused:
        await bound_frame(game.go)(new_session(1.0), fields)
    assert (refused.value.code, game.moves) == ("bad_fields", [])


@pytest.mark.parametrize("kind", ["message", "ping", "join", "ack"])
def test_types_of_the_protocol_are_taken(kind: str) -> None:
    with pytest.raises(FrameTaken):
        frame(kind)


def test_two_handlers_of_one_type_are_refused() -> None:
    class Twice(Game):
        @frame("move")
        async def again(self, session: object) -> None:
            """Take the same type."""

    with pytest.raises(FrameTaken):
        own_frames_of(Twice)
