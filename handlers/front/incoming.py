"""Takes requests out of the bytes of a connection, and hands them to the application."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from tornado.gen import convert_yielded
from tornado.httputil import HTTPInputError, HTTPMessageDelegate
from tornado.log import app_log

from handlers.front import responses
from handlers.front.bodies import BodyReader, body_of
from handlers.front.contract import ReadingConnection
from handlers.front.exchange import Exchange
from handlers.front.limits import FrontLimits
from handlers.front.parser import Head, HeadFinder, Refused, malformed


class Incoming:
    """Reads the requests of one connection.

    Args:
        connection: what it reads from.
        limits: what its requests may cost.
        read_head: reads the head of a request.

    Attributes:
        received: bytes that were not used yet.
        exchange: the current request, until it is answered.
        body_timeout: seconds for its body.
    """

    def __init__(
        self,
        connection: ReadingConnection,
        limits: FrontLimits,
        read_head: Callable[[bytes], Head],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._limits = limits
        self._read_whole_head = read_head
        self._heads = HeadFinder(limits.header_bytes)
        self.received = bytearray()
        self.exchange: Exchange | None = None
        self._delegate: HTTPMessageDelegate | None = None
        """Handles the current request, until all of it was handed over."""
        self._body: BodyReader | None = None
        self.body_timeout = limits.body_timeout
        self._is_delegate_busy = False
        """Whether more can be used only later: by the application, or when its client may begin."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a request is here, nor is one under way."""
        return self.exchange is None and not self.received and not self._is_delegate_busy

    @property
    def is_in_request(self) -> bool:
        """Whether a part of the current request is still to be handed over."""
        return self._delegate is not None

    @property
    def is_in_body(self) -> bool:
        """Whether more of a request's body must come."""
        return self._body is not None

    @property
    def is_incomplete(self) -> bool:
        """Whether a part of a request is here, and the peer still has to send the rest."""
        return self.is_in_body or (self.exchange is None and bool(self.received))

    @property
    def wants_more(self) -> bool:
        """Whether `read` can use what comes now."""
        return not self._is_delegate_busy and (self._body is not None or self.exchange is None)

    def read(self) -> None:
        """Read on in what was received."""
        if self._is_delegate_busy:
            return
        if self._body is not None:
            self._guard(self._read_body)
        elif self.exchange is None:
            self._guard(self._read_head)

    def time_body(self) -> None:
        """Set when the body must be complete."""
        if self._body is not None:
            seconds = self.body_timeout
            self._connection.wait_until(
                math.inf if seconds is None else self._loop.time() + seconds
            )

    def end(self) -> None:
        """Drop what was received.

        Tell the application that the rest of its request will not come, or that nobody waits for
        its answer.
        """
        self.received.clear()
        delegate, self._delegate, self._body = self._delegate, None, None
        exchange, self.exchange = self.exchange, None
        if delegate is not None:
            self._loop.call_soon(self._ask, delegate.on_connection_close)
        elif exchange is not None:
            self._loop.call_soon(self._ask, exchange.peer_is_gone)

    def give_away(self) -> bytearray:
        """Return what was received, for the next owner of the connection."""
        self.exchange = self._delegate = self._body = None
        received, self.received = self.received, bytearray()
        return received

    def _guard(self, step: Callable[[], None]) -> None:
        """Take a step, and refuse the request if the step finds it malformed."""
        try:
            step()
        except Refused as refused:
            self._connection.refuse(refused)
        except HTTPInputError:  # its text quotes what was sent
            self._connection.refuse(malformed("refused by the application"))
        except Exception:
            # Where the next request begins is not known any more.
            self._connection.abort()
            raise

    def _read_head(self) -> None:
        """Hand over a request's head, if all of it is here."""
        data = self._heads.take(self.received)
        if data is None:
            return
        self._connection.wait_until(math.inf)
        head = self._read_whole_head(data)
        self._is_delegate_busy = not self._connection.when_client_may_begin(
            head, partial(self._begin_late, head)
        )
        if not self._is_delegate_busy:
            self._begin(head)

    def _begin_late(self, head: Head) -> None:
        """Begin a request whose client had to wait for its turn."""
        self._is_delegate_busy = False
        self._guard(partial(self._begin, head))

    def _begin(self, head: Head) -> None:
        """Hand over a request's head."""
        self.exchange, self._delegate = self._connection.begin(head)
        self.body_timeout = self._limits.body_timeout
        taken = self._ask(self._delegate.headers_received, head.start_line, head.headers)
        self._when_taken(taken, partial(self._expect_body, head))

    def _expect_body(self, head: Head) -> None:
        """Begin with the body: the application has taken the head."""
        if self.exchange is None:
            return
        if head.length == 0:
            self._hand_over()
            return
        self._body = body_of(head.length, self.exchange.max_body_size, self._limits.piece_bytes)
        if head.expects_continue and not self.exchange.has_begun:
            self._connection.send(responses.CONTINUE)
        self._read_body()
        self.time_body()

    def _read_body(self) -> None:
        """Hand over a piece of the body that is here. The next one has to wait for its turn."""
        body, delegate = self._body, self._delegate
        if body is None or delegate is None:
            return
        piece = body.take(self.received)
        if piece:
            taken = self._ask(delegate.data_received, piece)
            if taken is not None:
                self._when_taken(taken, self._read_body)
                return
        if self._body is None:  # the answer has ended it
            return
        if body.is_whole:
            self._body = None
            self._connection.wait_until(math.inf)
            self._hand_over()
        elif piece and self.received:
            self._connection.read_on_in_turn()

    def _hand_over(self) -> None:
        """Tell the application that its request is complete."""
        delegate, self._delegate = self._delegate, None
        if delegate is not None:
            self._ask(delegate.finish)

    def _ask(self, method: Callable[..., Awaitable[None] | None], *args: Any) -> Any:
        """Call the application. An exception from it ends the connection."""
        try:
            return method(*args)
        except HTTPInputError:
            raise
        except Exception:  # noqa: BLE001 - an application may do anything
            app_log.exception("Uncaught exception")
            self._connection.abort()
            return None

    def _when_taken(self, taken: Awaitable[None] | None, then: Callable[[], None]) -> None:
        """Continue when the application is ready, which mostly is at once."""
        if taken is not None:
            self._is_delegate_busy = True
            convert_yielded(taken).add_done_callback(partial(self._taken, then))
        elif self._connection.takes_requests:
            then()

    def _taken(self, then: Callable[[], None], done: asyncio.Future[None]) -> None:
        self._is_delegate_busy = False
        if done.cancelled():
            self._connection.abort()
            return

        def go_on() -> None:
            self._ask(done.result)
            if self._connection.takes_requests:
                then()

        self._guard(go_on)
        self._connection.bound_reading()
