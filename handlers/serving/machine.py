"""What an application does once per machine: before the first process serves, and after the last.

The parent has no event loop, and must not get one: it forks. So a child of its own does it.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NoReturn

from handlers.http.additions import Additions, Hook
from handlers.http.node import Node
from handlers.serving.lifecycle import shown
from server.core.errors import ConfigurationError, StoreUnavailable
from server.services import open_services
from settings import Settings

log = logging.getLogger("curfew.application")

LOOK_EVERY: Final = 0.02
"""Seconds between two looks at whether the child has ended."""
EXTRA_SECONDS: Final = 10.0
"""What the child may take to reach the store, beside the application's own time."""


class MachineHooks:
    """Runs the two hooks of an application.

    Args:
        additions: of the application.
        settings: of the server.
    """

    def __init__(self, additions: Additions, settings: Settings) -> None:
        self._additions = additions
        self._settings = settings
        self._is_started = False

    def start(self) -> None:
        """Run the first one.

        Raises:
            ConfigurationError: it failed, or took too long.
        """
        self._is_started = True
        if hook := self._additions.machine_start:
            self._run(hook, self._additions.start_limit, "start")

    def stop(self) -> None:
        """Run the last one, if the first one was run. A failure is only logged."""
        hook = self._additions.machine_stop
        if hook is None or not self._is_started:
            return
        try:
            self._run(hook, self._additions.stop_limit, "stop")
        except ConfigurationError as error:
            log.error("%s", error)  # noqa: TRY400 the reason is the message

    def _run(self, hook: Hook, limit: timedelta, step: str) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # else the child would print it again
        child = os.fork()
        if child == 0:
            _leave_with(lambda: asyncio.run(self._act(hook, limit)))
        try:
            status = _status_of(child, limit.total_seconds() + EXTRA_SECONDS)
        except BaseException:  # a signal that stops the start
            _kill(child)
            raise
        if status is None:
            _kill(child)
            raise ConfigurationError(
                f"The machine's {step} of the application took longer than "
                f"{limit.total_seconds():g} s."
            )
        if status:
            raise ConfigurationError(f"The machine's {step} of the application failed; see above.")

    async def _act(self, hook: Hook, limit: timedelta) -> None:
        settings, own = self._settings, self._additions.settings
        opening = open_services(
            settings, serves=False, prepares=True, accounts=self._additions.accounts
        )
        async with opening as services:
            node = Node(services, settings, own, serves=False)
            async with asyncio.timeout(limit.total_seconds()):
                await hook(node)
            await node.tasks.stop()


def _leave_with(act: Callable[[], None]) -> NoReturn:
    """Act in the child, and end it. Nothing may return to the parent's code."""
    status = os.EX_CONFIG
    try:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)
        act()
        status = os.EX_OK
    except TimeoutError:
        sys.stderr.write("It took too long.\n")
    except (ConfigurationError, StoreUnavailable) as error:
        sys.stderr.write(f"{error}\n")
    except BaseException as error:
        log.exception("the application failed")
        sys.stderr.write(f"{shown(error)}\n")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _status_of(child: int, seconds: float) -> int | None:
    """Wait for a child; return None if it is still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == child:
            return os.waitstatus_to_exitcode(status)
        time.sleep(LOOK_EVERY)
    return None


def _kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
