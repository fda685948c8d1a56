"""The outbox: one frame at a time, in order, within a limit, and nothing after it was closed."""

import pytest

from server.core.room_frames import SharedFrame
from server.realtime.outbox import MAX_QUEUED_BYTES, Outbox
from tests.support.engine.memory_node import Peer
from tests.support.engine.virtual_time import on_virtual_time, settle


class Sender:
    """An outbox to a peer.

    Attributes:
        may_send: whether frames may be sent now.
        full: how often the outbox said that it is full.
    """

    def __init__(self) -> None:
        self.peer = Peer()
        self.may_send = True
        self.full = 0
        self.outbox = Outbox(self.peer, self._on_full, lambda: self.may_send)

    def put(self, *words: str) -> None:
        """Queue a frame for each word."""
        for word in words:
            self.outbox.put(f'{{"type":"{word}"}}')

    def _on_full(self) -> None:
        self.full += 1


@on_virtual_time
async def test_frames_go_out_in_order() -> None:
    sender = Sender()
    sender.put("a", "b")
    await settle()
    sender.put("c")
    await settle()
    assert sender.peer.types() == ["a", "b", "c"]


@on_virtual_time
async def test_the_next_frame_waits_until_the_transport_is_ready() -> None:
    sender = Sender()
    sender.peer.stop_reading()
    sender.put("a", "b", "c")
    await settle()
    assert sender.peer.types() == ["a"]
    sender.peer.read_on()
    await settle()
    assert sender.peer.types() == ["a", "b", "c"]


@on_virtual_time
async def test_nothing_that_was_queued_goes_out_after_it_was_closed() -> None:
    sender = Sender()
    sender.peer.stop_reading()
    sender.put("a", "b")
    await settle()
    sender.outbox.close()
    sender.put("c")
    sender.peer.read_on()
    await settle()
    assert sender.peer.types() == ["a"]


@on_virtual_time
async def test_a_peer_that_reads_too_slowly_is_reported_once() -> None:
    sender = Sender()
    sender.peer.stop_reading()
    frame = '{"type":"a","data":"' + "x" * (MAX_QUEUED_BYTES // 4) + '"}'
    for _ in range(3):
        sender.outbox.put(frame)
    assert sender.full == 0
    for _ in range(3):
        sender.outbox.put(frame)
    assert sender.full == 1
    sender.peer.read_on()
    await settle()
    assert len(sender.peer.frames) <= 1  # what was queued is dropped


@on_virtual_time
async def test_frames_that_were_sent_make_room() -> None:
    sender = Sender()
    frame = '{"type":"a","data":"' + "x" * (MAX_QUEUED_BYTES // 2) + '"}'
    for _ in range(10):
        sender.outbox.put(frame)
        await settle()
    assert sender.full == 0
    assert len(sender.peer.frames) == 10


@on_virtual_time
async def test_frames_wait_while_they_may_not_be_sent() -> None:
    sender = Sender()
    sender.may_send = False
    sender.put("a")
    await settle()
    assert sender.peer.types() == []
    sender.may_send = True
    sender.outbox.resume()
    await settle()
    assert sender.peer.types() == ["a"]


@on_virtual_time
async def test_the_rest_waits_when_sending_stops_in_the_middle() -> None:
    sender = Sender()
    sender.peer.stop_reading()
    sender.put("a", "b")
    await settle()
    sender.may_send = False
    sender.peer.read_on()
    await settle()
    assert sender.peer.types() == ["a"]
    sender.may_send = True
    sender.outbox.resume()
    await settle()
    assert sender.peer.types() == ["a", "b"]


@pytest.mark.parametrize("later", ["b", ""])
def test_a_peer_that_is_gone_gets_nothing_more(later: str) -> None:
    @on_virtual_time
    async def scenario() -> None:
        sender = Sender()
        sender.peer.is_gone = True
        sender.put("a", *filter(None, [later]))
        await settle()
        sender.peer.is_gone = False
        sender.put("c")
        await settle()
        assert sender.peer.types() == []

    scenario()


def shared(word: str) -> SharedFrame:
    """A frame that other sockets get, too."""
    return SharedFrame(f'{{"type":"{word}"}}', "den")


@on_virtual_time
async def test_a_frame_for_many_goes_out_at_once_or_behind_what_waits() -> None:
    sender = Sender()
    sender.outbox.put_now(shared("a"))
    assert sender.peer.types() == ["a"]
    sender.peer.stop_reading()
    for word in ("b", "c"):
        sender.outbox.put_now(shared(word))
    sender.put("d")
    assert sender.peer.types() == ["a", "b"]
    sender.peer.read_on()
    await settle()
    assert sender.peer.types() == ["a", "b", "c", "d"]


@on_virtual_time
async def test_a_peer_that_is_gone_gets_no_frame_for_many_and_nothing_later() -> None:
    sender = Sender()
    sender.peer.is_gone = True
    sender.outbox.put_now(shared("a"))
    sender.peer.is_gone = False
    sender.outbox.put_now(shared("b"))
    sender.put("c")
    await settle()
    assert sender.peer.types() == []


@on_virtual_time
async def test_a_peer_that_goes_while_a_frame_for_many_is_on_its_way_gets_nothing_later() -> None:
    async def gone() -> None:
        raise ConnectionError

    sender = Sender()
    sender.peer.stop_reading()
    sender.peer._read_it = gone  # type: ignore[method-assign]
    sender.outbox.put_now(shared("a"))
    sender.put("b")
    await settle()
    sender.put("c")
    await settle()
    assert sender.peer.types() == ["a"]
    assert sender.full == 0
