"""Second factors of one's own account, for programs: list them, add them, remove them."""

from http import HTTPStatus
from typing import Final

from handlers.api.answers import BAD_REQUEST, END_OTHERS_FIELD, WEBAUTHN_OPTIONS
from handlers.api.views import factors_view
from handlers.http import factor_problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.factor_change import adopt_change, totp_uri_of
from handlers.http.operation import answer, operation, path_parameter, query_parameter
from handlers.http.outcomes import require_done
from handlers.http.passkey_site import site_of_request
from handlers.http.problems import ProblemRaised, bad_request
from handlers.http.schemas import (
    CREDENTIAL,
    END_OTHERS,
    TEXT,
    TIME,
    Node,
    closed_object,
    nullable,
    reference,
)
from server.accounts.outcomes import NotDone
from server.accounts.second_factor_changes import FactorChange
from server.core.factors import PASSKEY_NAME_CHARACTERS
from server.core.one_time_codes import RECOVERY_CODES

PASSKEY_ID: Final[Node] = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
FACTORS: Final = closed_object(
    totp={
        "oneOf": [closed_object(added_at=TIME), {"type": "null"}],
        "description": "The authenticator app.",
    },
    passkeys={
        "type": "array",
        "items": closed_object(
            id=PASSKEY_ID,
            name=TEXT,
            site={**TEXT, "description": "The host that it is good at."},
            added_at=TIME,
            last_used_at=nullable(TIME),
        ),
    },
    recovery_codes_left={"type": "integer", "minimum": 0, "maximum": RECOVERY_CODES},
)
CHANGE: Final = answer(
    "Recovery codes where new ones were made, shown this once; the receipt of other sessions.",
    closed_object(
        recovery_codes={"type": "array", "items": TEXT},
        receipt={"oneOf": [reference("Receipt"), {"type": "null"}]},
    ),
    headers=["Set-Cookie"],
)
OTHERS_BY_QUERY: Final = query_parameter(
    "end_other_sessions", END_OTHERS, "Whether to end the other sessions.", required=False
)


class FactorHandler(BaseHandler):
    """Base of the handlers that change second factors."""

    access = Access.RECENT
    before_second_factor = True  # people who owe one set it up here
    changes_second_factors = True

    def ends_others_by_query(self) -> bool:
        """Return whether other sessions end, as the query says; they do if it says nothing.

        Raises:
            ProblemRaised: it says neither `true` nor `false`.
        """
        match self.get_query_arguments("end_other_sessions"):
            case [] | ["true"]:
                return True
            case ["false"]:
                return False
            case _:
                raise ProblemRaised(bad_request("`end_other_sessions` is `true` or `false`."))

    def finish_change(self, outcome: FactorChange | NotDone) -> None:
        """End the answer with what a change came to."""
        change = require_done(outcome)
        adopt_change(self, change)
        self.finish_json(change.as_json())


class FactorsResource(FactorHandler):
    """`GET /api/factors`"""

    access = Access.SIGNED_IN

    @operation("One's own second factors.", answer("All of them.", FACTORS))
    async def get(self) -> None:
        self.finish_json(factors_view(await self.services.factors.factors_of(self.user)))


class TotpResource(FactorHandler):
    """`/api/totp`: POST begins, PUT sets up, DELETE removes."""

    @operation(
        "Begin to set an authenticator app up. Nothing is kept yet.",
        answer("What the app is told.", closed_object(secret=TEXT, uri=TEXT, setup=TEXT)),
    )
    def post(self) -> None:
        begun = self.services.factors.begin_totp(self.user)
        uri = totp_uri_of(self, begun)
        self.finish_json({"secret": begun.secret, "uri": uri, "setup": begun.setup})

    @operation(
        "Set the app up by its first code.",
        CHANGE,
        takes=Body({"setup": TEXT, "code": TEXT}, optional=END_OTHERS_FIELD),
        refuses=[
            factor_problems.WRONG_CODE,
            factor_problems.SETUP_EXPIRED,
            factor_problems.FACTOR_EXISTS,
        ],
    )
    async def put(self) -> None:
        body = self.read_body()
        change = await self.services.factor_changes.add_totp(
            self.person,
            body.text("setup"),
            body.text("code"),
            end_others=body.flag("end_other_sessions"),
        )
        self.finish_change(change)

    @operation(
        "Remove the app.",
        CHANGE,
        refuses=[factor_problems.FACTOR_NOT_FOUND, BAD_REQUEST],
        parameters=[OTHERS_BY_QUERY],
    )
    async def delete(self) -> None:
        change = await self.services.factor_changes.remove_totp(
            self.person, end_others=self.ends_others_by_query()
        )
        self.finish_change(change)


class RecoveryCodesResource(FactorHandler):
    """`POST /api/recovery-codes`"""

    @operation(
        "Make new recovery codes in place of the former ones.",
        CHANGE,
        takes=Body(optional=END_OTHERS_FIELD),
        refuses=[factor_problems.NO_SECOND_FACTOR],
    )
    async def post(self) -> None:
        end_others = self.read_body().flag("end_other_sessions")
        change = await self.services.factor_changes.renew_recovery_codes(
            self.person, end_others=end_others
        )
        self.finish_change(change)


class PasskeyOptions(FactorHandler):
    """`POST /api/passkeys/options`"""

    @operation(
        "Begin to make a passkey.",
        answer("For `navigator.credentials.create`.", WEBAUTHN_OPTIONS),
        refuses=[factor_problems.PASSKEYS_UNAVAILABLE],
    )
    async def post(self) -> None:
        options = await self.services.factors.begin_passkey(self.user, site_of_request(self))
        self.finish_json(require_done(options))


class PasskeysResource(FactorHandler):
    """`POST /api/passkeys`"""

    @operation(
        "Keep a passkey that the browser made.",
        CHANGE,
        status=HTTPStatus.CREATED,
        takes=Body(
            {
                "credential": CREDENTIAL,
                "name": {**TEXT, "minLength": 1, "maxLength": PASSKEY_NAME_CHARACTERS},
            },
            optional=END_OTHERS_FIELD,
        ),
        refuses=[
            factor_problems.PASSKEYS_UNAVAILABLE,
            factor_problems.SETUP_EXPIRED,
            factor_problems.BAD_PASSKEY,
            factor_problems.BAD_PASSKEY_NAME,
            factor_problems.FACTOR_EXISTS,
            factor_problems.TOO_MANY_PASSKEYS,
        ],
    )
    async def post(self) -> None:
        body = self.read_body()
        change = await self.services.factor_changes.add_passkey(
            self.person,
            site_of_request(self),
            body.mapping("credential"),
            body.text("name"),
            end_others=body.flag("end_other_sessions"),
        )
        self.set_status(HTTPStatus.CREATED)
        self.finish_change(change)


class OnePasskeyResource(FactorHandler):
    """`DELETE /api/passkeys/{id}`"""

    @operation(
        "Remove a passkey.",
        CHANGE,
        refuses=[factor_problems.FACTOR_NOT_FOUND, BAD_REQUEST],
        parameters=[path_parameter("id", PASSKEY_ID, "Of it."), OTHERS_BY_QUERY],
    )
    async def delete(self, identifier: str) -> None:
        change = await self.services.factor_changes.remove_passkey(
            self.person, identifier, end_others=self.ends_others_by_query()
        )
        self.finish_change(change)
