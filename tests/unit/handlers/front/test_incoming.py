"""What comes in: requests are handed over in pieces, at the application's speed, or refused."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tornado.httputil import HTTPInputError

from handlers.front.responses import CONTINUE
from tests.support.running.waiting import until
from tests.support.servers.receiving import LIMITS, receiving

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"


async def test_a_body_is_handed_over_as_it_comes() -> None:
    async with receiving() as (server, peer):
        await peer.send(POST + b"\r\nab")
        request = await server.request()
        assert request.start_line.method == "POST"
        assert not request.is_whole.is_set()
        await peer.send(b"c")
        await request.is_whole.wait()
        assert request.body == b"abc"


async def test_a_client_that_asks_first_is_told_to_send_its_body() -> None:
    async with receiving() as (server, peer):
        await peer.send(POST + b"Expect: 100-continue\r\n\r\n")
        assert await peer.read(len(CONTINUE)) == CONTINUE
        await peer.send(b"abc")
        assert (await server.whole_request()).body == b"abc"


async def test_no_more_is_handed_over_while_the_application_is_busy() -> None:
    async with receiving() as (server, peer):
        server.may_go_on = asyncio.get_running_loop().create_future()
        await peer.send(POST + b"\r\nabc")
        request = await server.request()
        assert request.body + b"" == b""
        server.may_go_on.set_result(None)
        await request.is_whole.wait()
        assert request.body == b"abc"


async def test_no_further_piece_is_handed_over_while_the_application_is_busy_with_one() -> None:
    async with receiving() as (server, peer):
        await peer.send(POST + b"\r\n")
        request = await server.request()
        request.may_go_on = asyncio.get_running_loop().create_future()
        connection: Any = request.exchange._connection
        for piece in (b"a", b"bc"):
            await peer.send(piece)

            async def has_come(piece: bytes = piece) -> bool:
                return piece in (request.body, connection._incoming.received)

            await until(has_come)
        assert request.body == b"a"
        request.may_go_on.set_result(None)
        await request.is_whole.wait()
        assert request.body == b"abc"


async def test_the_application_hears_that_a_request_stays_incomplete() -> None:
    async with receiving() as (server, peer):
        await peer.send(POST + b"\r\nab")
        request = await server.request()
        peer.close()
        async with asyncio.timeout(5):
            await request.is_cut.wait()
        assert not request.is_whole.is_set()


async def test_whoever_answers_hears_that_nobody_waits_any_more() -> None:
    is_gone = asyncio.Event()
    async with receiving() as (server, peer):
        await peer.send(POST + b"\r\nabc")
        request = await server.whole_request()
        request.exchange.set_close_callback(is_gone.set)
        peer.close()
        async with asyncio.timeout(5):
            await is_gone.wait()
        assert not request.is_cut.is_set()


async def test_what_the_application_refuses_is_answered_with_400() -> None:
    async with receiving() as (server, peer):
        server.failure = HTTPInputError("a secret")
        await peer.send(POST + b"\r\nabc")
        answer = await peer.read_all()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"secret" not in answer


async def test_what_the_application_fails_with_is_logged_and_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with receiving() as (server, peer):
        server.failure = ZeroDivisionError("once")
        await peer.send(POST + b"\r\nabc")
        assert not await peer.read_all()
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_an_application_that_is_cancelled_ends_the_connection() -> None:
    async with receiving() as (server, peer):
        server.may_go_on = asyncio.get_running_loop().create_future()
        await peer.send(POST + b"\r\nabc")
        await server.request()
        server.may_go_on.cancel()
        assert not await peer.read_all()


async def test_a_body_must_come_in_its_time() -> None:
    async with receiving(replace(LIMITS, body_timeout=0.05)) as (server, peer):
        await peer.send(POST + b"\r\nab")
        request = await server.request()
        assert (await peer.read_all()).startswith(b"HTTP/1.1 408 ")
        await request.is_cut.wait()
        peer.close()


async def test_a_request_is_incomplete_until_all_of_it_is_here() -> None:
    async with receiving() as (server, peer):
        await peer.send(POST + b"\r\nab")
        request = await server.request()
        connection: Any = request.exchange._connection
        assert connection._incoming.is_incomplete
        await peer.send(b"cGET / HTTP/1.1\r\n")
        await request.is_whole.wait()
        assert not connection._incoming.is_incomplete, "it waits for its answer"
        request.answer()
        await peer.read_until(b"\r\n\r\n")
        assert connection._incoming.is_incomplete, "the next one has begun"
        peer.close()


async def test_an_application_may_take_longer_than_its_peer_may() -> None:
    async with receiving(replace(LIMITS, first_timeout=0.1, body_timeout=0.1)) as (server, peer):
        await peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for sent in (POST + b"\r\nab", b""):
            request = await server.request()
            if not sent:
                await peer.send(b"c")
            loop, is_over = asyncio.get_running_loop(), asyncio.Event()
            await request.is_whole.wait()
            loop.call_later(0.15, is_over.set)
            await is_over.wait()
            request.answer(b"late")
            assert (await peer.read_until(b"late")).startswith(b"HTTP/1.1 200 ")
            await peer.send(sent)


async def test_a_time_that_a_handler_sets_for_a_body_is_for_this_body_alone() -> None:
    async with receiving(replace(LIMITS, body_timeout=0.05)) as (server, peer):
        await peer.send(POST + b"\r\nab")
        request = await server.request()
        request.exchange.set_body_timeout(60.0)
        loop, is_over = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(0.1, is_over.set)
        await is_over.wait()
        await peer.send(b"c")
        await request.is_whole.wait()
        request.answer()
        await peer.read_until(b"\r\n\r\n")
        await peer.send(POST + b"\r\nab")
        assert (await peer.read_all()).startswith(b"HTTP/1.1 408 ")
        peer.close()


async def test_a_body_in_many_chunks_waits_for_its_turn_and_comes_whole() -> None:
    async with receiving() as (server, peer):
        await peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        request = await server.request()
        await peer.send(b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n")
        await request.is_whole.wait()
        assert request.body == b"x" * 1000


async def test_a_request_that_cannot_begin_ends_the_connection_and_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with receiving() as (server, peer):
        monkeypatch.setattr(server, "start_request", fail)
        await peer.send(POST + b"\r\nabc")
        assert not await peer.read_all()
    assert ZeroDivisionError in [each.exc_info[0] for each in caplog.records if each.exc_info]


async def test_an_application_that_takes_a_head_after_the_peer_has_gone_gets_no_body() -> None:
    async with receiving() as (server, peer):
        server.may_go_on = asyncio.get_running_loop().create_future()
        await peer.send(POST + b"\r\nabc")
        request = await server.request()
        peer.close()
        await server.is_closed.wait()
        await request.is_cut.wait()
        server.may_go_on.set_result(None)
        await asyncio.sleep(0)
        assert (request.body, request.is_whole.is_set()) == (b"", False)


async def test_an_application_that_takes_a_piece_after_the_peer_has_gone_gets_no_other() -> None:
    async with receiving(replace(LIMITS, piece_bytes=1)) as (server, peer):
        await peer.send(POST + b"\r\n")
        request = await server.request()
        request.may_go_on = asyncio.get_running_loop().create_future()
        await peer.send(b"abc")

        async def has_a_piece() -> bool:
            return request.body == b"a"

        await until(has_a_piece)
        peer.close()
        await server.is_closed.wait()
        request.may_go_on.set_result(None)
        await asyncio.sleep(0)
        assert (request.body, request.is_whole.is_set()) == (b"a", False)


async def test_an_answer_before_the_end_of_the_body_ends_the_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with receiving() as (server, peer):
        await peer.send(POST + b"\r\n")
        request = await server.request()
        monkeypatch.setattr(request, "data_received", lambda _: request.answer(b"enough"))
        await peer.send(b"a")
        assert (await peer.read_all()).endswith(b"enough")
        assert not request.is_whole.is_set()
