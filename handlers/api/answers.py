"""What several JSON handlers declare alike: answers, refusals and fields of bodies."""

from datetime import timedelta
from typing import Final

from handlers.http import account_problems, factor_problems, problems
from handlers.http.operation import answer
from handlers.http.schemas import CSRF_TOKEN, END_OTHERS, TEXT, Node, closed_object, reference

THROTTLED: Final = problems.throttled(timedelta())
BAD_REQUEST: Final = problems.bad_request("")
BAD_PASSWORD: Final = account_problems.bad_password("The password will not do", "", "")
OWED: Final = factor_problems.second_factor_owed((), "")

RECEIPT: Final = reference("Receipt")
SIGNED_IN_SCHEMA: Final = closed_object(session=reference("Session"), csrf_token=CSRF_TOKEN)
SIGNED_IN: Final = answer("The session.", SIGNED_IN_SCHEMA, headers=["Set-Cookie"])
LISTED: Final = closed_object(sessions={"type": "array", "items": reference("ListedSession")})
WEBAUTHN_OPTIONS: Final[Node] = {
    "type": "object",
    "additionalProperties": True,
    "required": ["challenge"],
    "description": "Options of WebAuthn as JSON. The challenge is good once, for five minutes.",
}
OPTIONS_TO_GET: Final = answer("For `navigator.credentials.get`.", WEBAUTHN_OPTIONS)
END_OTHERS_FIELD: Final = {"end_other_sessions": END_OTHERS}
CODE: Final[Node] = {**TEXT, "description": "Of the app, or a recovery code."}
