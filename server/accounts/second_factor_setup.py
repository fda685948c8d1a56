"""Second factors of an account: setting them up and removing them.

Proving one is in `server.accounts.second_factor_check`. Callers decide who may do so, and how
recently the person must have been proved.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from server.accounts.outcomes import Denial, NotAdded
from server.core.account import Account
from server.core.context import NodeContext
from server.core.factors import (
    MAX_PASSKEYS,
    NO_FACTORS,
    PASSKEY_NAME_CHARACTERS,
    Factors,
    Passkey,
    RecoveryCodes,
    Totp,
    without_factors,
    without_passkey,
    without_totp,
)
from server.core.one_time_codes import (
    RECOVERY_CODE_BYTES,
    RECOVERY_CODES,
    RECOVERY_KEY_BYTES,
    hash_recovery_codes,
    matching_step,
    recovery_code,
    steps_around,
)
from server.core.session import Json
from server.core.token import make_sid
from server.crypto import passkeys
from server.crypto.challenges import Challenges, Use, from_text, to_text
from server.crypto.passkeys import Site
from server.crypto.totp import new_totp_secret, totp_codes
from server.store.account_contract import Accounts
from server.store.change_account import change_account
from server.store.names import shard_of_user
from server.store.single_use import SingleUseStore

HANDLE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Added:
    """A factor was set up.

    Attributes:
        recovery_codes: made with the first factor, and shown this once; else none.
    """

    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What an app is told, and what must come back with its first code."""

    secret: str = field(repr=False)
    setup: str = field(repr=False)


Change = Callable[[Factors], Factors | NotAdded]


class SecondFactorSetup:
    """Sets factors up and removes them.

    Args:
        accounts: where accounts are.
        challenges: makes and opens challenges.
        used: remembers which were used.
        shards: how many the store has.
        context: this node's clock and randomness.
    """

    def __init__(
        self,
        accounts: Accounts,
        challenges: Challenges,
        used: SingleUseStore,
        shards: int,
        context: NodeContext,
    ) -> None:
        self._accounts = accounts
        self._challenges = challenges
        self._used = used
        self._shards = shards
        self._context = context

    async def factors_of(self, user: str) -> Factors:
        """Return what the account has."""
        stored = await self._accounts.load(user)
        return stored.account.factors if stored else NO_FACTORS

    def begin_totp(self, user: str) -> TotpSetup:
        """Return a new secret for an app. Nothing is stored before its first code comes back."""
        secret = new_totp_secret()
        box = self._challenges.make(Use.TOTP_SETUP, {"user": user, "secret": secret})
        return TotpSetup(secret, to_text(box))

    def resume_totp(self, user: str, setup: str) -> TotpSetup | None:
        """Return the setup that was begun, if it is this user's and not too old."""
        challenge = self._challenges.open(Use.TOTP_SETUP, from_text(setup))
        if challenge is None or challenge.text("user") != user:
            return None
        return TotpSetup(challenge.text("secret"), setup)

    async def add_totp(self, user: str, setup: str, code: str) -> Added | NotAdded:
        """Set the app up, if it shows the right code; that code is used with it."""
        begun = self.resume_totp(user, setup)
        if begun is None:
            return NotAdded.EXPIRED
        now = self._context.now()
        step = matching_step(totp_codes(begun.secret, steps_around(now)), code)
        if step is None:
            return NotAdded.WRONG_CODE
        totp = Totp(begun.secret, step, now)
        return await self._add(
            user,
            lambda factors: NotAdded.ALREADY if factors.totp else replace(factors, totp=totp),
        )

    async def begin_passkey(self, user: str, site: Site | None) -> dict[str, Json] | Denial:
        """Return the options for making a passkey; empty without an account.

        Args:
            user: canonical name of the account.
            site: where passkeys are good that are made at the request's address.
        """
        if site is None:
            return Denial.PASSKEYS_UNAVAILABLE
        account = await change_account(
            self._accounts, user, self._with_handle, self._context.new_id
        )
        if account is None:
            return {}
        challenge = self._challenges.make(Use.NEW_PASSKEY, {"user": user})
        return passkeys.creation_options(
            site,
            user=user,
            handle=account.factors.handle,
            challenge=challenge,
            known=_ids_at(site, account.factors),
            shown_as=account.name,
        )

    async def add_passkey(
        self, user: str, site: Site, credential: Mapping[str, Json], name: str
    ) -> Added | NotAdded:
        """Keep a passkey that a browser made."""
        if not name.strip() or len(name) > PASSKEY_NAME_CHARACTERS or not name.isprintable():
            return NotAdded.BAD_NAME
        box = passkeys.registration_challenge(credential)
        challenge = self._challenges.open(Use.NEW_PASSKEY, box or b"")
        if box is None or challenge is None or challenge.text("user") != user:
            return NotAdded.EXPIRED
        made = passkeys.check_registration(credential, box, site)
        if made is None:
            return NotAdded.BAD_PASSKEY
        first = await self._used.claim(
            challenge.id, operation=self._context.new_id(), seconds=challenge.seconds_left
        )
        if not first:
            return NotAdded.EXPIRED
        passkey = Passkey(
            made.id, made.public_key, site.id, made.sign_count, name.strip(), self._context.now()
        )
        return await self._add(user, lambda factors: _with_passkey(factors, passkey))

    async def renew_recovery_codes(self, user: str) -> tuple[str, ...] | None:
        """Make new recovery codes in place of all former ones; None if there is no factor."""
        codes, kept = _new_recovery_codes()

        def change(account: Account) -> Account | None:
            factors = account.factors
            return _with(account, replace(factors, recovery=kept)) if factors.enabled else None

        changed = await change_account(self._accounts, user, change, self._context.new_id)
        return codes if changed else None

    async def remove_totp(self, user: str) -> Factors | None:
        """Remove the app; return what is left, None if there was no app."""
        return await self._remove(user, without_totp)

    async def remove_passkey(self, user: str, identifier: str) -> Factors | None:
        """Remove a passkey; return what is left, None if there was none with this id."""
        return await self._remove(user, lambda factors: without_passkey(factors, identifier))

    async def remove_all(self, user: str) -> bool:
        """Remove all second factors; return whether there were any."""
        return await self._remove(user, without_factors) is not None

    async def _add(self, user: str, change: Change) -> Added | NotAdded:
        codes, kept = _new_recovery_codes()
        result: Added | NotAdded = NotAdded.EXPIRED

        def add(account: Account) -> Account | None:
            nonlocal result
            added = change(account.factors)
            if isinstance(added, NotAdded):
                result = added
                return None
            result = Added(() if added.recovery else codes)
            return _with(account, added if added.recovery else replace(added, recovery=kept))

        changed = await change_account(self._accounts, user, add, self._context.new_id)
        return NotAdded.EXPIRED if isinstance(result, Added) and changed is None else result

    async def _remove(self, user: str, change: Callable[[Factors], Factors]) -> Factors | None:
        def remove(account: Account) -> Account | None:
            left = change(account.factors)
            return _with(account, left) if left != account.factors else None

        changed = await change_account(self._accounts, user, remove, self._context.new_id)
        return changed.factors if changed else None

    def _with_handle(self, account: Account) -> Account:
        if account.factors.handle:
            return account
        handle = make_sid(shard_of_user(account.user, self._shards), os.urandom(HANDLE_BYTES))
        return _with(account, replace(account.factors, handle=handle))


def _with(account: Account, factors: Factors) -> Account:
    return replace(account, factors=factors)


def _with_passkey(factors: Factors, passkey: Passkey) -> Factors | NotAdded:
    if factors.passkey(passkey.id):
        return NotAdded.ALREADY
    if len(factors.passkeys) >= MAX_PASSKEYS:
        return NotAdded.TOO_MANY
    return replace(factors, passkeys=(*factors.passkeys, passkey))


def _ids_at(site: Site, factors: Factors) -> list[str]:
    return [each.id for each in factors.passkeys if each.site == site.id]


def _new_recovery_codes() -> tuple[tuple[str, ...], RecoveryCodes]:
    """From the system's randomness (ASVS 5.0 6.5.3)."""
    codes = tuple(recovery_code(os.urandom(RECOVERY_CODE_BYTES)) for _ in range(RECOVERY_CODES))
    return codes, hash_recovery_codes(codes, os.urandom(RECOVERY_KEY_BYTES))
