"""Somebody who can write to the store: they can make a mess, and open nothing by it."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from server.core.reasons import NoSession, Reason
from server.core.session import Device, Rules, Session
from server.core.token import Token, issue_token
from server.sessions.verdicts import LiveSession
from server.store.names import ShardNames
from tests.support.engine.crashing import Node, open_node
from tests.support.servers.valkey import ValkeyServer

NAMES = ShardNames(0)
RULES = Rules()
GARBAGE = [b"", b" ", b"x", b"\xff\x00", b"a b", b"e logout", b"e logout x y", b"e nonsense 1.0"]
GARBAGE += [b"e logout nan", b"e logout inf", b"e logout 1e999", b"e " + b"\xc3\xa9" + b" 1.0"]


@pytest.fixture
async def node(store_url: str) -> AsyncIterator[Node]:
    async with open_node(store_url, RULES) as node:
        yield node


@pytest.fixture
def raw(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    with valkey.client() as client:
        yield client


async def signed_in(node: Node, user: str = "ann") -> LiveSession:
    """A session with something in it."""
    epochs = await node.sessions.epochs(user)
    made = await node.sessions.sign_in(user, epochs, Device(), None)
    assert isinstance(made, LiveSession)
    written = await node.sessions.write(made, {"note": "private"})
    assert isinstance(written, LiveSession)
    return written


def token_of(live: LiveSession) -> Token:
    """The session's current token."""
    return issue_token(live.session.sid, live.session.seed, live.session.generation)


def record(raw: redis.Redis, live: LiveSession) -> bytes:
    """The stored bytes."""
    value = raw.get(NAMES.session(live.session.sid))
    assert isinstance(value, bytes)
    return value


async def is_live(node: Node, live: LiveSession) -> bool:
    """Whether the session's own token is served."""
    return isinstance(await node.sessions.check(token_of(live)), LiveSession)


@pytest.mark.proves("A86", "11.3.2")
async def test_a_record_copied_under_another_id_does_not_open(node: Node, raw: redis.Redis) -> None:
    mine, hers = await signed_in(node, "eve"), await signed_in(node, "ann")
    raw.set(NAMES.session(mine.session.sid), record(raw, hers))
    assert await node.sessions.check(token_of(mine)) == NoSession()
    as_hers = issue_token(mine.session.sid, hers.session.seed, 1)
    assert await node.sessions.check(as_hers) == NoSession()
    assert await is_live(node, hers)


@pytest.mark.proves("A85", "11.3.3")
async def test_no_flipped_bit_opens_anything_else(node: Node, raw: redis.Redis) -> None:
    live = await signed_in(node)
    value = record(raw, live)
    header_bits = 8 * (value.index(b"\n") + 1)
    for bit in range(8 * len(value)):
        flipped = bytearray(value)
        flipped[bit // 8] ^= 1 << bit % 8
        raw.set(NAMES.session(live.session.sid), bytes(flipped))
        found = await node.sessions.check(token_of(live))
        if bit < header_bits and isinstance(found, LiveSession):
            assert found.session == live.session  # the header's numbers compare, and decide nothing
        else:
            assert found == NoSession()
    raw.set(NAMES.session(live.session.sid), value)
    assert await is_live(node, live)


@pytest.mark.parametrize("how", ["one", "all", "everything"])
@pytest.mark.proves("A87")
async def test_a_record_that_is_put_back_after_the_end_does_not_open(
    node: Node, raw: redis.Redis, how: str
) -> None:
    live = await signed_in(node)
    key, value = NAMES.session(live.session.sid), record(raw, live)
    if how == "one":
        await node.terminations.one(live.session, Reason.LOGOUT)
    elif how == "all":
        await node.terminations.all_of("ann", Reason.LOGOUT)
    else:
        await node.terminations.everything(Reason.LOGOUT)
    raw.set(key, value)
    found = await node.sessions.check(token_of(live))
    assert isinstance(found, NoSession)
    assert found.reason is Reason.LOGOUT
    for change in (node.sessions.write(live, {"a": 1}), node.sessions.elevate(live)):
        assert isinstance(await change, NoSession)
    assert raw.get(key) == value


@pytest.mark.proves("A87")
async def test_an_older_record_of_a_living_session_sets_it_back_and_no_further(
    node: Node, raw: redis.Redis
) -> None:
    """As the threat model says: until its owner comes, and never past its deadlines of then."""
    live = await signed_in(node)
    key, value, then = NAMES.session(live.session.sid), record(raw, live), token_of(live)
    changed = await node.sessions.write(live, {"note": "newer"})
    assert isinstance(changed, LiveSession)
    elevated = await node.sessions.elevate(changed)
    assert isinstance(elevated, LiveSession)
    assert not isinstance(await node.sessions.check(then), LiveSession)
    raw.set(key, value)
    found = await node.sessions.check(then)
    assert isinstance(found, LiveSession)
    assert found.session == live.session
    assert await is_live(node, elevated)  # its owner, whose token the record has never seen
    node.clock.time += RULES.rotation_grace.total_seconds()
    ended = await node.sessions.check(then)
    assert isinstance(ended, NoSession)
    assert ended.reason is Reason.TOKEN_REUSE
    raw.set(key, value)
    assert not await is_live(node, live)


@pytest.mark.proves("A87")
async def test_an_older_record_that_nobody_catches_up_ends_at_its_own_deadline(
    node: Node, raw: redis.Redis
) -> None:
    live = await signed_in(node)
    key, value = NAMES.session(live.session.sid), record(raw, live)
    node.clock.time += RULES.idle_timeout.total_seconds() - 1
    assert isinstance(await node.sessions.touch(live.session.sid), Session)
    raw.set(key, value)
    node.clock.time += 1
    ended = await node.sessions.check(token_of(live))
    assert isinstance(ended, NoSession)
    assert ended.reason is Reason.IDLE_TIMEOUT


@pytest.mark.proves("A87")
async def test_a_record_does_not_move_to_the_epoch_after_the_end(
    node: Node, raw: redis.Redis
) -> None:
    live = await signed_in(node)
    key, value = NAMES.session(live.session.sid), record(raw, live)
    await node.terminations.everything(Reason.ADMIN)
    epoch = raw.get(NAMES.epoch)
    assert isinstance(epoch, bytes)
    header, _, box = value.partition(b"\n")
    raw.delete(NAMES.tombstone(live.session.sid))
    raw.set(key, header.rpartition(b" ")[0] + b" " + epoch.split(b" ")[0] + b"\n" + box)
    assert await node.sessions.check(token_of(live)) == NoSession()


@pytest.mark.parametrize("reason", [Reason.IDLE_TIMEOUT, Reason.ABSOLUTE_TIMEOUT])
@pytest.mark.proves("A88")
async def test_a_longer_ttl_does_not_prolong_a_session(
    node: Node, raw: redis.Redis, reason: Reason
) -> None:
    live = await signed_in(node)
    raw.persist(NAMES.session(live.session.sid))
    raw.persist(NAMES.index("ann"))
    raw.zadd(NAMES.index("ann"), {live.session.sid: 9e9})
    absolute = reason is Reason.ABSOLUTE_TIMEOUT
    limit = RULES.absolute_timeout if absolute else RULES.idle_timeout
    node.clock.time += limit.total_seconds()
    assert await node.sessions.sessions_of("ann") == []
    found = await node.sessions.check(token_of(live))
    assert isinstance(found, NoSession)
    assert found.reason is reason


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.proves("A85")
async def test_a_garbage_tombstone_opens_nothing_and_breaks_nothing(
    node: Node, raw: redis.Redis, garbage: bytes
) -> None:
    live, other = await signed_in(node), await signed_in(node)
    raw.set(NAMES.tombstone(live.session.sid), garbage)
    found = await node.sessions.check(token_of(live))
    assert found == NoSession()
    assert json.dumps([found.word, found.end_id, found.at], allow_nan=False)
    assert await node.sessions.write(live, {"a": 1}) == NoSession()
    assert await is_live(node, other)
    assert (await node.terminations.all_of("ann", Reason.LOGOUT)).sessions == 2


@pytest.mark.parametrize("forged", [b"", b"f logout 1.0", b"\xff"])
@pytest.mark.parametrize("how", ["one", "all", "everything"])
@pytest.mark.proves("A87")
async def test_behind_a_forged_tombstone_an_end_is_an_end(
    node: Node, raw: redis.Redis, how: str, forged: bytes
) -> None:
    """Otherwise whoever removes the forgery later brings the session back."""
    live = await signed_in(node)
    raw.set(NAMES.tombstone(live.session.sid), forged)
    if how == "one":
        await node.terminations.one(live.session, Reason.ADMIN)
    elif how == "all":
        await node.terminations.all_of("ann", Reason.ADMIN)
    else:
        await node.terminations.everything(Reason.ADMIN)
    if raw.get(NAMES.tombstone(live.session.sid)) == forged:
        raw.delete(NAMES.tombstone(live.session.sid))
    assert not await is_live(node, live)


@pytest.mark.parametrize("how", ["one", "all"])
async def test_a_record_in_disguise_is_ended_with_the_others(
    node: Node, raw: redis.Redis, how: str
) -> None:
    """Under another epoch in its header it does not open; put right again, it must not either."""
    live = await signed_in(node)
    key, value = NAMES.session(live.session.sid), record(raw, live)
    header, _, box = value.partition(b"\n")
    raw.set(key, header + b"another\n" + box)
    assert await node.sessions.check(token_of(live)) == NoSession()
    if how == "one":
        await node.terminations.one(live.session, Reason.ADMIN)
    else:
        await node.terminations.all_of("ann", Reason.ADMIN)
    raw.set(key, value)
    assert not await is_live(node, live)
