"""The entry: `python run.py` serves, `python run.py --help` lists the other commands.

An application of your own calls `serve` with its routes; see docs/tutorial.md.
"""

import sys

from server.processes.first_signals import handle_first_signals

# The other imports take a second, in which a signal may come.
handle_first_signals(serves=__name__ == "__main__" and len(sys.argv) == 1)

import argparse
import asyncio
import os
import socket
import time
from collections.abc import Coroutine, Sequence
from typing import Final

from tornado.routing import URLSpec

from handlers.serving import process
from handlers.serving.listening import announcement, listen
from handlers.serving.reloading import ParentReload
from server.commands.doctor import DOCTOR
from server.commands.errors import CommandFailed
from server.commands.keys import KEYS
from server.commands.sessions import SESSIONS
from server.commands.store import STORE
from server.commands.users import USER
from server.core.errors import ConfigurationError, StoreNotReached, StoreUnavailable
from server.embedded.store import StoreStartFailed
from server.processes.board import ParentLink
from server.supervisor import AlreadyRunning, supervise
from server.telemetry.log_format import configure_logging
from server.telemetry.log_handler import LogHandler, print_line
from settings import Settings, load_settings

COMMANDS: Final = (USER, SESSIONS, KEYS, STORE, DOCTOR)

START_SECONDS: Final = 30.0
"""How long its workers begin, beside the leases of crashed nodes that they wait for."""


def serve(routes: Sequence[URLSpec] = ()) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        routes: the application's own, matched before Curfew's.

    Returns:
        The exit status.
    """
    settings = load_settings()
    log_handler = _configure_logging(settings)
    reload = ParentReload(settings, log_handler)
    begins_until = 0.0

    def bind() -> list[socket.socket]:
        nonlocal begins_until
        sockets = listen(settings)  # it may have waited long for the store, and for a lease
        begins_until = time.monotonic() + START_SECONDS + 2 * settings.node_lease.total_seconds()
        return sockets

    def work(sockets: list[socket.socket], parent: ParentLink) -> None:
        serving = process.serve(reload.settings, sockets, parent, routes, log_handler=log_handler)
        _work(serving, begins_until=begins_until)

    return supervise(
        data_dir=settings.data_dir,
        embedded=not settings.store_url,
        processes=settings.processes,
        bind=bind,
        serve=work,
        announce=lambda: print_line(announcement(settings)),
        reload=reload,
        watchdog=None if settings.watchdog is None else settings.watchdog.total_seconds(),
    )


def _work(serving: Coroutine[None, None, None], *, begins_until: float) -> None:
    """Serve in a worker; say in one line why it could not start.

    If the server has just begun, other settings are needed, and that stops it. Later the worker is
    one in the place of another, and its parent starts it again, while the other workers go on.
    """
    try:
        asyncio.run(serving)
    except StoreUnavailable as error:
        sys.exit(_fail(f"a worker could not start: {error}", 1))
    except ConfigurationError as error:
        begins = time.monotonic() < begins_until
        sys.exit(_fail(str(error), os.EX_CONFIG if begins else 1))


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status.

    Args:
        words: what was typed after `run.py`; None takes it from the process.
    """
    arguments = vars(command_line().parse_args(words))
    run = arguments.pop("run")
    try:
        return run(**arguments) or os.EX_OK
    except ConfigurationError as error:
        return _fail(str(error), os.EX_CONFIG)
    except (AlreadyRunning, StoreStartFailed, CommandFailed, StoreNotReached) as error:
        return _fail(str(error), 1)
    except StoreUnavailable as error:
        return _fail(f"{error}. Is CURFEW_STORE_URL right, and the store running?", 1)


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line, whose `run` is the function of the chosen command."""
    parser = argparse.ArgumentParser(prog="run.py", description="Serves Curfew, or acts on it.")
    parser.set_defaults(run=serve)
    subparsers = parser.add_subparsers(title="commands", metavar="")
    for each in COMMANDS:
        each.fill(subparsers.add_parser(each.name, help=each.help))
    return parser


def _configure_logging(settings: Settings) -> LogHandler:
    try:
        return configure_logging(settings.log_format, settings.log_file)
    except OSError as error:
        raise ConfigurationError(
            f"CURFEW_LOG_FILE: {settings.log_file}: {error.strerror}."
        ) from None


def _fail(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
