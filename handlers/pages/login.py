"""The pages that sign people in: by password, code or passkey. Only passkeys need JavaScript."""

from handlers.http.passkey_site import site_of_request
from handlers.pages.cookie_check import START_WITH_TLS, dropped_cookie
from handlers.pages.next_path import with_next
from handlers.pages.proof_form import credential_in
from handlers.pages.remember_box import RememberBox
from handlers.pages.sign_in_forms import SignInForms
from handlers.pages.visitor_form import VisitorForm


class LoginPage(VisitorForm):
    """`/login`"""

    credentials = ("username", "password")
    before_second_factor = True

    def get(self) -> None:
        if self.live is not None and self.live.session.user:
            self.see_other(self.onward(self.next_path(self.get_query_argument("next", ""))))
            return
        if dropped_cookie(self.request, self.application.configuration.cookie_name):
            self.render("no_cookie.html", command="" if self.is_under_https else START_WITH_TLS)
            return
        SignInForms(self).show_login(reason=self.get_query_argument("reason", None))

    async def post(self) -> None:
        username, password = self.typed("username"), self.field("password")
        if self.is_signed_in_as(username):
            if refused := await self.go_on_with(password):
                SignInForms(self).refuse(refused, username=username)
            return
        outcome = await self.services.sign_in.by_password(
            username, password, self.requester, remember=RememberBox(self).chosen
        )
        SignInForms(self).finish(outcome, username=username)


class SecondFactorPage(VisitorForm):
    """`POST /login/second-factor`"""

    credentials = ("challenge", "code")
    before_second_factor = True

    def get(self) -> None:
        """Redirect: people open the address that the form left in the address bar."""
        self.see_other(with_next("/login", self.next))

    async def post(self) -> None:
        challenge = self.field("challenge")
        if self.is_signed_in_as(self.services.sign_in.user_of(challenge)):
            self.go_on()
            return
        outcome = await self.services.sign_in.by_code(challenge, self.field("code"), self.requester)
        SignInForms(self).finish(outcome, challenge=challenge)


class PasskeyLoginPage(VisitorForm):
    """`POST /login/passkey`"""

    credentials = ("credential",)
    before_second_factor = True

    def get(self) -> None:
        """Redirect: people open the address that the form left in the address bar."""
        self.see_other(with_next("/login", self.next))

    async def post(self) -> None:
        outcome = await self.services.sign_in.by_passkey(
            site_of_request(self),
            credential_in(self),
            self.requester,
            remember=RememberBox(self).chosen,
        )
        SignInForms(self).finish(outcome)
