"""Two uses of one code that have both read the account before either has written it: one wins."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import pytest
from redis.asyncio import Redis

from server.accounts.password_proof import PasswordProof
from server.accounts.requester import Requester
from server.accounts.second_factor_check import SecondFactorCheck
from server.core.account import Account
from server.core.factor_policy import Proved, Wrong
from server.core.factors import Factors, Passkey, Totp
from server.core.one_time_codes import hash_recovery_codes, recovery_code, step_at
from server.core.session import Device
from server.crypto.challenges import Challenges
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.crypto.totp import new_totp_secret, totp_codes
from server.store.account_contract import Accounts, StoredAccount
from server.store.accounts import AccountStore
from server.store.change_account import change_account
from server.store.contract import Epochs
from server.store.scripts import Scripts
from server.store.single_use import SingleUseStore
from tests.support.engine.quiet import Unaudited, quiet_context
from tests.support.engine.store_client import open_store_client

NOW = 3_000_000.0
SECRET = new_totp_secret()
CODE = totp_codes(SECRET, [step_at(NOW)])[step_at(NOW)]
RECOVERY = recovery_code(bytes(15))
OWING = PasswordProof("ada", 0)
REQUESTER = Requester(Device())


class MeetingStore(AccountStore):
    """The real one, but that the first two loads wait for each other."""

    def __init__(self, client: Redis) -> None:
        self.sealer = Sealer(Keyring.from_secrets([hashlib.sha256(b"key").digest()]))
        super().__init__(client, Scripts(client), self.sealer, 1, Unaudited())
        self.used = SingleUseStore(client, 1)
        self._loads = 0
        self._met = asyncio.Event()

    async def load(self, user: str) -> StoredAccount | None:
        """Load, and wait for the other."""
        loaded = await super().load(user)
        self._loads += 1
        if self._loads == 2:
            self._met.set()
        await self._met.wait()
        return loaded


def new_id() -> str:
    return os.urandom(16).hex()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[MeetingStore]:
    """With Ada's account."""
    async with open_store_client(store_url) as client:
        store = MeetingStore(client)
        factors = Factors(
            totp=Totp(SECRET, 0, NOW),
            passkeys=(Passkey("id", "key", "localhost", 0, "key", NOW),),
            recovery=hash_recovery_codes([RECOVERY], bytes(32)),
        )
        account = Account("ada", "hash", False, False, NOW, factors=factors)
        assert await store.save(account, based_on=0, operation=new_id())
        yield store


@pytest.fixture
def check(store: MeetingStore) -> SecondFactorCheck:
    async def epochs(_: str) -> Epochs:
        return Epochs("")

    challenges = Challenges(store.sealer, lambda: NOW, str)
    accounts = cast("Accounts", store)  # the part that it asks
    return SecondFactorCheck(accounts, challenges, store.used, epochs, quiet_context(lambda: NOW))


@pytest.mark.proves("6.5.1")
@pytest.mark.parametrize("code", [CODE, RECOVERY], ids=["app", "recovery"])
async def test_of_two_uses_of_one_code_that_met_one_wins(
    check: SecondFactorCheck, code: str
) -> None:
    proofs = await asyncio.gather(
        check.code(OWING, code, REQUESTER), check.code(OWING, code, REQUESTER)
    )
    kinds = [type(proof.outcome) for proof in proofs]
    assert sorted(kinds, key=str) == [Proved, Wrong]


async def test_two_wrong_codes_that_met_are_both_counted(
    check: SecondFactorCheck, store: MeetingStore
) -> None:
    wrong = f"{(int(CODE) + 1) % 10**6:06d}"
    await asyncio.gather(check.code(OWING, wrong, REQUESTER), check.code(OWING, wrong, REQUESTER))
    stored = await store.load("ada")
    assert stored is not None
    assert stored.account.factors.wrong_codes == 2


async def test_what_is_taken_again_after_a_lost_reply_is_still_the_first_use(
    store: MeetingStore,
) -> None:
    used = store.used
    assert await used.claim("challenge", operation="first", seconds=9)
    assert await used.claim("challenge", operation="first", seconds=9)
    assert not await used.claim("challenge", operation="second", seconds=9)


async def test_a_code_is_judged_by_the_account_as_it_is_when_its_use_is_written(
    check: SecondFactorCheck, store: MeetingStore
) -> None:
    disabling = change_account(
        store, "ada", lambda account: replace(account, disabled=True), new_id
    )
    proof, disabled = await asyncio.gather(check.code(OWING, CODE, REQUESTER), disabling)
    assert disabled is not None
    stored = await store.load("ada")
    assert stored is not None
    was_first = isinstance(proof.outcome, Proved)
    assert (stored.account.factors.totp == Totp(SECRET, 0, NOW)) is not was_first
