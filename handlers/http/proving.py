"""Handlers that check a password or a code: every try is counted before it is looked at."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from handlers.http.base import BaseHandler
from handlers.http.problems import WRONG_PASSWORD, ProblemRaised, throttled
from server.accounts.throttle import Attempt
from server.core.audit import AuditEvent
from server.core.credentials import canonical_username
from server.core.throttling import Throttled


class ProvingHandler(BaseHandler):
    """Base of those handlers."""

    def signing_in(self, username: str) -> AbstractAsyncContextManager[Attempt]:
        """A try at signing in.

        Args:
            username: as it was typed.

        Raises:
            ProblemRaised: it may not be made yet. Nothing was looked at.
        """
        user = canonical_username(username)
        name = user if isinstance(user, str) else username
        return self._admitted(self.services.throttle.sign_in(name, self.device.ip))

    def signing_in_by_code(self, user: str) -> AbstractAsyncContextManager[Attempt]:
        """A try at the code, of somebody whose password was right. Raises as `signing_in`."""
        return self._admitted(self.services.throttle.code(user, self.device.ip))

    def signing_up(self) -> AbstractAsyncContextManager[Attempt]:
        """A try at making an account. Raises as `signing_in`."""
        return self._admitted(self.services.throttle.sign_up(self.device.ip))

    def proving(self) -> AbstractAsyncContextManager[Attempt]:
        """A try of who is signed in to prove it again. Raises as `signing_in`."""
        throttle = self.services.throttle
        return self._admitted(throttle.proof(self.user, self.session.sid, self.device.ip))

    async def prove_password(self, password: str, on_failure: AuditEvent) -> None:
        """Check the password of who is signed in.

        Args:
            password: as it was typed.
            on_failure: what is remembered of a wrong one.

        Raises:
            ProblemRaised: it is wrong, or there were too many tries.
        """
        async with self.proving() as attempt:
            if not await self.services.accounts.verify(self.user, password):
                attempt.failed()
                self.audit(on_failure)
                raise ProblemRaised(WRONG_PASSWORD)
            await attempt.succeeded()

    async def audit_failed_sign_in(self, username: str) -> None:
        """Remember a failure, with its name if there is such an account.

        Other names are not told to anybody: people type passwords in their place.
        """
        account = await self.services.accounts.find(username)
        user = account.user if account else ""
        self.services.audit.record(AuditEvent.LOGIN_FAIL, user=user, ip=self.device.ip)

    @asynccontextmanager
    async def _admitted(
        self, begun: AbstractAsyncContextManager[Attempt | Throttled]
    ) -> AsyncIterator[Attempt]:
        async with begun as attempt:
            if isinstance(attempt, Throttled):
                # Without a name: to look it up would tell by its time whether there is an account.
                self.services.audit.record(
                    AuditEvent.LOGIN_THROTTLED,
                    ip=self.device.ip,
                    by=attempt.by.value,
                    seconds=attempt.wait.total_seconds(),
                )
                raise ProblemRaised(throttled(attempt.wait))
            yield attempt
