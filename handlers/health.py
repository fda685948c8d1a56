"""What probes ask."""

from handlers.access import Access
from handlers.base import BaseHandler
from handlers.problems import UNAVAILABLE, ProblemRaised


class Probe(BaseHandler):
    """Base: no session, any host name."""

    access = Access.PUBLIC
    any_host = True

    async def load_session(self) -> None:
        """Probes have none."""


class Healthz(Probe):
    """`GET /healthz`: this process runs its event loop."""

    def get(self) -> None:
        self.finish_json({"status": "ok"})


class Readyz(Probe):
    """`GET /readyz`: this node has the store, and the store's events."""

    def get(self) -> None:
        if not (self.services.lease.is_held and self.services.follower.connected):
            raise ProblemRaised(UNAVAILABLE)
        self.finish_json({"status": "ready"})
