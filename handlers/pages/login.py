"""Pages of signing in: by passwords, codes and passkeys. The last alone need JavaScript."""

from collections.abc import Mapping

from handlers.api.second_factor import Credential, SecondFactor
from handlers.http.access import Access
from handlers.http.factor_problems import CHALLENGE_EXPIRED
from handlers.http.problems import Problem, ProblemRaised
from handlers.pages.base import PageHandler
from handlers.pages.cookie_check import after_sign_in
from server.core import strict_json
from server.core.factors import Method
from server.core.reasons import Reason

REASONS = frozenset(Reason)


class LoginForms(SecondFactor, PageHandler):
    """The forms of signing in."""

    def credential_field(self) -> Credential:
        """What a script wrote into the form; nothing if it is no JSON object."""
        try:
            value = strict_json.parse(self.field("credential"))
        except strict_json.NotJson:
            return {}
        return value if isinstance(value, dict) else {}

    def show_login(
        self, *, error: str | None = None, reason: str | None = None, username: str = ""
    ) -> None:
        """The form for name and password, or a passkey."""
        self.render(
            "login.html",
            error=error,
            reason=reason if reason in REASONS else None,
            username=username,
            next=self._next(),
            passkeys=self.possible_site is not None,
        )

    def show_second_factor(self, challenge: str, *, error: str | None = None) -> None:
        """The form for a code, or a passkey, after the password."""
        self.render(
            "login_second_factor.html",
            error=error,
            challenge=challenge,
            next=self._next(),
            passkeys=self.possible_site is not None,
        )

    def show_refused_sign_in(self, problem: Problem, *, username: str = "") -> None:
        """The next form that helps."""
        self.prepare_refusal(problem)
        if problem.slug == "second-factor-required":
            self.show_second_factor(str(problem.extra["challenge"]))
        else:
            self.show_login(error=self.told(problem), username=username)

    async def show_confirmation(
        self, action: str, carried: Mapping[str, str], *, about: str, error: str | None = None
    ) -> None:
        """The form for proving it again, by what this account takes.

        Args:
            action: where it is sent.
            carried: fields that it sends along.
            about: what it is asked for, as a sentence.
            error: why that did not do.
        """
        factors = await self.services.factors.factors_of(self.user)
        self.render(
            "confirm.html",
            action=action,
            carried=carried,
            about=about,
            error=error,
            takes_code=factors.enabled,
            passkeys=Method.PASSKEY in factors.methods and self.possible_site is not None,
        )

    def _next(self) -> str:
        given = self.get_argument("next", "")
        return self.next_path(given) if given else ""


class SecondFactorPage(LoginForms):
    """`POST /login/second-factor`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        """Somebody goes to the address that the form left in the address bar."""
        self.see_other("/login")

    async def post(self) -> None:
        challenge = self.field("challenge")
        try:
            await self.sign_in_by_code(challenge, self.field("code"))
        except ProblemRaised as refused:
            if refused.problem is CHALLENGE_EXPIRED:
                self.show_refused_sign_in(refused.problem)
            else:
                self.prepare_refusal(refused.problem)
                self.show_second_factor(challenge, error=self.told(refused.problem))
        else:
            self.see_other(after_sign_in(self.next_path(self.field("next"))))


class PasskeyLoginPage(LoginForms):
    """`POST /login/passkey`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        """Likewise."""
        self.see_other("/login")

    async def post(self) -> None:
        try:
            await self.sign_in_by_passkey(self.credential_field())
        except ProblemRaised as refused:
            self.show_refused_sign_in(refused.problem)
        else:
            self.see_other(after_sign_in(self.next_path(self.field("next"))))
