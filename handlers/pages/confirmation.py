"""Forms whose act needs a recent password: they ask for it where it is missing, and carry on."""

from typing import ClassVar

from handlers.api.auth import ProvingForm
from handlers.http.access import Access
from handlers.http.problems import Problem, ProblemRaised


class ConfirmedForm(ProvingForm):
    """Base of what such forms are sent to.

    The question is a form of its own to the same address with the same fields and the password.
    What is carried out is therefore what was asked for, sent by POST with the CSRF token, under
    the same checks as if the password had been recent; reading an address never does it.

    Attributes:
        carried: names of the fields that the question sends along. Never one with a secret.
        stale: the password was proved too long ago.
    """

    carried: ClassVar[tuple[str, ...]] = ()
    stale = False

    def required_access(self) -> Access:
        return Access.RECENT if self.changes_something else Access.SIGNED_IN

    def on_stale_authentication(self) -> None:
        """`post` asks, when the CSRF token has been checked as well."""
        self.stale = True

    async def get(self, *_: str) -> None:
        """Somebody goes to the address that a form left in the address bar."""
        self.see_other("/account")

    async def post(self, *arguments: str) -> None:
        """Do it, if the password is recent or came along."""
        try:
            if await self._is_proved(*arguments):
                await self.act(*arguments)
        except ProblemRaised as refused:
            self.prepare_refusal(refused.problem)
            await self.show_refusal(refused.problem)

    async def act(self, *arguments: str) -> None:
        """What the form is for.

        Raises:
            ProblemRaised: it cannot be done.
        """
        raise NotImplementedError

    async def question(self, *arguments: str) -> str:
        """What the password is asked for, as a sentence.

        Raises:
            ProblemRaised: it could not be done anyway.
        """
        raise NotImplementedError

    async def show_refusal(self, problem: Problem) -> None:
        """The page that the form is on, with why nothing was done."""
        raise NotImplementedError

    async def ask(self, *arguments: str, refused: Problem | None = None) -> None:
        """Ask for the password, to carry on with it."""
        about = await self.question(*arguments)
        if refused:
            self.prepare_refusal(refused)
        else:
            self.set_status(403)
        await self.show_confirmation(
            self.request.path,
            {name: self.field(name) for name in self.carried},
            about=about,
            error=self.told(refused) if refused else None,
        )

    async def _is_proved(self, *arguments: str) -> bool:
        if not self.stale:
            return True
        if not self.brings_proof:
            await self.ask(*arguments)
            return False
        try:
            await self.reauthenticate_by_form()
        except ProblemRaised as refused:
            await self.ask(*arguments, refused=refused.problem)
            return False
        return True
