import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.store import key_use
from server.store.key_use import VERSIONS_KEPT, KeyUse
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import key
from tests.support.running.waiting import until

NAMES = ShardNames(0)
BOTH = Keyring.from_secrets([key("new"), key("old")])
NEW, OLD = BOTH.versions
COOKIES = timedelta(hours=13)


async def test_a_cookie_of_a_remembered_person_keeps_its_key_in_use_for_longer(
    client: Redis,
) -> None:
    use = KeyUse(client, Scripts(client), "n1", BOTH, COOKIES, 30 * COOKIES)
    version = BOTH.versions[0]
    await use.publish()
    assert await use.cookie_lifetime_left(version) < 2 * COOKIES
    use.remembered()
    await use.publish()
    await use.publish()
    left = await use.cookie_lifetime_left(version)
    assert 30 * COOKIES - timedelta(minutes=1) < left < 31 * COOKIES
    assert await use.cookie_lifetime_left(BOTH.versions[1]) == timedelta()


async def test_a_remembered_person_is_noted_later_if_the_store_does_not_answer(
    client: Redis, gone: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = Scripts(client)
    use = KeyUse(client, scripts, "n1", BOTH, COOKIES, 30 * COOKIES)
    use.remembered()

    async def run(name: str, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        answers = NAMES.remembering_key(NEW) not in keys
        return await Scripts(client if answers else gone).run(name, keys, args)

    with monkeypatch.context() as failing:
        failing.setattr(scripts, "run", run)
        with pytest.raises(StoreUnavailable):
            await use.publish()
    assert await use.cookie_lifetime_left(NEW) < 2 * COOKIES
    await use.publish()
    assert await use.cookie_lifetime_left(NEW) > 29 * COOKIES


async def test_a_remembered_person_is_noted_for_the_key_that_signed(client: Redis) -> None:
    keyring = Keyring.from_secrets([key("old")])
    use = KeyUse(client, Scripts(client), "n1", keyring, COOKIES, 30 * COOKIES)
    use.remembered()
    keyring.adopt(BOTH)
    await use.publish()
    assert await use.cookie_lifetime_left(OLD) > 29 * COOKIES
    assert await use.cookie_lifetime_left(NEW) < 2 * COOKIES


async def test_a_server_notes_its_keys_newest_first(client: Redis) -> None:
    use = KeyUse(client, Scripts(client), "n1", BOTH, COOKIES)
    await use.publish()
    assert await use.versions_of(["n1", "n2"]) == {"n1": (NEW, OLD), "n2": ()}
    assert await use.versions_of([]) == {}


async def test_only_the_key_that_signs_may_have_cookies(client: Redis) -> None:
    use = KeyUse(client, Scripts(client), "n1", BOTH, COOKIES)
    assert await use.cookie_lifetime_left(NEW) == timedelta(0)
    await use.publish()
    assert COOKIES < await use.cookie_lifetime_left(NEW) <= COOKIES + VERSIONS_KEPT
    assert await use.cookie_lifetime_left(OLD) == timedelta(0)


async def test_the_note_of_a_server_that_died_expires(client: Redis, raw: redis.Redis) -> None:
    await KeyUse(client, Scripts(client), "n1", BOTH, COOKIES).publish()
    left_ms = raw.pttl(NAMES.key_versions("n1"))
    assert isinstance(left_ms, int)
    assert 0 < left_ms <= 30_000


async def test_the_note_of_a_key_outlasts_the_server_that_signed_with_it(
    client: Redis, raw: redis.Redis
) -> None:
    use = KeyUse(client, Scripts(client), "n2", BOTH, COOKIES)
    await KeyUse(
        client, Scripts(client), "n1", Keyring.from_secrets([key("old")]), COOKIES
    ).publish()
    raw.delete(NAMES.key_versions("n1"))
    assert await use.cookie_lifetime_left(OLD) > COOKIES


async def test_a_store_that_does_not_answer_for_a_while_is_told_the_keys_later(
    client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_use, "INTERVAL", timedelta(milliseconds=1))
    scripts, tries = Scripts(client), 0
    use, run = KeyUse(client, scripts, "n1", BOTH, COOKIES), scripts.run

    async def fail_at_first(*args: Any, **options: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreUnavailable("note keys", "TimeoutError")
        return await run(*args, **options)

    async def are_noted() -> bool:
        return await use.versions_of(["n1"]) == {"n1": (NEW, OLD)}

    monkeypatch.setattr(scripts, "run", fail_at_first)
    running = asyncio.create_task(use.run())
    try:
        await until(are_noted)
    finally:
        running.cancel()
    assert tries > 2
