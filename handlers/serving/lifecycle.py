"""An application's lifespan and tasks, around what one process serves.

Its code may raise, block the event loop, or never return. Each of these is said in one line, and
then the process does not begin to serve, or does not wait for it any longer.
"""

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from handlers.http.additions import Additions, Hooks
from handlers.http.node import Node
from handlers.serving.session_hooks import SessionHooks
from server.core.errors import ConfigurationError
from server.store.session_ledger import SessionLedger

log = logging.getLogger("curfew.application")

Leave = Callable[[str], None]
"""Says why this process cannot go on, in one line, and ends it."""
LOOK_EVERY: Final = 0.25
"""Seconds between two looks at whether the event loop runs."""
BLOCKED_SECONDS: Final = 8.0
"""How long the event loop may stand still at the start: less than the watchdog's default, which
would only say that a process hangs."""
FAILED: Final = "The lifespan of the application failed at its start"
FAILED_LATE: Final = "The lifespan of the application failed at its end"
GRACE_SECONDS: Final = 2.0
"""How long code that was cancelled may take to end."""


@asynccontextmanager
async def application_running(
    additions: Additions, node: Node, *, place: int, leave: Leave
) -> AsyncIterator[None]:
    """Run an application around the block: start it before, and stop it afterwards.

    Args:
        additions: of the application.
        node: this process.
        place: which of this machine's processes it is.
        leave: ends this process at once, where the application lets it not go on.

    Raises:
        ConfigurationError: the application did not start.
    """
    lifespan = _Lifespan(additions, node, leave)
    with _watched_start(leave):
        await lifespan.start()
    try:
        if additions.hooks.are_set:
            _follow_sessions(additions.hooks, node)
        for each in additions.tasks:
            if not each.once_per_machine or place == 0:
                node.tasks.keep(lambda run=each.run: run(node), each.name)  # type: ignore[misc]
        yield
    finally:
        await node.tasks.stop()
        await lifespan.stop()


def _follow_sessions(hooks: Hooks, node: Node) -> None:
    """Tell the application of sessions from now on."""
    services = node.services
    ledger = SessionLedger(services.store.client, services.store.shards, node.id)
    telling = SessionHooks(hooks, node, ledger)
    services.sessions.observe(telling)
    for each in services.engine.dispatches:
        each.observe_ends(telling.note_end)
    if hooks.ended is not None:
        node.tasks.keep(telling.run, "ends of sessions")


class _Lifespan:
    """The lifespan in a task of its own, so that nobody has to wait for it.

    It is entered and left in the same task, as task groups ask for.
    """

    def __init__(self, additions: Additions, node: Node, leave: Leave) -> None:
        self._additions = additions
        self._node = node
        self._leave = leave
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        lifespan = self._additions.lifespan
        if lifespan is None:
            return
        entered = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(lifespan, entered))
        try:
            await _within(self._additions.start_limit, entered, self._task)
        except TimeoutError:
            await self._give_up(said := _too_long("start", self._additions.start_limit))
            raise ConfigurationError(said) from None
        except asyncio.CancelledError:  # this process is asked to stop
            await self._give_up(_too_long("stop", timedelta(seconds=GRACE_SECONDS)))
            raise
        if self._task.done():
            raise _failure(self._task)

    async def stop(self) -> None:
        if self._task is None:
            return
        self._over.set()
        try:
            await _within(self._additions.stop_limit, self._task)
        except TimeoutError:
            said = _too_long("stop", self._additions.stop_limit)
            log.error("%s", said)  # noqa: TRY400 the reason is the message
            await self._give_up(said)
        else:
            if not self._task.cancelled() and (error := self._task.exception()):
                log.error("the lifespan of the application failed at its end", exc_info=error)

    async def _live(
        self, lifespan: Callable[[Node], AbstractAsyncContextManager[Any]], entered: Any
    ) -> None:
        try:
            async with lifespan(self._node) as state:
                self._node.state = state
                entered.set_result(None)
                await self._over.wait()
        except SystemExit as left:
            # The worker would be started again and again, or would not stop in order.
            failed = FAILED_LATE if entered.done() else FAILED
            raise ConfigurationError(f"{failed}: {shown(left)}") from left

    async def _give_up(self, said: str) -> None:
        """Cancel the task; if it goes on all the same, end the process."""
        assert self._task is not None  # noqa: S101 for the type checker
        self._task.cancel()
        await asyncio.wait([self._task], timeout=GRACE_SECONDS)
        if not self._task.done():
            self._leave(said)


async def _within(limit: timedelta, *some: "asyncio.Future[Any]") -> None:
    """Wait until one of some is done; cancel none of them."""
    seconds = limit.total_seconds()
    done, _ = await asyncio.wait(some, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        raise TimeoutError


def _failure(task: "asyncio.Task[None]") -> ConfigurationError:
    error = None if task.cancelled() else task.exception()
    if error is None:
        return ConfigurationError("The lifespan of the application ended before it had begun.")
    if isinstance(error, ConfigurationError):
        return error
    log.error("the lifespan of the application failed", exc_info=error)
    return ConfigurationError(f"{FAILED}: {shown(error)}")


def shown(error: BaseException) -> str:
    """Return an error as the end of one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


def _too_long(step: str, limit: timedelta) -> str:
    return f"The {step} of the application took longer than {limit.total_seconds():g} s."


class _watched_start:  # noqa: N801 a context manager, used as a function
    """Ends the process if the event loop stands still while the application starts."""

    def __init__(self, leave: Leave, seconds: float = 0.0) -> None:
        self._leave = leave
        self._seconds = seconds or BLOCKED_SECONDS
        self._loop = asyncio.get_running_loop()
        self._turned = threading.Event()
        self._over = threading.Event()
        self._main = threading.get_ident()

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, daemon=True, name="start of the application").start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        still = 0.0
        while not self._over.wait(LOOK_EVERY):
            still = 0.0 if self._turned.is_set() else still + LOOK_EVERY
            if still >= self._seconds:
                self._leave(f"The start of the application blocks the event loop: {self._where()}.")
                return
            if self._turned.is_set() or still == LOOK_EVERY:
                self._turned.clear()
                self._loop.call_soon_threadsafe(self._turned.set)

    def _where(self) -> str:
        frame = sys._current_frames().get(self._main)  # noqa: SLF001 the only way to another thread
        last = traceback.extract_stack(frame)[-1] if frame else None
        return f"{last.filename}, line {last.lineno}" if last else "nobody knows where"
