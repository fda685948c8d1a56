"""An account in another database is changed first, and then its sessions end, whatever fails."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from curfew import Accounts
from examples.sql_accounts import open_accounts
from server.accounts.accounts import StoredAccounts
from server.accounts.outcomes import Denial
from server.accounts.requester import Requester
from server.accounts.sign_in import SignIn
from server.core.account import Account, PendingEnd
from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt, State
from server.core.session import Device
from server.services import Services, open_services
from server.sessions.creation import SignInInterrupted
from server.sessions.verdicts import LiveSession
from server.store import stepwise_ends
from server.store.account_contract import StoredAccount
from server.store.stepwise_ends import StepwiseEnds
from settings import load_settings
from tests.support.clients.client import PASSWORD
from tests.support.running.waiting import until

BROWSER = Requester(Device("Test/1", "192.0.2.1"))


@pytest.fixture
def opened(store_url: str, tmp_path: Path) -> Callable[[], AbstractAsyncContextManager[Services]]:
    """Opens a node whose accounts are in SQLite."""
    settings = load_settings({"CURFEW_DATA_DIR": str(tmp_path), "CURFEW_STORE_URL": store_url})
    url = f"sqlite+aiosqlite:///{tmp_path}/people.sqlite"
    return lambda: open_services(settings, accounts=lambda: open_accounts(url))


@pytest.fixture
async def services(
    opened: Callable[[], AbstractAsyncContextManager[Services]],
) -> AsyncIterator[Services]:
    """A node with two accounts: Ada's, and an administrator's."""
    async with opened() as services:
        ada = await services.accounts.create("ada", PASSWORD, admin=True)
        assert isinstance(ada, Account)
        root = replace(ada, user="root")
        await services.accounts._accounts.save(root, based_on=0, operation="root")
        yield services


@pytest.fixture
def ends(services: Services) -> StepwiseEnds:
    return cast("StepwiseEnds", services.account_changes._ends)


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return services.accounts._accounts


async def signed_in(services: Services) -> str:
    live = await services.sign_in.by_password("ada", PASSWORD, BROWSER)
    assert isinstance(live, LiveSession)
    return live.session.sid


async def reason_of(services: Services, sid: str) -> Reason | None:
    found = await services.sessions.current(sid)
    return found.reason if isinstance(found, NoSession) else None


async def test_deleting_ends_the_sessions_and_leaves_nothing(
    services: Services, accounts: Accounts
) -> None:
    sid = await signed_in(services)
    await services.activity.finish()
    receipt = await services.account_changes.delete("ada")
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.sessions) == (State.COMPLETE, 1)
    assert await reason_of(services, sid) is Reason.ACCOUNT_DELETED
    assert await accounts.load("ada") is None
    assert await accounts.administrators() == ["root"]
    assert isinstance(await services.accounts.create("ada", PASSWORD), Account)
    seen = [each.event for each in await services.activity.of("ada")]
    assert AuditEvent.LOGIN_SUCCESS not in seen


async def test_taking_the_role_ends_the_sessions_and_keeps_the_account(
    services: Services, accounts: Accounts
) -> None:
    sid = await signed_in(services)
    assert isinstance(await services.account_changes.take_role("ada"), Receipt)
    assert await reason_of(services, sid) is Reason.ADMIN
    stored = await accounts.load("ada")
    assert stored is not None
    assert (stored.account.admin, stored.account.pending_end) == (False, None)
    assert await services.account_changes.take_role("root") is Denial.LAST_ADMINISTRATOR


@pytest.mark.parametrize("act", ["delete", "take_role"])
async def test_an_end_that_was_begun_is_completed_by_whoever_comes_next(
    services: Services,
    ends: StepwiseEnds,
    accounts: Accounts,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
) -> None:
    sid = await signed_in(services)

    async def gone(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("end_user", "as if the process had died")

    with monkeypatch.context() as broken:
        broken.setattr(ends._sessions, "end_user", gone)
        with pytest.raises(StoreUnavailable):
            await getattr(services.account_changes, act)("ada")
    assert await accounts.unfinished() == ["ada"]
    denied = await services.sign_in.by_password("ada", PASSWORD, BROWSER)
    assert denied is Denial.WRONG_CREDENTIALS
    assert not isinstance(await services.accounts.create("ada", PASSWORD), Account)
    await ends.complete()
    assert await reason_of(services, sid) in {Reason.ADMIN, Reason.ACCOUNT_DELETED}
    assert await accounts.unfinished() == []
    assert (await accounts.load("ada") is None) is (act == "delete")


async def owe(accounts: Accounts, user: str) -> None:
    """Note in an account that an end is owed."""
    stored = await accounts.load(user)
    assert stored is not None
    owing = replace(stored.account, pending_end=PendingEnd(user, Reason.ADMIN, removes=False))
    assert await accounts.save(owing, based_on=stored.revision, operation=f"begun-{user}")


async def test_an_account_that_never_answers_keeps_no_later_look_waiting(
    ends: StepwiseEnds, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owe(accounts, "ada")
    real, asked = accounts.load_to_change, list[str]()
    monkeypatch.setattr(stepwise_ends, "STEP_LIMIT", timedelta(hours=1))
    monkeypatch.setattr(stepwise_ends, "LOOK_EVERY", timedelta(milliseconds=5))

    async def hangs(user: str) -> StoredAccount | None:
        asked.append(user)
        return await (real(user) if user == "root" else asyncio.Event().wait())  # type: ignore[return-value]

    async def root_is_done() -> bool:
        return await accounts.unfinished() == ["ada"]

    async def ada_is_asked() -> bool:
        return bool(asked)

    monkeypatch.setattr(accounts, "load_to_change", hangs)
    looking = asyncio.create_task(ends.run())
    await until(ada_is_asked)
    await owe(accounts, "root")
    async with asyncio.timeout(5):  # less than until the node's own next look
        await until(root_is_done)
    looking.cancel()
    assert asked.count("ada") == 1, "it is asked again when it has answered"


@pytest.mark.parametrize("why", ["store", "fault", "silence", "exit"])
async def test_an_account_that_fails_keeps_no_other_waiting(
    ends: StepwiseEnds, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    for user in ("ada", "root"):
        await owe(accounts, user)
    real = accounts.load_to_change
    monkeypatch.setattr(stepwise_ends, "STEP_LIMIT", timedelta(milliseconds=50))

    async def fails(user: str) -> StoredAccount | None:
        if user == "root":
            return await real(user)
        if why == "silence":
            await asyncio.Event().wait()
        if why == "exit":
            raise SystemExit(78)
        raise StoreUnavailable("accounts", "cut off") if why == "store" else KeyError("a column")

    with monkeypatch.context() as broken:
        broken.setattr(accounts, "load_to_change", fails)
        await ends.complete()
    assert await accounts.unfinished() == ["ada"]
    await ends.complete()
    assert await accounts.unfinished() == []


async def test_looks_go_on_when_the_accounts_cannot_be_listed(
    ends: StepwiseEnds, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: asyncio.Queue[None] = asyncio.Queue()

    async def fails() -> Collection[str]:
        looked.put_nowait(None)
        raise KeyError("a table")

    monkeypatch.setattr(accounts, "unfinished", fails)
    monkeypatch.setattr(stepwise_ends, "LOOK_EVERY", timedelta(0))
    looking = asyncio.create_task(ends.run())
    for _ in range(3):
        await asyncio.wait_for(looked.get(), 5)
    looking.cancel()


async def test_a_server_completes_at_its_start_what_another_has_begun(
    accounts: Accounts, opened: Callable[[], AbstractAsyncContextManager[Services]]
) -> None:
    stored = await accounts.load("ada")
    assert stored is not None
    owing = replace(stored.account, pending_end=PendingEnd("e1", Reason.ADMIN, removes=True))
    assert await accounts.save(owing, based_on=stored.revision, operation="begun")

    async def is_gone() -> bool:
        return await accounts.load("ada") is None

    async with opened():
        await until(is_gone)
    assert await accounts.unfinished() == []


async def test_what_began_to_be_removed_is_removed_whatever_comes_between(
    services: Services, ends: StepwiseEnds, accounts: Accounts
) -> None:
    stored = await accounts.load("ada")
    assert stored is not None
    owing = replace(stored.account, pending_end=PendingEnd("e1", Reason.ADMIN, removes=True))
    assert await accounts.save(owing, based_on=stored.revision, operation="begun")
    assert isinstance(await services.account_changes.take_role("ada"), Receipt)
    assert await accounts.load("ada") is None
    await ends.complete()


async def test_a_sign_in_that_saw_the_account_before_it_went_gets_no_session(
    services: Services,
) -> None:
    class Overtaken:
        """The real accounts; the account goes as soon as the password was right."""

        def __getattr__(self, name: str) -> Any:
            return getattr(services.accounts, name)

        async def verify(self, username: str, password: str) -> Account | None:
            found = await services.accounts.verify(username, password)
            assert isinstance(await services.account_changes.delete("ada"), Receipt)
            return found

    real = services.sign_in
    accounts = cast("StoredAccounts", Overtaken())
    sign_in = SignIn(accounts, real._check, real._throttle, services.sessions, real._record)
    assert await sign_in.by_password("ada", PASSWORD, BROWSER) == SignInInterrupted()
    assert await services.sessions.sessions_of("ada") == []


async def test_a_rename_takes_everything_along(services: Services, accounts: Accounts) -> None:
    sid = await signed_in(services)
    await services.renaming.rename("ada", "countess")
    assert await reason_of(services, sid) is Reason.ACCOUNT_RENAMED
    assert await accounts.load("ada") is None
    stored = await accounts.load("countess")
    assert stored is not None
    assert (stored.account.admin, stored.account.moved_from) == (True, "")
    assert set(await accounts.administrators()) == {"countess", "root"}
    assert isinstance(
        await services.sign_in.by_password("countess", PASSWORD, BROWSER), LiveSession
    )
