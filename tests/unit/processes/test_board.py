"""The board is one memory for parent and workers, across a fork."""

import os
from collections.abc import Callable
from itertools import pairwise

from server.processes.board import Board, ParentLink


def forked(work: Callable[[], None]) -> None:
    """Do something in a forked process, and wait for its end."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    assert os.waitpid(pid, 0) == (pid, 0)


def test_a_heartbeat_changes_the_number_of_its_worker_alone() -> None:
    board = Board(2)
    before = board.beats(0), board.beats(1)
    forked(ParentLink(-1, board, 1).beat)
    assert board.beats(0) == before[0]
    assert board.beats(1) != before[1]


def test_no_two_heartbeats_in_a_row_look_the_same() -> None:
    board = Board(1)
    seen = []
    for _ in range(600):
        board.beat(0)
        seen.append(board.beats(0))
    assert all(one != two for one, two in pairwise(seen))


def test_a_step_is_seen_by_the_workers_and_their_notes_by_the_parent() -> None:
    board = Board(2)
    link = ParentLink(-1, board, 1)
    board.ask(3)
    assert (link.asked, link.noted) == (3, 0)
    forked(lambda: link.note(link.asked))
    assert (board.noted(0), board.noted(1), link.noted) == (0, 3, 3)


def test_a_worker_needs_no_reload_that_was_complete_before_its_start() -> None:
    board = Board(1)
    board.ask(8)
    link = ParentLink(-1, board, 0)
    assert link.noted == link.asked == board.noted(0) == 8


def test_a_worker_that_starts_between_two_steps_has_both_to_take() -> None:
    board = Board(1)
    board.ask(7)
    link = ParentLink(-1, board, 0)
    assert (link.noted, board.noted(0)) == (6, 6)


def test_a_step_that_is_asked_after_the_fork_is_still_to_be_taken() -> None:
    board = Board(1)
    asked_read, asked_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(asked_read, 1)
        link = ParentLink(-1, board, 0)
        os._exit(0 if link.noted != link.asked else 1)
    for step in (1, 2):
        board.ask(step)
    os.write(asked_write, b".")
    assert os.waitpid(pid, 0) == (pid, 0)
    os.close(asked_read)
    os.close(asked_write)


def test_steps_begin_anew_after_255() -> None:
    board = Board(1)
    board.ask(256)
    assert board.asked == 0


def test_a_link_is_a_file_descriptor() -> None:
    assert ParentLink(5, Board(1), 0).fileno() == 5


def test_one_worker_stops_alone_unless_the_parent_says_that_all_do() -> None:
    board = Board(3)
    link = ParentLink(-1, board, 2)
    assert link.stopping() == 1
    board.beat(2)
    board.note(2, 255)
    assert link.stopping() == 1
    board.stop()
    assert link.stopping() == 3
    assert [board.beats(place) for place in range(3)] == [0, 0, 1]


def test_a_worker_that_serves_is_counted_until_it_is_gone() -> None:
    board = Board(3)
    forked(ParentLink(-1, board, 1).serves)
    forked(ParentLink(-1, board, 2).serves)
    assert board.serving == 2
    board.serve(1, serves=False)
    assert board.serving == 1
    assert board.beats(0) == board.noted(0) == 0
    assert board.stopping == 1


def test_one_worker_says_for_all_why_none_starts() -> None:
    board = Board(3)
    links = [ParentLink(-1, board, place) for place in range(3)]

    def say() -> None:
        assert links[1].says_for_all()

    forked(say)
    assert [each.says_for_all() for each in links] == [False] * 3
    assert board.serving == 0
    assert Board(1).say_once()
