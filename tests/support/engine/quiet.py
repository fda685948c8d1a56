"""For engines under test that nobody counts and nobody audits."""

from typing import Final

from server.core.audit import AuditEvent
from server.core.counts import Counts


def _nothing(*_: object) -> None:
    """Count nothing."""


UNCOUNTED: Final = Counts(_nothing, _nothing, _nothing, _nothing, _nothing, _nothing)


class Unaudited:
    """A `Record` of nothing."""

    def __call__(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        sid: str = "",
        ip: str = "",
        device: str = "",
        **facts: str | float,
    ) -> None:
        """Forget it."""
