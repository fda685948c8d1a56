"""The audit trail: one log line for each thing worth looking into."""

import logging
from collections.abc import Callable

from server.core.audit import AuditEntry, AuditEvent

log = logging.getLogger("curfew.audit")


class Audit:
    """Remembers what happened. Never raises and never waits: an act does not depend on its record.

    Args:
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def record(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        sid: str = "",
        ip: str = "",
        **facts: str | float,
    ) -> None:
        """Remember an event.

        Args:
            event: what happened.
            user: canonical name of whose account it concerns.
            sid: the session it concerns.
            ip: where the request came from.
            facts: further facts, by name. Never a secret.
        """
        entry = AuditEntry(event, self._now(), user, sid, ip, facts)
        about = {"user": entry.user, "sid": entry.sid, "ip": entry.ip}
        known = {name: value for name, value in about.items() if value}
        log.info(entry.event.value, extra={"event": entry.event.value, **known, **facts})
