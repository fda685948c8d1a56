"""Serves the metrics of all workers, in a thread of the parent.

The parent must go on starting and ending workers whatever a scraper or a worker does, so it only
hands over what happens. This thread asks the workers and answers scrapers, in a loop of its own. A
forked worker has no such thread, and closes what belongs to it.
"""

import asyncio
import itertools
import logging
import os
import selectors
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from tornado.web import Application, RequestHandler, url

from handlers.front.server import FrontServer
from handlers.http.connection_limits import ConnectionLimits
from server.telemetry.collecting import Collecting

log = logging.getLogger("curfew.metrics")

CONNECTIONS: Final = 64
"""Of scrapers, at once."""
IDLE_TIMEOUT: Final = 120.0
"""Seconds for which a scraper may keep its connection between two scrapes."""
LAST_SECONDS: Final = 1.0


class Exporter:
    """Implements `WorkerObserver`."""

    def __init__(self) -> None:
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening: Sequence[socket.socket] = ()
        self._events: deque[Callable[[], Coroutine[Any, Any, None]]] = deque()
        self._collecting = Collecting()
        self._thread: threading.Thread | None = None
        self._kept: list[object] = []

    def listen_on(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on these sockets, which listen already. Call it before `begin`."""
        self._listening = sockets

    # Called by the parent.

    def prepare(self, places: int) -> None:
        """Make a pair of connected sockets for each worker."""
        self._pairs = [socket.socketpair() for _ in range(places)]

    def begin(self) -> None:
        """Start the thread."""
        self._selector = selectors.DefaultSelector()
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._happened = asyncio.Event()
        self._happened.set()
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)
        self._thread.start()

    def started(self, place: int, pid: int) -> None:
        """Ask a new worker from now on."""
        end = self._pairs[place][0]
        self._post(lambda: self._collecting.started(place, pid, end))

    def ended(self, place: int, why: str) -> None:
        """Keep what a worker counted, and prepare for the next one in its place."""
        self._pairs[place][1].close()
        self._pairs[place] = socket.socketpair()
        self._post(lambda: self._collecting.ended(place, why))

    def finish(self) -> None:
        """End the thread, but do not wait long for it."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LAST_SECONDS)
        for each in itertools.chain(*self._pairs):
            each.close()

    def enter_worker(self, place: int) -> socket.socket:
        """Close the parent's files, in a forked worker. The thread is not here to use them.

        The objects stay, and are never used: what they would close later may be another file.
        """
        own = self._pairs[place][1]
        files = {end.fileno() for pair in self._pairs for end in pair if end is not own}
        files |= {each.fileno() for each in self._listening}
        if self._thread is not None:
            watched = self._selector.get_map().values()
            self._kept = [self._selector, *watched]
            files |= {self._selector.fileno(), *(each.fd for each in watched)}
        for each in files:
            with suppress(OSError):
                os.close(each)
        return own

    def _post(self, event: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._events.append(event)
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._happened.set)

    # In the thread.

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        asyncio.set_event_loop(self._loop)
        work = (self._serve(), self._follow(), self._collecting.keep_fresh())
        tasks = [self._loop.create_task(each) for each in work]
        for each in tasks:
            each.add_done_callback(_log_end)
        try:
            self._loop.run_forever()
        finally:
            for each in tasks:
                each.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.close()

    async def _serve(self) -> None:
        application = Application(
            [url("/metrics", AllMetrics, {"text": self._collecting.text})],
            log_function=lambda _: None,
        )
        server = FrontServer(
            application,
            connection_limits=ConnectionLimits(CONNECTIONS),
            idle_connection_timeout=IDLE_TIMEOUT,
            max_body_size=1024,
        )
        server.add_sockets(self._listening)

    async def _follow(self) -> None:
        while True:
            await self._happened.wait()
            self._happened.clear()
            while self._events:
                try:
                    await self._events.popleft()()
                except Exception:  # one worker's; the others are still told of
                    log.exception("a worker is missing in the metrics")


def _log_end(task: asyncio.Task[None]) -> None:
    """Log what ended a task that should go on."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the metrics of all processes are incomplete from now on", exc_info=error)


class AllMetrics(RequestHandler):
    """`GET /metrics` on the port for metrics."""

    def initialize(self, text: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
        """Take what returns the metrics."""
        self._text = text

    def set_default_headers(self) -> None:
        """Keep answers out of caches, and let nobody guess what they are."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def data_received(self, chunk: bytes) -> None:
        """Do nothing: no body is read."""

    async def get(self) -> None:
        """Answer with the metrics of all processes."""
        self.set_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.finish(await self._text())

    async def head(self) -> None:
        """Answer as to GET; Tornado leaves the body out."""
        await self.get()
