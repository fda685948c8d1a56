"""Requests under way: whose they are, when they end, and that long ones do not count."""

import asyncio

from handlers.front.under_way import COUNTS, RequestsOfAddress, RequestsUnderWay, UnderWay


class Scene:
    """Two addresses, and a clock that only the test moves.

    Attributes:
        ended: how often a request has ended.
    """

    def __init__(self) -> None:
        self.ended = 0
        self.requests = RequestsUnderWay(asyncio.get_running_loop(), self._note)
        self.requests.now = lambda: self.time
        self.time = 100.0
        self.here, self.there = RequestsOfAddress(self.requests), RequestsOfAddress(self.requests)

    def begin(self, address: RequestsOfAddress) -> UnderWay:
        """Begin a request."""
        request = UnderWay(address)
        request.begin()
        return request

    def _note(self) -> None:
        self.ended += 1


async def test_a_request_is_under_way_for_the_others_until_it_ends() -> None:
    scene = Scene()
    request = scene.begin(scene.here)
    assert scene.there.has_others_under_way
    assert not scene.here.has_others_under_way
    assert scene.here.has_under_way(1)
    request.end()
    request.end()
    assert not scene.there.has_others_under_way
    assert not scene.here.has_under_way(1)
    assert scene.ended == 1


async def test_one_that_takes_long_does_not_count_any_more() -> None:
    scene = Scene()
    long = scene.begin(scene.here)
    scene.time += COUNTS + 0.01
    later = scene.begin(scene.here)
    assert scene.here.has_under_way(1)
    assert not scene.here.has_under_way(2)
    scene.time += COUNTS + 0.01
    assert not scene.there.has_others_under_way
    long.end()
    later.end()
    assert scene.ended == 2


async def test_the_next_request_of_a_connection_counts_from_its_own_beginning() -> None:
    scene = Scene()
    request = scene.begin(scene.here)
    scene.time += COUNTS / 2
    request.end()
    request.begin()
    scene.time += COUNTS * 0.75
    assert scene.there.has_others_under_way, "the first is long ago, but this one is not"
    scene.time += COUNTS
    assert not scene.here.has_under_way(1)
