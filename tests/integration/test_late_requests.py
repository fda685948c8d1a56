"""A request that was accepted and goes on much later: it changes nothing that has ended since."""

from collections.abc import AsyncIterator

import pytest

from server.core.reasons import NoSession, Reason
from server.core.session import Device, Json, Rules
from server.core.token import issue_token
from server.sessions.verdicts import LiveSession
from server.store.contract import Stored
from tests.support.engine.crashing import Node, open_node

RULES = Rules()
IDLE = RULES.idle_timeout.total_seconds()
ABSOLUTE = RULES.absolute_timeout.total_seconds()
INTERVAL = RULES.rotation_interval.total_seconds()


@pytest.fixture
async def node(store_url: str) -> AsyncIterator[Node]:
    async with open_node(store_url, RULES) as node:
        yield node


@pytest.fixture
async def slow(node: Node) -> LiveSession:
    """A request that was accepted with the first token."""
    epochs = await node.sessions.epochs("ann")
    made = await node.sessions.sign_in("ann", epochs, Device(), None)
    assert isinstance(made, LiveSession)
    return await checked(node, made)


async def checked(node: Node, live: LiveSession, number: int = 1) -> LiveSession:
    """Another request of the same session, with its token of this number."""
    token = issue_token(live.session.sid, live.session.seed, number)
    found = await node.sessions.check(token)
    assert isinstance(found, LiveSession)
    return found


async def act(node: Node, how: str, live: LiveSession) -> LiveSession | NoSession:
    """What the request does at last."""
    match how:
        case "write":
            return await node.sessions.write(live, {"late": True})
        case "rotate":
            return await node.sessions.rotate(live)
    return await node.sessions.elevate(live)


@pytest.mark.parametrize("how", ["write", "rotate", "elevate"])
@pytest.mark.parametrize(
    ("seconds", "reason"), [(IDLE, Reason.IDLE_TIMEOUT), (ABSOLUTE, Reason.ABSOLUTE_TIMEOUT)]
)
async def test_past_a_deadline_nothing_is_written_and_no_token_given(
    node: Node, slow: LiveSession, how: str, seconds: float, reason: Reason
) -> None:
    node.clock.time += seconds
    found = await act(node, how, slow)
    assert isinstance(found, NoSession)
    assert found.reason is reason
    assert not isinstance(await node.store.load(slow.session.sid), Stored)


@pytest.mark.parametrize("how", ["write", "rotate", "elevate"])
async def test_a_slow_request_ends_no_session_that_others_kept_active(
    node: Node, slow: LiveSession, how: str
) -> None:
    node.clock.time += IDLE - 1
    await checked(node, slow)
    node.clock.time += 2
    assert isinstance(await act(node, how, slow), LiveSession)
    assert isinstance(await node.store.load(slow.session.sid), Stored)


@pytest.mark.proves("A26")
async def test_a_password_proved_under_a_token_that_was_overtaken_gives_no_new_one(
    node: Node, slow: LiveSession
) -> None:
    """A thief with an old token and the former password must not overtake the new one."""
    owner = await node.sessions.elevate(await checked(node, slow))
    assert isinstance(owner, LiveSession)
    assert await node.sessions.elevate(slow) == NoSession()
    assert await node.store.load(slow.session.sid) == owner.stored
    assert (await checked(node, slow, 2)).session.generation == 2


@pytest.mark.proves("A31")
async def test_a_session_that_ended_is_handed_no_token_again(node: Node, slow: LiveSession) -> None:
    node.clock.time += INTERVAL
    handed = await checked(node, slow)
    assert handed.token is not None
    await node.terminations.one(slow.session, Reason.LOGOUT)
    assert isinstance(await node.sessions.rotate(handed), NoSession)


async def test_a_request_may_write_and_then_rotate(node: Node, slow: LiveSession) -> None:
    written = await node.sessions.write(slow, {"a": 1})
    assert isinstance(written, LiveSession)
    rotated = await node.sessions.rotate(written)
    assert isinstance(rotated, LiveSession)
    assert rotated.token == issue_token(slow.session.sid, slow.session.seed, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (True, 1), (0, False), (1, 1.0), ([1], [True]), ({"a": 0}, {"a": False})],
)
async def test_what_only_python_takes_for_equal_is_written(
    node: Node, slow: LiveSession, before: Json, after: Json
) -> None:
    written = await node.sessions.write(slow, {"value": before})
    assert isinstance(written, LiveSession)
    written = await node.sessions.write(written, {"value": after})
    assert isinstance(written, LiveSession)
    assert repr(written.session.data["value"]) == repr(after)
    assert repr((await checked(node, slow)).session.data["value"]) == repr(after)


async def test_writing_what_is_there_costs_no_write(node: Node, slow: LiveSession) -> None:
    written = await node.sessions.write(slow, {"value": [1, True, None, {"b": 1, "a": 2}]})
    assert isinstance(written, LiveSession)
    again = await node.sessions.write(written, {"value": [1, True, None, {"b": 1, "a": 2}]})
    assert isinstance(again, LiveSession)
    assert again.stored.revision == written.stored.revision


@pytest.mark.proves("A25")
async def test_what_a_visitor_wrote_while_the_password_was_checked_is_carried_over(
    node: Node,
) -> None:
    visitor = await node.sessions.begin_anonymous(Device(), {"basket": [1]})
    assert isinstance(visitor, LiveSession)
    epochs = await node.sessions.epochs("ann")
    written = await node.sessions.write(await checked(node, visitor), {"basket": [1, 2]})
    assert isinstance(written, LiveSession)
    made = await node.sessions.sign_in("ann", epochs, Device(), visitor)
    assert isinstance(made, LiveSession)
    assert made.session.data == {"basket": [1, 2]}
