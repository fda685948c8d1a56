"""`/reauthenticate`: a person authenticates again, and goes on to the page that asked for it."""

from handlers.http.outcomes import problem_of_outcome
from handlers.pages.base import PageHandler
from handlers.pages.next_path import HOME
from handlers.pages.proof_form import ProofForm
from server.accounts.outcomes import NotDone


class ReauthenticatePage(PageHandler):
    """`/reauthenticate`"""

    before_second_factor = True

    @property
    def return_path(self) -> str:
        """The page that asked for this one: signing in anew is proof enough."""
        return self.next or super().return_path

    async def get(self) -> None:
        await self._ask()

    async def post(self) -> None:
        outcome = await ProofForm(self).check()
        if isinstance(outcome, NotDone):
            problem = problem_of_outcome(outcome)
            self.set_status_of(problem)
            await self._ask(error=self.sentence_for(problem))
        else:
            self.adopt(outcome)
            self.see_other(self.next_path(self.field("next")))

    async def _ask(self, *, error: str | None = None) -> None:
        await ProofForm(self).show(
            "/reauthenticate",
            {"next": self.next or HOME},
            about=self.text("confirm.go_on"),
            error=error,
        )
