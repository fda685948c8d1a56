"""What an orchestrator asks: is this process alive, and may it serve?"""

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.operation import answer, operation
from handlers.http.origins import FOR_PEOPLE
from handlers.http.schemas import closed_object


class Probe(BaseHandler):
    """Base of probes: no session, any host name."""

    access = Access.PUBLIC
    has_session = False
    any_host = True
    destinations = FOR_PEOPLE


class Healthz(Probe):
    """`GET /healthz`: this process runs its event loop."""

    @operation(
        "Whether this process runs its event loop.",
        answer("It does.", closed_object(status={"const": "ok"})),
    )
    def get(self) -> None:
        self.finish_json({"status": "ok"})


class Readyz(Probe):
    """`GET /readyz`: this node has the store and its events, and may serve."""

    @operation(
        "Whether this process may serve.",
        answer("It may.", closed_object(status={"const": "ready"})),
        refuses=[problems.UNAVAILABLE],
    )
    def get(self) -> None:
        self.services.engine.fence.require()
        self.finish_json({"status": "ready"})
