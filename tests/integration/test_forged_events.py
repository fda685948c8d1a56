"""Somebody who can write to the streams, and has no key: nothing that they write is acted on."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import redis
from websockets.asyncio.client import ClientConnection

from server.core.audit import AuditEvent
from server.core.events import (
    EVERYTHING,
    Acknowledgement,
    MessageSent,
    Scope,
    SessionExtended,
    SessionsChanged,
    TokenRotated,
)
from server.core.reasons import Reason
from server.crypto.keyring import Keyring
from server.store.entries import Entries, Fields, as_mapping
from server.store.names import ShardNames
from tests.support.clients.client import Client, frame
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of
from tests.support.engine.keys import key, text_of
from tests.support.engine.quiet import quiet_context
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer
from tests.support.servers.workers import workers_of

NAMES: Final = ShardNames(0)
OURS: Final = key("of the server")


def entries(secret: bytes, now: Callable[[], float] = time.time) -> Entries:
    """What somebody with this key can sign, or could."""
    return Entries(Keyring.from_secrets([secret]), quiet_context(now, node="attacker"))


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer() as running:
        yield running


def a_server(store: ValkeyServer) -> CurfewServer:
    """Two processes that know the key of this file."""
    return CurfewServer(
        processes="2", store_url=store.url, secret_keys=text_of(OURS), log_format="json"
    )


@pytest.fixture(scope="module")
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    with a_server(store) as running:
        yield running


def append(raw: redis.Redis, stream: str, fields: Fields, **script: str) -> None:
    """Append an entry, with what its script would have added."""
    pairs: Any = {**script, **as_mapping(fields)}
    raw.xadd(stream, pairs)


async def all_was_read(people: People) -> None:
    """Return when both processes have read all that is in the streams now."""
    somebody = await people.somebody()
    assert (await somebody.request("POST", "/api/logout")).json()["state"] == "complete"


async def still_open(socket: ClientConnection) -> None:
    """Check that a socket is served, and has got nothing but its own answer."""
    await socket.send('{"type":"ping"}')
    received: list[str] = []
    while not received or received[-1] != "pong":
        received.append(json.loads(await socket.recv())["type"])
    assert set(received) <= {"sessions", "pong"}, received


def refusals(server: CurfewServer) -> list[dict[str, Any]]:
    """The lines of the audit trail about refused entries."""
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == AuditEvent.EVENT_REFUSED.value]


def forgeries(by: Entries, client: Client, user: str) -> list[tuple[Fields, dict[str, str]]]:
    """One entry of each kind against a session, with what a script would add."""

    def end(scope: Scope, sids: str | None = None) -> Fields:
        return by.sign_end(
            scope,
            end_id="f" * 32,
            initiator="x",
            reason=Reason.LOGOUT,
            shard=0,
            user=user,
            sids=sids,
        )

    at = str(time.time())
    return [
        (end(Scope.SESSION, client.sid), {"at": at}),
        (end(Scope.USER), {"at": at, "sids": client.sid}),
        (end(Scope.LIMIT), {"at": at, "sids": client.sid}),
        (end(Scope.SHARD, EVERYTHING), {"at": at}),
        (by.sign(TokenRotated(client.sid, 9)), {}),
        (by.sign(SessionsChanged(user)), {}),
        (by.sign(SessionExtended(client.sid)), {}),
        (by.sign(MessageSent(user, "c", b"box")), {}),
    ]


@pytest.mark.proves("A89", "4.1.5")
async def test_forged_entries_close_nothing_tell_nothing_and_are_told_of(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    async with client.open_socket() as here, client.open_socket() as there:
        await frame(here, "hello")
        await frame(there, "hello")
        for fields, script in forgeries(entries(key("of a stranger")), client, user):
            append(raw, NAMES.control, fields, **script)
            append(raw, NAMES.messages, fields, **script)
        await all_was_read(people)
        await still_open(here)
        await still_open(there)
    assert (await client.request("GET", "/api/session")).status_code == 200
    await asyncio.to_thread(lambda: until_told(server))


def until_told(server: CurfewServer) -> None:
    """Wait until the audit trail has told of forgeries."""
    deadline = time.monotonic() + 10
    while not any(line.get("forged") for line in refusals(server)):
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)


@pytest.mark.proves("A89")
async def test_a_genuine_end_that_comes_again_ends_nothing_that_came_after_it(
    store: ValkeyServer, people: People, raw: redis.Redis
) -> None:
    """Neither where it has been seen before, nor in a process that was started since."""
    client = await people.somebody()
    await client.request("DELETE", "/api/sessions?scope=all")
    stream: Any = raw.xrevrange(NAMES.control, count=20)
    ends = [fields for _, fields in stream if fields[b"kind"] == b"ended"]
    user = ends[0][b"user"].decode()
    await client.sign_in(user)
    with a_server(store) as younger:
        async with Client(younger.url) as elsewhere:
            await elsewhere.sign_in(user)
            async with client.open_socket() as old, elsewhere.open_socket() as new:
                await frame(old, "hello")
                await frame(new, "hello")
                for fields in ends:
                    raw.xadd(NAMES.control, fields)
                    raw.xadd(NAMES.control, fields | {b"sids": f"{client.sid} *".encode()})
                    raw.xadd(NAMES.control, fields | {b"sids": elsewhere.sid.encode()})
                await all_was_read(people)
                await still_open(old)
                await still_open(new)


@pytest.mark.proves("A89")
async def test_what_is_put_into_an_emptied_stream_under_an_old_id_is_refused(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    minutes_ago = entries(OURS, now=lambda: time.time() - 120)
    message = minutes_ago.sign(MessageSent(user, "c", b"box"))
    await all_was_read(people)
    before = sum(line.get("late", 0) for line in refusals(server))
    fields: Any = as_mapping(message)
    raw.delete(NAMES.control)

    async def is_told_of_one_more() -> bool:
        """The first ones are skipped: the nodes take up the end of what is another stream now."""
        raw.xadd(NAMES.control, fields, id="0-*")
        return bool(sum(line.get("late", 0) for line in refusals(server)) > before)

    await until(is_told_of_one_more)


@pytest.mark.proves("A89")
async def test_a_session_left_out_of_the_list_of_a_genuine_end_is_closed_all_the_same(
    people: People, raw: redis.Redis
) -> None:
    """As if the entry had been replaced by one that names no session."""
    client = await people.somebody()
    user = await user_of(client)
    end = entries(OURS).sign_end(
        Scope.USER, end_id="e" * 32, initiator="x", reason=Reason.ADMIN, shard=0, user=user
    )
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        raw.delete(NAMES.session(client.sid))
        raw.set(NAMES.tombstone(client.sid), f"{'e' * 32} admin {time.time()}")
        append(raw, NAMES.control, end, at=str(time.time()), sids="")
        closed = await end_of(socket)
    assert (closed.code, closed.reason) == (4401, "admin")


@pytest.mark.proves("A89")
async def test_a_forged_acknowledgement_completes_no_receipt(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    listed: Any = raw.zrange(NAMES.nodes, 0, -1)
    nodes = [each.decode() for each in listed]
    paused = workers_of(server)[0]
    os.kill(paused, signal.SIGSTOP)
    try:
        client = await people.somebody()  # whose connection the other process accepts
        ending = asyncio.create_task(client.request("POST", "/api/logout"))
        await until(lambda: forged_in_all_names(raw, client, nodes))
        receipt = (await ending).json()
    finally:
        os.kill(paused, signal.SIGCONT)
    assert receipt["state"] == "pending"
    assert receipt["nodes"] == {"acked": 1, "lease_expired": 0, "waiting": 1}


async def forged_in_all_names(raw: redis.Redis, client: Client, nodes: list[str]) -> bool:
    """Acknowledge the end of a session in everybody's name, as soon as it is in the stream."""
    control: Any = raw.xrevrange(NAMES.control, count=5)
    for _, fields in control:
        if fields.get(b"named") == client.sid.encode():
            event, origin = fields[b"event"].decode(), fields[b"origin"].decode()
            for node in nodes:
                done = Acknowledgement(node, {event: 1})
                forged = entries(key("of a stranger")).sign_acknowledgement(origin, done)
                append(raw, NAMES.replies(origin), forged)
                for_all = entries(key("of a stranger")).sign_acknowledgement(None, done)
                append(raw, NAMES.acknowledgements, for_all)
                plain: Any = {"node": node, "closed": json.dumps({event: 1})}
                for stream in (NAMES.replies(origin), NAMES.acknowledgements):
                    raw.xadd(stream, plain)
            return True
    return False


@pytest.mark.proves("A91")
async def test_a_flood_of_forgeries_stops_nothing_and_fills_no_log(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    client = await people.somebody()
    workers = workers_of(server)
    before = len(server.log.splitlines())
    fields, script = forgeries(entries(key("of a stranger")), client, await user_of(client))[1]
    small: Any = {**script, **as_mapping(fields)}
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        await asyncio.to_thread(flood, raw, small, 40_000)
        await asyncio.to_thread(flood, raw, {"kind": "x" * 1_000_000}, 60)
        await still_open(socket)
        await until(lambda: complete(people))
        await still_open(socket)
    assert workers_of(server) == workers
    raw.delete(NAMES.control)
    assert len(server.log.splitlines()) - before < 60


def flood(raw: redis.Redis, fields: Any, number: int) -> None:
    """Append an entry many times, as fast as it goes."""
    with raw.pipeline(transaction=False) as pipeline:
        for _ in range(number):
            pipeline.xadd(NAMES.control, fields)
        pipeline.execute()


async def complete(people: People) -> bool:
    """Whether an end is heard of by all again."""
    somebody = await people.somebody()
    return bool((await somebody.request("POST", "/api/logout")).json()["state"] == "complete")
