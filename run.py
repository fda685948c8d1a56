"""The entry: `python run.py` serves, `python run.py --help` lists the other commands.

`python run.py --app huddle:application` does the same for an application of your own; it is a
`curfew.Application`, see docs/api.md.
"""

import sys

from server.processes.right_python import require_right_python

require_right_python()

from server.processes.first_signals import handle_first_signals

# The other imports take a second, in which a signal may come.
handle_first_signals(serves=__name__ == "__main__" and len(sys.argv) == 1)

import gc

if __name__ == "__main__":
    gc.disable()  # importing makes no garbage, and to look for it takes a sixth of the time

import argparse
import asyncio
import errno
import io
import os
import socket
import time
import warnings
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Final, Protocol

from tornado.routing import URLSpec

from handlers.http.additions import Additions
from handlers.http.application import patterns_of
from handlers.http.base_path import BasePath
from handlers.serving import process
from handlers.serving.drain import LAST_STEPS
from handlers.serving.exporter import Exporter
from handlers.serving.inherited import inherited_sockets
from handlers.serving.listening import announcement, listen, listen_for_scrapes
from handlers.serving.loading import named_application
from handlers.serving.loop import LoopFactory, loop_factory
from handlers.serving.machine import MachineHooks
from handlers.serving.reloading import ParentReload
from server.commands.command import Command, CommandGroup, with_runs
from server.commands.doctor import DOCTOR
from server.commands.errors import CommandFailed
from server.commands.keys import KEYS
from server.commands.needs import with_accounts
from server.commands.sessions import SESSIONS
from server.commands.store import STORE
from server.commands.top import TOP
from server.commands.users import USER
from server.core.errors import ConfigurationError, StoreNotReached, StoreUnavailable
from server.embedded.new_folder import note_of_new_folder
from server.embedded.store import StoreStartFailed
from server.processes.board import ParentLink
from server.processes.service_manager import ServiceManager
from server.supervisor import AlreadyRunning, FolderUnusable, supervise
from server.telemetry.log_format import configure_logging
from server.telemetry.log_handler import LogHandler, print_line
from settings import Settings, load_settings

COMMANDS: Final = (USER, SESSIONS, KEYS, STORE, DOCTOR, TOP)

STOP_SLACK: Final = 10.0
"""Seconds for what workers do after their drain."""
START_SECONDS: Final = 30.0
"""How long its workers begin, beside the leases of crashed nodes that they wait for."""

SCARCE: Final = {
    getattr(errno, name)
    for name in ("EAGAIN", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EROFS")
}
"""What the system says if it has no more files, processes, memory or space for anybody."""


class Additional(Protocol):
    """An application as this entry needs it; `curfew.Application` is one."""

    @property
    def commands(self) -> Sequence[Command | CommandGroup]:
        """Its own commands."""

    def additions(self) -> Additions:
        """Read its settings, and return what it adds."""


def serve(routes: Sequence[URLSpec] = ()) -> int:
    """Serve until Ctrl-C or SIGTERM. If that is not possible, say why in one line.

    Args:
        routes: the application's own, matched before Curfew's. They are for applications that were
            written before `curfew.Application(routes=…).main()`, which takes their place.

    Returns:
        The exit status, for `sys.exit`.
    """
    if routes:
        instead = "use curfew.Application(routes=...).main() in place of run.serve(routes)"
        warnings.warn(instead, DeprecationWarning, stacklevel=2)
    return exit_status(partial(_serve, lambda: Additions(routes=routes)))


def _serve(read: Callable[[], Additions]) -> int:
    settings, additions = _settled(read)
    inherited = inherited_sockets(os.environ, os.getpid())
    log_handler = _configure_logging(settings)
    note, reload = _note_of_new_folder(settings), ParentReload(settings, log_handler)
    exporter, machine = Exporter(), MachineHooks(additions, settings)
    new_loop, begins_until = loop_factory(settings.running.event_loop), 0.0

    def bind() -> list[socket.socket]:
        nonlocal begins_until
        exporter.listen_on(listen_for_scrapes(settings, inherited))
        # This may wait long for the store, and for a lease.
        sockets = listen(settings, inherited)
        machine.start()
        begins_until = time.monotonic() + _begins_within(settings, additions)
        return sockets

    def announce() -> None:
        log_handler.name_process("parent")
        print_line(announcement(settings, inherited.serving, additions.brand.name) + note)

    def work(sockets: list[socket.socket], parent: ParentLink) -> None:
        serve = partial(process.serve, log_handler=log_handler, leave=partial(_leave, begins_until))
        serving = serve(reload.settings, sockets, parent, additions)
        _work(serving, new_loop, parent, begins_until=begins_until)

    return supervise(
        data_dir=settings.data_dir,
        embedded=not settings.store_url,
        processes=settings.processes,
        bind=bind,
        serve=work,
        announce=announce,
        reload=reload,
        watchdog=None if settings.watchdog is None else settings.watchdog.total_seconds(),
        observer=exporter,
        stop_seconds=_stops_within(settings, additions),
        finish=machine.stop,
        manager=_told_of_start(settings),
        needs_folder=settings.needs_folder,
    )


def _settled(read: Callable[[], Additions]) -> tuple[Settings, Additions]:
    """Return the settings, and what an application adds, which fit together."""
    settings, additions = load_settings(), read()
    BasePath(settings.base_path).require_no_route(patterns_of(process.routes_of(additions)))
    return settings, additions


def _begins_within(settings: Settings, additions: Additions) -> float:
    """Return within how many seconds its workers begin."""
    own = additions.start_limit.total_seconds() if additions.lifespan else 0.0
    return START_SECONDS + own + 2 * settings.node_lease.total_seconds()


def _stops_within(settings: Settings, additions: Additions) -> float:
    """Return how many seconds its workers may take to stop."""
    drain = settings.running.longest_drain + additions.longest_stop
    return LAST_STEPS + drain.total_seconds() + STOP_SLACK


def _leave(begins_until: float, text: str) -> None:
    """Say why a worker cannot go on, and end it, whatever its event loop does."""
    status = _fail(text, os.EX_CONFIG if time.monotonic() < begins_until else 1)
    os._exit(status)


def _work(
    serving: Coroutine[None, None, None],
    new_loop: LoopFactory,
    parent: ParentLink,
    *,
    begins_until: float,
) -> None:
    """Serve in a worker; say in one line why it could not start.

    If the server has just begun, other settings are needed, and that stops it: one worker says so
    for all. Later the worker is one in the place of another, and its parent starts it again, while
    the other workers go on.
    """
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serving)
    except (StoreUnavailable, StoreStartFailed) as error:
        sys.exit(_fail(f"a worker could not start: {error}", 1))
    except ConfigurationError as error:
        if time.monotonic() >= begins_until:
            sys.exit(_fail(str(error), 1))
        sys.exit(_fail(str(error), os.EX_CONFIG) if parent.says_for_all() else os.EX_CONFIG)


def main(words: Sequence[str] | None = None, program: Additional | None = None) -> int:
    """Run the command line, and return the exit status.

    Args:
        words: what was typed after `run.py`; None takes it from the process.
        program: an application of one's own.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A user name may have letters that the terminal's locale does not know.
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if words is None else words
    if program is None:
        try:
            named, words = named_application(words)
        except ConfigurationError as error:
            return _fail(str(error), os.EX_CONFIG)
        if named is not None:
            return named.main(words)
    arguments = vars(command_line(program).parse_args(words))
    return exit_status(partial(arguments.pop("run"), **arguments))


def exit_status(act: Callable[[], int | None]) -> int:
    """Act, and return the exit status. A failure that is known is one line on standard error.

    `serve` and all commands go through here. Any other exception is a mistake in the program, and
    is not hidden.
    """
    try:
        return act() or os.EX_OK
    except (ConfigurationError, FolderUnusable) as error:
        return _fail(str(error), os.EX_CONFIG)
    except (AlreadyRunning, StoreStartFailed, CommandFailed, StoreNotReached) as error:
        return _fail(str(error), 1)
    except StoreUnavailable as error:
        return _fail(f"{error}. Is CURFEW_STORE_URL right, and the store running?", 1)
    except OSError as error:
        if error.errno not in SCARCE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"The system has no room for Curfew: {where}{error.strerror}.", os.EX_OSERR)


def command_line(program: Additional | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line, whose `run` is the function of the chosen command."""
    description = "Serves Curfew, or acts on it."
    if program is None:
        name = "curfew" if os.path.basename(sys.argv[0]) == "curfew" else "run.py"  # noqa: PTH119
        parser = argparse.ArgumentParser(prog=name, description=description)
        parser.set_defaults(run=serve)
        commands: Sequence[Command | CommandGroup] = COMMANDS
    else:
        parser = argparse.ArgumentParser(description="Serves the application, or acts on it.")
        parser.set_defaults(run=partial(_serve, program.additions))
        make = partial(with_accounts, read_accounts=lambda: program.additions().accounts)
        commands = [*(with_runs(each, make) for each in COMMANDS), *program.commands]
    subparsers = parser.add_subparsers(title="commands", metavar="")
    for each in commands:
        each.fill(subparsers.add_parser(each.name, help=each.help))
    return parser


def _configure_logging(settings: Settings) -> LogHandler:
    try:
        return configure_logging(settings.log_format, settings.log_file, settings.running.log_level)
    except OSError as error:
        raise ConfigurationError(
            f"CURFEW_LOG_FILE: {settings.log_file}: {error.strerror}."
        ) from None


def _told_of_start(settings: Settings) -> ServiceManager:
    """Tell the service manager, if there is one, that the start may wait for the store."""
    manager = ServiceManager.of_environment(os.environ, os.getpid())
    manager.starting(settings.store_wait.total_seconds() + START_SECONDS)
    return manager


def _note_of_new_folder(settings: Settings) -> str:
    """Return what the announcement adds if the embedded store is about to be made anew."""
    if settings.store_url:
        return ""
    note = note_of_new_folder(settings.data_dir, has_own_keys=settings.has_own_keys)
    return f" {note}" if note else ""


def _fail(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    gc.freeze()  # what was imported stays to the end, where to look through it takes a quarter
    gc.enable()
    sys.exit(main())
