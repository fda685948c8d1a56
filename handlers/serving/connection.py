"""One connection: reads its requests one by one, and hands each to Tornado's application.

A request is begun when the answer to the one before has gone out. What comes meanwhile waits, in
bounded space, and of a peer that is gone nothing that waits is handled. Nothing here keeps a task
or a timer for each request: the calls of the transport drive it all.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, cast

from tornado.gen import convert_yielded
from tornado.httputil import HTTPInputError, HTTPMessageDelegate
from tornado.iostream import IOStream
from tornado.log import app_log, gen_log

from handlers.serving import responses
from handlers.serving.bodies import Body, body_of
from handlers.serving.deadline import Deadline
from handlers.serving.exchange import Exchange
from handlers.serving.limits import (
    LINGER_BYTES,
    LINGER_SECONDS,
    READ_AHEAD_BYTES,
    UNREAD_SECONDS,
    Limits,
)
from handlers.serving.outgoing import Outgoing
from handlers.serving.parser import Head, HeadFinder, Refused, malformed, read_head
from handlers.serving.stream import TransportStream
from handlers.serving.turns import Turns


class Owner(Protocol):
    """The server that a connection belongs to."""

    @property
    def turns(self) -> Turns:
        """In which pipelined requests are handled."""
        ...

    def start_request(self, server_conn: object, request_conn: Exchange) -> HTTPMessageDelegate:
        """Say who handles the next request."""
        ...

    def context_of(self, transport: asyncio.Transport) -> Any:
        """Say who the peer is, as Tornado tells handlers."""
        ...

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that is gone, or was given away."""
        ...


class Connection(asyncio.Protocol):
    """One connection.

    Args:
        owner: its server.
        limits: what it may cost.
        first_deadline: for the headers of its first request, by the loop's clock.

    Attributes:
        context: who the peer is.
        is_gone: whether nothing can be written any more.
    """

    context: Any
    _transport: asyncio.Transport
    _outgoing: Outgoing

    def __init__(self, owner: Owner, limits: Limits, first_deadline: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._limits = limits
        self._deadline = Deadline(self._loop, self._too_late)
        self._due = first_deadline
        """When the peer must have sent what is waited for."""
        self.is_gone = False
        self._received = bytearray()
        self._heads = HeadFinder(limits.header_bytes)
        self._is_paused = False
        self._exchange: Exchange | None = None
        """The request under way, until it is answered."""
        self._delegate: HTTPMessageDelegate | None = None
        """Who takes it, until all of it was handed over."""
        self._body: Body | None = None
        self._body_timeout = limits.body_timeout
        self._is_delegate_busy = False
        self._waits_for_turn = False
        self._linger_left: int | None = None
        """Bytes that are still read for nothing; None while requests are read."""

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; under TLS the handshake is done."""
        self._transport = cast("asyncio.Transport", transport)
        self._outgoing = Outgoing(self._transport)
        self._deadline.set(self._due)
        self.context = self._owner.context_of(self._transport)
        # To be told whenever something has not gone out. Not 0: under TLS, asyncio would say of an
        # empty buffer that it is full.
        self._transport.set_write_buffer_limits(high=1, low=0)

    def data_received(self, data: bytes) -> None:
        """Keep what came, and go on with it if it is wanted now."""
        if self.is_gone:
            return
        if self._linger_left is not None:
            self._linger_left -= len(data)
            if self._linger_left < 0:
                self.abort()
            return
        self._received += data
        self._go_on()
        if len(self._received) > READ_AHEAD_BYTES and not self._is_paused and not self.is_gone:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Take a peer that says no more for one that is gone, as Tornado does."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Leave the server."""
        self._end()
        self._deadline.cancel()
        self._owner.on_close(self)

    def pause_writing(self) -> None:
        """Give the peer time to read: something did not go out at once."""
        self._outgoing.block()
        self._time_reader()

    def resume_writing(self) -> None:
        """Go on: everything has gone out."""
        self._outgoing.free()
        if not self.is_gone and self._linger_left is None:
            self._deadline.set(self._due)
            if self._exchange is None and self._due == math.inf:
                self._rest()

    # What the answer asks for.

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Send; done when the system has all of it."""
        return self._outgoing.send(data)

    def answered(self) -> None:
        """Wait for the next request, or close: the answer was handed over."""
        exchange, self._exchange = self._exchange, None
        if self.is_gone or exchange is None:
            return
        if self._delegate is not None or not exchange.keeps_alive:
            self._linger()
        elif not self._outgoing.is_blocked:
            self._rest()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()
        self._end()

    def close(self) -> None:
        """Close when what was answered has gone out."""
        if not self.is_gone:
            self._transport.close()
            self._end()

    def detach(self) -> IOStream:
        """Give the connection away, with what was received."""
        self._exchange = self._delegate = self._body = None
        received, self._received = self._received, bytearray()
        blocked = self._outgoing.is_blocked
        stream = TransportStream(self._transport, received, is_writing=blocked)
        if self.is_gone:
            stream.close()
        else:
            self._transport.set_protocol(stream)
            self._resume_reading()
            self.is_gone = True
            self._deadline.cancel()
            self._owner.on_close(self)
        return cast("IOStream", stream)

    def view(self) -> TransportStream:
        """Show the connection as a stream, to who wants to look at its socket."""
        return TransportStream(self._transport, bytearray(), is_writing=False)

    def set_body_timeout(self, seconds: float) -> None:
        """Have the body of the request under way take so long at most, from now on."""
        self._body_timeout = seconds
        if self._body is not None:
            self._time_body()

    # Requests.

    def _go_on(self) -> None:
        """Go on with what was received, if it is its turn."""
        if self.is_gone or self._is_delegate_busy or self._linger_left is not None:
            return
        if self._body is not None:
            self._guard(self._read_body)
        elif self._exchange is None and not self._outgoing.is_blocked and not self._waits_for_turn:
            self._guard(self._read_head)

    def _guard(self, step: Callable[[], None]) -> None:
        """Take a step, or refuse what it finds."""
        try:
            step()
        except Refused as refused:
            self._refuse(refused)
        except HTTPInputError:  # its text quotes what was sent
            self._refuse(malformed("refused by the application"))

    def _read_head(self) -> None:
        """Hand a request's head over, if all of it is here."""
        data = self._heads.take(self._received)
        if data is None:
            return
        self._wait_until(math.inf)
        head = read_head(data)
        keeps_alive = head.keeps_alive and self._limits.keep_alive
        self._exchange = Exchange(self, head, self._limits.body_bytes, keeps_alive=keeps_alive)
        self._delegate = self._owner.start_request(self, self._exchange)
        self._body_timeout = self._limits.body_timeout
        taken = self._ask(self._delegate.headers_received, head.start_line, head.headers)
        self._when_taken(taken, partial(self._expect_body, head))

    def _expect_body(self, head: Head) -> None:
        """Let the body come: the head was taken."""
        if self._exchange is None:
            return
        if head.length == 0:
            self._hand_over()
            return
        self._body = body_of(head.length, self._exchange.max_body_size, self._limits.piece_bytes)
        if head.expects_continue:
            self._transport.write(responses.CONTINUE)
        self._read_body()
        if self._body is not None:
            self._time_body()

    def _read_body(self) -> None:
        """Hand over what is here of the body."""
        body, delegate = self._body, self._delegate
        while body is not None and delegate is not None:
            piece = body.take(self._received)
            if not piece:
                break
            taken = self._ask(delegate.data_received, piece)
            if taken is not None:
                self._when_taken(taken, self._read_body)
                return
            body, delegate = self._body, self._delegate  # the answer may have ended them
        if body is not None and body.is_whole:
            self._body = None
            self._wait_until(math.inf)
            self._hand_over()
        self._resume_reading()

    def _hand_over(self) -> None:
        """Say that all of the request was handed over."""
        delegate, self._delegate = self._delegate, None
        if delegate is not None:
            self._ask(delegate.finish)

    def _ask(self, method: Callable[..., Awaitable[None] | None], *args: Any) -> Any:
        """Call the application; the connection ends with what it fails to catch."""
        try:
            return method(*args)
        except HTTPInputError:
            raise
        except Exception:  # noqa: BLE001 - an application may do anything
            app_log.exception("Uncaught exception")
            self.abort()
            return None

    def _when_taken(self, taken: Awaitable[None] | None, then: Callable[[], None]) -> None:
        """Go on when the application is ready for it, which it mostly is at once."""
        if taken is not None:
            self._is_delegate_busy = True
            convert_yielded(taken).add_done_callback(partial(self._taken, then))
        elif not self.is_gone:
            then()

    def _taken(self, then: Callable[[], None], done: asyncio.Future[None]) -> None:
        self._is_delegate_busy = False
        if done.cancelled():
            self.abort()
            return

        def go_on() -> None:
            self._ask(done.result)
            if not self.is_gone and self._linger_left is None:
                then()

        self._guard(go_on)

    # Between requests, and the end.

    def _rest(self) -> None:
        """Wait for the next request; one that is here already waits for its turn."""
        self._wait_until(self._loop.time() + self._limits.idle_timeout)
        if self._received and not self._waits_for_turn:
            self._waits_for_turn = True
            self._owner.turns.wait(self._take_turn)
        self._resume_reading()

    def _take_turn(self) -> None:
        self._waits_for_turn = False
        self._go_on()
        self._resume_reading()

    def _resume_reading(self) -> None:
        if self._is_paused and len(self._received) <= READ_AHEAD_BYTES and not self.is_gone:
            self._is_paused = False
            self._transport.resume_reading()

    def _wait_until(self, due: float) -> None:
        """Have the peer send in time; a time to read that is running goes on."""
        self._due = due
        if not self._outgoing.is_blocked:
            self._deadline.set(due)

    def _time_body(self) -> None:
        """Have the body come in time."""
        seconds = self._body_timeout
        self._wait_until(math.inf if seconds is None else self._loop.time() + seconds)

    def _time_reader(self) -> None:
        """Have the peer read in time."""
        self._deadline.set(min(self._loop.time() + UNREAD_SECONDS, self._due))

    def _too_late(self) -> None:
        """Cut the peer, unless it is one that reads its answer slowly but does."""
        is_blocked = self._outgoing.is_blocked and self._linger_left is None
        if is_blocked and self._due > self._loop.time():
            if self._outgoing.is_being_read():
                self._time_reader()
                return
            gen_log.info("Answer not read by %s", self.context)
        elif self._body is not None:
            gen_log.info("Timeout reading body from %s", self.context)
        self.abort()

    def _refuse(self, refused: Refused) -> None:
        """Answer what is no request, if nothing was answered yet; the connection ends with it."""
        gen_log.info("Malformed HTTP message from %s: %s", self.context, refused)
        if self.is_gone:
            return
        exchange, self._exchange = self._exchange, None
        if exchange is None or not exchange.has_begun:
            self._transport.write(responses.refusal(refused.status, time.time()))
        if exchange is not None:
            exchange.drop()
        self._linger()

    def _linger(self) -> None:
        """Close, but not before the peer has had a chance to read its answer."""
        nothing_comes = self._delegate is None and not self._received and not self._is_paused
        if nothing_comes:
            self.close()
            return
        self._tell_delegate()
        self._received.clear()
        self._linger_left = LINGER_BYTES
        self._deadline.set(self._loop.time() + LINGER_SECONDS)
        self._resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _tell_delegate(self) -> None:
        """Tell who takes a request that the rest of it will not come."""
        delegate, self._delegate, self._body = self._delegate, None, None
        if delegate is not None:
            self._loop.call_soon(self._ask, delegate.on_connection_close)

    def _end(self) -> None:
        """Forget what was received, and tell the application that nobody is there any more."""
        if self.is_gone:
            return
        self.is_gone = True
        self._received.clear()
        exchange, self._exchange = self._exchange, None
        if self._delegate is not None:
            self._tell_delegate()
        elif exchange is not None:
            self._loop.call_soon(self._ask, exchange.peer_is_gone)
        self._outgoing.fail()
