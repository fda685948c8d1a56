"""Sign up: make an account, where people may do so themselves."""

from server.accounts.accounts import StoredAccounts
from server.accounts.outcomes import Denial, NameTaken, NotSignedUp
from server.accounts.requester import Requester
from server.accounts.throttle import Throttle
from server.core.account import Account
from server.core.audit import AuditEvent, Record
from server.core.hash_queue import Urgency
from server.core.throttling import Throttled
from server.crypto.hash_threads import hashing_for


class SignUp:
    """Makes accounts for people.

    Args:
        accounts: where they are made.
        throttle: counts accounts, and names that turned out to be taken: who tries many, looks for
            accounts.
        record: keeps the audit trail.
        is_open: whether people may make accounts themselves.
    """

    def __init__(
        self, accounts: StoredAccounts, throttle: Throttle, record: Record, *, is_open: bool
    ) -> None:
        self._accounts = accounts
        self._throttle = throttle
        self._record = record
        self._is_open = is_open

    async def by_password(
        self, username: str, password: str, requester: Requester
    ) -> Account | NotSignedUp | Denial | Throttled:
        """Make an account. Nobody is signed in by it.

        Args:
            username: as it was typed.
            password: as it was typed.
            requester: where the request comes from.

        Raises:
            HasherBusy: too many passwords are being hashed.
            StoreUnavailable: nothing is known.
        """
        if not self._is_open:
            return Denial.SIGN_UP_CLOSED
        async with self._throttle.sign_up(requester.device.ip) as attempt:
            if isinstance(attempt, Throttled):
                return attempt
            with hashing_for(requester.applicant(Urgency.SIGN_UP)):
                made = await self._accounts.create(username, password)
            if isinstance(made, NameTaken):
                await attempt.missed()
            elif isinstance(made, Account):
                await attempt.succeeded()
                await self._throttle.forget(made.user)
                self._record(AuditEvent.USER_CREATED, **requester.concerning(made.user))
                return made
            else:
                await attempt.withdrawn()
        return NotSignedUp(made)
