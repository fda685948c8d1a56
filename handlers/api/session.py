"""The session of a request, for programs: read it, rotate its token, read and write its data."""

from datetime import timedelta

from handlers.api.answers import SIGNED_IN_SCHEMA
from handlers.api.views import signed_in_view
from handlers.http import account_problems, problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.operation import answer, operation
from handlers.http.problems import ProblemRaised
from handlers.http.schemas import DATA, GENERATION, closed_object


class SessionResource(BaseHandler):
    """`GET /api/session`"""

    access = Access.SESSION
    before_second_factor = True

    @operation("The session of this request.", answer("It.", SIGNED_IN_SCHEMA))
    def get(self) -> None:
        self.finish_json(signed_in_view(self.session, self.rules, self.csrf_token))


class RotateHandler(BaseHandler):
    """`POST /api/session/rotate`"""

    access = Access.SESSION

    @operation(
        "Change the token now. Tokens from before it are good for one grace more.",
        answer("Its number.", closed_object(generation=GENERATION), headers=["Set-Cookie"]),
    )
    async def post(self) -> None:
        live = self.live
        if live and live.token is None:  # otherwise rotation was due, and has just happened
            live = self.adopt(await self.services.sessions.rotate(live))
        token = live.token if live else None
        self.finish_json({"generation": (token or self.session).generation})


class DataHandler(BaseHandler):
    """`/api/session/data`: the first write begins a session."""

    access = Access.PUBLIC

    @operation(
        "The session's data; empty without a session.",
        answer("All of it.", DATA),
    )
    def get(self) -> None:
        self.finish_json(dict(self.live.session.data) if self.live else {})

    @operation(
        "Merge top-level keys; null removes one. Begins an anonymous session without one.",
        answer("All of it.", DATA, headers=["Set-Cookie"]),
        takes=Body(free_form=DATA),
        refuses=[
            *problems.NO_LIVE_SESSION,
            problems.data_refused(""),
            problems.visitors_full(timedelta()),
            account_problems.SIGN_IN_INTERRUPTED,
        ],
    )
    async def patch(self) -> None:
        if self.live is None and self.presented_csrf_token():
            # The request is meant for a session that is over. A new session would hide that, and
            # its cookie could replace the cookie of a newer sign-in.
            raise ProblemRaised(self.why_unauthenticated)
        await self.write_data(self.read_body().values)
        self.get()
