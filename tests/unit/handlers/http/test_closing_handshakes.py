"""Answers to close frames: read when no more sockets are being closed, and not awaited for ever."""

import asyncio

from handlers.http.closing_handshakes import AT_ONCE, LATEST, PATIENCE, ClosingHandshakes
from tests.support.engine.virtual_time import monotonic, on_virtual_time, sleep_while_nothing_runs


class Socket:
    """Notes what happens to it behind its close frame.

    Attributes:
        read_at: when it was read again.
        given_up_at: when it was disconnected.
    """

    def __init__(self, closings: ClosingHandshakes) -> None:
        self.read_at: float | None = None
        self.given_up_at: float | None = None
        self.awaited = closings.wait_for(self)
        closings.read_later(self.awaited)

    def read_on(self) -> None:
        """Note it."""
        self.read_at = monotonic()

    def give_up(self) -> None:
        """Note it."""
        self.given_up_at = monotonic()


def read(sockets: list[Socket]) -> int:
    """Return how many have been read."""
    return sum(each.read_at is not None for each in sockets)


@on_virtual_time
async def test_nothing_is_read_before_all_close_frames_have_gone_out() -> None:
    closings, sockets = ClosingHandshakes(), list[Socket]()
    for _ in range(20):
        sockets += [Socket(closings) for _ in range(10)]
        await asyncio.sleep(0)
        assert read(sockets) == 0
    await asyncio.sleep(0.01)
    assert read(sockets) == len(sockets)


@on_virtual_time
async def test_many_are_read_in_slices_and_in_their_order() -> None:
    closings = ClosingHandshakes()
    sockets, before = [Socket(closings) for _ in range(3 * AT_ONCE)], 0
    while before < len(sockets):
        await asyncio.sleep(0)
        found = read(sockets)
        assert found - before <= AT_ONCE
        assert all(each.read_at is not None for each in sockets[:found])
        before = found


@on_virtual_time
async def test_an_answer_is_read_in_time_however_many_sockets_are_closed() -> None:
    closings, began = ClosingHandshakes(), monotonic()
    first = Socket(closings)
    while monotonic() < began + 2 * LATEST:
        Socket(closings)
        sleep_while_nothing_runs(LATEST / 50)
        await asyncio.sleep(0)
    assert first.read_at is not None
    assert first.read_at <= began + 1.1 * LATEST


@on_virtual_time
async def test_who_does_not_answer_is_given_up_when_its_own_time_is_over() -> None:
    closings, began = ClosingHandshakes(), monotonic()
    first, answering = Socket(closings), Socket(closings)
    await asyncio.sleep(1)
    later = Socket(closings)
    answering.awaited.cancel()
    await asyncio.sleep(2 * PATIENCE)
    assert first.given_up_at == began + PATIENCE
    assert answering.given_up_at is None
    assert later.given_up_at == began + 1 + PATIENCE


@on_virtual_time
async def test_many_are_given_up_in_slices_with_others_in_between() -> None:
    closings = ClosingHandshakes()
    sockets, seen = [Socket(closings) for _ in range(3 * AT_ONCE)], list[int]()

    def given_up() -> int:
        return sum(each.given_up_at is not None for each in sockets)

    def let_others_look() -> None:
        asyncio.get_running_loop().call_soon(lambda: seen.append(given_up()))

    sockets[0].give_up = let_others_look  # type: ignore[method-assign]
    await asyncio.sleep(PATIENCE + 0.001)
    assert given_up() == len(sockets) - 1
    assert seen[0] < AT_ONCE


@on_virtual_time
async def test_one_that_fails_does_not_stop_the_others() -> None:
    closings, failures = ClosingHandshakes(), list[object]()
    failing, other = Socket(closings), Socket(closings)

    def fail() -> None:
        raise OSError

    failing.read_on = failing.give_up = fail  # type: ignore[method-assign]
    asyncio.get_running_loop().call_exception_handler = failures.append  # type: ignore[assignment, method-assign]
    await asyncio.sleep(PATIENCE + 1)
    assert other.read_at is not None
    assert other.given_up_at is not None
    assert len(failures) == 2


@on_virtual_time
async def test_whose_answer_has_come_is_not_read_again() -> None:
    closings = ClosingHandshakes()
    socket = Socket(closings)
    socket.awaited.cancel()
    await asyncio.sleep(2 * PATIENCE)
    assert (socket.read_at, socket.given_up_at) == (None, None)
