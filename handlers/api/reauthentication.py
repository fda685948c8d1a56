"""Prove again who is signed in, for programs: what needs a recent password asks for this."""

from typing import Final

from handlers.api.answers import CODE, OPTIONS_TO_GET, THROTTLED
from handlers.api.views import session_view
from handlers.http import account_problems, factor_problems, problems
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.operation import answer, operation
from handlers.http.outcomes import require_done
from handlers.http.passkey_site import site_of_request
from handlers.http.schemas import CREDENTIAL, TEXT, closed_object, reference
from server.accounts.outcomes import NotDone
from server.accounts.reauthentication import Elevated

MISSING: Final = factor_problems.second_factor_missing(())
PROVED: Final = answer(
    "The session.", closed_object(session=reference("Session")), headers=["Set-Cookie"]
)


class ReauthenticateHandler(BaseHandler):
    """`POST /api/session/reauthenticate`"""

    before_second_factor = True

    @operation(
        "Prove the password again. The token changes at once, without grace.",
        PROVED,
        takes=Body({"password": TEXT}, optional={"code": CODE}),
        refuses=[
            MISSING,
            factor_problems.WRONG_CODE,
            account_problems.WRONG_PASSWORD,
            THROTTLED,
            problems.BUSY,
        ],
    )
    async def post(self) -> None:
        body = self.read_body()
        outcome = await self.services.reauthentication.by_password(
            self.person, body.text("password"), body.text("code")
        )
        finish_proved(self, outcome)


class ReauthenticatePasskeyOptions(BaseHandler):
    """`POST /api/session/reauthenticate/passkey/options`"""

    before_second_factor = True

    @operation(
        "Begin to prove a passkey.",
        OPTIONS_TO_GET,
        refuses=[factor_problems.PASSKEYS_UNAVAILABLE],
    )
    async def post(self) -> None:
        options = await self.services.reauthentication.passkey_options(
            site_of_request(self), self.person
        )
        self.finish_json(require_done(options))


class ReauthenticatePasskey(BaseHandler):
    """`POST /api/session/reauthenticate/passkey`"""

    before_second_factor = True

    @operation(
        "Prove a passkey in place of password and code. The token changes at once.",
        PROVED,
        takes=Body({"credential": CREDENTIAL}),
        refuses=[factor_problems.WRONG_PASSKEY, factor_problems.PASSKEYS_UNAVAILABLE],
    )
    async def post(self) -> None:
        credential = self.read_body().mapping("credential")
        outcome = await self.services.reauthentication.by_passkey(
            site_of_request(self), self.person, credential
        )
        finish_proved(self, outcome)


def finish_proved(handler: BaseHandler, outcome: Elevated | NotDone) -> None:
    """End the answer with the session and the cookie of its new token.

    Raises:
        ProblemRaised: the person was not proved, or the session ended meanwhile.
    """
    handler.adopt(outcome)
    handler.finish_json({"session": session_view(handler.session, handler.rules)})
