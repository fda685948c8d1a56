"""Each connection asks where it leads and watches its answers, and goes where others send it."""

import asyncio
import sys
import time
from typing import Any, cast

import pytest
from redis.asyncio import Connection, Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    DataError,
    RedisError,
)

from handlers.serving.loop import loop_factory
from server.core.store_url import Place, Tls
from server.store import acl
from server.store.checked_connections import open_pool, tls_options
from server.store.connection import open_client
from server.store.master import MasterLink, MasterUnknown
from tests.support.servers.valkey import PASSWORD, ValkeyServer

KEY = "curfew:{00}:where"
SENTINEL = f"redis+sentinel://{acl.USER}:{PASSWORD}@127.0.0.1:1/main"


class Finder:
    """Says what a test wants."""

    def __init__(self, place: Place) -> None:
        self.place: Place | None = place
        self.vouched_at = 0.0
        self.doubts = 0
        self.is_unknown = False

    async def find(self) -> Place:
        """Return the place."""
        if self.is_unknown or self.place is None:
            raise MasterUnknown("nobody knows", "Wait.")
        return self.place

    async def confirm(self, since: float) -> Place:
        """Return the place."""
        self.vouched_at = since
        return await self.find()

    def doubt(self) -> None:
        """Count."""
        self.doubts += 1


async def test_commands_go_to_whom_others_name() -> None:
    with ValkeyServer(tcp=True) as one, ValkeyServer(tcp=True) as other:
        finder = Finder(Place("127.0.0.1", one.port))
        link = MasterLink(finder=finder)
        async with open_client(SENTINEL, link) as client:
            await client.set(KEY, "one")
            before = link.place
            await link.confirm(before)
            finder.place = Place("127.0.0.1", other.port)
            assert await client.get(KEY) is None  # and not from the connection that was there
            with pytest.raises(MasterUnknown):
                await link.confirm(before)
            assert finder.doubts == 0
        with one.client() as owner:
            assert owner.get(KEY) == b"one"


async def test_what_an_old_master_answers_late_is_not_believed() -> None:
    with ValkeyServer(tcp=True) as old, ValkeyServer(tcp=True) as new:
        finder = Finder(Place("127.0.0.1", old.port))
        async with open_client(SENTINEL, MasterLink(finder=finder)) as client:
            await client.set(KEY, "")
            old.freeze()
            asked = asyncio.ensure_future(client.set(KEY, "late"))
            await asyncio.sleep(0.05)
            finder.place = Place("127.0.0.1", new.port)
            old.thaw()
            with pytest.raises(MasterUnknown):
                await asked


async def test_a_place_that_does_not_serve_is_doubted() -> None:
    finder = Finder(Place("127.0.0.1", 1))
    async with open_client(SENTINEL, MasterLink(finder=finder)) as client:
        with pytest.raises(ConnectionError):
            await client.get(KEY)
        assert finder.doubts == 1
        finder.is_unknown = True
        with pytest.raises(MasterUnknown):
            await client.get(KEY)


def test_tls_is_verified_with_the_files_that_the_address_names() -> None:
    link = MasterLink(finder=Finder(Place("127.0.0.1", 1)))
    url = SENTINEL.replace("redis+", "rediss+") + "?ssl_ca_certs=/ca.pem&ssl_keyfile=/k.pem"
    connection = cast("Any", open_pool(url, link)).make_connection()
    assert connection.__class__.__name__ == "_CheckedTls"
    context = connection.ssl_context
    assert (context.ca_certs, context.keyfile) == ("/ca.pem", "/k.pem")
    assert context.check_hostname
    assert context.cert_reqs.name == "CERT_REQUIRED"
    assert tls_options(None) == {}
    assert set(tls_options(Tls()).values()) == {None}


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix"])
async def test_every_kind_of_connection_is_watched(scheme: str, tmp_path: Any) -> None:
    url = f"unix://{tmp_path}/none.sock" if scheme == "unix" else f"{scheme}://127.0.0.1:1"
    pool = cast("Any", open_pool(url, MasterLink()))
    assert pool.connection_class.__name__.startswith("_Checked")
    with pytest.raises((RedisError, OSError)):
        await pool.get_connection()


@pytest.mark.parametrize(
    "words",
    [
        ("PING",),
        ("SCRIPT LOAD", "return 1"),
        ("MGET", *(f"key{number}" for number in range(300))),
        ("SET", "k", b"\x00\r\n", "PX", 17, 1795902319.6993916, -1, 0.1, 10**20),
        ("SET", "ä", "x" * 100_000, b"", ""),
    ],
    ids=lambda words: words[0],
)
async def test_a_command_is_sent_as_the_client_library_would_send_it(
    words: tuple[Any, ...],
) -> None:
    theirs = Connection()
    async with open_client("redis://127.0.0.1:1") as client:
        pool: Any = client.connection_pool
        ours = pool.make_connection()
        assert b"".join(ours.pack_command(*words)) == b"".join(theirs.pack_command(*words))
        several = ours.pack_commands([words, ("PING",)])
        assert b"".join(several) == b"".join(theirs.pack_commands([words, ("PING",)]))


@pytest.mark.parametrize("word", [None, True, ["a"]])
async def test_what_is_no_text_or_number_is_not_sent(word: object) -> None:
    async with open_client("redis://127.0.0.1:1") as client:
        pool: Any = client.connection_pool
        with pytest.raises(DataError):
            pool.make_connection().pack_command("SET", "k", word)


@pytest.mark.parametrize("choice", ["asyncio", "uvloop"])
def test_a_write_on_a_connection_that_was_lost_fails_alike_on_both_loops(
    choice: str, store_url: str
) -> None:
    """An error of uvloop's own would end whatever task had the command."""

    async def write_when_lost() -> None:
        async with open_client(store_url) as client:
            await client.get(KEY)
            connection: Any = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
            connection._writer.transport.abort()
            await asyncio.sleep(0.01)  # the loop closes it
            with pytest.raises(ConnectionError):
                await connection.send_command("GET", KEY)
            assert not connection.is_connected
            await client.connection_pool.release(connection)
            assert await client.get(KEY) is None

    if choice == "uvloop" and sys.platform == "win32":
        pytest.skip("there is no uvloop on Windows")
    with asyncio.Runner(loop_factory=loop_factory(choice)) as runner:
        runner.run(write_when_lost())


async def test_who_finds_all_connections_in_use_waits_in_turn(store_url: str) -> None:
    pool: Any = open_pool(store_url, MasterLink(), max_connections=1, timeout=5)
    only = await pool.get_connection()
    order = list[int]()

    async def use(number: int) -> None:
        connection = await pool.get_connection()
        order.append(number)
        await asyncio.sleep(0)
        await pool.release(connection)

    waiting = [asyncio.create_task(use(number)) for number in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not order, "there is one connection"
    await pool.release(only)
    await asyncio.create_task(use(3))  # comes when one has just been given back
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3]
    assert await pool.get_connection() is only
    await pool.release(only)
    await pool.disconnect()


async def test_nobody_waits_for_a_connection_for_ever(store_url: str) -> None:
    pool: Any = open_pool(store_url, MasterLink(), max_connections=1, timeout=0.01)
    only = await pool.get_connection()
    with pytest.raises(ConnectionError, match="No connection available"):
        await pool.get_connection()
    await pool.release(only)
    assert await pool.get_connection() is only, "nobody waits any more"
    await pool.release(only)
    await pool.disconnect()


async def test_a_process_that_was_busy_takes_no_store_for_dead(valkey: ValkeyServer) -> None:
    """Two ask at the same time, on one connection; the other one waits for it."""
    slow = 0.5
    pool = open_pool(
        valkey.owner_url, MasterLink(), max_connections=1, timeout=slow, socket_timeout=slow
    )
    async with Redis.from_pool(pool) as client:
        await client.ping()
        asked = asyncio.gather(client.set(KEY, "first"), client.exists(KEY))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(time.sleep, 2 * slow)
        assert list(await asked) == [True, 1]
