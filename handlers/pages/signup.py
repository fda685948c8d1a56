"""`/signup`: a person makes an account, and is signed in to it at once."""

from handlers.http.access import Access
from handlers.http.outcomes import problem_of_outcome
from handlers.http.problems import Problem
from handlers.pages.base import PageHandler
from handlers.pages.sign_in_forms import go_on_signed_in
from server.accounts.outcomes import NotDone
from server.sessions.verdicts import LiveSession


class SignupPage(PageHandler):
    """`/signup`"""

    access = Access.PUBLIC

    def get(self) -> None:
        self.render("signup.html", error=None, username="")

    async def post(self) -> None:
        username, password = self.field("username"), self.field("password")
        outcome = await self._sign_up_and_in(username, password)
        if isinstance(outcome, LiveSession):
            go_on_signed_in(self, outcome, "/account")
        else:
            self._show_refusal(problem_of_outcome(outcome), username)

    async def _sign_up_and_in(self, username: str, password: str) -> LiveSession | NotDone:
        made = await self.services.sign_up.by_password(username, password, self.requester)
        if isinstance(made, NotDone):
            return made
        return await self.services.sign_in.by_password(username, password, self.requester)

    def _show_refusal(self, problem: Problem, username: str) -> None:
        self.set_status_of(problem)
        self.render("signup.html", error=self.sentence_for(problem), username=username)
