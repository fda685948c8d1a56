"""One connection: reads its requests one by one, and hands each to Tornado's application.

A request begins when the answer to the one before has been sent. What the peer sends meanwhile
waits, up to a limit, and is dropped when the peer is gone. There is no task and no timer for each
request: the transport's calls drive everything.
"""

import asyncio
import math
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from tornado.httputil import HTTPMessageDelegate
from tornado.iostream import IOStream
from tornado.log import gen_log

from handlers.front import responses
from handlers.front.contract import ConnectionServer
from handlers.front.deadline import Deadline
from handlers.front.exchange import Exchange
from handlers.front.incoming import Incoming
from handlers.front.limits import LINGER_SECONDS, READ_HEAD_BYTES, UNREAD_SECONDS, FrontLimits
from handlers.front.linger import Linger
from handlers.front.outgoing import Outgoing
from handlers.front.own_turns import OwnTurns
from handlers.front.parser import Head, Refused
from handlers.front.reading import BoundedReading
from handlers.front.stream import TransportStream
from handlers.front.turns import Share


class HttpConnection(asyncio.BufferedProtocol):
    """One connection.

    Args:
        server: opened the connection.
        limits: what it may cost.
        share: of the loop's turns, which it has in common with all from the same address.
        first_deadline: for the headers of its first request, by the loop's clock.

    Attributes:
        context: who the peer is.
        is_gone: whether nothing can be written any more.
    """

    context: Any
    _transport: asyncio.Transport
    _outgoing: Outgoing
    _reading: BoundedReading

    def __init__(
        self, server: ConnectionServer, limits: FrontLimits, share: Share, first_deadline: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._limits = limits
        self._turns = OwnTurns(share, partial(self._take_turn, self._go_on))
        self._deadline = Deadline(self._loop, self._too_late)
        self._due = first_deadline
        """When the peer must have sent the next bytes, by the loop's clock."""
        self.is_gone = False
        self._incoming = Incoming(self, limits, server.heads.read)
        self._linger: Linger | None = None
        """Drops what is read from now on; None while requests are read."""

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. Under TLS the handshake is done already."""
        self._transport = cast("asyncio.Transport", transport)
        self._outgoing = Outgoing(self._transport)
        most = self._limits.header_bytes
        self._reading = BoundedReading(self._transport, self._turns.share, most)
        self._deadline.set(self._due)
        self.context = self._server.context_of(self._transport)
        # 1 byte: every write that does not go out at once calls `pause_writing`.
        self._transport.set_write_buffer_limits(high=1, low=0)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Return what is read into; a part of it as long as it is not this connection's turn."""
        buffer = self._server.buffer
        return buffer if self._incoming.is_in_body else buffer[:READ_HEAD_BYTES]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.data_received(self._server.buffer[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        """Keep the bytes, and read them if a request may begin or goes on."""
        if self.is_gone:
            return
        if self._linger is not None:
            self._linger.drop(len(data))
            return
        self._incoming.received += data
        if self._incoming.wants_more and self._turns.may_begin():
            self._go_on()
        self.bound_reading()

    def eof_received(self) -> None:
        """Treat a peer that has closed its half as gone, as Tornado does."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Drop what is under way, and tell the server."""
        self._end()
        self._deadline.cancel()
        self._server.on_close(self)

    def pause_writing(self) -> None:
        """Set a time limit for the peer to read: not everything went out at once."""
        self._outgoing.block()
        self._time_reader()

    def resume_writing(self) -> None:
        """Continue: everything has gone out."""
        self._outgoing.free()
        if self._linger is not None:
            self._linger.wait()
        elif self.takes_requests:
            self._deadline.set(self._due)
            if self._incoming.exchange is None and self._due == math.inf:
                self._rest()

    # Called by the exchange.

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Send bytes. The future is done when the system has taken all of them."""
        return self._outgoing.send(data)

    def answered(self) -> None:
        """Wait for the next request, or close: the answer is complete."""
        exchange, self._incoming.exchange = self._incoming.exchange, None
        self._turns.end_request()
        if self.is_gone or exchange is None:
            return
        if self._incoming.is_in_request or not exchange.keeps_alive:
            self._end_with_answer()
        elif not self._outgoing.is_blocked:
            self._rest()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()
        self._end()

    def close(self) -> None:
        """Close when the answer has gone out."""
        if not self.is_gone:
            self._transport.close()
            self._end()

    def detach(self) -> IOStream:
        """Hand the connection over, with the bytes received so far."""
        received, blocked = self._incoming.give_away(), self._outgoing.is_blocked
        stream = TransportStream(self._transport, received, is_writing=blocked)
        stream.take_turns(self._turns.share, self._turns.request, self._server.message_turns)
        if self.is_gone:
            stream.close()
        else:
            self._transport.set_protocol(stream)
            self.bound_reading()
            self.is_gone = True
            self._deadline.cancel()
            self._server.on_close(self)
        return cast("IOStream", stream)

    def view(self) -> TransportStream:
        """Return the connection as a stream, for those who look at its socket."""
        return TransportStream(self._transport, bytearray(), is_writing=False)

    def set_body_timeout(self, seconds: float) -> None:
        """Limit how long the rest of the current request's body may take."""
        self._incoming.body_timeout = seconds
        self._incoming.time_body()

    def read_on_in_turn(self) -> None:
        """Read more of what was received when it has its turn."""
        self._turns.wait()

    @property
    def takes_requests(self) -> bool:
        """Whether it is neither closed nor about to be."""
        return not self.is_gone and self._linger is None

    @property
    def is_idle(self) -> bool:
        """Whether no request is here, nor on its way as far as the system knows."""
        return self._incoming.is_empty and not self._reading.has_unread()

    def when_client_may_begin(self, head: Head, begin: Callable[[], None]) -> bool:
        """Return whether a request may begin now; else call `begin` when its client may."""
        if not self._turns.has_many_clients:
            return True
        client = self._server.share_of_client(self._turns.share, self.context, head.headers)
        return self._turns.may_begin_for(client, partial(self._take_turn, begin))

    def begin(self, head: Head) -> tuple[Exchange, HTTPMessageDelegate]:
        """Return the exchange for a request, and the delegate that handles it."""
        keeps_alive = head.keeps_alive and self._limits.keep_alive and not self._server.is_draining
        exchange = Exchange(self, head, self._limits.body_bytes, keeps_alive=keeps_alive)
        self._turns.request.begin()
        # Not this connection: whoever keeps the request, as sockets do, would keep it too.
        return exchange, self._server.start_request(exchange, exchange)

    def _go_on(self) -> None:
        """Read what was received. No request begins while an answer has not been read."""
        if self._incoming.exchange is not None or not self._outgoing.is_blocked:
            self._incoming.read()

    def _rest(self) -> None:
        """Wait for the next request. One that is here already waits for its turn."""
        self.wait_until(self._loop.time() + self._limits.idle_timeout)
        if self._incoming.received:
            self._turns.wait(is_further=True)
        self.bound_reading()

    def _take_turn(self, act: Callable[[], None]) -> None:
        if self.takes_requests and self._reading.peer_has_left():
            self.abort()
        elif self.takes_requests:
            act()
            self.bound_reading()

    def bound_reading(self) -> None:
        """Stop reading while too many bytes wait, and start again afterwards."""
        if not self.is_gone:
            self._reading.bound(len(self._incoming.received), waits=self._turns.waits)

    def wait_until(self, due: float) -> None:
        """Set when the peer must have sent the next bytes. A running limit to read stays."""
        self._due = due
        if not self._outgoing.is_blocked:
            self._deadline.set(due)

    def _time_reader(self) -> None:
        """Set when the peer must have read some of its answer."""
        self._deadline.set(min(self._loop.time() + UNREAD_SECONDS, self._due))

    def _too_late(self) -> None:
        """End the connection, unless the peer is reading its answer, only slowly."""
        if self._outgoing.is_blocked and self._due > self._loop.time():
            if self._outgoing.is_being_read():
                self._time_reader()
                return
            gen_log.info("Answer not read by %s", self.context)
        elif self._incoming.is_in_body:
            gen_log.info("Timeout reading body from %s", self.context)
        if self._incoming.is_incomplete and not self._outgoing.is_blocked:
            self._end_with_refusal(HTTPStatus.REQUEST_TIMEOUT, LINGER_SECONDS)
        else:
            self.abort()

    def refuse(self, refused: Refused) -> None:
        """Answer a malformed request, unless its answer has begun. The connection ends."""
        gen_log.info("Malformed HTTP message from %s: %s", self.context, refused)
        self._server.count_malformed(refused.status)
        if not self.is_gone:
            self._end_with_refusal(refused.status)

    def _end_with_refusal(self, status: HTTPStatus, at_most: float = math.inf) -> None:
        exchange = self._incoming.exchange
        if exchange is None or not exchange.has_begun:
            method = exchange.method if exchange is not None else ""
            self._transport.write(responses.refusal(status, time.time(), method))
        if exchange is not None:
            exchange.drop()
        self._turns.end_request()
        self._begin_to_linger(at_most)

    def _end_with_answer(self) -> None:
        """Close. If the peer may still be sending, let it read its answer first."""
        incoming = self._incoming
        if incoming.is_in_request or incoming.received or self._reading.is_paused:
            self._begin_to_linger()
        else:
            self.close()

    def _begin_to_linger(self, at_most: float = math.inf) -> None:
        """Read and drop bytes for a while, so that the peer can read its answer."""
        self._incoming.end()
        self._due, self._turns.waits = math.inf, False
        self.bound_reading()
        share, deadline = self._turns.share, self._deadline
        self._linger = Linger(self._transport, self._outgoing, share, deadline, at_most)
        if self._outgoing.is_blocked:
            self._time_reader()
        else:
            self._linger.wait()

    def _end(self) -> None:
        """Drop everything: the peer is gone."""
        if not self.is_gone:
            self.is_gone = True
            self._turns.end_request()
            self._incoming.end()
            self._outgoing.fail()
