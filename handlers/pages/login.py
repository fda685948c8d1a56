"""The pages that sign people in: by password, code or passkey. Only passkeys need JavaScript."""

from handlers.http.access import Access
from handlers.http.passkey_site import site_of_request
from handlers.pages.base import PageHandler
from handlers.pages.cookie_check import START_WITH_TLS, dropped_cookie
from handlers.pages.proof_form import credential_in
from handlers.pages.sign_in_forms import SignInForms


class LoginPage(PageHandler):
    """`/login`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        if self.live is not None and self.live.session.user:
            self.see_other(self.next_path(self.get_query_argument("next", "")))
            return
        if dropped_cookie(self.request, self.application.configuration.cookie_name):
            self.render("no_cookie.html", command="" if self.is_under_https else START_WITH_TLS)
            return
        SignInForms(self).show_login(reason=self.get_query_argument("reason", None))

    async def post(self) -> None:
        username = self.field("username")
        outcome = await self.services.sign_in.by_password(
            username, self.field("password"), self.requester
        )
        SignInForms(self).finish(outcome, username=username)


class SecondFactorPage(PageHandler):
    """`POST /login/second-factor`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        """Redirect: people open the address that the form left in the address bar."""
        self.see_other("/login")

    async def post(self) -> None:
        challenge = self.field("challenge")
        outcome = await self.services.sign_in.by_code(challenge, self.field("code"), self.requester)
        SignInForms(self).finish(outcome, challenge=challenge)


class PasskeyLoginPage(PageHandler):
    """`POST /login/passkey`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        """Redirect: people open the address that the form left in the address bar."""
        self.see_other("/login")

    async def post(self) -> None:
        outcome = await self.services.sign_in.by_passkey(
            site_of_request(self), credential_in(self), self.requester
        )
        SignInForms(self).finish(outcome)
