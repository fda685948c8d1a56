"""The audit trail of a running server, as its log tells it."""

import json
from typing import Any

from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer

Line = dict[str, Any]


class Trail:
    """What a server with `log_format="json"` writes to its audit trail from now on."""

    def __init__(self, server: CurfewServer) -> None:
        self._server = server
        self._from = len(server.log)

    async def once(self, event: str, **facts: object) -> Line:
        """The one line of an event with these facts, when it has come."""
        (line,) = await self.all(event, 1, **facts)
        return line

    async def all(self, event: str, number: int, **facts: object) -> list[Line]:
        """All lines of an event with these facts, when there are so many; more fail the test."""

        async def come() -> list[Line]:
            found = self._matching(event, facts)
            return found if len(found) >= number else []

        lines = await until(come)
        assert len(lines) == number, lines
        return lines

    def _matching(self, event: str, facts: dict[str, object]) -> list[Line]:
        return [
            line
            for line in self.read(self._server.log[self._from :])
            if line["event"] == event and facts.items() <= line.items()
        ]

    @staticmethod
    def read(text: str, *, every: bool = False) -> list[Line]:
        """The lines of the audit trail in a log; with `every`, those of all loggers."""
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if every or line["logger"] == "curfew.audit"]
