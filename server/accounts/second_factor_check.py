"""Proving a second factor: after the password, in its place, and again later.

An answer is given only after the account was written with what the proof used up, and only if the
account still is what the proof was begun with: not disabled, under the same password.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.core.factor_policy import (
    FactorOutcome,
    Flaw,
    Judged,
    Wrong,
    judge_code,
    judge_passkey,
)
from server.core.factors import NO_FACTORS, Factors
from server.core.session import Json
from server.crypto import passkeys
from server.crypto.challenges import Challenge, Challenges, Use, from_text, to_text
from server.crypto.passkeys import Presented, Site
from server.crypto.totp import totp_codes
from server.store.accounts import Account, AccountStore, change_account
from server.store.contract import Epochs
from server.store.used_once import UsedOnce

NOT_READ: Final = Epochs("")


@dataclass(frozen=True, slots=True)
class PasswordProof:
    """A proof of the password, to which a second factor is owed.

    Attributes:
        user: whose password it was.
        password_changes: which of them it was.
        epochs: read before it was checked, where a sign-in is to be given them.
    """

    user: str
    password_changes: int
    epochs: Epochs = NOT_READ


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What the proof was begun with is no more: begin again."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a proof.

    Attributes:
        outcome: whether it was right.
        owing: whose it is, and what a sign-in must be given; None where nobody can be told.
        recovery_codes_left: after it.
    """

    outcome: FactorOutcome | Lapsed
    owing: PasswordProof | None = None
    recovery_codes_left: int = 0


WRONG_PASSKEY: Final = Proof(Wrong(Flaw.PASSKEY))


class SecondFactorCheck:
    """Checks second factors.

    Args:
        store: where accounts are.
        challenges: makes and opens challenges.
        used: remembers which were used.
        epochs: reads a user's epochs.
        now: the store's clock, in Unix seconds.
        new_id: makes operation ids.
    """

    def __init__(
        self,
        store: AccountStore,
        challenges: Challenges,
        used: UsedOnce,
        epochs: Callable[[str], Awaitable[Epochs]],
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._challenges = challenges
        self._used = used
        self._epochs = epochs
        self._now = now
        self._new_id = new_id

    def challenge(self, owing: PasswordProof) -> str:
        """What a client brings back with its second factor. It may be tried several times."""
        return to_text(self._challenges.make(Use.SECOND_FACTOR_OWED, _facts_of(owing)))

    def read_challenge(self, text: str) -> PasswordProof | None:
        """The proof of the password that a challenge stands for; None past its time."""
        challenge = self._challenges.open(Use.SECOND_FACTOR_OWED, from_text(text))
        return _owing_of(challenge) if challenge else None

    async def prove_code(self, owing: PasswordProof, code: str) -> Proof:
        """Prove a code of the app, or a recovery code."""
        return await self._prove(
            owing, lambda factors: judge_code(factors, totp_codes, code, self._now())
        )

    async def sign_in_options(self, site: Site, owing: PasswordProof | None) -> dict[str, Json]:
        """The options for signing in by a passkey; of this account alone after its password."""
        if owing is None:
            box = self._challenges.make(Use.SIGN_IN_BY_PASSKEY, {})
            return passkeys.request_options(site, challenge=box, known=())
        box = self._challenges.make(Use.SIGN_IN_BY_PASSKEY, _facts_of(owing))
        return await self._options(site, owing.user, box)

    async def reauthenticate_options(self, site: Site, user: str) -> dict[str, Json]:
        """The options for proving a passkey of who is signed in."""
        box = self._challenges.make(Use.REAUTHENTICATE_BY_PASSKEY, {"user": user})
        return await self._options(site, user, box)

    async def sign_in_by_passkey(self, site: Site, credential: Mapping[str, Json]) -> Proof:
        """Prove a passkey, which stands for the password too unless that was proved before."""
        given = passkeys.read_presented(credential)
        challenge = self._opened(Use.SIGN_IN_BY_PASSKEY, given)
        if given is None or challenge is None:
            return WRONG_PASSKEY
        if challenge.facts:
            return await self._prove_passkey(site, given, challenge, _owing_of(challenge))
        user = await self._store.user_of_handle(given.handle)
        if user is None:
            return WRONG_PASSKEY
        epochs = await self._epochs(user)  # before the account: whatever ends sessions meanwhile …
        stored = await self._store.load(user)
        if stored is None:
            return WRONG_PASSKEY
        owing = PasswordProof(user, stored.account.password_changes, epochs)
        return await self._prove_passkey(site, given, challenge, owing)  # … ends this as well

    async def reauthenticate_by_passkey(
        self, site: Site, user: str, credential: Mapping[str, Json]
    ) -> Proof:
        """Prove a passkey of who is signed in."""
        given = passkeys.read_presented(credential)
        challenge = self._opened(Use.REAUTHENTICATE_BY_PASSKEY, given)
        stored = await self._store.load(user)
        if not given or not challenge or not stored or challenge.text("user") != user:
            return WRONG_PASSKEY
        owing = PasswordProof(user, stored.account.password_changes)
        return await self._prove_passkey(site, given, challenge, owing)

    async def _prove_passkey(
        self, site: Site, given: Presented, challenge: Challenge, owing: PasswordProof
    ) -> Proof:
        stored = await self._store.load(owing.user)
        factors = stored.account.factors if stored else NO_FACTORS
        passkey = factors.passkey(given.id)
        # With a list of allowed ones, some authenticators leave the handle out (WebAuthn 7.2, 6).
        named = given.handle == factors.handle or (challenge.facts and not given.handle)
        if passkey is None or not named:
            return replace(WRONG_PASSKEY, owing=owing)
        count = passkeys.check_signature(given, passkey.public_key, site)
        if count is None or not await self._used.take(
            challenge.id, operation=self._new_id(), seconds=challenge.seconds_left
        ):
            return replace(WRONG_PASSKEY, owing=owing)
        return await self._prove(
            owing, lambda fresh: judge_passkey(fresh, given.id, count, self._now())
        )

    async def _prove(self, owing: PasswordProof, judge: Callable[[Factors], Judged]) -> Proof:
        """Judge by the account as it is when the use is written, and not before it is written."""
        proof = Proof(Lapsed(), owing)

        def use(account: Account) -> Account | None:
            nonlocal proof
            if account.disabled or account.password_changes != owing.password_changes:
                proof = Proof(Lapsed(), owing)
                return None
            judged = judge(account.factors)
            proof = Proof(judged.outcome, owing, judged.factors.recovery_codes_left)
            changed = judged.factors != account.factors
            return replace(account, factors=judged.factors) if changed else None

        await change_account(self._store, owing.user, use, self._new_id)
        return proof

    async def _options(self, site: Site, user: str, challenge: bytes) -> dict[str, Json]:
        stored = await self._store.load(user)
        known = stored.account.factors.passkeys if stored else ()
        return passkeys.request_options(
            site, challenge=challenge, known=[each.id for each in known if each.site == site.id]
        )

    def _opened(self, use: Use, given: Presented | None) -> Challenge | None:
        return self._challenges.open(use, given.challenge) if given else None


def _facts_of(owing: PasswordProof) -> dict[str, Json]:
    return {
        "user": owing.user,
        "password_changes": owing.password_changes,
        "epochs": [owing.epochs.shard, owing.epochs.user],
    }


def _owing_of(challenge: Challenge) -> PasswordProof:
    facts = challenge.facts
    shard, user = facts["epochs"]  # type: ignore[misc,str-unpack]  # as `_facts_of` wrote it
    changes = int(facts["password_changes"])  # type: ignore[arg-type]  # likewise
    return PasswordProof(str(facts["user"]), changes, Epochs(str(shard), str(user)))
