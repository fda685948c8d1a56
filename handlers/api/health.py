"""What an orchestrator asks: is this process alive, and may it serve?"""

import logging

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.guards import require_readiness
from handlers.http.operation import answer, operation
from handlers.http.origins import FOR_PEOPLE
from handlers.http.schemas import closed_object


class Probe(BaseHandler):
    """Base of probes: no session, any host name, and no line in the log of a quiet server."""

    access_level = logging.DEBUG
    access = Access.PUBLIC
    has_session = False
    any_host = True
    destinations = FOR_PEOPLE

    async def options(self) -> None:
        """Answer as to GET, and say what the address takes (RFC 9110 9.3.7)."""
        self.set_header("Allow", ", ".join(self.methods()))
        await self.answer_head()


class Healthz(Probe):
    """`GET /healthz`: this process runs its event loop."""

    @operation(
        "Whether this process runs its event loop.",
        answer("It does.", closed_object(status={"const": "ok"})),
    )
    def get(self) -> None:
        self.finish_json({"status": "ok"})


class Readyz(Probe):
    """`GET /readyz`: this node has the store and its events, may serve, and goes on to."""

    @operation(
        "Whether this process may serve.",
        answer("It may.", closed_object(status={"const": "ready"})),
        refuses=[problems.UNAVAILABLE],
    )
    def get(self) -> None:
        require_readiness(self)
        self.finish_json({"status": "ready"})
