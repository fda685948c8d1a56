"""The forms of signing in: for name and password, for the code that follows, for passkeys."""

from handlers.http.passkey_site import site_of_request
from handlers.http.problems import Problem
from handlers.pages.base import PageHandler
from server.core.reasons import Reason

REASONS = frozenset(Reason)


class SignInForms:
    """Shows the form that helps next.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: PageHandler) -> None:
        self._page = page

    def show_login(
        self, *, error: str | None = None, reason: str | None = None, username: str = ""
    ) -> None:
        """Ask for name and password, or a passkey.

        Args:
            error: why the last try did not do.
            reason: the word for why a session ended; words of others are left out.
            username: as it was typed before.
        """
        self._page.render(
            "login.html",
            error=error,
            reason=reason if reason in REASONS else None,
            username=username,
            next=self._next,
            passkeys=site_of_request(self._page) is not None,
        )

    def show_second_factor(self, challenge: str, *, error: str | None = None) -> None:
        """Ask for a code, or a passkey, after the password."""
        self._page.render(
            "login_second_factor.html",
            error=error,
            challenge=challenge,
            next=self._next,
            passkeys=site_of_request(self._page) is not None,
        )

    def show_refusal(self, problem: Problem, *, username: str = "") -> None:
        """Tell why nobody was signed in, on the form that helps next."""
        self._page.set_status_of(problem)
        if problem.slug == "second-factor-required":
            self.show_second_factor(str(problem.extra["challenge"]))
        else:
            self.show_login(error=self._page.sentence_for(problem), username=username)

    @property
    def _next(self) -> str:
        given = self._page.get_argument("next", "")
        return self._page.next_path(given) if given else ""
