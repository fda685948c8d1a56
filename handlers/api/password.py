"""One's own password, for programs: replace it, and end the sessions that had the old one."""

from handlers.api.answers import BAD_PASSWORD, END_OTHERS_FIELD, RECEIPT, THROTTLED
from handlers.http import account_problems, problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.operation import answer, operation
from handlers.http.outcomes import require_done
from handlers.http.schemas import NEW_PASSWORD, TEXT, closed_object


class PasswordResource(BaseHandler):
    """`PUT /api/password`"""

    access = Access.RECENT

    @operation(
        "Replace the password. This session goes on under a new token.",
        answer(
            "The receipt for the other sessions; an empty object when they were kept.",
            {"oneOf": [RECEIPT, closed_object()]},
            headers=["Set-Cookie"],
        ),
        takes=Body(
            {"current_password": TEXT, "new_password": NEW_PASSWORD},
            optional=END_OTHERS_FIELD,
        ),
        refuses=[BAD_PASSWORD, account_problems.WRONG_PASSWORD, THROTTLED, problems.BUSY],
    )
    async def put(self) -> None:
        body = self.read_body()
        outcome = await self.services.password_change.change(
            self.person,
            body.text("current_password"),
            body.text("new_password"),
            end_others=body.flag("end_other_sessions"),
        )
        changed = require_done(outcome)
        self.adopt(changed.session)
        if changed.receipt:
            self.finish_receipt(changed.receipt)
        else:
            self.finish_json({})
