"""A proxy before a server that holds back the answers to chosen requests until it is told."""

import asyncio
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024
PATIENCE_SECONDS = 15.0


class HoldingProxy:
    """Forwards connections to a port of the loopback.

    Browsers do not send a request behind another that is not answered, so while the answer to one
    is held, nothing else comes back on its connection.

    Attributes:
        target: the port of the server. It may be set after the start.
        port: where it listens.
    """

    def __init__(self) -> None:
        self.target = 0
        self.port = 0
        self._held = b""
        self._is_held = threading.Event()
        self._released = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address for browsers."""
        return f"http://127.0.0.1:{self.port}"

    def hold(self, request: str) -> None:
        """Hold back the answer to the next request that begins so, such as `POST /login`."""
        self._is_held.clear()
        self._loop.call_soon_threadsafe(self._released.clear)
        self._held = request.encode("ascii") + b" "

    def await_held(self) -> None:
        """Wait until the server has answered that request."""
        assert self._is_held.wait(PATIENCE_SECONDS), "nothing was held back"

    def release(self) -> None:
        """Let the answer go."""
        self._loop.call_soon_threadsafe(self._released.set)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        starting = asyncio.start_server(self._forward, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cut everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forward(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        far, to_far = await asyncio.open_connection("127.0.0.1", self.target)
        is_holding = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(near, to_far, is_holding))
                group.create_task(self._answers(far, to_near, is_holding))
        except* OSError:
            pass  # one end is gone
        finally:
            to_near.close()
            to_far.close()

    async def _requests(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, holding: asyncio.Event
    ) -> None:
        while data := await source.read(CHUNK_BYTES):
            if self._held and data.startswith(self._held):
                self._held = b""
                holding.set()
            sink.write(data)
            await sink.drain()
        sink.close()

    async def _answers(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, holding: asyncio.Event
    ) -> None:
        while data := await source.read(CHUNK_BYTES):
            if holding.is_set():
                self._is_held.set()
                await self._released.wait()
                holding.clear()
            sink.write(data)
            await sink.drain()
        sink.close()
