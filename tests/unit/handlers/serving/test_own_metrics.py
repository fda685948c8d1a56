"""A worker tells its parent of itself: that it starts, what it counts, and its last numbers."""

import socket

from prometheus_client import CollectorRegistry, Counter

from handlers.serving.own_metrics import telling
from server.telemetry.metrics_channel import Channel, Kind


async def test_a_worker_that_starts_says_so_and_then_tells_what_it_counts() -> None:
    ours, theirs = socket.socketpair()
    parent, registry = await Channel.on(ours), CollectorRegistry()
    counter = Counter("some_total", "Some.", registry=registry)
    async with telling(theirs) as own:
        parent.send(Kind.ASK_SNAPSHOT)
        assert await parent.receive() == (Kind.SNAPSHOT, b"[]")
        own.tell_of(registry)
        parent.send(Kind.ASK_SNAPSHOT)
        assert b'["some_total",{},0.0]' in (await parent.receive())[1]
        counter.inc()
    assert b'["some_total",{},1.0]' in (await parent.receive())[1], "its last words"
    parent.close()


async def test_without_a_parent_that_asks_nobody_is_told() -> None:
    async with telling(None) as own:
        assert await own.of_all() is None
