"""Nobody commits before everybody has prepared."""

import signal
from dataclasses import dataclass, field
from typing import cast

import pytest

from server.processes.board import Board
from server.processes.reloads import Reloads, is_preparing
from server.processes.workers import Workers


@dataclass
class Parent:
    """Notes its steps."""

    has_keys: bool = True
    steps: list[str] = field(default_factory=list)

    def prepare(self) -> bool:
        """Note it."""
        self.steps.append("prepare")
        return self.has_keys

    def commit(self) -> None:
        """Note it."""
        self.steps.append("commit")


@dataclass
class Running:
    """In place of the workers: which places are taken, and what was sent."""

    places: dict[int, int]
    sent: list[int] = field(default_factory=list)

    def send(self, signum: signal.Signals) -> None:
        """Note it."""
        self.sent.append(signum)


@pytest.fixture
def parent() -> Parent:
    return Parent()


@pytest.fixture
def board() -> Board:
    return Board(2)


@pytest.fixture
def running() -> Running:
    return Running({101: 0, 102: 1})


@pytest.fixture
def reloads(parent: Parent, board: Board, running: Running) -> Reloads:
    return Reloads(parent, board, cast("Workers", running))


def test_a_commit_waits_for_the_last_worker(
    reloads: Reloads, parent: Parent, board: Board, running: Running
) -> None:
    reloads.begin()
    assert is_preparing(board.asked)
    assert running.sent == [signal.SIGHUP]
    board.note(0, board.asked)
    reloads.advance()
    assert parent.steps == ["prepare"]
    assert reloads.seconds_left is not None
    board.note(1, board.asked)
    reloads.advance()
    assert parent.steps == ["prepare", "commit"]
    assert not is_preparing(board.asked)
    assert running.sent == [signal.SIGHUP] * 2
    assert reloads.seconds_left is None


def test_a_worker_that_is_gone_is_not_waited_for(
    reloads: Reloads, parent: Parent, board: Board, running: Running
) -> None:
    reloads.begin()
    board.note(0, board.asked)
    del running.places[102]
    reloads.advance()
    assert parent.steps == ["prepare", "commit"]


def test_nothing_is_committed_that_the_parent_could_not_prepare(
    reloads: Reloads, parent: Parent, board: Board
) -> None:
    parent.has_keys = False
    reloads.begin()
    for place in range(2):
        board.note(place, board.asked)
    reloads.advance()
    assert parent.steps == ["prepare"]
    assert is_preparing(board.asked)


def test_a_second_reload_prepares_again_whatever_came_of_the_first(
    reloads: Reloads, parent: Parent, board: Board
) -> None:
    asked = set()
    for _ in range(300):
        reloads.begin()
        assert is_preparing(board.asked)
        asked.add(board.asked)
    assert len(asked) == 128
    for place in range(2):
        board.note(place, board.asked)
    reloads.advance()
    assert parent.steps == ["prepare"] * 300 + ["commit"]


def test_without_anything_to_reload_nobody_is_told(board: Board, running: Running) -> None:
    reloads = Reloads(None, board, cast("Workers", running))
    reloads.begin()
    reloads.advance()
    assert (board.asked, running.sent) == (0, [])


def test_a_mistake_in_a_reload_ends_nothing(
    board: Board, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Parent):
        def prepare(self) -> bool:
            raise RuntimeError("a mistake")

    reloads = Reloads(Broken(), board, cast("Workers", running))
    reloads.begin()
    assert "the reload failed" in caplog.text
    assert running.sent == [signal.SIGHUP]
    assert reloads.seconds_left is None
