"""The life of a connection: one request after the other, times to keep, and an orderly end."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, ResponseStartLine

from handlers.front import connection, linger
from handlers.front.limits import LINGER_BYTES, READ_AHEAD_BYTES, UNREAD_BYTES
from tests.support.running.waiting import until
from tests.support.servers.receiving import LIMITS, receiving

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
MUCH = b"x" * (4 * 1024 * 1024)
CHUNKED = (ResponseStartLine("", 200, "OK"), HTTPHeaders())


async def test_a_request_begins_when_the_one_before_is_answered() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET % 1 + GET % 2)
        first = await server.whole_request()
        assert server.begun == [first]
        first.answer(b"one")
        assert server.begun == [first], "it waits for its turn"
        second = await server.whole_request()
        assert second.start_line.path == "/2"
        second.answer(b"two")
        assert (await peer.read_until(b"two")).count(b"HTTP/1.1 200 OK") == 2


async def test_what_comes_while_a_request_waits_for_its_turn_brings_it_no_earlier() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET % 1 + GET % 2)
        first = await server.whole_request()
        connection: Any = first.exchange._connection
        first.answer(b"one")
        connection.data_received(GET % 3)
        assert server.begun == [first]
        assert (await server.whole_request()).start_line.path == "/2"


async def test_a_peer_sends_no_more_than_is_read_ahead_while_a_request_is_under_way() -> None:
    async with receiving(replace(LIMITS, body_bytes=len(MUCH))) as (server, peer):
        await peer.send(GET % 1)
        first = await server.whole_request()
        connection: Any = first.exchange._connection
        post = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(MUCH)
        sending = asyncio.ensure_future(peer.send(post + MUCH))

        async def is_full() -> bool:
            return not connection._transport.is_reading()

        await until(is_full)
        assert READ_AHEAD_BYTES < len(connection._incoming.received) < len(MUCH)
        first.answer()
        assert (await server.whole_request()).body == MUCH
        await sending


async def test_no_request_begins_while_an_answer_is_not_read() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET % 1)
        first = await server.whole_request()
        first.answer(MUCH)
        await peer.send(GET % 2)
        connection: Any = first.exchange._connection

        async def has_come() -> bool:
            return bool(connection._incoming.received)

        await until(has_come)
        assert server.begun == [first]
        await peer.read_until(b"\r\n\r\n")
        await peer.read(len(MUCH))
        assert (await server.whole_request()).start_line.path == "/2"


async def test_a_new_connection_sends_a_request_in_time_or_is_closed() -> None:
    async with receiving(replace(LIMITS, first_timeout=0.05)) as (_, peer):
        assert not await peer.read_all()
    async with receiving(replace(LIMITS, first_timeout=0.05)) as (_, peer):
        await peer.send(b"GET / HTTP/1.1\r\n")
        assert (await peer.read_all()).startswith(b"HTTP/1.1 408 ")
        peer.close()


async def test_a_connection_that_rests_too_long_is_closed() -> None:
    async with receiving(replace(LIMITS, idle_timeout=0.05)) as (server, peer):
        await peer.send(GET % 1)
        (await server.whole_request()).answer(b"one")
        assert (await peer.read_all()).endswith(b"one")


async def test_a_peer_that_does_not_read_its_answer_is_cut(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "UNREAD_SECONDS", 0.05)
    caplog.set_level("INFO")
    async with receiving() as (server, peer):
        await peer.send(GET % 1)
        (await server.whole_request()).answer(MUCH)
        async with asyncio.timeout(5):
            await server.is_closed.wait()
        assert len(await peer.read_all()) < len(MUCH)
    assert "Answer not read by the peer" in caplog.text


async def test_a_peer_that_reads_its_answer_slowly_is_not_cut() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET % 1)
        first = await server.whole_request()
        connection: Any = first.exchange._connection
        first.answer(MUCH)
        left = connection._transport.get_write_buffer_size()
        await peer.read(len(MUCH) // 2)

        async def has_moved() -> bool:
            return bool(connection._transport.get_write_buffer_size() < left - UNREAD_BYTES)

        await until(has_moved)
        connection._too_late()
        assert not connection.is_gone


async def test_a_refusal_reaches_a_peer_that_sends_on() -> None:
    async with receiving() as (server, peer):
        await peer.send(b"GET\r\n\r\n" + b"x" * (LINGER_BYTES // 8))
        assert (await peer.read_all()).startswith(b"HTTP/1.1 400 ")
        assert not server.is_closed.is_set()
        peer.close()


async def test_a_refused_peer_that_stays_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "LINGER_SECONDS", 0.05)
    async with receiving() as (server, peer):
        await peer.send(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\nabc")
        assert (await peer.read_all()).startswith(b"HTTP/1.1 400 ")
        async with asyncio.timeout(5):
            await server.is_closed.wait()


@pytest.mark.parametrize(("keep_alive", "line"), [(False, b"A: b"), (True, b"Connection: close")])
async def test_a_connection_that_one_side_does_not_keep_ends_with_its_answer(
    *, keep_alive: bool, line: bytes
) -> None:
    async with receiving(replace(LIMITS, keep_alive=keep_alive)) as (server, peer):
        await peer.send(b"GET / HTTP/1.1\r\n" + line + b"\r\n\r\n")
        (await server.whole_request()).answer(b"one")
        answer = await peer.read_all()
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(b"one")


async def test_a_peer_that_sends_without_end_behind_a_refusal_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(linger, "LINGER_BYTES", 1024 * 1024)
    async with receiving() as (server, peer):
        with pytest.raises(ConnectionError):
            await peer.send(b"GET\r\n\r\n" + b"x" * (64 * 1024 * 1024))
        assert server.begun == []


async def test_nothing_is_refused_in_the_middle_of_an_answer() -> None:
    async with receiving() as (server, peer):
        await peer.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        request = await server.request()
        request.exchange.write_headers(*CHUNKED)
        await peer.send(b"no chunk\r\n")
        await request.is_cut.wait()
        request.exchange.write(b"more")
        answer = await peer.read_all()
        assert answer.count(b"HTTP/1.1") == 1
        assert b"more" not in answer


async def test_whoever_is_given_the_connection_gets_what_came_behind_the_request() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET % 1 + b"frames")
        stream = (await server.whole_request()).exchange.detach()
        assert server.is_closed.is_set()
        assert await stream.read_bytes(6) == b"frames"
        await stream.write(b"back")
        assert await peer.read(4) == b"back"


async def test_what_no_handler_gets_is_counted_by_its_answer() -> None:
    async with receiving() as (server, peer):
        await peer.send(b"nonsense\r\n\r\n")
        await peer.read_until(b"\r\n\r\n")
        assert server.malformed == [400]


async def test_a_server_that_drains_ends_connections_with_their_answer() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET % 1)
        (await server.whole_request()).answer(b"one")
        await peer.read_until(b"one")
        server.is_draining = True
        await peer.send(GET % 2)
        (await server.whole_request()).answer(b"two")
        assert b"Connection: close" in await peer.read_until(b"two")
