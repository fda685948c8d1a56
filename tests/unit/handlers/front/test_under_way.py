"""Requests under way: whose they are, when they end, and that long ones do not count."""

import asyncio

from handlers.front.under_way import (
    COUNTS,
    OPENING_COUNTS,
    RequestsOfAddress,
    RequestsUnderWay,
    UnderWay,
)


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
    assert scene.here.latest is request
    request.end()
    request.end()
    assert not scene.there.has_others_under_way
    assert scene.here.latest is None
    assert scene.ended == 1


async def test_one_that_takes_long_does_not_count_any_more() -> None:
    scene = Scene()
    long = scene.begin(scene.here)
    scene.time += COUNTS + 0.01
    later = scene.begin(scene.here)
    assert scene.there.has_others_under_way
    assert (scene.here.under_way, scene.here.latest) == (1, later)
    scene.time += COUNTS + 0.01
    assert not scene.there.has_others_under_way
    long.end()
    later.end()
    assert scene.ended == 2


async def test_the_end_of_an_earlier_one_leaves_the_latest() -> None:
    scene = Scene()
    earlier, latest = scene.begin(scene.here), scene.begin(scene.here)
    earlier.end()
    assert scene.here.latest is latest


async def test_the_next_request_of_a_connection_counts_from_its_own_beginning() -> None:
    scene = Scene()
    request = scene.begin(scene.here)
    scene.time += COUNTS / 2
    request.end()
    request.begin()
    scene.time += COUNTS * 0.75
    assert scene.there.has_others_under_way, "the first is long ago, but this one is not"
    scene.time += COUNTS
    assert not scene.there.has_others_under_way
    assert scene.here.latest is None


async def test_a_connection_that_opens_counts_until_its_first_request_begins() -> None:
    scene = Scene()
    request = UnderWay(scene.here)
    request.open()
    assert scene.there.has_others_under_way
    assert scene.here.latest is None, "it computes nothing, and others of its address may open"
    request.begin()
    assert scene.here.under_way == 1
    assert scene.here.latest is request
    request.end()
    assert not scene.there.has_others_under_way


async def test_a_connection_that_says_nothing_counts_for_a_shorter_time_than_a_request() -> None:
    scene = Scene()
    UnderWay(scene.here).open()
    request = scene.begin(scene.here)
    scene.time += OPENING_COUNTS + 0.001
    assert scene.there.has_others_under_way
    assert (scene.here.under_way, scene.here.latest) == (1, request)
    request.end()
    assert not scene.there.has_others_under_way


async def test_a_request_that_began_when_its_connection_opened_counts_as_long_as_others() -> None:
    scene = Scene()
    request = UnderWay(scene.here)
    request.open()
    request.begin()
    scene.time += COUNTS / 2
    assert scene.there.has_others_under_way
    request.end()
