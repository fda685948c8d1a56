"""Each connection asks where it leads and watches its answers, and goes where others send it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


class Server:
    """Answers whatever it is asked with the bytes of a test, behind those of the beginning.

    Attributes:
        connections: how many there were.
    """

    BEGINNING = (b"%1\r\n+role\r\n+master\r\n", b"+OK\r\n", b"$11\r\nrole:master\r\n")

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self.connections += 1
        said, left = b"", list(self.BEGINNING)
        while data := await reader.read(4096):
            said += data
            for word in (b"HELLO", b"SETNAME", b"replication"):
                if word in said and left:
                    said = said.partition(word)[2]
                    writer.write(left.pop(0))
            if b"GET" in said:
                for answer in self._answers:
                    writer.write(answer)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[Server, Redis]]:
    """A server, and a client of it."""
    told = Server(*answers)
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_client(f"redis://127.0.0.1:{port}") as client, asyncio.timeout(5):
        yield told, client


async def asked(client: Redis, times: int) -> list[Any]:
    """The answers to several questions that are sent together."""
    together = client.pipeline(transaction=False)
    for _ in range(times):
        together.get(KEY)
    replies: list[Any] = await together.execute(raise_on_error=False)
    return replies


async def test_answers_that_come_together_or_cut_anywhere_are_the_same() -> None:
    whole = b"$1\r\na\r\n-ERR no\r\n$1\r\nc\r\n"
    for cut in range(0, len(whole), 3):
        async with answering(whole[:cut], whole[cut:]) as (_, client):
            first, refused, last = await asked(client, 3)
        assert (first, str(refused), last) == (b"a", "no", b"c")


async def test_what_a_server_pushes_unasked_is_nobodys_answer() -> None:
    pushed = b">2\r\n+invalidate\r\n*0\r\n"
    async with answering(b"$1\r\na\r\n" + pushed + b"$1\r\nb\r\n") as (_, client):
        assert await asked(client, 2) == [b"a", b"b"]


@pytest.mark.parametrize("second", [b"-LOADING wait\r\n", b"?\r\n"])
async def test_a_connection_whose_next_answer_is_none_is_closed(second: bytes) -> None:
    async with answering(b"$1\r\na\r\n" + second + b"$1\r\nc\r\n") as (server, client):
        for number in (1, 2):
            with pytest.raises(RedisError):
                await asked(client, 3)
            assert server.connections == number


async def test_an_answer_of_which_only_a_part_came_is_not_awaited_for_ever() -> None:
    async with answering(b"$1\r\na\r\n$5\r\nhal") as (_, client):
        with pytest.raises(RedisError):
            await asked(client, 2)
