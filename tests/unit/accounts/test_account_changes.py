"""Deleting accounts, and the role of an administrator: what ends, what is left, who comes first."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from server.accounts.account_changes import AccountChanges
from server.accounts.outcomes import Denial, SecondFactorOwed
from server.accounts.requester import Person, Requester
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.errors import WriteConflict
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.throttling import Throttled
from server.services import Services
from server.sessions.creation import SignInInterrupted
from server.sessions.verdicts import LiveSession
from server.store.contract import Conflict
from tests.support.clients.client import PASSWORD
from tests.support.servers.valkey import ValkeyServer
from tests.unit.accounts.conftest import code_of, rooms_of

Recorded = Callable[[], Counter[AuditEvent]]


@pytest.fixture
def changes(services: Services) -> AccountChanges:
    return services.account_changes


async def test_deleting_ends_all_sessions_with_its_reason_and_leaves_no_account(
    services: Services, changes: AccountChanges, person: Person, recorded: Recorded
) -> None:
    receipt = await changes.delete("ada")
    assert isinstance(receipt, Receipt)
    assert receipt.sessions == 1
    gone = await services.sessions.current(person.sid)
    assert isinstance(gone, NoSession)
    assert (gone.reason, gone.end_id) == (Reason.ACCOUNT_DELETED, receipt.end_id)
    assert await services.accounts.find("ada") is None
    assert recorded()[AuditEvent.USER_DELETED] == 1
    assert await changes.delete("ada") is Denial.ACCOUNT_NOT_FOUND


async def test_of_a_deleted_account_only_the_epoch_and_two_notes_stay_for_a_while(
    services: Services, changes: AccountChanges, person: Person, valkey: ValkeyServer
) -> None:
    begun = services.factors.begin_totp("ada")
    code = code_of(begun.secret, services.clock.now())
    await services.factor_changes.add_totp(person, begun.setup, code, end_others=False)
    await services.activity.finish()
    await changes.delete("ada")
    with valkey.client() as raw:
        named = {key for key in raw.scan_iter() if key.endswith(b":ada")}
        assert named == {b"curfew:{00}:epoch:ada", b"curfew:{00}:removed:ada"}
        assert all(0 < raw.pttl(key) <= 86_400_000 for key in named)
        assert raw.zrange("curfew:{00}:accounts", 0, -1) == []
        assert not list(raw.scan_iter("*handle*"))


async def test_an_account_of_the_same_name_inherits_nothing(
    services: Services, changes: AccountChanges, person: Person, visitor: Requester
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    await changes.make_administrator("ada")
    begun = services.factors.begin_totp("ada")
    code = code_of(begun.secret, services.clock.now())
    await services.factor_changes.add_totp(person, begun.setup, code, end_others=False)
    owed = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert isinstance(owed, SecondFactorOwed)
    epochs = await services.sessions.epochs("ada")
    await services.rooms.create("den")
    await services.rooms.add("den", user="ada")
    await changes.delete("ada")

    other = PASSWORD[::-1]
    made = await services.accounts.create("ada", other)
    assert isinstance(made, Account)
    assert not made.admin
    assert not made.factors.enabled
    assert isinstance(await services.sessions.current(person.sid), NoSession)
    assert await services.sign_in.by_password("ada", PASSWORD, visitor) is Denial.WRONG_CREDENTIALS
    code = code_of(begun.secret, services.clock.now() + 30)
    late = await services.sign_in.by_code(owed.challenge, code, visitor)
    assert late is Denial.WRONG_SECOND_FACTOR or late is Denial.CHALLENGE_EXPIRED
    begins = await services.sessions.sign_in("ada", epochs, visitor.device, None)
    assert isinstance(begins, SignInInterrupted)
    assert isinstance(await services.sign_in.by_password("ada", other, visitor), LiveSession)
    assert await rooms_of(services, "ada") == []
    assert [each.event for each in await services.activity.of("ada")] != [AuditEvent.FACTOR_ADDED]


async def test_a_write_that_is_based_on_the_deleted_account_does_not_reach_the_new_one(
    services: Services, changes: AccountChanges, ada: Account
) -> None:
    store = changes._accounts
    before = await store.load("ada")
    assert before is not None
    await changes.delete("ada")
    await services.accounts.create("ada", PASSWORD[::-1])
    late = replace(ada, admin=True)
    assert not await store.save(late, based_on=before.revision, operation="late")
    after = await store.load("ada")
    assert after is not None
    assert after.revision > before.revision
    assert not after.account.admin


async def test_a_deletion_that_waited_too_long_leaves_alone_who_has_the_name_by_now(
    services: Services,
    changes: AccountChanges,
    person: Person,
    visitor: Requester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give_up_role = changes._give_up_role
    new: list[object] = []

    async def paused(user: str, *, may_be_last: bool) -> Denial | None:
        denial = await give_up_role(user, may_be_last=may_be_last)
        if not new:
            new.append(user)
            await changes.delete(user)
            await services.accounts.create(user, PASSWORD[::-1])
            new.append(await services.sign_in.by_password(user, PASSWORD[::-1], visitor))
        return denial

    monkeypatch.setattr(changes, "_give_up_role", paused)
    with pytest.raises(WriteConflict):
        await changes.delete_own(person)
    gone = await changes.delete_own(person)
    assert isinstance(gone, NoSession)
    assert gone.reason is Reason.ACCOUNT_DELETED
    live = new[1]
    assert isinstance(live, LiveSession)
    assert not isinstance(await services.sessions.current(live.session.sid), NoSession)


@pytest.mark.parametrize("again", [True, False], ids=["signed up again", "not"])
async def test_throttling_is_not_inherited(
    services: Services, changes: AccountChanges, ada: Account, visitor: Requester, *, again: bool
) -> None:
    assert isinstance(await services.sign_in.by_password("ada", PASSWORD, visitor), LiveSession)
    for _ in range(11):
        await services.sign_in.by_password("ada", "wrong", visitor)
    assert isinstance(await services.sign_in.by_password("ada", "wrong", visitor), Throttled)
    await changes.delete(ada.user)
    if again:
        await services.accounts.create("ada", PASSWORD)
    tried = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert isinstance(tried, LiveSession) if again else tried is Denial.WRONG_CREDENTIALS


async def test_the_last_administrator_stays_unless_it_is_meant(
    services: Services, changes: AccountChanges
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    assert await changes.delete("root") is Denial.LAST_ADMINISTRATOR
    assert await changes.take_role("root") is Denial.LAST_ADMINISTRATOR
    await services.accounts.create("second", PASSWORD, admin=True)
    await services.accounts.set_disabled("second", disabled=True)
    assert await changes.take_role("root") is Denial.LAST_ADMINISTRATOR
    await services.accounts.set_disabled("second", disabled=False)
    assert isinstance(await changes.take_role("root"), Receipt)
    assert await changes.delete("second") is Denial.LAST_ADMINISTRATOR
    assert isinstance(await changes.delete("second", may_be_last=True), Receipt)


async def test_of_two_administrators_who_remove_each_other_at_once_one_stays(
    services: Services, changes: AccountChanges
) -> None:
    await services.accounts.create("disabled", PASSWORD, admin=True)
    await services.accounts.set_disabled("disabled", disabled=True)
    for round_ in range(10):
        names = [f"a-{round_}", f"b-{round_}"]
        for name in names:
            await services.accounts.create(name, PASSWORD, admin=True)
        outcomes = await asyncio.gather(*map(changes.take_role, names))
        left = [name for name in names if (await _found(services, name)).admin]
        assert len(left) == 1
        assert sorted(isinstance(each, Receipt) for each in outcomes) == [False, True]
        await changes.take_role(left[0], may_be_last=True)


async def _found(services: Services, name: str) -> Account:
    account = await services.accounts.find(name)
    assert account is not None
    return account


async def test_the_role_is_given_without_an_end_and_taken_with_one(
    services: Services, changes: AccountChanges, person: Person
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    assert isinstance(await changes.make_administrator("ada"), Account)
    assert isinstance(await services.sessions.touch(person.sid), type(person.live.session))
    receipt = await changes.take_role("ada")
    assert isinstance(receipt, Receipt)
    assert receipt.sessions == 1
    gone = await services.sessions.current(person.sid)
    assert isinstance(gone, NoSession)
    assert gone.reason is Reason.ADMIN
    assert not (await _found(services, "ada")).admin
    assert await changes.make_administrator("nobody") is Denial.ACCOUNT_NOT_FOUND
    assert await changes.take_role("nobody") is Denial.ACCOUNT_NOT_FOUND


async def test_of_a_deletion_and_sign_ins_at_once_nobody_stays_signed_in(
    services: Services, changes: AccountChanges, visitor: Requester
) -> None:
    for number in range(20):
        name = f"racer-{number}"
        await services.accounts.create(name, PASSWORD)
        first, *made = await asyncio.gather(
            changes.delete(name),
            *(services.sign_in.by_password(name, PASSWORD, visitor) for _ in range(4)),
        )
        assert isinstance(first, Receipt)
        for each in made:
            if isinstance(each, LiveSession):
                gone = await services.sessions.current(each.session.sid)
                assert isinstance(gone, NoSession)
        assert await services.sessions.sessions_of(name) == []


async def test_of_two_deletions_at_once_both_end_well(
    services: Services, changes: AccountChanges, person: Person
) -> None:
    outcomes = await asyncio.gather(changes.delete("ada"), changes.delete("ada"))
    assert any(isinstance(each, Receipt) for each in outcomes)
    assert all(isinstance(each, Receipt) or each is Denial.ACCOUNT_NOT_FOUND for each in outcomes)
    assert await services.accounts.find("ada") is None
    assert isinstance(await services.sessions.current(person.sid), NoSession)


async def test_a_deletion_that_always_loses_changes_nothing(
    services: Services, changes: AccountChanges, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object, **__: object) -> Conflict:
        return Conflict()

    monkeypatch.setattr(changes._ends, "remove", lose)
    with pytest.raises(WriteConflict):
        await changes.delete(ada.user)
    assert await services.accounts.find("ada") is not None


async def test_accounts_are_listed_a_page_at_a_time(
    services: Services, changes: AccountChanges
) -> None:
    for name in ("cleo", "ada", "bob"):
        await services.accounts.create(name, PASSWORD)
    first = await changes.page(limit=2)
    assert [each.user for each in first.accounts] == ["ada", "bob"]
    second = await changes.page(first.following, limit=2)
    assert ([each.user for each in second.accounts], second.following) == (["cleo"], "")


@pytest.mark.parametrize("variables", [{"SHARDS": "7"}])
async def test_the_list_is_in_order_over_all_shards(
    services: Services, changes: AccountChanges
) -> None:
    names = [f"user-{number:02d}" for number in range(20)]
    for name in reversed(names):
        await services.accounts.create(name, PASSWORD)
    found, after = [], ""
    while True:
        page = await changes.page(after, 3)
        found += [each.user for each in page.accounts]
        if not (after := page.following):
            break
    assert found == names


async def test_accounts_from_before_the_list_are_on_it(
    services: Services, changes: AccountChanges, valkey: ValkeyServer
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    await services.accounts.create("ada", PASSWORD)
    with valkey.client() as raw:
        _forget_index(raw)
    index = changes._accounts.page.__self__  # type: ignore[attr-defined]
    index._is_complete = False  # as another process has it
    assert [each.user for each in (await changes.page()).accounts] == ["ada", "root"]
    assert await changes.take_role("root") is Denial.LAST_ADMINISTRATOR


def _forget_index(raw: redis.Redis) -> None:
    raw.delete("curfew:{00}:accounts", "curfew:{00}:administrators", "curfew:{00}:listed")
