"""Answers: how their end is said, that they are as long as they say, and who may go on after."""

import pytest
from tornado.httputil import HTTPHeaders, HTTPOutputError, ResponseStartLine
from tornado.iostream import StreamClosedError

from handlers.front.exchange import Exchange
from tests.support.servers.receiving import receiving

OK = ResponseStartLine("", 200, "OK")
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def answered(request: bytes, code: int, headers: dict[str, str], *chunks: bytes) -> bytes:
    """Return all bytes of an answer to a request, up to the end of its connection."""
    async with receiving() as (server, peer):
        await peer.send(request)
        exchange = (await server.whole_request()).exchange
        exchange.write_headers(ResponseStartLine("", code, "Said"), HTTPHeaders(headers))
        for chunk in chunks:
            exchange.write(chunk)
        exchange.finish()
        if exchange.keeps_alive:
            exchange.close()
        return await peer.read_all()


async def test_an_answer_of_unknown_length_comes_in_chunks() -> None:
    assert await answered(GET, 200, {}, b"ab", b"", b"c") == (
        b"HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )


async def test_an_answer_of_known_length_comes_as_it_is() -> None:
    assert await answered(GET, 200, {"Content-Length": "3"}, b"ab", b"c") == (
        b"HTTP/1.1 200 Said\r\nContent-Length: 3\r\n\r\nabc"
    )


@pytest.mark.parametrize(
    ("request_head", "said"),
    [
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"Connection: close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"Connection: Keep-Alive"),
    ],
)
async def test_an_answer_says_what_a_client_of_its_version_does_not_assume(
    request_head: bytes, said: bytes
) -> None:
    head, _, _ = (await answered(request_head, 200, {"Content-Length": "0"})).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[2:] == [said]


async def test_an_old_client_learns_the_end_of_an_answer_by_the_end_of_the_connection() -> None:
    async with receiving() as (server, peer):
        await peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        exchange = (await server.whole_request()).exchange
        exchange.write_headers(OK, HTTPHeaders(), b"abc")
        exchange.finish()
        assert await peer.read_all() == b"HTTP/1.1 200 OK\r\n\r\nabc"


async def test_a_body_longer_than_its_length_is_cut_and_fails() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET)
        exchange = (await server.whole_request()).exchange
        exchange.write_headers(OK, HTTPHeaders({"Content-Length": "2"}), b"a")
        with pytest.raises(HTTPOutputError):
            exchange.write(b"bc")
        assert (await peer.read_all()).endswith(b"\r\n\r\na")


async def test_a_body_shorter_than_its_length_ends_the_connection_and_fails() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET)
        exchange = (await server.whole_request()).exchange
        exchange.write_headers(OK, HTTPHeaders({"Content-Length": "2"}), b"a")
        with pytest.raises(HTTPOutputError):
            exchange.finish()
        assert (await peer.read_all()).endswith(b"\r\n\r\na")


@pytest.mark.parametrize(("method", "code"), [(b"HEAD", 200), (b"GET", 304)])
async def test_an_answer_without_a_body_may_say_the_length_it_would_have(
    method: bytes, code: int
) -> None:
    head = b"HTTP/1.1 %d Said\r\nContent-Length: 3\r\n\r\n" % code
    request = method + b" / HTTP/1.1\r\n\r\n"
    assert await answered(request, code, {"Content-Length": "3"}) == head


async def test_nothing_goes_out_behind_the_end_of_an_answer() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET)
        exchange = (await server.whole_request()).exchange
        exchange.write_headers(OK, HTTPHeaders(), b"one")
        exchange.finish()
        with pytest.raises(StreamClosedError):
            await exchange.write(b"more")
        await peer.send(GET)
        second = await server.whole_request()
        exchange.finish()
        second.answer(b"two")
        answers = await peer.read_until(b"two")
        assert b"more" not in answers
        assert answers.count(b"0\r\n\r\n") == 1


async def test_who_answers_hears_once_that_the_peer_is_gone() -> None:
    calls = list[Exchange]()
    async with receiving() as (server, peer):
        await peer.send(GET)
        exchange = (await server.whole_request()).exchange
        exchange.set_close_callback(lambda: calls.append(exchange))
        peer.close()
        await server.is_closed.wait()
    exchange.peer_is_gone()
    assert calls == [exchange]
    with pytest.raises(StreamClosedError):
        await exchange.write_headers(OK, HTTPHeaders())


async def test_a_connection_is_given_away_once() -> None:
    async with receiving() as (server, peer):
        await peer.send(GET)
        exchange = (await server.whole_request()).exchange
        stream = exchange.detach()
        with pytest.raises(RuntimeError, match="given away before"):
            exchange.detach()
        assert exchange.stream is None
        exchange.set_body_timeout(1.0)  # which is nobody's concern any more
        stream.close()
        assert not await peer.read_all()
