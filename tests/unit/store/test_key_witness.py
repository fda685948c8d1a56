"""Which keys fit which notes and records, and which notes are there afterwards."""

from collections.abc import Collection
from dataclasses import replace

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.errors import ConfigurationError
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore
from server.store.key_witness import KeyWitness, UnfitKeys
from server.store.names import ShardNames
from server.store.openable_records import OpenableRecords
from server.store.scripts import Scripts
from tests.support.engine.keys import key

NAME = ShardNames(0).key_witness
ACCOUNT = Account(user="ann", password_hash="x", admin=False, disabled=False, created_at=1.0)


class Stage:
    """A store, and who writes in it."""

    def __init__(self, client: Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self.writing: Collection[int] | None = ()

    def witness(self, names: str, *, tidies: bool = True) -> KeyWitness:
        """The witness as a process with these keys sees it."""

        async def writing() -> Collection[int] | None:
            return self.writing

        ring = ring_of(names)
        records = OpenableRecords(self._client, Sealer(ring), 1)
        return KeyWitness(
            self._client, self._scripts, ring, Sealer(ring), records, writing, tidies=tidies
        )

    async def fits(self, names: str) -> bool:
        """Whether a server with these keys starts."""
        witness = self.witness(names)
        fits = await witness.compare() is None
        try:
            await witness.require()
        except ConfigurationError:
            assert not fits
            return False
        assert fits
        return True

    async def write_account(self, names: str) -> None:
        """Write an account as a process with these keys does."""
        store = AccountStore(
            self._client, self._scripts, Sealer(ring_of(names)), 1, lambda *_, **__: None
        )
        assert await store.save(replace(ACCOUNT, user=names), based_on=0, operation=names)


def ring_of(names: str) -> Keyring:
    """Keys, newest first."""
    return Keyring.from_secrets([key(name) for name in names])


def version(name: str) -> int:
    """The version of a key."""
    return ring_of(name).versions[0]


@pytest.fixture
def stage(client: Redis, scripts: Scripts) -> Stage:
    return Stage(client, scripts)


def notes(raw: redis.Redis) -> set[str]:
    """The keys that have a note."""
    found = raw.hkeys(NAME)
    assert isinstance(found, list)
    return {name for name in "abc" if str(version(name)).encode() in found}


async def test_the_first_process_leaves_a_note_that_only_its_keys_open(
    stage: Stage, raw: redis.Redis
) -> None:
    assert await stage.witness("a").compare() is None
    assert notes(raw) == set()
    assert await stage.fits("a")
    assert notes(raw) == {"a"}
    assert not await stage.fits("b")
    assert await stage.witness("b").compare() == UnfitKeys((version("a"),), (version("b"),))
    assert notes(raw) == {"a"}


async def test_each_key_in_use_has_a_note_and_no_other(stage: Stage, raw: redis.Redis) -> None:
    assert await stage.fits("a")
    stage.writing = {version("a")}
    assert await stage.fits("ba")
    assert notes(raw) == {"a", "b"}
    stage.writing = {version("a"), version("b")}
    assert await stage.fits("ab")
    assert await stage.fits("b")
    stage.writing = {version("b")}
    assert await stage.fits("ba")
    assert notes(raw) == {"b"}
    assert not await stage.fits("a")


async def test_nothing_is_removed_while_a_node_does_not_tell_what_it_writes_with(
    stage: Stage, raw: redis.Redis
) -> None:
    assert await stage.fits("a")
    stage.writing = None
    assert await stage.fits("ba")
    assert notes(raw) == {"a", "b"}


async def test_a_command_adds_a_note_and_removes_none(stage: Stage, raw: redis.Redis) -> None:
    assert await stage.fits("a")
    await stage.witness("ba", tidies=False).require()
    assert notes(raw) == {"a", "b"}


async def test_records_decide_where_there_is_no_note(stage: Stage, raw: redis.Redis) -> None:
    await stage.write_account("a")
    assert not await stage.fits("b")
    assert notes(raw) == set()
    assert await stage.fits("ba")
    assert notes(raw) == {"b"}


async def test_a_note_that_was_edited_is_as_good_as_none(stage: Stage, raw: redis.Redis) -> None:
    assert await stage.fits("a")
    raw.hset(NAME, str(version("a")), b"edited")
    raw.hset(NAME, "no version", b"edited")
    assert await stage.fits("a")
    await stage.write_account("b")
    raw.hset(NAME, str(version("a")), b"edited")
    assert not await stage.fits("a")


async def test_a_note_that_was_copied_to_another_key_does_not_open(
    stage: Stage, raw: redis.Redis
) -> None:
    assert await stage.fits("a")
    note = raw.hget(NAME, str(version("a")))
    assert isinstance(note, bytes)
    raw.delete(NAME)
    raw.hset(NAME, str(version("b")), note)
    assert not await stage.fits("a")


async def test_a_retired_key_loses_its_note(stage: Stage, raw: redis.Redis) -> None:
    stage.writing = {version("a")}
    assert await stage.fits("a")
    await stage.witness("ab").drop(version("a"), Sealer(ring_of("b")), version("b"))
    assert notes(raw) == {"b"}


async def test_a_new_start_leaves_one_note(stage: Stage, raw: redis.Redis) -> None:
    assert await stage.fits("a")
    assert await stage.fits("ca")
    await stage.witness("b").start_over()
    assert notes(raw) == {"b"}


def test_the_line_says_which_keys_and_what_to_do() -> None:
    text = str(UnfitKeys((1, 2), (3,)))
    assert "under key 1, 2, and the keys here are 3" in text
    assert "store start-over" in text
    assert "a key that is not known" in str(UnfitKeys((), (3,)))
    assert "\n" not in text
