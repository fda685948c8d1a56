"""The audit trail: one log line for each thing worth looking into, and the owner's recent activity.

Who acts, and from where, is bound once for a request or a command and holds for everything that
is recorded on its way, however deep: the engine does not know of requests.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from server.core.activity import ActivityEntry, activity_of
from server.core.audit import (
    AuditEntry,
    AuditEvent,
    Level,
    kind_of_line,
    level_of,
    truncate,
)
from server.core.log_rate_limit import TELL_EVERY, LogRateLimit

log = logging.getLogger("curfew.audit")

_LEVELS: Final = {
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.CRITICAL: logging.CRITICAL,
}
_RESERVED: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""Names that the logging library raises for when a fact has one."""


@dataclass(frozen=True, slots=True)
class AuditSource:
    """Who acts, and from where.

    Attributes:
        user: who is signed in, or what acts in a person's place; empty for a stranger.
        ip: the address.
        device: what the browser says of itself.
        administrator: whether this is done with an administrator's right to other accounts.
    """

    user: str = ""
    ip: str = ""
    device: str = ""
    administrator: bool = False


NOBODY: Final = AuditSource()
_source: ContextVar[AuditSource] = ContextVar("source", default=NOBODY)


class Audit:
    """Remembers what happened. Never raises and never waits: an act does not depend on its record.

    Args:
        now: the store's clock, in Unix seconds.
        monotonic: seconds, never set back.
        keep: takes what an account's owner is to be shown.
        counted: told of every event, also of those whose line is left out.
    """

    def __init__(
        self,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        keep: Callable[[str, ActivityEntry], object],
        counted: Callable[[AuditEvent], object],
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._keep = keep
        self._counted = counted
        self._allowance = LogRateLimit(monotonic())

    def set_source(self, source: AuditSource) -> None:
        """From here on, what this task records was done by `source`."""
        _source.set(source)

    def record(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        sid: str = "",
        ip: str = "",
        device: str = "",
        **facts: str | float,
    ) -> None:
        """Remember an event.

        Args:
            event: what happened.
            user: canonical name of whose account it concerns.
            sid: the session it concerns.
            ip: where it came from, if not from whoever acts.
            device: what that browser says of itself, likewise.
            facts: further facts, by name. Never a secret.
        """
        source = _source.get()
        entry = AuditEntry(
            event=event,
            at=self._now(),
            user=truncate(user),
            sid=sid,
            ip=ip or source.ip,
            device=truncate(device or (source.device if ip in {"", source.ip} else "")),
            actor=source.user if source.administrator else "",
            facts={name: _fact(value) for name, value in facts.items()},
        )
        self._counted(event)
        self._write(entry)
        activity = activity_of(entry)
        if activity is not None:
            self._keep(entry.user, activity)

    async def run(self) -> None:
        """Tell what was left out also when nothing of that kind happens any more."""
        while True:
            await asyncio.sleep(TELL_EVERY)
            self.tell_left_out()

    def tell_left_out(self, *, closing: bool = False) -> None:
        """Write how many lines were left out since that was told last."""
        for kind, count in self._allowance.pop_left_out(self._monotonic(), closing=closing).items():
            event, _, user = kind.partition(" ")
            about = {"user": user} if user else {}
            log.warning("lines left out", extra={"event": event, **about, "count": count})

    def _write(self, entry: AuditEntry) -> None:
        self.tell_left_out()
        if not self._allowance.allows(kind_of_line(entry), self._monotonic()):
            return
        about = {
            name: value
            for name in ("user", "actor", "sid", "ip", "device")
            if (value := getattr(entry, name))
        }
        extra = {"event": entry.event.value, **entry.facts, **about}
        named = {f"{name}_" if name in _RESERVED else name: extra[name] for name in extra}
        log.log(_LEVELS[level_of(entry.event)], entry.event.value, extra=named)


def _fact(value: str | float) -> str | float:
    return truncate(value) if isinstance(value, str) else value
