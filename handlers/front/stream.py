"""What a WebSocket reads from and writes to: Tornado's stream, on asyncio's transport."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError, UnsatisfiableReadError

from handlers.front.limits import READ_AHEAD_BYTES
from handlers.front.message_turns import MessageTurns
from handlers.front.turns import Share
from handlers.front.under_way import UnderWay

Find = Callable[[bytearray], int]
"""Returns how many of the received bytes answer a read; 0 if more must come."""


class TransportStream(asyncio.Protocol):
    """The part of Tornado's `IOStream` that protocols over an upgraded connection use.

    Nothing is read from the connection while `READ_AHEAD_BYTES` wait to be taken. A write is done
    when the system has all of it.

    Args:
        transport: of the connection, with write buffer limits of 0.
        received: what came behind the request.
        is_writing: whether something written before has not gone out.

    Attributes:
        message_turns: those of the users whose messages come; None if they need none.
    """

    __slots__ = (
        "_close_callback", "_closed", "_find", "_is_paused", "_is_writing", "_notify", "_opening",
        "_read", "_received", "_share", "_transport", "_wanted", "_writes", "error", "io_loop",
        "message_turns",
    )  # fmt: skip

    def __init__(
        self, transport: asyncio.Transport, received: bytearray, *, is_writing: bool
    ) -> None:
        self.io_loop = IOLoop.current()
        self.error: BaseException | None = None
        self._transport = transport
        self._received = received
        self._share: Share | None = None
        self.message_turns: MessageTurns | None = None
        self._opening: UnderWay | None = None
        self._is_writing = is_writing
        self._writes: list[asyncio.Future[None]] = []
        self._read: asyncio.Future[bytes] | None = None
        self._find: Find | None = None
        self._wanted = 0
        self._is_paused = False
        self._closed = False
        self._close_callback: Callable[[], None] | None = None
        self._notify: Callable[[], None] | None = None

    @property
    def has_bytes(self) -> bool:
        """Whether there is something to read."""
        return bool(self._received)

    def notify(self, callback: Callable[[], None]) -> None:
        """Call `callback` once: when there is something to read, or the connection is gone.

        What is there to read waits for its turn.
        """
        self._notify = callback
        self._is_open()
        if self._received or self._closed:
            asyncio.get_running_loop().call_soon(self._call_notify)

    def take_turns(self, share: Share, opening: UnderWay, messages: MessageTurns | None) -> None:
        """Read only when it has its turn.

        Args:
            share: of the loop's turns.
            opening: the request that became this stream; it is under way until somebody reads.
            messages: the turns of users.
        """
        self._share, self._opening, self.message_turns = share, opening, messages

    def rest(self) -> None:
        """Read nothing more from the connection until `read_on`, or until somebody reads."""
        if not (self._is_paused or self.closed()):
            self._is_paused = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Read again."""
        self._resume_reading()

    async def turn(self) -> None:
        """Wait until more may be read of what has come."""
        share = self._share
        if share is None:
            await asyncio.sleep(0)
        elif not share.may_begin():
            begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            share.wait(partial(_begin, begun))
            await begun

    @property
    def socket(self) -> Any:
        """The connection's socket; under TLS, the object that has the certificates."""
        get = self._transport.get_extra_info
        return get("ssl_object") or get("socket")

    def read_bytes(self, num_bytes: int, partial: bool = False) -> asyncio.Future[bytes]:  # noqa: FBT001, FBT002 - Tornado's signature
        """Read this number of bytes; with `partial`, at least one and at most this number."""
        received = self._received
        if len(received) >= num_bytes or (partial and received):
            return self._take(num_bytes)
        least = 1 if partial else num_bytes
        return self._wait(
            lambda got: min(len(got), num_bytes) if len(got) >= least else 0, num_bytes
        )

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> asyncio.Future[bytes]:
        """Read to the end of a delimiter. Close if it does not come within `max_bytes`."""

        def find(received: bytearray) -> int:
            at = received.find(delimiter)
            size = at + len(delimiter) if at >= 0 else 0
            if max_bytes is not None and (size or len(received)) > max_bytes:
                self._fail(UnsatisfiableReadError("no delimiter within what may be read"))
                return 0
            return size

        size = find(self._received)
        return self._take(size) if size else self._wait(find, max_bytes or READ_AHEAD_BYTES)

    def read_until_close(self) -> asyncio.Future[bytes]:
        """Read everything that comes until the connection is closed."""
        if self._closed:
            return self._take(len(self._received))
        return self._wait(lambda got: len(got) if self._closed else 0, 2**62)

    def write(self, data: bytes | memoryview) -> asyncio.Future[None]:
        """Write. The future is done when the system has taken all bytes.

        Raises:
            StreamClosedError: the connection is gone.
        """
        self._check_open()
        self._transport.write(data)
        done: asyncio.Future[None] = asyncio.Future()
        if self._is_writing:
            self._writes.append(done)
        else:
            done.set_result(None)
        return done

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Set what is called when the connection is gone; it may be gone already."""
        self._close_callback = callback
        if self._closed:
            self._call_close_callback()

    def set_nodelay(self, value: bool) -> None:  # noqa: FBT001 - Tornado's signature
        """Do nothing: asyncio's transports never delay."""

    def close(self, exc_info: BaseException | None = None) -> None:
        """Close, and drop what the peer has not read."""
        if self._closed:
            return
        self._end(exc_info)
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closed or self._transport.is_closing()

    def reading(self) -> bool:
        """Whether somebody waits for bytes."""
        return self._read is not None

    def writing(self) -> bool:
        """Whether something has not gone out yet."""
        return self._is_writing

    def data_received(self, data: bytes) -> None:
        """Keep the bytes, and answer the read that waits for them."""
        if self._closed:
            return
        self._received += data
        self._answer_read()
        self._call_notify()
        if len(self._received) >= max(READ_AHEAD_BYTES, self._wanted) and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Treat a peer that has closed its half as gone."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait that the connection is gone."""
        self._end(exc)

    def pause_writing(self) -> None:
        """Note that bytes wait for the peer to read."""
        self._is_writing = True

    def resume_writing(self) -> None:
        """Note that everything has gone out."""
        self._is_writing = False
        writes, self._writes = self._writes, []
        for done in writes:
            if not done.done():
                done.set_result(None)

    def _wait(self, find: Find, wanted: int) -> asyncio.Future[bytes]:
        self._check_open()
        if self._read is not None:
            raise AssertionError("Already reading")
        self._find, self._wanted = find, wanted
        self._read = asyncio.Future()
        self._resume_reading()
        return self._read

    def _answer_read(self) -> None:
        size = self._find(self._received) if self._find is not None else 0
        if size and self._read is not None:
            read, self._read, self._find, self._wanted = self._read, None, None, 0
            data = self._cut(size)
            if not read.done():
                read.set_result(data)

    def _take(self, size: int) -> asyncio.Future[bytes]:
        done: asyncio.Future[bytes] = asyncio.Future()
        done.set_result(self._cut(size))
        return done

    def _cut(self, size: int) -> bytes:
        data = bytes(self._received[:size])
        del self._received[:size]
        self._resume_reading()
        return data

    def _resume_reading(self) -> None:
        if self._is_paused and len(self._received) < max(READ_AHEAD_BYTES, self._wanted):
            self._is_paused = False
            if not self.closed():
                self._transport.resume_reading()

    def _check_open(self) -> None:
        if self._closed:
            raise StreamClosedError(real_error=self.error)

    def _fail(self, error: Exception) -> None:
        self.close(error)

    def _end(self, error: BaseException | None) -> None:
        """Mark the stream as closed, and tell those who wait."""
        if self._closed:
            return
        self._closed = True
        self.error = error
        self._is_open()
        self._answer_read()
        waiting: list[asyncio.Future[Any]] = [*self._writes, *([self._read] if self._read else [])]
        for each in waiting:
            if not each.done():
                each.set_exception(StreamClosedError(real_error=error))
                each.exception()  # told; whoever has stopped waiting need not hear of it
        self._writes, self._read, self._find = [], None, None
        self._call_notify()
        self._call_close_callback()

    def _is_open(self) -> None:
        """Stop counting the request that became this stream."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.end()

    def _call_notify(self) -> None:
        callback, self._notify = self._notify, None
        if callback is None:
            return
        if self._closed or self._share is None or self._share.may_begin():
            callback()
        else:
            self._share.wait(callback)

    def _call_close_callback(self) -> None:
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            self.io_loop.add_callback(callback)


def _begin(begun: asyncio.Future[None]) -> None:
    if not begun.done():  # nobody has stopped waiting
        begun.set_result(None)
