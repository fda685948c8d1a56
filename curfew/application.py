"""An application: what it adds to Curfew, in one object."""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from tornado.routing import URLSpec

from curfew.commands import bound, problem_with_commands
from handlers.http.additions import (
    START_LIMIT,
    STOP_LIMIT,
    Additions,
    EndHook,
    Hook,
    Hooks,
    Lifespan,
    SessionHook,
    Task,
)
from handlers.http.brand import Brand
from handlers.http.guards import WHOLE_AT_MOST
from handlers.http.streamed_delegate import is_streamed
from handlers.languages.texts import LANGUAGES, Language, with_own_texts
from handlers.pages.template_loader import OURS
from server.commands.command import Command, CommandGroup, with_runs
from server.core.errors import ConfigurationError
from server.core.own_settings import flaw_of_prefix, read_own_settings
from server.store.account_contract import Accounts

Folders = str | Path | Sequence[str | Path]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,38}")


@dataclass(frozen=True)
class Application:
    """An application built on Curfew. `main` serves it, and runs its commands.

    Everything but the name may be left out.

    Attributes:
        name: of the application. It is also what people see, unless the brand has another one.
        routes: as Tornado takes them; matched before Curfew's.
        settings: a dataclass of the application's own settings; see `read_own_settings`.
        prefix: what its variables begin with. By default the name: `HUDDLE_`.
        lifespan: an asynchronous context manager that takes a `Node`. Each process, and each
            command, enters it at its start and leaves it at its stop. What it yields is
            `node.state`.
        machine_start: called once per machine, before the first process serves.
        machine_stop: called once per machine, after the last process has stopped.
        tasks: work beside requests.
        accounts: opens accounts of its own, which take the place of Curfew's: an asynchronous
            context manager that takes the application's settings and yields an `Accounts`.
            Each process, and each command, enters it before anything else.
        on_session_started: called with a `Node` and a `Session` that began in this process.
        on_session_rotated: called with a `Node` and a `Session` that got a new token here.
        on_session_ended: called with a `Node`, an `EndedSession` and a `Reason`, for every end of
            any kind, by one of all processes. The reason is None if nobody was there to see it.
            It is called again if it fails, so it must bear that.
        commands: further commands beside Curfew's. Each is called with a `Node`, and with its
            arguments by name, and is a coroutine function.
        templates: folders that are searched before Curfew's. `curfew/base.html` is always ours.
        static: folders of files under `/static/`, searched before Curfew's.
        languages: a folder of language files (`en.toml`) with the texts that are new or changed.
        brand: the shown name, the logo, the colours.
        start_limit: how long each start may take.
        stop_limit: how long each stop may take.
    """

    name: str
    _: KW_ONLY
    routes: Sequence[URLSpec | tuple[Any, ...]] = ()
    settings: type[Any] | None = None
    prefix: str = ""
    lifespan: Lifespan | None = None
    machine_start: Hook | None = None
    machine_stop: Hook | None = None
    tasks: Sequence[Task] = ()
    accounts: Callable[[Any], AbstractAsyncContextManager[Accounts]] | None = None
    on_session_started: SessionHook | None = None
    on_session_rotated: SessionHook | None = None
    on_session_ended: EndHook | None = None
    commands: Sequence[Command | CommandGroup] = ()
    templates: Folders = ()
    static: Folders = ()
    languages: str | Path | None = None
    brand: Brand | None = None
    start_limit: timedelta = START_LIMIT
    stop_limit: timedelta = STOP_LIMIT

    def main(self, words: Sequence[str] | None = None) -> int:
        """Run the command line: without a command, serve until Ctrl-C or SIGTERM.

        Args:
            words: what was typed after the program's name; None takes it from the process.

        Returns:
            The exit status, for `sys.exit`.
        """
        from run import COMMANDS, main  # noqa: PLC0415 - it handles signals, which an import should not

        if flaw := self.flaw or problem_with_commands(self.commands, COMMANDS):
            sys.stderr.write(f"{flaw}\n")
            return os.EX_CONFIG
        return main(words, _Program(self))

    @property
    def flaw(self) -> str | None:
        """What is wrong with the declaration, as a sentence; None if nothing is."""
        if not _NAME.fullmatch(self.name):
            return f"The name {self.name!r} must be letters, digits, spaces, - and _."
        names = [each.name for each in self.tasks]
        if twice := next((name for name in names if names.count(name) > 1), None):
            return f"There are two tasks with the name {twice!r}."
        for handler in (_handler_of(each) for each in self.routes):
            if _is_too_large(handler):
                return (
                    f"{handler.__name__}.max_body_bytes is over 1 MiB, so its body must be "
                    "streamed: decorate it with curfew.stream_request_body."
                )
        return flaw_of_prefix(self.own_prefix) or self.shown.flaw or self._flaw_of_folders()

    @property
    def own_prefix(self) -> str:
        """What the variables of its settings begin with."""
        return self.prefix or re.sub(r"[^A-Z0-9]", "_", self.name.upper()) + "_"

    @property
    def shown(self) -> Brand:
        """The brand; one with the application's name if it has none."""
        return self.brand or Brand(self.name)

    def read_settings(self, variables: Mapping[str, str] = os.environ) -> Any:
        """Return its own settings; None if it has none.

        Raises:
            ConfigurationError: a variable is missing, wrong or misspelt.
        """
        if self.settings is None:
            return None
        return read_own_settings(self.settings, self.own_prefix, variables)

    def additions(self, variables: Mapping[str, str] = os.environ) -> Additions:
        """Return what it adds, ready to be served.

        Raises:
            ConfigurationError: its declaration, a setting or a file of it is wrong.
        """
        if flaw := self.flaw:
            raise ConfigurationError(flaw)
        settings = self.read_settings(variables)
        return Additions(
            routes=[each if isinstance(each, URLSpec) else URLSpec(*each) for each in self.routes],
            brand=self.shown,
            templates=folders(self.templates),
            static=folders(self.static),
            languages=self._texts(),
            settings=settings,
            accounts=partial(self.accounts, settings) if self.accounts else None,
            lifespan=self.lifespan,
            machine_start=self.machine_start,
            machine_stop=self.machine_stop,
            tasks=self.tasks,
            hooks=Hooks(self.on_session_started, self.on_session_rotated, self.on_session_ended),
            start_limit=self.start_limit,
            stop_limit=self.stop_limit,
        )

    def _texts(self) -> Mapping[str, Language]:
        if self.languages is None:
            return LANGUAGES
        try:
            return with_own_texts(Path(self.languages))
        except (OSError, ValueError) as error:  # what is no TOML, or no UTF-8, is a ValueError
            raise ConfigurationError(
                f"The language files in {self.languages} cannot be read: {error}."
            ) from None

    def _flaw_of_folders(self) -> str | None:
        own = [] if self.languages is None else [Path(self.languages)]
        for each in (*folders(self.templates), *folders(self.static), *own):
            if not each.is_dir():
                return f"There is no folder {each}."
        if any((each / OURS).exists() for each in folders(self.templates)):
            return f"A folder of templates has {OURS!r} in it, which is the name of Curfew's own."
        for file in filter(None, (self.shown.logo, self.shown.stylesheet)):
            if not any((each / file).is_file() for each in folders(self.static)):
                return f"No static folder of the application has the brand's {file!r}."
        return None


def _handler_of(route: URLSpec | tuple[Any, ...]) -> Any:
    return route.handler_class if isinstance(route, URLSpec) else route[1]


def _is_too_large(handler: Any) -> bool:
    most = getattr(handler, "max_body_bytes", 0)
    return most > WHOLE_AT_MOST and not is_streamed(handler)


class _Program:
    """An application as the entry takes it: its commands are ready to be called."""

    def __init__(self, application: Application) -> None:
        self.additions = application.additions
        make = partial(bound, additions=application.additions)
        self.commands = [with_runs(each, make) for each in application.commands]


def folders(given: Folders) -> list[Path]:
    """Return folders that were given as one, or as several."""
    some = [given] if isinstance(given, str | Path) else given
    return [Path(each).absolute() for each in some]
