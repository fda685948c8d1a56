"""An event loop on virtual time, whose nodes can be paused like a process under SIGSTOP.

It never waits: when nothing is ready, the clock jumps to the next timer. Every callback has its
node in its context variables. The callbacks of a paused node are stored until it continues, while
time passes for all nodes.
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
    """The part of an event loop that tasks, futures, sleeps and timeouts need."""

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
        """Run until `main` is done, and return its result."""
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
        """Stop executing the callbacks of a node."""
        self._kept.setdefault(node, [])

    def go_on(self, node: str) -> None:
        """Execute all callbacks that became due meanwhile, and go on."""
        self._ready.extend(self._kept.pop(node, ()))

    def is_paused(self, node: str) -> bool:
        """Return whether the node is paused."""
        return node in self._kept

    def forget(self, node: str) -> None:
        """Kill a node: none of its callbacks will ever run."""
        self._kept[node] = []

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self.now

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback after those that are ready before it."""
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
        """Run a callback in `delay` seconds."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at `when`. Timers of one moment run in the order they were set."""
        timer = asyncio.TimerHandle(
            when, callback, args, self._loop, copy_context() if context is None else context
        )
        self._order += 1
        heapq.heappush(self._timers, (when, self._order, timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self._loop)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> Any:
        """Return a task of this loop."""
        return asyncio.Task(coro, loop=self._loop, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Store an exception that nobody handled. It fails the history."""
        if "exception" in context:
            self.failures.append(context)

    def get_debug(self) -> bool:
        """Return False."""
        return False

    def is_running(self) -> bool:
        """Return True."""
        return True

    def is_closed(self) -> bool:
        """Return False."""
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: cancelled timers are skipped when they are due."""

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
