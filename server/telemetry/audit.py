"""The audit trail: one log line for each event that an investigation may need.

Who acts, and from where, is set once for a request or a command. It applies to everything that is
recorded during it, because the engine does not know of requests.
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
from server.core.session import Device

log = logging.getLogger("curfew.audit")

_LEVELS: Final = {
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.CRITICAL: logging.CRITICAL,
}
_RESERVED: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""Names that a fact must not have: the logging library raises an error for them."""


@dataclass(frozen=True, slots=True)
class AuditSource:
    """Who acts, and from where.

    Attributes:
        user: who is signed in, or the program that acts for a person; empty for a stranger.
        ip: the address.
        device: what the browser says of itself.
        administrator: whether this uses an administrator's right to other accounts.
    """

    user: str = ""
    ip: str = ""
    device: str = ""
    administrator: bool = False


ActivityObserver = Callable[[str, ActivityEntry], object]
"""Called with a canonical user name and an entry of that account's recent activity."""

NOBODY: Final = AuditSource()
_source: ContextVar[AuditSource | Device] = ContextVar("source", default=NOBODY)
"""Who acts; of a stranger, only the device is known."""


class Audit:
    """Records events. It never raises and never waits: no act depends on its record.

    Args:
        now: the store's clock, in Unix seconds.
        monotonic: seconds on a clock that is never set back.
        count: counts every event, also those whose line is left out.
    """

    def __init__(
        self,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        count: Callable[[AuditEvent], object],
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._count = count
        self._observers: list[ActivityObserver] = []
        self._rate_limit = LogRateLimit(monotonic())

    def subscribe(self, observer: ActivityObserver) -> None:
        """Call `observer` with each entry that an account's owner may see."""
        self._observers.append(observer)

    def set_source(self, source: AuditSource) -> None:
        """Set who did what this task records from here on."""
        _source.set(source)

    def set_stranger(self, device: Device) -> None:
        """Set from where a request comes whose session is not known yet; most record nothing."""
        _source.set(device)

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
        """Record an event.

        Args:
            event: what happened.
            user: the canonical name of the account that it concerns.
            sid: the session that it concerns.
            ip: where it came from, if not from the source that was set.
            device: what that browser says of itself.
            facts: further facts, by name. Never a secret.
        """
        source = _current_source()
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
        self._count(event)
        self._write(entry)
        activity = activity_of(entry)
        if activity is not None:
            for observer in self._observers:
                observer(entry.user, activity)

    async def run(self) -> None:
        """Report lines that were left out, until cancelled, also when no more events come."""
        while True:
            await asyncio.sleep(TELL_EVERY)
            self.report_left_out()

    def report_left_out(self, *, closing: bool = False) -> None:
        """Write how many lines were left out since the last report.

        Args:
            closing: whether this is the last report, which does not wait for its time.
        """
        for kind, count in self._rate_limit.pop_left_out(
            self._monotonic(), closing=closing
        ).items():
            event, _, user = kind.partition(" ")
            about = {"user": user} if user else {}
            log.warning("lines left out", extra={"event": event, **about, "count": count})

    def _write(self, entry: AuditEntry) -> None:
        self.report_left_out()
        if not self._rate_limit.allows(kind_of_line(entry), self._monotonic()):
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


def _current_source() -> AuditSource:
    source = _source.get()
    if isinstance(source, Device):
        return AuditSource(ip=source.ip, device=source.user_agent)
    return source
