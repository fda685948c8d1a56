"""Check a second factor: after the password, in its place, and again later.

An answer is given only after the account was written with what the check used up, and only if the
account still is what the check was begun with: not disabled, under the same password.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.accounts.password_proof import PasswordProof, proof_in
from server.accounts.requester import Person, Requester
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.factor_policy import (
    FactorOutcome,
    Flaw,
    Judged,
    Proved,
    TooManyTries,
    Wrong,
    judge_code,
    judge_passkey,
)
from server.core.factors import NO_FACTORS, Factors, Method
from server.core.session import Json
from server.crypto import passkeys
from server.crypto.challenges import Challenge, Challenges, Use, from_text, to_text
from server.crypto.passkeys import Presented, Site
from server.crypto.totp import totp_codes
from server.store.account_contract import Accounts
from server.store.change_account import change_account
from server.store.contract import Epochs
from server.store.single_use import SingleUseStore


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What the check was begun with is no more: begin again."""


@dataclass(frozen=True, slots=True)
class SecondFactorResult:
    """What a check found.

    Attributes:
        outcome: whether the second factor was right.
        password_proof: whose it is, and what a sign-in must be given; None where nobody is known.
        recovery_codes_left: after it.
        spelling: of the user's name; see `Account`.
    """

    outcome: FactorOutcome | Lapsed
    password_proof: PasswordProof | None = None
    recovery_codes_left: int = 0
    spelling: str = ""

    @property
    def user(self) -> str:
        """Whose second factor it is; empty where nobody is known."""
        return self.password_proof.user if self.password_proof else ""


NOBODYS_PASSKEY: Final = SecondFactorResult(Wrong(Flaw.PASSKEY))


class SecondFactorCheck:
    """Checks codes and passkeys, and records in the audit trail what was refused.

    Args:
        accounts: where accounts are.
        challenges: makes and opens challenges.
        used: remembers which were used.
        epochs: reads a user's epochs.
        context: this node's clock, randomness and audit trail.
    """

    def __init__(
        self,
        accounts: Accounts,
        challenges: Challenges,
        used: SingleUseStore,
        epochs: Callable[[str], Awaitable[Epochs]],
        context: NodeContext,
    ) -> None:
        self._accounts = accounts
        self._challenges = challenges
        self._used = used
        self._epochs = epochs
        self._context = context

    def challenge(self, proof: PasswordProof) -> str:
        """Return what a client sends back with its second factor, more than once if need be."""
        return to_text(self._challenges.make(Use.SECOND_FACTOR_OWED, proof.as_facts()))

    def read_challenge(self, text: str) -> PasswordProof | None:
        """Return the proof of the password that a challenge stands for; None past its time."""
        challenge = self._challenges.open(Use.SECOND_FACTOR_OWED, from_text(text))
        return proof_in(challenge) if challenge else None

    async def code(
        self, proof: PasswordProof, code: str, requester: Requester | Person
    ) -> SecondFactorResult:
        """Check a code of the app, or a recovery code."""
        result = await self._use(
            proof, lambda factors: judge_code(factors, totp_codes, code, self._context.now())
        )
        return self._recorded(result, requester)

    async def sign_in_options(self, site: Site, proof: PasswordProof | None) -> dict[str, Json]:
        """Return the options for signing in by a passkey.

        Args:
            site: where passkeys of this server are good.
            proof: of the password, where it came first: then only its account's passkeys will do.
        """
        if proof is None:
            box = self._challenges.make(Use.SIGN_IN_BY_PASSKEY, {})
            return passkeys.request_options(site, challenge=box, known=())
        box = self._challenges.make(Use.SIGN_IN_BY_PASSKEY, proof.as_facts())
        return await self._options(site, proof.user, box)

    async def reauthentication_options(self, site: Site, user: str) -> dict[str, Json]:
        """Return the options for proving a passkey of who is signed in."""
        box = self._challenges.make(Use.REAUTHENTICATE_BY_PASSKEY, {"user": user})
        return await self._options(site, user, box)

    async def sign_in_passkey(
        self, site: Site, credential: Mapping[str, Json], requester: Requester
    ) -> SecondFactorResult:
        """Check a passkey, which stands for the password too unless that was proved before."""
        return self._recorded(await self._sign_in_passkey(site, credential), requester)

    async def own_passkey(
        self, site: Site, credential: Mapping[str, Json], person: Person
    ) -> SecondFactorResult:
        """Check a passkey of who is signed in."""
        return self._recorded(await self._own_passkey(site, credential, person.user), person)

    async def _sign_in_passkey(
        self, site: Site, credential: Mapping[str, Json]
    ) -> SecondFactorResult:
        given = passkeys.read_presented(credential)
        challenge = self._opened(Use.SIGN_IN_BY_PASSKEY, given)
        if given is None or challenge is None:
            return NOBODYS_PASSKEY
        if challenge.facts:
            return await self._use_passkey(site, given, challenge, proof_in(challenge))
        user = await self._accounts.user_of_handle(given.handle)
        if user is None:
            return NOBODYS_PASSKEY
        epochs = await self._epochs(user)  # before the account: whatever ends sessions meanwhile …
        stored = await self._accounts.load_to_change(user)
        if stored is None:
            return NOBODYS_PASSKEY
        proof = PasswordProof(user, stored.account.password_changes, epochs)
        return await self._use_passkey(site, given, challenge, proof)  # … ends this as well

    async def _own_passkey(
        self, site: Site, credential: Mapping[str, Json], user: str
    ) -> SecondFactorResult:
        given = passkeys.read_presented(credential)
        challenge = self._opened(Use.REAUTHENTICATE_BY_PASSKEY, given)
        stored = await self._accounts.load(user)
        if not given or not challenge or not stored or challenge.text("user") != user:
            return NOBODYS_PASSKEY
        proof = PasswordProof(user, stored.account.password_changes)
        return await self._use_passkey(site, given, challenge, proof)

    async def _use_passkey(
        self, site: Site, given: Presented, challenge: Challenge, proof: PasswordProof
    ) -> SecondFactorResult:
        stored = await self._accounts.load(proof.user)
        factors = stored.account.factors if stored else NO_FACTORS
        passkey = factors.passkey(given.id)
        # With a list of allowed ones, some authenticators leave the handle out (WebAuthn 7.2, 6).
        named = given.handle == factors.handle or (challenge.facts and not given.handle)
        if passkey is None or not named:
            return replace(NOBODYS_PASSKEY, password_proof=proof)
        count = passkeys.check_signature(given, passkey.public_key, site)
        if count is None or not await self._used.claim(
            challenge.id, operation=self._context.new_id(), seconds=challenge.seconds_left
        ):
            return replace(NOBODYS_PASSKEY, password_proof=proof)
        return await self._use(
            proof, lambda fresh: judge_passkey(fresh, given.id, count, self._context.now())
        )

    async def _use(
        self, proof: PasswordProof, judge: Callable[[Factors], Judged]
    ) -> SecondFactorResult:
        """Judge by the account as it is when the use is written, and not before it is written."""
        result = SecondFactorResult(Lapsed(), proof)

        def use(account: Account) -> Account | None:
            nonlocal result
            is_same = account.password_changes == proof.password_changes
            if not account.may_sign_in or not is_same:
                result = SecondFactorResult(Lapsed(), proof)
                return None
            judged = judge(account.factors)
            left = judged.factors.recovery_codes_left
            result = SecondFactorResult(judged.outcome, proof, left, account.spelling)
            changed = judged.factors != account.factors
            return replace(account, factors=judged.factors) if changed else None

        await change_account(self._accounts, proof.user, use, self._context.new_id)
        return result

    async def _options(self, site: Site, user: str, challenge: bytes) -> dict[str, Json]:
        stored = await self._accounts.load(user)
        known = stored.account.factors.passkeys if stored else ()
        return passkeys.request_options(
            site, challenge=challenge, known=[each.id for each in known if each.site == site.id]
        )

    def _opened(self, use: Use, given: Presented | None) -> Challenge | None:
        return self._challenges.open(use, given.challenge) if given else None

    def _recorded(
        self, result: SecondFactorResult, requester: Requester | Person
    ) -> SecondFactorResult:
        about = requester.concerning(result.user)
        match result.outcome:
            case Proved(Method.RECOVERY_CODE):
                left = result.recovery_codes_left
                self._context.record(AuditEvent.RECOVERY_CODE_USED, **about, left=left)
            case TooManyTries(wait):
                self._context.record(AuditEvent.LOGIN_THROTTLED, **about, by="codes", seconds=wait)
            case Wrong(flaw):
                self._context.record(AuditEvent.SECOND_FACTOR_FAIL, **about, why=flaw.value)
            case Lapsed():
                self._context.record(AuditEvent.SECOND_FACTOR_FAIL, **about, why="lapsed")
        return result
