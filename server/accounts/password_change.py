"""Change one's own password: the current one is proved, other sessions end, the token changes."""

from dataclasses import dataclass

from server.accounts.accounts import StoredAccounts
from server.accounts.outcomes import Denial, PasswordNotChanged
from server.accounts.requester import Person
from server.accounts.second_factor_setup import SecondFactorSetup
from server.accounts.throttle import Throttle
from server.core.audit import AuditEvent, Record
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.throttling import Throttled
from server.crypto.hash_threads import hashing_for
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.sessions.verdicts import LiveSession


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The password was replaced.

    Attributes:
        receipt: of the other sessions; None where they were kept.
        session: this session under its new token, or why it ended meanwhile.
    """

    receipt: Receipt | None
    session: LiveSession | NoSession


class PasswordChange:
    """Replaces passwords of people who are signed in.

    Args:
        accounts: checks and replaces passwords.
        factors: tells whether the account has a second factor.
        throttle: counts tries at the current password.
        sessions: changes the token.
        terminations: ends the other sessions.
        record: keeps the audit trail.
    """

    def __init__(
        self,
        accounts: StoredAccounts,
        factors: SecondFactorSetup,
        throttle: Throttle,
        sessions: SessionManager,
        terminations: Terminations,
        record: Record,
    ) -> None:
        self._accounts = accounts
        self._factors = factors
        self._throttle = throttle
        self._sessions = sessions
        self._terminations = terminations
        self._record = record

    async def change(
        self, person: Person, current: str, new: str, *, end_others: bool
    ) -> PasswordChanged | PasswordNotChanged | Denial | Throttled:
        """Replace the password; this session goes on under a new token.

        Args:
            person: who is signed in.
            current: the current password, as it was typed.
            new: the new one, as it was typed.
            end_others: whether the account's other sessions end.

        Raises:
            HasherBusy: too many passwords are being checked; nothing was changed.
            StoreUnavailable: the change may have happened.
        """
        async with self._throttle.proof(person.user, person.sid, person.device.ip) as attempt:
            if isinstance(attempt, Throttled):
                return attempt
            with hashing_for(person.applicant):
                is_right = await self._accounts.verify(person.user, current) is not None
            if not is_right:
                attempt.failed()
                self._record(AuditEvent.PASSWORD_CHANGE_FAIL, **person.concerning())
                return Denial.WRONG_PASSWORD
            await attempt.succeeded()
        with hashing_for(person.applicant):
            bad = await self._accounts.set_password(person.user, new)
        if bad:
            return PasswordNotChanged(bad)
        self._record(AuditEvent.PASSWORD_CHANGED, **person.concerning())
        receipt = None
        if end_others:
            receipt = await self._terminations.all_of(
                person.user, Reason.CREDENTIAL_CHANGED, keep=person.sid
            )
        return PasswordChanged(receipt, await self._with_new_token(person))

    async def _with_new_token(self, person: Person) -> LiveSession | NoSession:
        """Change the token. The password alone is no proof where the account asks for more."""
        if (await self._factors.factors_of(person.user)).enabled:
            proved = person.live.session.two_factors
            return await self._sessions.renew(person.live, two_factors=proved)
        return await self._sessions.elevate(person.live)
