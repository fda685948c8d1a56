"""Sign up, sign in and log out, for programs: each ends in a session, an account or a receipt."""

from http import HTTPStatus
from typing import Final

from handlers.api.answers import (
    BAD_PASSWORD,
    CODE,
    OPTIONS_TO_GET,
    OWED,
    RECEIPT,
    SIGNED_IN,
    THROTTLED,
)
from handlers.api.views import signed_in_view
from handlers.http import account_problems, factor_problems, problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.ending import log_out
from handlers.http.operation import answer, operation
from handlers.http.outcomes import require_done
from handlers.http.passkey_site import site_of_request
from handlers.http.remember_choice import remember_choice
from handlers.http.schemas import (
    CREDENTIAL,
    NEW_PASSWORD,
    NEW_USER,
    REMEMBER,
    TEXT,
    USER,
    Node,
    closed_object,
)
from server.accounts.outcomes import NotDone
from server.sessions.verdicts import LiveSession

BAD_USERNAME: Final = account_problems.bad_username("", "")
NAME_TAKEN: Final = account_problems.name_taken("")
CHALLENGE: Final[Node] = {
    **TEXT,
    "description": "Of `second-factor-required`; for five minutes.",
}


class SignupHandler(BaseHandler):
    """`POST /api/signup`"""

    access = Access.PUBLIC

    @operation(
        "Make an account. Signs nobody in.",
        answer("The account.", closed_object(user=USER)),
        status=HTTPStatus.CREATED,
        takes=Body({"username": NEW_USER, "password": NEW_PASSWORD}),
        refuses=[
            BAD_USERNAME,
            BAD_PASSWORD,
            NAME_TAKEN,
            account_problems.SIGNUP_CLOSED,
            THROTTLED,
            problems.BUSY,
        ],
    )
    async def post(self) -> None:
        body = self.read_body()
        made = await self.services.sign_up.by_password(
            body.typed("username"), body.text("password"), self.requester
        )
        self.set_status(HTTPStatus.CREATED)
        self.finish_json({"user": require_done(made).user})


class LoginHandler(BaseHandler):
    """`POST /api/login`"""

    access = Access.PUBLIC
    before_second_factor = True

    @operation(
        "Begin a new session, in place of whatever session the request had.",
        SIGNED_IN,
        takes=Body({"username": TEXT, "password": TEXT}, {"remember": REMEMBER}),
        refuses=[
            account_problems.WRONG_CREDENTIALS,
            OWED,
            account_problems.SIGN_IN_INTERRUPTED,
            THROTTLED,
            problems.BUSY,
        ],
    )
    async def post(self) -> None:
        body = self.read_body()
        outcome = await self.services.sign_in.by_password(
            body.typed("username"),
            body.text("password"),
            self.requester,
            remember=remember_choice(self, body.choice("remember")),
        )
        finish_signed_in(self, outcome)


class LoginSecondFactor(BaseHandler):
    """`POST /api/login/second-factor`"""

    access = Access.PUBLIC
    before_second_factor = True

    @operation(
        "Begin a new session after the password.",
        SIGNED_IN,
        takes=Body({"challenge": CHALLENGE, "code": CODE}),
        refuses=[
            factor_problems.WRONG_SECOND_FACTOR,
            factor_problems.CHALLENGE_EXPIRED,
            account_problems.SIGN_IN_INTERRUPTED,
            THROTTLED,
            problems.BUSY,
        ],
    )
    async def post(self) -> None:
        body = self.read_body()
        outcome = await self.services.sign_in.by_code(
            body.text("challenge"), body.text("code"), self.requester
        )
        finish_signed_in(self, outcome)


class LoginPasskeyOptions(BaseHandler):
    """`POST /api/login/passkey/options`"""

    access = Access.PUBLIC
    before_second_factor = True

    @operation(
        "Begin to sign in by a passkey: after the password, or in its place.",
        OPTIONS_TO_GET,
        takes=Body(optional={"challenge": CHALLENGE}),
        refuses=[factor_problems.CHALLENGE_EXPIRED, factor_problems.PASSKEYS_UNAVAILABLE],
    )
    async def post(self) -> None:
        body = self.read_body()
        challenge = body.text("challenge") if "challenge" in body else None
        options = await self.services.sign_in.passkey_options(site_of_request(self), challenge)
        self.finish_json(require_done(options))


class LoginPasskey(BaseHandler):
    """`POST /api/login/passkey`"""

    access = Access.PUBLIC
    before_second_factor = True

    @operation(
        "Begin a new session by a passkey.",
        SIGNED_IN,
        takes=Body({"credential": CREDENTIAL}, {"remember": REMEMBER}),
        refuses=[
            factor_problems.PASSKEY_REFUSED,
            factor_problems.PASSKEYS_UNAVAILABLE,
            account_problems.SIGN_IN_INTERRUPTED,
        ],
    )
    async def post(self) -> None:
        body = self.read_body()
        outcome = await self.services.sign_in.by_passkey(
            site_of_request(self),
            body.mapping("credential"),
            self.requester,
            remember=remember_choice(self, body.choice("remember")),
        )
        finish_signed_in(self, outcome)


class LogoutHandler(BaseHandler):
    """`POST /api/logout`"""

    access = Access.SESSION
    before_second_factor = True

    @operation(
        "End this session everywhere.",
        answer("The receipt.", RECEIPT, headers=["Set-Cookie", "Clear-Site-Data"]),
    )
    async def post(self) -> None:
        self.finish_receipt(await log_out(self))


def finish_signed_in(handler: BaseHandler, outcome: LiveSession | NotDone) -> None:
    """End the answer with the new session and its cookie.

    Raises:
        ProblemRaised: nobody was signed in.
    """
    handler.adopt(outcome)
    handler.finish_json(signed_in_view(handler.session, handler.rules, handler.csrf_token))
