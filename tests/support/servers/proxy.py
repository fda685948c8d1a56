"""A TCP link that tests can break: it falls silent, slows down, or is cut.

It runs on an event loop in a thread of its own, so that neither a busy nor a blocking test delays
what passes through it.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time left: closing sends a reset."""
_Piece = tuple[float, bytes]
"""When it is due, and what; nothing for the end."""


@dataclass(frozen=True)
class Link:
    """How the link is.

    Attributes:
        dark_to_target: nothing reaches the target.
        dark_from_target: nothing comes back from it.
        down: new connections are reset.
        delay: seconds that every piece of data takes, in each direction.
    """

    dark_to_target: bool = False
    dark_from_target: bool = False
    down: bool = False
    delay: float = 0.0


class Proxy:
    """Forwards connections to a port of the loopback, as well as the link allows.

    Where it is dark nothing is lost, as TCP repeats what got lost: what was sent into the dark
    arrives when it is over, even if its sender has given up and hung up meanwhile.

    Args:
        target: the port.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._link = Link()
        self._changed = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def point_at(self, target: int) -> None:
        """Forward new connections to another port; those that there are stay where they lead."""
        self._target = target

    def darken(self, *, to_target: bool = True, from_target: bool = True) -> None:
        """Let nothing through, without a reset."""
        self._become(Link(dark_to_target=to_target, dark_from_target=from_target))

    def slow_down(self, seconds: float) -> None:
        """Let every piece of data take so long, in each direction."""
        self._become(Link(delay=seconds))

    def cut(self) -> None:
        """Reset all connections, and every new one until `mend`."""
        self._become(Link(down=True))
        self._run(self._reset_all())

    def refuse_new(self) -> None:
        """Stop listening: new connections are refused, and those that there are stay."""
        self._accepting.cancel()
        self._loop.call_soon_threadsafe(self._listening.close)

    def mend(self) -> None:
        """Forward everything at once again."""
        self._become(Link())

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.port = self._listening.getsockname()[1]
        self._accepting = asyncio.run_coroutine_threadsafe(self._accept(), self._loop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Reset everything."""
        self._accepting.cancel()
        self._run(self._reset_all())
        self._listening.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _become(self, link: Link) -> None:
        async def become() -> None:
            self._link = replace(link)
            self._changed.set()
            self._changed = asyncio.Event()

        self._run(become())

    async def _reset_all(self) -> None:
        connections = list(self._connections)
        for each in connections:
            each.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self) -> None:
        while True:
            connection, _ = await self._loop.sock_accept(self._listening)
            if self._link.down:
                _reset(connection)
                continue
            task = self._loop.create_task(self._forward(connection))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _forward(self, near: socket.socket) -> None:
        far = socket.socket()
        for each in (near, far):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.sock_connect(far, ("127.0.0.1", self._target))
            async with asyncio.TaskGroup() as group:
                there, back = asyncio.Queue[_Piece](), asyncio.Queue[_Piece]()
                group.create_task(self._receive(near, there))
                group.create_task(self._deliver(there, far, lambda: self._link.dark_to_target))
                group.create_task(self._receive(far, back))
                group.create_task(self._deliver(back, near, lambda: self._link.dark_from_target))
        except* OSError:
            pass  # one end is gone, and the other hears of it now
        finally:
            _reset(near)
            _reset(far)

    async def _receive(self, source: socket.socket, pieces: asyncio.Queue[_Piece]) -> None:
        """Take what comes, up to the end; each piece is due when the link says."""
        data = b"anything"
        while data:
            data = await self._loop.sock_recv(source, CHUNK_BYTES)
            pieces.put_nowait((self._loop.time() + self._link.delay, data))

    async def _deliver(
        self, pieces: asyncio.Queue[_Piece], sink: socket.socket, is_dark: Callable[[], bool]
    ) -> None:
        """Hand on each piece when it is due and there is light, and the end behind them."""
        data = b"anything"
        while data:
            due_at, data = await pieces.get()
            await asyncio.sleep(due_at - self._loop.time())
            while is_dark():
                await self._changed.wait()
            if data:
                await self._loop.sock_sendall(sink, data)
        sink.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
