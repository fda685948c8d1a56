"""The `top` command: what the nodes do now, on a terminal until Ctrl-C, or printed once.

What draws it is imported when it runs, so that no other command and no server loads it.
"""

import asyncio
import signal
from collections import deque
from typing import TYPE_CHECKING, Final

from server.commands.command import Argument, Command
from server.commands.errors import CommandFailed
from server.commands.needs import with_settings
from server.commands.top_reader import TopReader
from server.core.live_view import Reading, view_of
from server.embedded.paths import has_store
from server.processes.lock import is_locked
from server.telemetry.log_format import configure_command_logging
from settings import Settings

if TYPE_CHECKING:
    from server.commands.top_screen import Screen

SHORTEST: Final = 0.2
LONGEST: Final = 3600.0
"""Seconds between two readings; more often, a view would become a load."""
RATES_OVER: Final = 5.0
"""Seconds over which rates are computed."""


def seconds(text: str) -> float:
    """Return what was typed as a number of seconds.

    Raises:
        ValueError: it is none, or too short.
    """
    number = float(text)
    if not SHORTEST <= number <= LONGEST:
        raise ValueError(text)
    return number


def show(settings: Settings, *, every: float, metrics: list[str] | None, once: bool) -> None:
    """Show what the nodes do: live on a terminal, and once elsewhere.

    Args:
        settings: the settings.
        every: seconds between two readings.
        metrics: addresses of metrics in place of this machine's.
        once: whether to print one snapshot also on a terminal.

    Raises:
        CommandFailed: no server uses the store here; or, of one snapshot, the store did not answer.
    """
    from server.commands.top_screen import Screen  # noqa: PLC0415 - only this command needs Rich

    configure_command_logging(settings.log_format)
    _require_server(settings)
    screen, reader = Screen(), TopReader(settings, metrics or [])
    if once or not screen.is_live:
        asyncio.run(_print_once(reader, screen, every))
        return
    try:
        asyncio.run(_watch(reader, screen, every))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return  # this is how the view is left


async def _print_once(reader: TopReader, screen: "Screen", every: float) -> None:
    async with reader:
        before = await reader.read()
        await asyncio.sleep(every)
        now = await reader.read()
    screen.print(view_of(now, before))
    if reader.store_problem:
        raise CommandFailed(f"The snapshot is incomplete: {reader.store_problem}.")


async def _watch(reader: TopReader, screen: "Screen", every: float) -> None:
    """Show a reading again and again, until cancelled. SIGTERM leaves the terminal as it was."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    readings = deque[Reading]()
    with screen.live():
        async with reader:
            while True:
                now = await reader.read()
                while len(readings) > 1 and now.at - readings[1].at >= RATES_OVER:
                    readings.popleft()
                screen.update(view_of(now, readings[0] if readings else None))
                readings.append(now)
                await asyncio.sleep(every)


def _require_server(settings: Settings) -> None:
    """Refuse to look at an embedded store that no server runs: there is nothing to see.

    Raises:
        CommandFailed: no server runs on it.
    """
    if settings.store_url or (has_store(settings.data_dir) and is_locked(settings.data_dir)):
        return
    raise CommandFailed(f"No server runs on the store in {settings.data_dir}.")


TOP: Final = Command(
    "top",
    help="watch nodes, sockets, sessions, requests, ends and faults",
    run=with_settings(show),
    arguments=(
        Argument(
            "--every",
            type=seconds,
            default=1.0,
            metavar="SECONDS",
            help="between two readings; 1 if it is left out",
        ),
        Argument(
            "--metrics",
            action="append",
            metavar="URL",
            help="a server's /metrics, in place of this machine's; may be repeated",
        ),
        Argument("--once", action="store_true", help="print one snapshot, as without a terminal"),
    ),
)
