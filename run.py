"""The entry: `python run.py` serves, `python run.py --help` lists the other commands.

An application of your own calls `serve` with its routes; see docs/tutorial.md.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from typing import Final

from tornado.routing import URLSpec

from handlers.serving import process
from handlers.serving.listening import announcement, listen
from server.commands.doctor import DOCTOR
from server.commands.errors import CommandFailed
from server.commands.keys import KEYS
from server.commands.sessions import SESSIONS
from server.commands.store import STORE
from server.commands.users import USER
from server.core.errors import ConfigurationError, StoreNotReached, StoreUnavailable
from server.embedded.store import StoreStartFailed
from server.supervisor import AlreadyRunning, supervise
from server.telemetry.log_format import configure_logging
from settings import load_settings

COMMANDS: Final = (USER, SESSIONS, KEYS, STORE, DOCTOR)


def serve(routes: Sequence[URLSpec] = ()) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        routes: the application's own, matched before Curfew's.

    Returns:
        The exit status.
    """
    settings = load_settings()
    configure_logging(settings.log_format)
    return supervise(
        data_dir=settings.data_dir,
        embedded=not settings.store_url,
        processes=settings.processes,
        bind=lambda: listen(settings),
        serve=lambda sockets, parent: _work(process.serve(settings, sockets, parent, routes)),
        announce=lambda: print(announcement(settings)),
    )


def _work(serving: Coroutine[None, None, None]) -> None:
    """Serve in a worker; say in one line why it could not start. Its parent starts another."""
    try:
        asyncio.run(serving)
    except (ConfigurationError, StoreUnavailable) as error:
        raise SystemExit(f"a worker could not start: {error}") from None


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


def _fail(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
