"""Signing up, in, out, and proving the password again: for programs and for pages."""

from typing import ClassVar

from handlers.api.second_factor import SecondFactor
from handlers.api.views import session_view
from handlers.http.access import Access
from handlers.http.body import read_object
from handlers.http.problems import (
    SIGNUP_CLOSED,
    WRONG_CREDENTIALS,
    WRONG_PASSWORD,
    Problem,
    ProblemRaised,
)
from handlers.pages.base import PageHandler
from handlers.pages.cookie_check import START_WITH_TLS, after_sign_in, keeps_no_cookie
from handlers.pages.login import LoginForms
from server.accounts.accounts import NameTaken
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.credentials import BadUsername, canonical_username
from server.core.reasons import Reason
from server.core.receipt import Receipt

CREDENTIALS = {"username": str, "password": str}


class Authentication(SecondFactor):
    """The acts themselves, shared by the API and the pages."""

    async def sign_up(self, username: str, password: str) -> Account:
        """Make an account.

        Raises:
            ProblemRaised: sign-up is closed, or name or password will not do; or too many names
                were taken.
        """
        if not self.application.configuration.signup:
            raise ProblemRaised(SIGNUP_CLOSED)
        async with self.signing_up() as attempt:
            made = await self.services.accounts.create(username, password)
            if isinstance(made, NameTaken):
                attempt.failed()
            elif isinstance(made, Account):
                await attempt.succeeded()
                self.audit(AuditEvent.USER_CREATED, made.user)
                return made
            else:
                await attempt.withdrawn()
        status, slug = {NameTaken: (409, "name-taken"), BadUsername: (400, "bad-username")}.get(
            type(made), (400, "bad-password")
        )
        case = "text" if isinstance(made, NameTaken) else made.flaw
        raise ProblemRaised(Problem(status, slug, "No account was made", made.detail, case=case))

    async def sign_in(self, username: str, password: str) -> None:
        """Begin a new session, if the credentials are right and all that the account takes.

        The epochs are read first: whatever ends the user's sessions from here on ends this
        sign-in as well.

        Raises:
            ProblemRaised: wrong, unknown or disabled, all alike; or too many tries; or interrupted;
                or a second factor is owed.
        """
        user = canonical_username(username)
        async with self.signing_in(username) as attempt:
            epochs = await self.services.sessions.epochs(user if isinstance(user, str) else "")
            account = await self.services.accounts.verify(username, password)
            if account is None:
                attempt.failed()
                await self.audit_failed_sign_in(username)
                raise ProblemRaised(WRONG_CREDENTIALS)
            await self.require_no_more(account, epochs, attempt)
            await attempt.succeeded()
        signed_in = await self.services.sessions.sign_in(
            account.user, epochs, self.device, previous=self.live
        )
        self.adopt(signed_in)
        self.audit(AuditEvent.LOGIN_SUCCESS)

    async def sign_out(self) -> Receipt:
        """End this session everywhere, and make the browser forget it."""
        receipt = await self.services.terminations.one(self.session, Reason.LOGOUT)
        self.clear_session_cookie()
        self.set_header("Clear-Site-Data", '"cache", "storage"')
        return receipt

    async def reauthenticate(self, password: str, code: str) -> None:
        """Prove the password again, with what else the account takes; the token changes at once.

        Raises:
            ProblemRaised: the password or the code is wrong, or there were too many tries.
        """
        async with self.proving() as attempt:
            account = await self.services.accounts.verify(self.user, password)
            if account is None:
                attempt.failed()
                self.audit(AuditEvent.LOGIN_FAIL)
                raise ProblemRaised(WRONG_PASSWORD)
            await self.require_code(account, code, attempt)
            await attempt.succeeded()
        if self.live is not None:
            two_factors = account.factors.enabled
            self.adopt(await self.services.sessions.elevate(self.live, two_factors=two_factors))
            self.audit(AuditEvent.REAUTHENTICATED)


class SignupHandler(Authentication):
    """`POST /api/signup`"""

    access = Access.PUBLIC

    async def post(self) -> None:
        body = read_object(self.request, CREDENTIALS)
        account = await self.sign_up(str(body["username"]), str(body["password"]))
        self.set_status(201)
        self.finish_json({"user": account.user})


class LoginHandler(Authentication):
    """`POST /api/login`"""

    access = Access.PUBLIC
    before_second_factor = True

    async def post(self) -> None:
        body = read_object(self.request, CREDENTIALS)
        await self.sign_in(str(body["username"]), str(body["password"]))
        self.finish_signed_in()


class LogoutHandler(Authentication):
    """`POST /api/logout`"""

    access = Access.SESSION
    before_second_factor = True

    async def post(self) -> None:
        self.finish_receipt(await self.sign_out())


class ReauthenticateHandler(Authentication):
    """`POST /api/session/reauthenticate`"""

    before_second_factor = True

    async def post(self) -> None:
        body = read_object(self.request, {"password": str}, {"code": str})
        await self.reauthenticate(str(body["password"]), str(body.get("code", "")))
        self.finish_json({"session": session_view(self.session, self.rules)})


class SignupPage(Authentication, PageHandler):
    """`/signup`"""

    access = Access.PUBLIC

    def get(self) -> None:
        self.render("signup.html", error=None, username="")

    async def post(self) -> None:
        username, password = self.field("username"), self.field("password")
        try:
            await self.sign_up(username, password)
            await self.sign_in(username, password)
        except ProblemRaised as refused:
            self.prepare_refusal(refused.problem)
            self.render("signup.html", error=self.told(refused.problem), username=username)
        else:
            self.see_other(after_sign_in("/account"))


class LoginPage(Authentication, LoginForms):
    """`/login`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        if self.live is not None and self.live.session.user:
            self.see_other(self.next_path(self.get_query_argument("next", "")))
            return
        if keeps_no_cookie(self.request, self.application.configuration.cookie_name):
            self.render("no_cookie.html", command="" if self.is_under_https else START_WITH_TLS)
            return
        self.show_login(reason=self.get_query_argument("reason", None))

    async def post(self) -> None:
        username = self.field("username")
        try:
            await self.sign_in(username, self.field("password"))
        except ProblemRaised as refused:
            self.show_refused_sign_in(refused.problem, username=username)
        else:
            self.see_other(after_sign_in(self.next_path(self.field("next"))))


class LogoutPage(Authentication, PageHandler):
    """`/logout`: a button on GET, the act on POST."""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        self.render("logout.html")

    async def post(self) -> None:
        if self.live is not None:
            await self.sign_out()
        self.see_other(f"/login?reason={self.no_session.reason or Reason.LOGOUT}")


class ProvingForm(Authentication, LoginForms):
    """Base of the forms that can bring a proof: a password and a code, or a passkey.

    Attributes:
        password_field: where the form brings a password.
    """

    password_field: ClassVar[str] = "password"  # noqa: S105 - a field's name

    @property
    def brings_proof(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.field(self.password_field) or self.field("credential"))

    async def reauthenticate_by_form(self) -> None:
        """Prove it by what the form brings.

        Raises:
            ProblemRaised: it is wrong, or not all that the account takes.
        """
        if self.field("credential"):
            await self.reauthenticate_by_passkey(self.credential_field())
        else:
            await self.reauthenticate(self.field(self.password_field), self.field("code"))


class ReauthenticatePage(ProvingForm):
    """`/reauthenticate`"""

    before_second_factor = True

    async def get(self) -> None:
        await self._show(None)

    async def post(self) -> None:
        try:
            await self.reauthenticate_by_form()
        except ProblemRaised as refused:
            self.prepare_refusal(refused.problem)
            await self._show(self.told(refused.problem))
        else:
            self.see_other(self.next_path(self.field("next")))

    async def _show(self, error: str | None) -> None:
        given = self.get_argument("next", "")
        await self.show_confirmation(
            "/reauthenticate",
            {"next": self.next_path(given)},
            about=self.text("confirm.go_on"),
            error=error,
        )
