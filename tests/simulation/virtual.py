"""An event loop on virtual time, whose nodes can be paused like a process under SIGSTOP.

Nothing waits: when nothing is ready, the clock jumps to the next timer. Every callback carries
the node it belongs to in its context; a paused node's callbacks are kept until it goes on, while
time passes for everybody.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, cast

T = TypeVar("T")

NODE: ContextVar[str] = ContextVar("node", default="")


class VirtualLoop:
    """As much of an event loop as tasks, futures, sleeps and timeouts need, and no more."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.failures: list[dict[str, Any]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = 0
        self._kept: dict[str, list[asyncio.Handle]] = {}

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return cast("asyncio.AbstractEventLoop", self)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until `main` is done; its result."""
        asyncio._set_running_loop(self._loop)
        try:
            task = self.create_task(main)
            while not task.done():
                self._step()
            result: T = task.result()
            return result
        finally:
            asyncio._set_running_loop(None)

    def pause(self, node: str) -> None:
        """From here on the node executes nothing."""
        self._kept.setdefault(node, [])

    def go_on(self, node: str) -> None:
        """The node finds everything that became due meanwhile, all at once."""
        self._ready.extend(self._kept.pop(node, ()))

    def is_paused(self, node: str) -> bool:
        """Whether the node executes nothing."""
        return node in self._kept

    def forget(self, node: str) -> None:
        """The node was killed: nothing of it will ever run."""
        self._kept[node] = []

    def time(self) -> float:
        """Seconds of virtual time."""
        return self.now

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run it when what is ready before it has run."""
        handle = asyncio.Handle(
            callback, args, self._loop, copy_context() if context is None else context
        )
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run it in `delay` seconds."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run it at `when`; timers of one moment run in the order they were set."""
        timer = asyncio.TimerHandle(
            when, callback, args, self._loop, copy_context() if context is None else context
        )
        self._order += 1
        heapq.heappush(self._timers, (when, self._order, timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self._loop)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> Any:
        """A task of this loop."""
        return asyncio.Task(coro, loop=self._loop, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep an exception that nobody took: it fails the history."""
        if "exception" in context:
            self.failures.append(context)

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """While `run` runs."""
        return True

    def is_closed(self) -> bool:
        """Never."""
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def _step(self) -> None:
        if not self._ready:
            self._advance()
        handle = self._ready.popleft()
        if handle.cancelled():
            return
        kept = self._kept.get(handle._context.get(NODE, ""))  # type: ignore[attr-defined]  # CPython's
        if kept is None:
            handle._run()
        else:
            kept.append(handle)

    def _advance(self) -> None:
        self.now = max(self.now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self.now:
            self._ready.append(heapq.heappop(self._timers)[2])
