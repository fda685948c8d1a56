"""`/signup`: a person makes an account, and is signed in to it at once."""

from handlers.http.outcomes import problem_of_outcome
from handlers.http.problems import Problem
from handlers.pages.remember_box import RememberBox
from handlers.pages.sign_in_forms import go_on_signed_in
from handlers.pages.visitor_form import VisitorForm
from server.accounts.outcomes import NotDone
from server.sessions.verdicts import LiveSession


class SignupPage(VisitorForm):
    """`/signup`"""

    credentials = ("username", "password")

    def get(self) -> None:
        self.render("signup.html", error=None, username="", **RememberBox(self).values)

    async def post(self) -> None:
        username, password = self.typed("username"), self.field("password")
        if self.is_signed_in_as(username) and not await self.go_on_with(password):
            return
        outcome = await self._sign_up_and_in(username, password)
        if isinstance(outcome, LiveSession):
            go_on_signed_in(self, outcome, self.next_path(self.field("next")))
        else:
            self._show_refusal(problem_of_outcome(outcome), username)

    async def _sign_up_and_in(self, username: str, password: str) -> LiveSession | NotDone:
        made = await self.services.sign_up.by_password(username, password, self.requester)
        if isinstance(made, NotDone):
            return made
        return await self.services.sign_in.by_password(
            username, password, self.requester, remember=RememberBox(self).chosen
        )

    def _show_refusal(self, problem: Problem, username: str) -> None:
        self.set_status_of(problem)
        self.render(
            "signup.html",
            error=self.sentence_for(problem),
            username=username,
            **RememberBox(self).values,
        )
