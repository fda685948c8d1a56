"""A person's own sessions for programs: this one, its data, the list, the ends, the password."""

from handlers.api.views import listed_view, session_view
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import read_json, read_object
from handlers.http.problems import (
    SESSION_NOT_FOUND,
    Problem,
    ProblemRaised,
    bad_request,
)
from handlers.http.proving import ProvingHandler
from server.core.audit import AuditEvent
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.session import Session
from server.core.token import is_sid
from server.store.contract import ListedSession


class SessionResource(BaseHandler):
    """`GET /api/session`"""

    access = Access.SESSION
    before_second_factor = True

    def get(self) -> None:
        view = session_view(self.session, self.rules)
        self.finish_json({"session": view, "csrf_token": self.csrf_token})


class RotateHandler(BaseHandler):
    """`POST /api/session/rotate`"""

    access = Access.SESSION

    async def post(self) -> None:
        live = self.live
        if live and live.token is None:  # else rotation was due, and this request has its token
            live = self.adopt(await self.services.sessions.rotate(live))
        token = live.token if live else None
        self.finish_json({"generation": (token or self.session).generation})


class DataHandler(BaseHandler):
    """`/api/session/data`: the first write begins a session."""

    access = Access.PUBLIC

    def get(self) -> None:
        self.finish_json(dict(self.live.session.data) if self.live else {})

    async def patch(self) -> None:
        if self.live is None and self.presented_csrf_token():
            # Meant for a session that is over. A new one would hide that, and its cookie could
            # take the place of a newer sign-in's.
            raise ProblemRaised(self.why_unauthenticated)
        changes = read_json(self.request)
        if not isinstance(changes, dict):
            raise ProblemRaised(bad_request("The body must be a JSON object."))
        await self.write_data(changes)
        self.get()


class OwnSessions(ProvingHandler):
    """The acts on one's own sessions, shared by the API and the page."""

    async def end_one(self, sid: str) -> Receipt:
        """End one of one's own sessions.

        Raises:
            ProblemRaised: unknown and somebody else's are the same 404.
        """
        if sid == self.session.sid:
            return await self._end_own()
        listed = await self.own_session(sid)
        return await self.services.terminations.one(listed.session, Reason.TERMINATED)

    async def own_session(self, sid: str) -> ListedSession:
        """One of one's own sessions.

        Raises:
            ProblemRaised: unknown and somebody else's are the same 404.
        """
        for listed in await self.services.sessions.sessions_of(self.user):
            if listed.session.sid == sid:
                return listed
        await self._audit_reference(sid)
        raise ProblemRaised(SESSION_NOT_FOUND)

    async def _audit_reference(self, sid: str) -> None:
        """Tell of a try to end somebody else's session; what ended meanwhile is none."""
        if is_sid(sid) and isinstance(await self.services.sessions.current(sid), Session):
            self.audit(AuditEvent.DIRECT_REFERENCE, target=sid, path=self.request.path)

    async def end_scope(self, scope: str) -> Receipt:
        """End all `others`, or `all`, this one too.

        Raises:
            ProblemRaised: another scope.
        """
        if scope not in {"others", "all"}:
            raise ProblemRaised(bad_request("`scope` is `others` or `all`."))
        keep = self.session.sid if scope == "others" else None
        receipt = await self.services.terminations.all_of(self.user, Reason.TERMINATED, keep=keep)
        if scope == "all":
            self.clear_session_cookie()
        return receipt

    async def change_password(self, current: str, new: str, *, end_others: bool) -> Receipt | None:
        """Replace the password; this session goes on under a new token.

        Raises:
            ProblemRaised: the current password is wrong, or the new one will not do; or there
                were too many tries.
        """
        await self.prove_password(current, AuditEvent.PASSWORD_CHANGE_FAIL)
        if bad := await self.services.accounts.set_password(self.user, new):
            raise ProblemRaised(
                Problem(
                    400, "bad-password", "The password was not changed", bad.detail, case=bad.flaw
                )
            )
        self.audit(AuditEvent.PASSWORD_CHANGED)
        receipt = None
        if end_others:
            receipt = await self.services.terminations.all_of(
                self.user, Reason.CREDENTIAL_CHANGED, keep=self.session.sid
            )
        await self._change_token()
        return receipt

    async def _change_token(self) -> None:
        """Proved again, by the password; which alone is no proof where more is taken."""
        if self.live is None:
            return
        sessions, proved = self.services.sessions, self.session.two_factors
        if (await self.services.factors.factors_of(self.user)).enabled:
            self.adopt(await sessions.renew(self.live, two_factors=proved))
        else:
            self.adopt(await sessions.elevate(self.live))

    async def _end_own(self) -> Receipt:
        receipt = await self.services.terminations.one(self.session, Reason.LOGOUT)
        self.clear_session_cookie()
        return receipt


class SessionsResource(OwnSessions):
    """`/api/sessions`"""

    def required_access(self) -> Access:
        return Access.RECENT if self.changes_something else Access.SIGNED_IN

    async def get(self) -> None:
        listed = await self.services.sessions.sessions_of(self.user)
        views = [listed_view(each, self.session.sid) for each in listed]
        self.finish_json({"sessions": views})

    async def delete(self) -> None:
        scopes = self.get_query_arguments("scope")
        receipt = await self.end_scope(scopes[0] if len(scopes) == 1 else "")
        self.finish_receipt(receipt)


class OneSessionResource(OwnSessions):
    """`DELETE /api/sessions/{id}`"""

    access = Access.RECENT

    async def delete(self, sid: str) -> None:
        self.finish_receipt(await self.end_one(sid))


class PasswordResource(OwnSessions):
    """`PUT /api/password`"""

    access = Access.RECENT

    async def put(self) -> None:
        body = read_object(
            self.request,
            {"current_password": str, "new_password": str},
            {"end_other_sessions": bool},
        )
        receipt = await self.change_password(
            str(body["current_password"]),
            str(body["new_password"]),
            end_others=bool(body.get("end_other_sessions", True)),
        )
        if receipt:
            self.finish_receipt(receipt)
        else:
            self.finish_json({})
