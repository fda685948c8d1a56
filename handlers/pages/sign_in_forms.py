"""How every page of signing in ends: the person goes on, or sees the form that helps next."""

from handlers.http.factor_problems import CHALLENGE_EXPIRED
from handlers.http.outcomes import problem_of_outcome
from handlers.http.passkey_site import site_of_request
from handlers.http.problems import Problem
from handlers.pages.base import PageHandler
from handlers.pages.cookie_check import path_after_sign_in
from handlers.pages.remember_box import RememberBox
from server.accounts.outcomes import NotDone
from server.core.reasons import Reason
from server.sessions.verdicts import LiveSession

REASONS = frozenset(Reason)


class SignInForms:
    """Answers requests that sign somebody in, and shows their forms.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: PageHandler) -> None:
        self._page = page

    def finish(
        self, outcome: LiveSession | NotDone, *, username: str = "", challenge: str = ""
    ) -> None:
        """Answer with what a try to sign in came to.

        Args:
            outcome: of the try.
            username: as it was typed.
            challenge: that the form sent, where the password was already right.
        """
        if isinstance(outcome, LiveSession):
            go_on_signed_in(self._page, outcome, self._page.next_path(self._page.field("next")))
            return
        problem = problem_of_outcome(outcome)
        if problem.slug == "second-factor-required":
            self._page.set_status_of(problem)
            self.show_second_factor(str(problem.extra["challenge"]))
        elif challenge and problem is not CHALLENGE_EXPIRED:
            self._page.set_status_of(problem)
            self.show_second_factor(challenge, error=self._page.sentence_for(problem))
        else:
            self.refuse(problem, username=username)

    def refuse(self, problem: Problem, *, username: str) -> None:
        """Show the form for name and password again, with why nobody was signed in."""
        self._page.set_status_of(problem)
        self.show_login(error=self._page.sentence_for(problem), username=username)

    def show_login(
        self, *, error: str | None = None, reason: str | None = None, username: str = ""
    ) -> None:
        """Ask for name and password, or a passkey.

        Args:
            error: why the last try failed.
            reason: the word for why a session ended; unknown words are left out.
            username: as it was typed before.
        """
        self._page.render(
            "login.html",
            error=error,
            reason=reason if reason in REASONS else None,
            username=username,
            passkeys=site_of_request(self._page) is not None,
            **RememberBox(self._page).values,
        )

    def show_second_factor(self, challenge: str, *, error: str | None = None) -> None:
        """Ask for a code, or a passkey, after the password."""
        self._page.render(
            "login_second_factor.html",
            error=error,
            challenge=challenge,
            passkeys=site_of_request(self._page) is not None,
        )


def go_on_signed_in(page: PageHandler, signed_in: LiveSession, path: str) -> None:
    """Give the browser the cookie of its new session, and redirect.

    Args:
        page: the handler of the request.
        signed_in: the session.
        path: where the person wants to go.
    """
    page.adopt(signed_in)
    page.see_other(path_after_sign_in(path))
