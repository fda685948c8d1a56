"""All of a person's own sessions, for programs: list them, end them."""

from handlers.api.answers import BAD_REQUEST, LISTED, RECEIPT
from handlers.api.views import list_view
from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.ending import clear_cookie_if_ended, end_many, scope_in
from handlers.http.operation import answer, operation, path_parameter, query_parameter
from handlers.http.outcomes import require_done
from handlers.http.schemas import SESSION_ID, one_of_words
from server.accounts.own_sessions import EndScope

ENDED = answer("The receipt.", RECEIPT, headers=["Set-Cookie"])


class SessionsResource(BaseHandler):
    """`/api/sessions`"""

    access_to_change = Access.RECENT

    @operation(
        "One's own sessions, the most recently used first.",
        answer("The list.", LISTED),
    )
    async def get(self) -> None:
        listed = await self.services.own_sessions.all_of(self.person)
        self.finish_json(list_view(listed, self.session.sid))

    @operation(
        "End several of one's own sessions.",
        ENDED,
        refuses=[BAD_REQUEST],
        parameters=[
            query_parameter(
                "scope",
                one_of_words(EndScope),
                "`others` keeps this session; `all` ends it too.",
            )
        ],
    )
    async def delete(self) -> None:
        scopes = self.get_query_arguments("scope")
        ended = await end_many(self, scope_in(scopes[0] if len(scopes) == 1 else ""))
        self.finish_receipt(ended.receipt)


class OneSessionResource(BaseHandler):
    """`DELETE /api/sessions/{id}`"""

    access = Access.RECENT

    @operation(
        "End one of one's own sessions.",
        ENDED,
        refuses=[problems.SESSION_NOT_FOUND],
        parameters=[path_parameter("id", SESSION_ID, "Of the session.")],
    )
    async def delete(self, sid: str) -> None:
        ended = require_done(await self.services.own_sessions.end_one(self.person, sid))
        self.finish_receipt(clear_cookie_if_ended(self, ended).receipt)
