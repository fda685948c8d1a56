"""What probes ask."""

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.origins import FOR_PEOPLE


class Probe(BaseHandler):
    """Base: no session, any host name."""

    access = Access.PUBLIC
    any_host = True
    destinations = FOR_PEOPLE

    async def load_session(self) -> None:
        """Probes have none."""


class Healthz(Probe):
    """`GET /healthz`: this process runs its event loop."""

    def get(self) -> None:
        self.finish_json({"status": "ok"})


class Readyz(Probe):
    """`GET /readyz`: this node has the store and its events, and may serve."""

    def get(self) -> None:
        self.services.fence.require()
        self.finish_json({"status": "ready"})
