"""Curfew's entry: `python run.py` serves; `python run.py --help` lists the other commands.

To serve an application of your own, call `serve` with its routes; see docs/tutorial.md.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from tornado.routing import URLSpec

from handlers.serving.listening import announcement, listen
from handlers.serving.process import serve as serve_process
from server.commands import doctor, keys, sessions, store, users
from server.commands.opening import opened
from server.commands.output import CommandFailed
from server.core.errors import ConfigurationError, StoreUnavailable
from server.crypto.keyring import new_secret
from server.embedded.store import StoreStartFailed
from server.services import Services
from server.supervisor import AlreadyRunning, supervise
from server.telemetry.log_format import configure_command_logging, configure_logging
from settings import Settings, load_settings

Command = Callable[[Services], Coroutine[None, None, None]]


def serve(routes: Sequence[URLSpec] = ()) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        routes: the application's own, looked at before Curfew's.

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
        serve=lambda sockets, parent: asyncio.run(serve_process(settings, sockets, parent, routes)),
        announce=lambda: print(announcement(settings)),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given) or os.EX_OK)
    except ConfigurationError as error:
        return _fail(str(error), os.EX_CONFIG)
    except (AlreadyRunning, StoreStartFailed, CommandFailed) as error:
        return _fail(str(error), 1)
    except StoreUnavailable as error:
        return _fail(f"{error}. Is CURFEW_STORE_URL right, and the store running?", 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Serves Curfew, or acts on it.")
    parser.set_defaults(run=lambda _: serve())
    commands = parser.add_subparsers(title="commands", metavar="")
    _add_user_commands(
        commands.add_parser("user", help="add, disable, give a new password, reset second factors")
    )
    _add_session_commands(commands.add_parser("sessions", help="list or end sessions, live"))
    _add_key_commands(commands.add_parser("keys", help="make, list and change secret keys"))
    _add_store_commands(commands.add_parser("store", help="what a store of your own needs"))
    examine = commands.add_parser("doctor", help="look at what a server needs")
    examine.set_defaults(run=lambda _: _with_settings(doctor.examine))
    return parser


def _add_user_commands(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="add | disable | passwd | reset-factors")
    add = acts.add_parser("add", help="make an account; the password is asked for")
    add.add_argument("name")
    add.add_argument("--admin", action="store_true", help="may act on other people's sessions")
    add.set_defaults(
        run=lambda given: _with_services(
            lambda each: users.add(each, given.name, admin=given.admin)
        )
    )
    disable = acts.add_parser("disable", help="refuse sign-in and end all sessions")
    disable.add_argument("name")
    disable.set_defaults(
        run=lambda given: _with_services(lambda each: users.disable(each, given.name))
    )
    passwd = acts.add_parser("passwd", help="set a new password and end all sessions")
    passwd.add_argument("name")
    passwd.set_defaults(
        run=lambda given: _with_services(lambda each: users.change_password(each, given.name))
    )
    reset = acts.add_parser("reset-factors", help="remove second factors and end all sessions")
    reset.add_argument("name")
    reset.set_defaults(
        run=lambda given: _with_services(lambda each: users.reset_factors(each, given.name))
    )


def _add_session_commands(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="list | end")
    show = acts.add_parser("list", help="list live sessions")
    show.add_argument("--user")
    show.set_defaults(
        run=lambda given: _with_services(lambda each: sessions.show(each, given.user))
    )
    end = acts.add_parser("end", help="end sessions live; prints the receipt")
    which = end.add_mutually_exclusive_group(required=True)
    which.add_argument("sid", nargs="?")
    which.add_argument("--user")
    which.add_argument("--all", action="store_true")
    end.add_argument("--yes", action="store_true", help="do not ask")
    end.set_defaults(run=lambda given: _with_services(lambda each: _end(each, given)))


def _add_key_commands(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(
        required=True, metavar="new | list | add | promote | retire | reseal"
    )
    new = acts.add_parser("new", help="print a new key")
    new.set_defaults(run=lambda _: print(new_secret()))
    show = acts.add_parser("list", help="list the keys and what is under each")
    show.set_defaults(run=lambda _: _with_settings(keys.show))
    add = acts.add_parser("add", help="put a new key into the key file, in front")
    add.add_argument("--last", action="store_true", help="behind the others: it reads only")
    add.set_defaults(run=lambda given: keys.add(load_settings(), last=given.last))
    promote = acts.add_parser("promote", help="put a key in front")
    promote.add_argument("version", type=int)
    promote.add_argument("--force", action="store_true", help="also if a server lacks it")
    promote.set_defaults(
        run=lambda given: _with_settings(
            partial(keys.promote, version=given.version, force=given.force)
        )
    )
    retire = acts.add_parser("retire", help="drop a key, the oldest unless another is named")
    retire.add_argument("version", type=int, nargs="?")
    retire.add_argument("--force", action="store_true", help="the one named, used or not")
    retire.set_defaults(
        run=lambda given: _with_settings(
            partial(keys.retire, version=given.version, force=given.force)
        )
    )
    reseal = acts.add_parser("reseal", help="seal everything again under the newest key")
    reseal.add_argument("--force", action="store_true", help="also if a server lacks that key")
    reseal.set_defaults(run=lambda given: _with_settings(partial(keys.reseal, force=given.force)))


def _add_store_commands(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="acl")
    acl = acts.add_parser("acl", help="print the command that makes the store's user")
    acl.set_defaults(run=lambda _: store.print_acl(load_settings()))


async def _end(services: Services, given: argparse.Namespace) -> None:
    if given.all:
        await sessions.end_everything(services, confirmed=given.yes)
    elif given.user is not None:
        await sessions.end_user(services, given.user)
    else:
        await sessions.end_one(services, given.sid)


def _with_services(command: Command) -> None:
    settings = load_settings()
    configure_command_logging(settings.log_format)

    async def run() -> None:
        async with opened(settings) as services:
            await command(services)

    asyncio.run(run())


def _with_settings(
    command: Callable[[Services, Settings], Coroutine[None, None, None]],
) -> None:
    settings = load_settings()
    _with_services(lambda services: command(services, settings))


def _fail(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
