"""What an application adds to Curfew, and what it puts in the place of ours."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tornado.routing import URLSpec

from handlers.http.brand import CURFEW, Brand
from handlers.http.node import Node
from handlers.http.tasks import Work
from handlers.languages.texts import LANGUAGES, Language
from server.core.reasons import Reason
from server.core.session import Session
from server.store.account_contract import OpenAccounts
from server.store.session_ledger import EndedSession

Lifespan = Callable[[Node], AbstractAsyncContextManager[Any]]
"""Entered before a process serves, and left when it has stopped; what it yields is `node.state`."""
Hook = Callable[[Node], Awaitable[object]]
"""Called with this process."""

SessionHook = Callable[[Node, Session], Awaitable[object]]
"""Called with a session that began, or has a new token."""
EndHook = Callable[[Node, EndedSession, Reason | None], Awaitable[object]]
"""Called with a session that has ended and why; None if nobody was there to see it."""

START_LIMIT: Final = timedelta(seconds=30)
STOP_LIMIT: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Task:
    """Work beside requests, from the start of each process to its stop.

    Attributes:
        name: in log lines and metrics.
        run: makes the coroutine. If it fails, that is logged, and it runs again after a pause.
        once_per_machine: whether only one of the processes of this machine runs it.
    """

    name: str
    run: Callable[[Node], Work]
    once_per_machine: bool = False


@dataclass(frozen=True, slots=True)
class Hooks:
    """What an application wants to be told.

    Attributes:
        started: of sessions that began on this node.
        rotated: of sessions that got a new token on this node.
        ended: of every session that has ended, on one node.
    """

    started: SessionHook | None = None
    rotated: SessionHook | None = None
    ended: EndHook | None = None

    @property
    def are_set(self) -> bool:
        """Whether there is one."""
        return any((self.started, self.rotated, self.ended))


@dataclass(frozen=True, slots=True)
class Additions:
    """All of it; by default nothing.

    Attributes:
        routes: matched before ours.
        brand: its name and its looks.
        templates: folders that are searched before ours.
        static: likewise, for static files.
        languages: the texts of the pages, by the code of their language.
        settings: its own settings.
        lifespan: around what each process serves.
        machine_start: called once before the first process serves.
        machine_stop: called once after the last process has stopped.
        tasks: what runs beside requests.
        hooks: what it wants to be told of sessions.
        accounts: opens its accounts; None if Curfew keeps them.
        start_limit: how long each start may take.
        stop_limit: how long each stop may take.
    """

    routes: Sequence[URLSpec] = ()
    brand: Brand = CURFEW
    templates: Sequence[Path] = ()
    static: Sequence[Path] = ()
    languages: Mapping[str, Language] = field(default_factory=lambda: LANGUAGES)
    settings: Any = None
    lifespan: Lifespan | None = None
    machine_start: Hook | None = None
    machine_stop: Hook | None = None
    tasks: Sequence[Task] = ()
    hooks: Hooks = Hooks()
    accounts: OpenAccounts | None = None
    start_limit: timedelta = START_LIMIT
    stop_limit: timedelta = STOP_LIMIT

    @property
    def longest_stop(self) -> timedelta:
        """How much longer a process may take to stop than one of plain Curfew."""
        return self.stop_limit if self.lifespan or self.tasks else timedelta()


NOTHING: Final = Additions()
