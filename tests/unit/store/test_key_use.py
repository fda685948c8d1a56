from datetime import timedelta

import redis
from redis.asyncio import Redis

from server.crypto.keyring import Keyring
from server.store.key_use import VERSIONS_KEPT, KeyUse
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import key

NAMES = ShardNames(0)
BOTH = Keyring.from_secrets([key("new"), key("old")])
NEW, OLD = BOTH.versions
COOKIES = timedelta(hours=13)


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
