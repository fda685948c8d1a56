"""Forms for people who are not signed in. Another tab of the browser may have signed them in since.

Such a form was made without a session, or for a visitor's, so it cannot have the CSRF token of the
session that the browser has by now. It needs none: the credentials in it allow what it asks for,
and nothing is done with the rights of the session. What the token keeps out is a form of another
site that signs a person in to an account of its author (login CSRF). That takes a browser which
says that the form is on one of our own pages (ASVS 5.0 3.5.1). A request that says nothing about
its page still needs the token.
"""

from typing import ClassVar

from handlers.http import guards, origins
from handlers.http.access import Access
from handlers.http.outcomes import problem_of_outcome
from handlers.http.problems import Problem
from handlers.pages.base import PageHandler
from server.accounts.outcomes import NotDone, SecondFactorMissing
from server.accounts.user_names import canonical_username


class VisitorForm(PageHandler):
    """Base of the handlers that such forms are sent to.

    Attributes:
        credentials: names of the fields that allow what the form asks for. One that leaves any
            empty needs the token.
        outdated: whether another tab has begun a session since the form was made.
    """

    access = Access.PUBLIC
    credentials: ClassVar[tuple[str, ...]] = ()
    outdated = False

    def check_csrf_token(self) -> None:
        """Let an outdated form pass, if a page of ours sent it with its credentials."""
        is_current = guards.is_csrf_token(self, self.presented_csrf_token())
        is_filled_in = all(self.field(name) for name in self.credentials)
        if not is_current and is_filled_in and origins.names_its_page(self.request.headers):
            self.outdated = True
        else:
            super().check_csrf_token()

    def is_signed_in_as(self, username: str) -> bool:
        """Return whether another tab has signed this person in since the form was made.

        Args:
            username: as it was typed.
        """
        user = self.live.session.user if self.live else None
        return self.outdated and user is not None and canonical_username(username) == user

    async def go_on_with(self, password: str) -> Problem | None:
        """Go on with the session of the other tab; a new one would sign that tab out.

        Returns:
            Why not, if the password is wrong or cannot be checked now.
        """
        proved = await self.services.reauthentication.by_password(self.person, password, "")
        if isinstance(proved, NotDone) and not isinstance(proved, SecondFactorMissing):
            return problem_of_outcome(proved)
        if not isinstance(proved, SecondFactorMissing):
            self.adopt(proved)
        self.go_on()
        return None

    def go_on(self) -> None:
        """Redirect to where the person wants to go."""
        self.see_other(self.onward(self.next_path(self.field("next"))))
