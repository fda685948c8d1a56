"""Histories in which accounts are deleted: nobody stays signed in to one, or comes in behind it."""

import os
from typing import Any

import pytest

from server.accounts.sign_in import SignIn
from server.core.account import Account
from server.store.account_contract import StoredAccount
from server.store.contract import Conflict, Ended, Epochs
from tests.simulation.deleting import DELETING, Accounts
from tests.simulation.history import HistoryFailed, run_history
from tests.simulation.memory import Memory

HISTORIES = int(os.environ.get("CURFEW_HISTORIES", "3000")) // 30
FIRST_SEED = int(os.environ.get("CURFEW_FIRST_SEED", "0"))
WITHIN = 300
"""In so many histories, a broken deletion must be found."""


def test_nobody_is_served_of_an_account_that_is_gone() -> None:
    found = [_outcome(seed) for seed in range(FIRST_SEED, FIRST_SEED + max(1, HISTORIES))]
    assert [each for each in found if each] == []


def test_histories_find_a_deletion_that_lets_sign_ins_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    end_account = Memory.end_account

    def end_and_keep_the_epoch(memory: Memory, user: str, *rest: Any) -> Ended | Conflict:
        before = memory.user_epochs.get(user, "")
        ended = end_account(memory, user, *rest)
        memory.user_epochs[user] = before
        return ended

    monkeypatch.setattr(Memory, "end_account", end_and_keep_the_epoch)
    assert any("account" in _outcome(seed) for seed in range(WITHIN))


def test_histories_find_a_sign_in_that_reads_the_epochs_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = SignIn._begin

    async def begin_by_new_epochs(
        sign_in: SignIn, account: Account, epochs: Epochs, *rest: Any, **more: Any
    ) -> object:
        epochs = await sign_in._sessions.epochs(account.user)
        return await begin(sign_in, account, epochs, *rest, **more)

    monkeypatch.setattr(SignIn, "_begin", begin_by_new_epochs)
    assert any("account" in _outcome(seed) for seed in range(WITHIN))


def test_histories_find_a_deletion_in_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sessions end first, and only the next step removes the account."""

    async def end_and_then_remove(
        accounts: Accounts, user: str, _: StoredAccount | None, **end: Any
    ) -> Ended | Conflict:
        ended = await accounts.remote.end_user(user, keep=None, **end)
        await accounts.remote.forget_account(user)
        return ended

    monkeypatch.setattr(Accounts, "remove", end_and_then_remove)
    assert any("account" in _outcome(seed) for seed in range(WITHIN))


def _outcome(seed: int) -> str:
    try:
        run_history(seed, story=DELETING)
    except HistoryFailed as failed:
        return str(failed)
    return ""
