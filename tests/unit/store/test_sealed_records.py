"""What sealing again makes of each record; that its content stays is for the integration test."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.core.session import Rules
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.compare_and_set import MAX_TRIES
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sealed_records import Resealed, SealedRecord, SealedRecords
from server.store.sessions import RedisSessionStore
from tests.support.engine.keys import key
from tests.support.engine.quiet import Unaudited, quiet_context
from tests.support.engine.visitors import visitor_records

NAMES: Final = ShardNames(0)
OLD: Final = Keyring.from_secrets([key("old")])
BOTH: Final = Keyring.from_secrets([key("new"), key("old")])
ANN: Final = Account("ann", "hash", admin=False, disabled=False, created_at=1.5)
SEEN: Final = ActivityEntry(AuditEvent.LOGIN_SUCCESS, at=1.5, since=1.5)


@dataclass
class Side:
    """The stores under some keys.

    Attributes:
        accounts: accounts.
        activity: recent activity.
        records: all of it.
        before_save: called before each record is written again.
    """

    client: Redis
    scripts: Scripts
    keyring: Keyring
    before_save: Callable[[], object] = int
    accounts: AccountStore = field(init=False)
    activity: ActivityStore = field(init=False)
    records: SealedRecords = field(init=False)

    def __post_init__(self) -> None:
        """Compose them."""
        sealer, clock = Sealer(self.keyring), StoreClock(self.client)
        entries = Entries(self.keyring, quiet_context(clock.now))
        codec, client, scripts = SessionCodec(sealer), self.client, self.scripts
        visitors = visitor_records(scripts, Rules())
        sessions = RedisSessionStore(client, scripts, codec, entries, clock, Rules(), visitors, 1)
        self.accounts = AccountStore(client, scripts, sealer, 1, Unaudited())
        self.activity = ActivityStore(client, scripts, sealer, 1, Unaudited())
        numbers = itertools.count()

        def new_id() -> str:
            self.before_save()
            return f"reseal{next(numbers)}"

        self.records = SealedRecords(client, sessions, self.accounts, self.activity, new_id)


@pytest.fixture
async def old(client: Redis, scripts: Scripts) -> Side:
    """Under the old key, with an account and its activity."""
    side = Side(client, scripts, OLD)
    await side.accounts.save(ANN, based_on=0, operation="o1")
    await side.activity.save("ann", [SEEN], based_on=0, operation="o2")
    return side


@pytest.fixture
def both(client: Redis, scripts: Scripts) -> Side:
    return Side(client, scripts, BOTH)


async def test_records_are_counted_by_kind_and_key(old: Side, raw: redis.Redis) -> None:
    raw.set(NAMES.session("00" + "A" * 22), "garbage")
    progress: list[int] = []
    assert await old.records.counts(progress.append) == {
        ("session", None): 1,
        ("account", OLD.versions[0]): 1,
        ("activity", OLD.versions[0]): 1,
    }
    assert progress == [1, 2, 3]


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("kind", ["account", "activity"])
async def test_a_record_under_the_newest_key_is_not_written_again(
    both: Side, raw: redis.Redis, kind: str
) -> None:
    record, name = SealedRecord(kind, "ann", None), f"{NAMES.prefix}{kind}:ann"
    assert await both.records.reseal(record) is Resealed.DONE
    written = raw.get(name)
    assert await both.records.reseal(record) is Resealed.DONE
    assert raw.get(name) == written


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("kind", ["account", "activity"])
async def test_a_record_that_others_keep_writing_is_told_as_busy(
    both: Side, raw: redis.Redis, kind: str
) -> None:
    name, revisions = f"{NAMES.prefix}{kind}:ann", itertools.count(2)

    def write() -> None:
        value = raw.get(name)
        assert isinstance(value, bytes)
        raw.set(name, f"{next(revisions)} theirs \n".encode() + value.partition(b"\n")[2])

    both.before_save = write
    assert await both.records.reseal(SealedRecord(kind, "ann", None)) is Resealed.BUSY
    assert next(revisions) == 2 + MAX_TRIES


async def test_an_account_that_is_gone_or_does_not_open_is_left_alone(
    both: Side, raw: redis.Redis
) -> None:
    account = SealedRecord("account", "eve", None)
    assert await both.records.reseal(account) is Resealed.UNREADABLE
    raw.set(NAMES.account("eve"), "garbage")
    assert await both.records.reseal(account) is Resealed.UNREADABLE
    assert raw.get(NAMES.account("eve")) == b"garbage"


async def test_a_session_that_is_gone_needs_nothing(both: Side) -> None:
    gone = SealedRecord("session", "00" + "A" * 22, None)
    assert await both.records.reseal(gone) is Resealed.DONE
