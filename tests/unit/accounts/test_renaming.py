"""Renaming: all of the account is under the new name, and no step leaves two that can sign in."""

import asyncio
from dataclasses import replace

import pytest

from server.accounts.outcomes import (
    Denial,
    NameTaken,
    NotAdded,
    NotRenamed,
    SecondFactorOwed,
)
from server.accounts.renaming import Renamed, Renaming
from server.accounts.requester import Person, Requester
from server.core.account import Account
from server.core.credentials import BadUsername
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.crypto.passkeys import Site
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.client import PASSWORD
from tests.unit.accounts.conftest import code_of, rooms_of

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))
SHARDS = pytest.mark.parametrize("variables", [{}, {"SHARDS": "50"}], ids=["1 shard", "50 shards"])


@pytest.fixture
def renaming(services: Services) -> Renaming:
    return services.renaming


@SHARDS
async def test_everything_of_the_account_is_under_the_new_name(
    services: Services, renaming: Renaming, person: Person, visitor: Requester
) -> None:
    device = Authenticator(ORIGIN)
    options = await services.factors.begin_passkey("ada", SITE)
    assert isinstance(options, dict)
    await services.factors.add_passkey("ada", SITE, device.make(options), "key")
    await services.accounts.create("root", PASSWORD, admin=True)
    await services.account_changes.make_administrator("ada")
    await services.activity.finish()
    await services.rooms.create("den")
    await services.rooms.add("den", user="ada")

    renamed = await renaming.rename("ada", "Countess")
    assert isinstance(renamed, Renamed)
    assert (renamed.user, renamed.receipt.sessions) == ("countess", 1)
    gone = await services.sessions.current(person.sid)
    assert isinstance(gone, NoSession)
    assert gone.reason is Reason.ACCOUNT_RENAMED
    former, account = [await services.accounts.find(name) for name in ("ada", "countess")]
    assert former is None
    assert account is not None
    assert (account.admin, account.moving_to, account.moved_from) == (True, "", "")
    assert await services.activity.of("countess")
    assert [await rooms_of(services, name) for name in ("ada", "countess")] == [[], ["den"]]

    by_old = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert by_old is Denial.WRONG_CREDENTIALS
    owed = await services.sign_in.by_password("countess", PASSWORD, visitor)
    assert isinstance(owed, SecondFactorOwed)
    asked = await services.sign_in.passkey_options(SITE, None)
    assert isinstance(asked, dict)
    live = await services.sign_in.by_passkey(SITE, device.use(asked), visitor)
    assert isinstance(live, LiveSession)
    assert live.session.user == "countess"
    assert isinstance(await services.account_changes.delete("countess"), Receipt)


@SHARDS
async def test_the_former_name_is_free_and_whoever_takes_it_gets_nothing(
    services: Services, renaming: Renaming, ada: Account, visitor: Requester
) -> None:
    await renaming.rename("ada", "countess")
    made = await services.accounts.create("ada", PASSWORD[::-1])
    assert isinstance(made, Account)
    for name, password in (("countess", PASSWORD), ("ada", PASSWORD[::-1])):
        live = await services.sign_in.by_password(name, password, visitor)
        assert isinstance(live, LiveSession)
    again = await renaming.rename("ada", "countess")
    assert again == NotRenamed(NameTaken())
    assert (await services.accounts.find("ada")) == replace(made, user="ada")
    assert ada.user == "ada"


async def test_the_same_name_in_another_spelling_is_given_too(
    services: Services, renaming: Renaming, person: Person, visitor: Requester
) -> None:
    for name, spelling in (("Ada", "Ada"), ("ADA", "ADA"), ("ada", "")):
        renamed = await renaming.rename("ada", name)
        assert isinstance(renamed, Renamed)
        assert renamed.user == "ada"
        account = await services.accounts.find("ada")
        assert account is not None
        assert (account.spelling, account.moving_to, account.moved_from) == (spelling, "", "")
    gone = await services.sessions.current(person.sid)
    assert isinstance(gone, NoSession)
    assert gone.reason is Reason.ACCOUNT_RENAMED
    assert isinstance(await services.sign_in.by_password("ada", PASSWORD, visitor), LiveSession)


async def test_names_that_cannot_be_given_change_nothing(
    services: Services, renaming: Renaming, person: Person
) -> None:
    await services.accounts.create("bob", PASSWORD)
    assert await renaming.rename("ada", "bob") == NotRenamed(NameTaken())
    assert await renaming.rename("ada", "ada") == NotRenamed(NameTaken())
    bad = await renaming.rename("ada", "no name!")
    assert isinstance(bad, NotRenamed)
    assert isinstance(bad.why, BadUsername)
    assert await renaming.rename("nobody", "name") is Denial.ACCOUNT_NOT_FOUND
    assert not isinstance(await services.sessions.current(person.sid), NoSession)


@pytest.mark.parametrize("step", ["_open", "_move_activity", "_remove"])
@SHARDS
async def test_a_rename_that_was_interrupted_lets_nobody_in_and_goes_on_when_asked_again(
    services: Services,
    renaming: Renaming,
    ada: Account,
    visitor: Requester,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    async def break_down(*_: object) -> None:
        raise StoreUnavailable("rename")

    with monkeypatch.context() as broken:
        broken.setattr(renaming, step, break_down)
        with pytest.raises(StoreUnavailable):
            await renaming.rename("ada", "countess")
    by_old = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert by_old is Denial.WRONG_CREDENTIALS
    assert await renaming.rename("ada", "duchess") is Denial.RENAME_UNFINISHED
    assert await services.account_changes.delete(ada.user) is Denial.RENAME_UNFINISHED

    assert isinstance(await renaming.rename("ada", "countess"), Renamed)
    live = await services.sign_in.by_password("countess", PASSWORD, visitor)
    assert isinstance(live, LiveSession)
    assert await services.accounts.find("ada") is None


@SHARDS
async def test_late_changes_that_a_rename_would_lose_are_not_said_to_be_made(
    services: Services, renaming: Renaming, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    await services.account_changes.make_administrator("ada")
    late: list[object] = []

    async def interrupted(former: Account) -> None:
        user = former.user
        late.append(await services.accounts.set_disabled(user, disabled=True))
        late.append(await services.account_changes.take_role(user))
        late.append(await services.account_changes.make_administrator(user))
        await services.accounts.set_password(user, PASSWORD[::-1])
        raise StoreUnavailable("rename")

    with monkeypatch.context() as broken:
        broken.setattr(renaming, "_remove", interrupted)
        with pytest.raises(StoreUnavailable):
            await renaming.rename("ada", "countess")
    unfinished = Denial.RENAME_UNFINISHED
    assert late == [False, unfinished, unfinished]
    assert "ada" in await services.account_changes._accounts.administrators()
    assert isinstance(await renaming.rename("ada", "countess"), Renamed)
    renamed = await services.accounts.find("countess")
    assert renamed == replace(ada, user="countess", admin=True)
    assert "ada" not in await services.account_changes._accounts.administrators()


async def test_an_account_is_not_said_to_be_deleted_while_a_rename_has_left_half_of_it(
    services: Services, renaming: Renaming, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: Account) -> None:
        raise StoreUnavailable("rename")

    with monkeypatch.context() as broken:
        broken.setattr(renaming, "_remove", interrupted)
        with pytest.raises(StoreUnavailable):
            await renaming.rename(ada.user, "countess")
    assert await services.account_changes.delete("countess") is Denial.RENAME_UNFINISHED
    await renaming.rename(ada.user, "countess")
    assert isinstance(await services.account_changes.delete("countess"), Receipt)
    assert await services.accounts.find(ada.user) is None


async def test_a_second_factor_that_comes_too_late_for_a_rename_is_not_said_to_be_there(
    services: Services, renaming: Renaming, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: Account) -> None:
        raise StoreUnavailable("rename")

    monkeypatch.setattr(renaming, "_remove", interrupted)
    with pytest.raises(StoreUnavailable):
        await renaming.rename("ada", "countess")
    begun = services.factors.begin_totp("ada")
    code = code_of(begun.secret, services.clock.now())
    added = await services.factors.add_totp(person.user, begun.setup, code)
    assert added is NotAdded.EXPIRED


async def test_who_takes_the_name_meanwhile_keeps_it_and_the_account_stays_open(
    services: Services,
    renaming: Renaming,
    ada: Account,
    visitor: Requester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    close = renaming._close

    async def close_late(former: Account, new: str) -> Receipt | Denial:
        receipt = await close(former, new)
        await services.accounts.create(new, PASSWORD[::-1])
        return receipt

    monkeypatch.setattr(renaming, "_close", close_late)
    assert await renaming.rename(ada.user, "countess") == NotRenamed(NameTaken())
    for name, password in (("ada", PASSWORD), ("countess", PASSWORD[::-1])):
        live = await services.sign_in.by_password(name, password, visitor)
        assert isinstance(live, LiveSession)


@pytest.mark.parametrize("step", ["_close", "_remove"])
async def test_a_rename_that_waited_too_long_leaves_alone_who_has_the_former_name_by_now(
    services: Services,
    renaming: Renaming,
    ada: Account,
    visitor: Requester,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    go_on, new = getattr(renaming, step), list[object]()

    async def paused(*arguments: object) -> object:
        monkeypatch.setattr(renaming, step, go_on)
        await renaming.rename(ada.user, "countess")
        await services.accounts.create("ada", PASSWORD[::-1])
        new.append(await services.sign_in.by_password("ada", PASSWORD[::-1], visitor))
        return await go_on(*arguments)

    monkeypatch.setattr(renaming, step, paused)
    with pytest.raises(WriteConflict):
        await renaming.rename(ada.user, "countess")
    (live,) = new
    assert isinstance(live, LiveSession)
    assert not isinstance(await services.sessions.current(live.session.sid), NoSession)
    for name in ("ada", "countess"):
        account = await services.accounts.find(name)
        assert account is not None
        assert account.may_sign_in


async def test_of_a_rename_and_sign_ins_at_once_nobody_is_signed_in_under_the_old_name(
    services: Services, renaming: Renaming, visitor: Requester
) -> None:
    for number in range(20):
        old, new = f"old-{number}", f"new-{number}"
        await services.accounts.create(old, PASSWORD)
        renamed, *made = await asyncio.gather(
            renaming.rename(old, new),
            *(services.sign_in.by_password(name, PASSWORD, visitor) for name in (old, old, new)),
        )
        assert isinstance(renamed, Renamed)
        assert await services.sessions.sessions_of(old) == []
        for each in made:
            if isinstance(each, LiveSession) and each.session.user == old:
                assert isinstance(await services.sessions.current(each.session.sid), NoSession)


async def test_of_two_renames_at_once_one_name_is_given(
    services: Services, renaming: Renaming
) -> None:
    for number in range(10):
        names = [f"b-{number}", f"c-{number}"]
        await services.accounts.create(f"a-{number}", PASSWORD)
        await asyncio.gather(*(renaming.rename(f"a-{number}", name) for name in names))
        found = [await services.accounts.find(name) for name in [f"a-{number}", *names]]
        assert sum(each is not None and each.may_sign_in for each in found) == 1
