"""Forms whose act needs a recent password: if it is missing, they ask for it and then go on."""

from typing import ClassVar, Protocol

from handlers.http.access import Access
from handlers.http.outcomes import problem_of_outcome
from handlers.http.problems import Problem, ProblemRaised
from handlers.pages.base import PageHandler
from handlers.pages.next_path import SECRETS, path_with_query, with_next
from handlers.pages.proof_form import ProofForm
from server.accounts.outcomes import NotDone


class FormView(Protocol):
    """Shows the page that a form is on."""

    def __init__(self, page: PageHandler) -> None:
        """Answer this handler's request."""

    async def show(self, *, error: str | None = None) -> None:
        """Show the page.

        Args:
            error: why nothing was done.
        """


class ConfirmedForm(PageHandler):
    """Base of the handlers that such forms are sent to.

    The question is a form of its own, sent to the same address with the same fields and the
    password. So the act is exactly what the person asked for, sent by POST with the CSRF token and
    checked as if the password had been recent. Opening an address never acts.

    Attributes:
        access_to_change: a person who authenticated recently.
        view: shows the page that the form is on.
        home: the address of that page.
        carried: names of the fields that the question sends along. Never one with a secret.
        password_field: the field in which the form itself may bring a password.
        proved_elsewhere: the page to return to after `/reauthenticate`, if the form's fields are
            valid for a short time only. Then the question carries nothing, and the person starts
            again on that page.
        asks_always: whether the proof must come with this very form, however recent the last is.
        stale: whether the password was proved too long ago.
    """

    access_to_change = Access.RECENT
    view: ClassVar[type[FormView] | None] = None
    home: ClassVar[str] = "/account"
    carried: ClassVar[tuple[str, ...]] = ()
    password_field: ClassVar[str] = "password"  # noqa: S105 - a field's name
    proved_elsewhere: ClassVar[str] = ""
    asks_always: ClassVar[bool] = False
    stale = False

    def on_stale_authentication(self) -> None:
        """Refuse nothing yet: `post` asks, after the CSRF token has been checked as well."""
        self.stale = True

    async def get(self, *_: str) -> None:
        """Redirect: people open the address that a form left in the address bar."""
        self.see_other(self.home)

    async def post(self, *arguments: str) -> None:
        """Act if the password is recent or came with the form; otherwise ask for it."""
        try:
            if await self._is_confirmed(*arguments):
                await self.act(*arguments)
        except ProblemRaised as refused:
            self.set_status_of(refused.problem)
            await self.show_refusal(refused.problem)

    async def act(self, *arguments: str) -> None:
        """Do what the form is for.

        Raises:
            ProblemRaised: it cannot be done.
        """
        raise NotImplementedError

    async def question(self, *arguments: str) -> str:
        """Return the sentence that says what the password is needed for.

        Raises:
            ProblemRaised: the act is impossible, even with the password.
        """
        del arguments
        return self.text("confirm.go_on")

    async def show_refusal(self, problem: Problem) -> None:
        """Show the form's page with why nothing was done, or an error page if there is none."""
        if self.view is None:
            self.finish_problem(problem)  # not raised: that would drop the cookie of a new proof
        else:
            await self.view(self).show(error=self.sentence_for(problem))

    async def ask(self, *arguments: str, refused: Problem | None = None) -> None:
        """Ask for the password, and go on with it.

        Args:
            arguments: of the address.
            refused: why the last answer was wrong.
        """
        if refused:
            self.set_status_of(refused)
        else:
            self.set_status(403)
        if self.proved_elsewhere:
            action = "/reauthenticate"
            carried = {"next": with_next(self.proved_elsewhere, self.next)}
        else:
            carried = {each: self.field(each) for each in self.carried}
            action = self._same_address
        error = self.sentence_for(refused) if refused else None
        about = await self.question(*arguments)
        await ProofForm(self).show(action, carried, about=about, error=error)

    @property
    def _same_address(self) -> str:
        """The address of the form with its query, but for what belongs into the form."""
        path, of_form = self.request.path, {"code", "credential", self.password_field}
        query = self.request.query
        return path_with_query(path, query, {*SECRETS, *of_form, *self.carried}) or path

    async def _is_confirmed(self, *arguments: str) -> bool:
        if not (self.stale or self.asks_always):
            return True
        form = ProofForm(self, self.password_field)
        if self.proved_elsewhere or not form.is_filled_in:
            await self.ask(*arguments)
            return False
        outcome = await form.check()
        if isinstance(outcome, NotDone):
            await self.ask(*arguments, refused=problem_of_outcome(outcome))
            return False
        self.adopt(outcome)
        return True
