"""Prove again who is signed in: by the password and what else the account asks for, or a passkey.

The token changes at once, so that a copy of the old one gains nothing.
"""

from collections.abc import Mapping

from server.accounts.accounts import StoredAccounts
from server.accounts.outcomes import Denial, SecondFactorMissing
from server.accounts.password_proof import PasswordProof
from server.accounts.requester import Person
from server.accounts.second_factor_check import SecondFactorCheck
from server.accounts.throttle import Attempt, Throttle
from server.core.account import Account
from server.core.audit import AuditEvent, Record
from server.core.factor_policy import Proved, TooManyTries
from server.core.factors import Method
from server.core.reasons import NoSession
from server.core.session import Json
from server.core.throttling import Throttled
from server.crypto.hash_threads import hashing_for
from server.crypto.passkeys import Site
from server.sessions.manager import SessionManager
from server.sessions.verdicts import LiveSession

Elevated = LiveSession | NoSession
"""The session under its new token, unless it ended meanwhile."""


class Reauthentication:
    """Opens the reauthentication window.

    Args:
        accounts: checks passwords.
        check: checks second factors.
        throttle: counts tries.
        sessions: changes the token.
        record: keeps the audit trail.
    """

    def __init__(
        self,
        accounts: StoredAccounts,
        check: SecondFactorCheck,
        throttle: Throttle,
        sessions: SessionManager,
        record: Record,
    ) -> None:
        self._accounts = accounts
        self._check = check
        self._throttle = throttle
        self._sessions = sessions
        self._record = record

    async def by_password(
        self, person: Person, password: str, code: str
    ) -> Elevated | SecondFactorMissing | Denial | Throttled | TooManyTries:
        """Prove the password again, and a code where the account has a second factor.

        Args:
            person: who is signed in.
            password: as it was typed.
            code: as it was typed; empty if there was none.

        Raises:
            HasherBusy: too many passwords are being checked; nothing was learned.
            StoreUnavailable: nothing is known.
        """
        async with self._throttle.proof(person.user, person.sid, person.device.ip) as attempt:
            if isinstance(attempt, Throttled):
                return attempt
            with hashing_for(person.applicant):
                account = await self._accounts.verify(person.user, password)
            if account is None:
                attempt.failed()
                self._record(AuditEvent.LOGIN_FAIL, **person.concerning())
                return Denial.WRONG_PASSWORD
            if refusal := await self._refusal_of_code(person, account, code, attempt):
                return refusal
        elevated = await self._sessions.elevate(person.live, two_factors=account.factors.enabled)
        if isinstance(elevated, LiveSession):
            self._record(AuditEvent.REAUTHENTICATED, **person.concerning())
        return elevated

    async def passkey_options(self, site: Site | None, person: Person) -> dict[str, Json] | Denial:
        """Return what a browser needs to ask for a passkey of who is signed in.

        Args:
            site: where passkeys are good that are used at the request's address.
            person: who is signed in.
        """
        if site is None:
            return Denial.PASSKEYS_UNAVAILABLE
        return await self._check.reauthentication_options(site, person.user)

    async def by_passkey(
        self, site: Site | None, person: Person, credential: Mapping[str, Json]
    ) -> Elevated | Denial:
        """Prove a passkey in place of password and code.

        Args:
            site: as in `passkey_options`.
            person: who is signed in.
            credential: what the browser answered.
        """
        if site is None:
            return Denial.PASSKEYS_UNAVAILABLE
        result = await self._check.own_passkey(site, credential, person)
        if not isinstance(result.outcome, Proved):
            return Denial.WRONG_PASSKEY
        elevated = await self._sessions.elevate(person.live, two_factors=True)
        if isinstance(elevated, LiveSession):
            factor = Method.PASSKEY.value
            self._record(AuditEvent.REAUTHENTICATED, **person.concerning(), factor=factor)
        return elevated

    async def _refusal_of_code(
        self, person: Person, account: Account, code: str, attempt: Attempt
    ) -> SecondFactorMissing | Denial | TooManyTries | None:
        """Settle the try; return why it is refused, None if the account asks for no more."""
        if not account.factors.enabled:
            await attempt.succeeded()
            return None
        if not code:
            await attempt.withdrawn()
            return SecondFactorMissing(account.factors.methods)
        proof = PasswordProof(account.user, account.password_changes)
        result = await self._check.code(proof, code, person)
        await attempt.settle(result.outcome)
        match result.outcome:
            case Proved():
                return None
            case TooManyTries() as too_many:
                return too_many
        return Denial.WRONG_CODE
