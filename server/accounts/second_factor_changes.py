"""Change one's own second factors: the change itself, and what follows for the account's sessions.

Other sessions end unless they are kept, and this one goes on under a new token. Where a second
factor is required and the last one is removed, this session ends as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.accounts.outcomes import Denial, NotAdded
from server.accounts.requester import Person
from server.accounts.second_factor_setup import Added, SecondFactorSetup
from server.core.audit import AuditEvent, Record
from server.core.factors import Factors, Method
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.session import Json
from server.crypto.passkeys import Site
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.sessions.verdicts import LiveSession


@dataclass(frozen=True, slots=True)
class FactorChange:
    """What came of a change.

    Attributes:
        recovery_codes: new ones, which are shown this once.
        receipt: of the sessions that ended; None where they were kept.
        session: this session under its new token, or why it ended meanwhile; None if the change
            ended it.
    """

    recovery_codes: tuple[str, ...] = field(repr=False)
    receipt: Receipt | None
    session: LiveSession | NoSession | None

    def as_json(self) -> dict[str, object]:
        """Return the change as the API answers it."""
        return {
            "recovery_codes": list(self.recovery_codes),
            "receipt": self.receipt.as_json() if self.receipt else None,
        }


class SecondFactorChanges:
    """Adds and removes second factors of people who are signed in.

    Args:
        setup: changes the account.
        sessions: changes the token.
        terminations: ends the other sessions.
        record: keeps the audit trail.
    """

    def __init__(
        self,
        setup: SecondFactorSetup,
        sessions: SessionManager,
        terminations: Terminations,
        record: Record,
    ) -> None:
        self._setup = setup
        self._sessions = sessions
        self._terminations = terminations
        self._record = record

    async def add_totp(
        self, person: Person, setup: str, code: str, *, end_others: bool
    ) -> FactorChange | NotAdded:
        """Set an app up that shows the right code."""
        added = await self._setup.add_totp(person.user, setup, code)
        return await self._after_adding(person, added, Method.TOTP, end_others=end_others)

    async def add_passkey(
        self,
        person: Person,
        site: Site | None,
        credential: Mapping[str, Json],
        name: str,
        *,
        end_others: bool,
    ) -> FactorChange | NotAdded | Denial:
        """Keep a passkey that the browser made."""
        if site is None:
            return Denial.PASSKEYS_UNAVAILABLE
        added = await self._setup.add_passkey(person.user, site, credential, name)
        return await self._after_adding(person, added, Method.PASSKEY, end_others=end_others)

    async def remove_totp(self, person: Person, *, end_others: bool) -> FactorChange | Denial:
        """Remove the app."""
        left = await self._setup.remove_totp(person.user)
        return await self._after_removing(person, left, Method.TOTP, end_others=end_others)

    async def remove_passkey(
        self, person: Person, identifier: str, *, end_others: bool
    ) -> FactorChange | Denial:
        """Remove the passkey with this id."""
        left = await self._setup.remove_passkey(person.user, identifier)
        return await self._after_removing(person, left, Method.PASSKEY, end_others=end_others)

    async def renew_recovery_codes(
        self, person: Person, *, end_others: bool
    ) -> FactorChange | Denial:
        """Put new recovery codes in the place of the former ones."""
        codes = await self._setup.renew_recovery_codes(person.user)
        if codes is None:
            return Denial.NO_SECOND_FACTOR
        factor = Method.RECOVERY_CODE.value
        self._record(AuditEvent.FACTOR_ADDED, **person.concerning(), factor=factor)
        proved = person.live.session.two_factors
        return await self._seal_off(person, codes, end_others=end_others, two_factors=proved)

    async def _after_adding(
        self, person: Person, added: Added | NotAdded, method: Method, *, end_others: bool
    ) -> FactorChange | NotAdded:
        if isinstance(added, NotAdded):
            return added
        self._record(AuditEvent.FACTOR_ADDED, **person.concerning(), factor=method.value)
        is_first = bool(added.recovery_codes)
        proved = person.live.session.two_factors or is_first  # beside the password, which is recent
        return await self._seal_off(
            person, added.recovery_codes, end_others=end_others, two_factors=proved
        )

    async def _after_removing(
        self, person: Person, left: Factors | None, method: Method, *, end_others: bool
    ) -> FactorChange | Denial:
        if left is None:
            return Denial.FACTOR_NOT_FOUND
        self._record(AuditEvent.FACTOR_REMOVED, **person.concerning(), factor=method.value)
        if self._sessions.rules.second_factor_required and not left.enabled:
            return await self._end_all(person)
        if not left.enabled:
            await self._sessions.count_by_one_factor(person.user)
        proved = person.live.session.two_factors and left.enabled
        return await self._seal_off(person, (), end_others=end_others, two_factors=proved)

    async def _end_all(self, person: Person) -> FactorChange:
        """End all sessions, this one too: no factor is left that could stand behind them.

        It is one step, which sign-ins that are under way do not survive either.
        """
        receipt = await self._terminations.all_of(person.user, Reason.CREDENTIAL_CHANGED)
        return FactorChange((), receipt, None)

    async def _seal_off(
        self, person: Person, codes: tuple[str, ...], *, end_others: bool, two_factors: bool
    ) -> FactorChange:
        """End the other sessions if asked to, and give this one a new token."""
        receipt = None
        if end_others:
            receipt = await self._terminations.all_of(
                person.user, Reason.CREDENTIAL_CHANGED, keep=person.sid
            )
        session = await self._sessions.renew(person.live, two_factors=two_factors)
        return FactorChange(codes, receipt, session)
