"""Second factors of one's own account: which there are, setting them up, removing them."""

from dataclasses import dataclass
from typing import cast

from handlers.api.second_factor import Credential, SecondFactor
from handlers.http.access import Access
from handlers.http.body import read_object
from handlers.http.factor_problems import (
    FACTOR_NOT_FOUND,
    NO_SECOND_FACTOR,
    NOT_ADDED,
)
from handlers.http.problems import ProblemRaised, bad_request
from server.accounts.second_factor_setup import Added, NotAdded, TotpSetup
from server.core.audit import AuditEvent
from server.core.factors import Factors, Method
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.session import Json, Session, owes_second_factor
from server.crypto.totp import totp_uri

END_OTHERS = {"end_other_sessions": bool}


@dataclass(frozen=True, slots=True)
class FactorChange:
    """What came of a change.

    Attributes:
        recovery_codes: new ones, which are shown this once.
        receipt: of the other sessions; None where they were kept.
    """

    recovery_codes: tuple[str, ...]
    receipt: Receipt | None

    def as_json(self) -> dict[str, object]:
        """As the API answers."""
        return {
            "recovery_codes": list(self.recovery_codes),
            "receipt": self.receipt.as_json() if self.receipt else None,
        }


class FactorActs(SecondFactor):
    """The acts themselves, shared by the API and the page."""

    access = Access.RECENT
    before_second_factor = True  # here it is set up

    async def is_proved(self, session: Session) -> bool:
        """Not by the password alone, where a second factor is owed and the account has one."""
        proved = await super().is_proved(session)
        if not proved or not owes_second_factor(session, self.rules):
            return proved
        return not (await self.services.factors.factors_of(self.user)).enabled

    def ends_others(self) -> bool:
        """Whether other sessions are to be ended, by the query; they are unless it says no.

        Raises:
            ProblemRaised: it says neither `true` nor `false`.
        """
        match self.get_query_arguments("end_other_sessions"):
            case [] | ["true"]:
                return True
            case ["false"]:
                return False
            case _:
                raise ProblemRaised(bad_request("`end_other_sessions` is `true` or `false`."))

    def uri_of(self, setup: TotpSetup) -> str:
        """What an app reads from a QR code."""
        return totp_uri(setup.secret, user=self.user, site=self.request.host)

    async def add_totp(self, setup: str, code: str, *, end_others: bool) -> FactorChange:
        """Set an app up that shows the right code.

        Raises:
            ProblemRaised: it does not, or there is one.
        """
        added = await self.services.factors.add_totp(self.user, setup, code)
        return await self._added(added, Method.TOTP, end_others=end_others)

    async def add_passkey(
        self, credential: Credential, name: str, *, end_others: bool
    ) -> FactorChange:
        """Keep a passkey that the browser made.

        Raises:
            ProblemRaised: it will not do.
        """
        added = await self.services.factors.add_passkey(self.user, self.site, credential, name)
        return await self._added(added, Method.PASSKEY, end_others=end_others)

    async def remove_totp(self, *, end_others: bool) -> FactorChange:
        """Remove the app.

        Raises:
            ProblemRaised: there is none.
        """
        left = await self.services.factors.remove_totp(self.user)
        return await self._removed(left, Method.TOTP, end_others=end_others)

    async def remove_passkey(self, identifier: str, *, end_others: bool) -> FactorChange:
        """Remove a passkey.

        Raises:
            ProblemRaised: there is none with this id.
        """
        left = await self.services.factors.remove_passkey(self.user, identifier)
        return await self._removed(left, Method.PASSKEY, end_others=end_others)

    async def renew_recovery_codes(self, *, end_others: bool) -> FactorChange:
        """Put new recovery codes in the place of the former ones.

        Raises:
            ProblemRaised: there is no factor that they could stand in for.
        """
        codes = await self.services.factors.renew_recovery_codes(self.user)
        if codes is None:
            raise ProblemRaised(NO_SECOND_FACTOR)
        self.audit(AuditEvent.FACTOR_ADDED, factor=Method.RECOVERY_CODE.value)
        proved = self.session.two_factors
        receipt = await self._seal_off(end_others=end_others, two_factors=proved)
        return FactorChange(codes, receipt)

    async def _added(
        self, added: Added | NotAdded, method: Method, *, end_others: bool
    ) -> FactorChange:
        if isinstance(added, NotAdded):
            raise ProblemRaised(NOT_ADDED[added])
        self.audit(AuditEvent.FACTOR_ADDED, factor=method.value)
        is_first = bool(added.recovery_codes)
        proved = self.session.two_factors or is_first  # beside the password, which is recent
        receipt = await self._seal_off(end_others=end_others, two_factors=proved)
        return FactorChange(added.recovery_codes, receipt)

    async def _removed(
        self, left: Factors | None, method: Method, *, end_others: bool
    ) -> FactorChange:
        if left is None:
            raise ProblemRaised(FACTOR_NOT_FOUND)
        self.audit(AuditEvent.FACTOR_REMOVED, factor=method.value)
        if self.rules.second_factor_required and not left.enabled:
            return FactorChange((), await self._end_all())
        if not left.enabled:
            await self.services.sessions.count_by_one_factor(self.user)
        proved = self.session.two_factors and left.enabled
        return FactorChange((), await self._seal_off(end_others=end_others, two_factors=proved))

    async def _end_all(self) -> Receipt:
        """End all sessions, this one too: no factor is left that could stand behind them.

        It is one step, which sign-ins that are under way do not survive either.
        """
        receipt = await self.services.terminations.all_of(self.user, Reason.CREDENTIAL_CHANGED)
        self.clear_session_cookie()
        return receipt

    async def _seal_off(self, *, end_others: bool, two_factors: bool) -> Receipt | None:
        """End the other sessions where that is wanted; this one goes on under a new token."""
        receipt = None
        if end_others:
            receipt = await self.services.terminations.all_of(
                self.user, Reason.CREDENTIAL_CHANGED, keep=self.session.sid
            )
        if self.live is not None:
            self.adopt(await self.services.sessions.renew(self.live, two_factors=two_factors))
        return receipt


class FactorsResource(FactorActs):
    """`GET /api/factors`"""

    access = Access.SIGNED_IN

    async def get(self) -> None:
        self.finish_json(factors_view(await self.services.factors.factors_of(self.user)))


class TotpResource(FactorActs):
    """`/api/totp`: POST begins, PUT sets up, DELETE removes."""

    def post(self) -> None:
        begun = self.services.factors.begin_totp(self.user)
        self.finish_json({"secret": begun.secret, "uri": self.uri_of(begun), "setup": begun.setup})

    async def put(self) -> None:
        body = read_object(self.request, {"setup": str, "code": str}, END_OTHERS)
        change = await self.add_totp(
            str(body["setup"]), str(body["code"]), end_others=_ends_others(body)
        )
        self.finish_json(change.as_json())

    async def delete(self) -> None:
        change = await self.remove_totp(end_others=self.ends_others())
        self.finish_json(change.as_json())


class RecoveryCodesResource(FactorActs):
    """`POST /api/recovery-codes`"""

    async def post(self) -> None:
        body = read_object(self.request, {}, END_OTHERS)
        change = await self.renew_recovery_codes(end_others=_ends_others(body))
        self.finish_json(change.as_json())


class PasskeyOptions(FactorActs):
    """`POST /api/passkeys/options`"""

    async def post(self) -> None:
        options = await self.services.factors.begin_passkey(self.user, self.site)
        self.finish_json(options or {})


class PasskeysResource(FactorActs):
    """`POST /api/passkeys`"""

    async def post(self) -> None:
        body = read_object(self.request, {"credential": dict, "name": str}, END_OTHERS)
        change = await self.add_passkey(
            cast("Credential", body["credential"]),
            str(body["name"]),
            end_others=_ends_others(body),
        )
        self.set_status(201)
        self.finish_json(change.as_json())


class OnePasskeyResource(FactorActs):
    """`DELETE /api/passkeys/{id}`"""

    async def delete(self, identifier: str) -> None:
        change = await self.remove_passkey(identifier, end_others=self.ends_others())
        self.finish_json(change.as_json())


def factors_view(factors: Factors) -> dict[str, Json]:
    """Second factors as their owner sees them: no secret, no key."""
    passkeys: list[Json] = [
        {
            "id": each.id,
            "name": each.name,
            "site": each.site,
            "added_at": each.added_at,
            "last_used_at": each.last_used_at,
        }
        for each in factors.passkeys
    ]
    return {
        "totp": {"added_at": factors.totp.added_at} if factors.totp else None,
        "passkeys": passkeys,
        "recovery_codes_left": factors.recovery_codes_left,
    }


def _ends_others(body: dict[str, Json]) -> bool:
    return bool(body.get("end_other_sessions", True))
