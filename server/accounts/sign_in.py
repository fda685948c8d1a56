"""Sign in: by password, by the code that follows it, or by a passkey.

The order makes it safe. A try is counted before anything of the account is looked at. The epochs
are read meanwhile, before the credentials are checked, so that whatever ends the user's sessions
from then on ends this sign-in as well. The session is created only when everything that the account
asks for was right.
"""

from collections.abc import Mapping

from server.accounts.accounts import StoredAccounts
from server.accounts.meanwhile import meanwhile
from server.accounts.outcomes import Denial, SecondFactorOwed
from server.accounts.password_proof import PasswordProof
from server.accounts.requester import Requester
from server.accounts.second_factor_check import Lapsed, SecondFactorCheck, SecondFactorResult
from server.accounts.throttle import Throttle
from server.accounts.user_names import canonical_username
from server.core.account import Account
from server.core.audit import AuditEvent, Record
from server.core.factor_policy import Proved, TooManyTries
from server.core.session import Json
from server.core.throttling import Throttled
from server.crypto.hash_threads import hashing_for
from server.crypto.passkeys import Site
from server.sessions.creation import SignInInterrupted
from server.sessions.manager import SessionManager
from server.sessions.verdicts import LiveSession
from server.store.contract import Epochs

SignedIn = LiveSession | SignInInterrupted
"""The new session, unless all of the user's sessions were ended meanwhile."""


class SignIn:
    """Begins sessions for people.

    Args:
        accounts: who may sign in.
        check: checks second factors.
        throttle: counts tries.
        sessions: makes the session.
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
        self, username: str, password: str, requester: Requester, *, remember: bool | None = None
    ) -> SignedIn | SecondFactorOwed | Denial | Throttled:
        """Begin a session if the credentials are right and all that the account asks for.

        Args:
            username: as it was typed.
            password: as it was typed.
            requester: whose browser gets the session; the session it has ends as `superseded`.
            remember: what was chosen for the cookie; see `Session`. A second factor that follows
                keeps it.

        Raises:
            HasherBusy: too many passwords are being checked; nothing was learned.
            StoreUnavailable: nothing is known.
        """
        user = canonical_username(username)
        known = user if isinstance(user, str) else ""
        async with (
            meanwhile(self._sessions.epochs(known)) as reading,
            self._throttle.sign_in(known or username, requester.device.ip) as attempt,
        ):
            if isinstance(attempt, Throttled):
                return attempt
            epochs = await reading
            with hashing_for(requester.applicant()):
                account = await self._accounts.verify(username, password)
            if account is None:
                attempt.failed()
                await self._record_failure(username, requester)
                return Denial.WRONG_CREDENTIALS
            if account.factors.enabled:
                await attempt.withdrawn()
                proof = PasswordProof(account.user, account.password_changes, epochs, remember)
                return SecondFactorOwed(account.factors.methods, self._check.challenge(proof))
            async with meanwhile(attempt.succeeded()) as counted:
                made = await self._begin(account, epochs, requester, remember=remember)
                await counted
        return made

    def user_of(self, challenge: str) -> str:
        """Return whose password a challenge proves; empty if it does not, or not any more."""
        proof = self._check.read_challenge(challenge)
        return proof.user if proof else ""

    async def by_code(
        self, challenge: str, code: str, requester: Requester
    ) -> SignedIn | Denial | Throttled | TooManyTries:
        """Begin a session by the code that follows the password. Raises as `by_password`.

        Args:
            challenge: that `by_password` answered with.
            code: of the app, or a recovery code; as it was typed.
            requester: as in `by_password`.
        """
        proof = self._check.read_challenge(challenge)
        if proof is None:
            return Denial.CHALLENGE_EXPIRED
        async with self._throttle.code(proof.user, requester.device.ip) as attempt:
            if isinstance(attempt, Throttled):
                return attempt
            result = await self._check.code(proof, code, requester)
            await attempt.settle(result.outcome)
        match result.outcome:
            case Proved():
                return await self._begin_proved(result, requester)
            case TooManyTries() as too_many:
                return too_many
            case Lapsed():
                return Denial.CHALLENGE_EXPIRED
        return Denial.WRONG_SECOND_FACTOR

    async def passkey_options(
        self, site: Site | None, challenge: str | None
    ) -> dict[str, Json] | Denial:
        """Return what a browser needs to ask for a passkey.

        Args:
            site: where passkeys are good that are used at the request's address.
            challenge: that `by_password` answered with; None without a password.
        """
        proof = self._check.read_challenge(challenge) if challenge is not None else None
        if challenge is not None and proof is None:
            return Denial.CHALLENGE_EXPIRED
        if site is None:
            return Denial.PASSKEYS_UNAVAILABLE
        return await self._check.sign_in_options(site, proof)

    async def by_passkey(
        self,
        site: Site | None,
        credential: Mapping[str, Json],
        requester: Requester,
        *,
        remember: bool | None = None,
    ) -> SignedIn | Denial:
        """Begin a session by a passkey, after the password or in its place.

        Args:
            site: as in `passkey_options`.
            credential: what the browser answered.
            requester: as in `by_password`.
            remember: likewise. What was chosen with the password counts more.
        """
        if site is None:
            return Denial.PASSKEYS_UNAVAILABLE
        result = await self._check.sign_in_passkey(site, credential, requester)
        if isinstance(result.outcome, Proved):
            return await self._begin_proved(result, requester, remember=remember)
        return Denial.PASSKEY_REFUSED

    async def _begin(
        self, account: Account, epochs: Epochs, requester: Requester, *, remember: bool | None
    ) -> SignedIn:
        made = await self._sessions.sign_in(
            account.user,
            epochs,
            requester.device,
            previous=requester.live,
            remember=remember,
            spelling=account.spelling,
        )
        if isinstance(made, LiveSession):
            self._record(AuditEvent.LOGIN_SUCCESS, user=account.user, sid=made.session.sid)
        return made

    async def _begin_proved(
        self, result: SecondFactorResult, requester: Requester, *, remember: bool | None = None
    ) -> SignedIn:
        proof = result.password_proof or PasswordProof("", 0)
        made = await self._sessions.sign_in(
            proof.user,
            proof.epochs,
            requester.device,
            previous=requester.live,
            two_factors=True,
            remember=remember if proof.remember is None else proof.remember,
            spelling=result.spelling,
        )
        if isinstance(made, LiveSession) and isinstance(result.outcome, Proved):
            sid, factor = made.session.sid, result.outcome.method.value
            self._record(AuditEvent.LOGIN_SUCCESS, user=proof.user, sid=sid, factor=factor)
        return made

    async def _record_failure(self, username: str, requester: Requester) -> None:
        """Record a failure, with its name if there is such an account.

        Other names are kept nowhere: people type passwords in their place.
        """
        account = await self._accounts.find(username)
        user = account.user if account else ""
        self._record(AuditEvent.LOGIN_FAIL, user=user, ip=requester.device.ip)
