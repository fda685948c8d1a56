"""`/`: the start page, for everybody."""

from http import HTTPStatus

from handlers.http.access import Access
from handlers.http.guards import require_readiness
from handlers.pages.base import PageHandler


class StartPage(PageHandler):
    """`/`"""

    access = Access.PUBLIC

    async def prepare(self) -> None:
        """Let `OPTIONS /` through, whatever host it names: HAProxy's usual probe names none."""
        if self.request.method != "OPTIONS":
            await super().prepare()

    def options(self) -> None:
        """Answer a balancer's probe, as `/readyz` does."""
        require_readiness(self)
        self.set_header("Allow", ", ".join(self.methods()))
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()

    def get(self) -> None:
        self.render("index.html")
