"""Requests that are given up at any moment: nobody gets an answer that was meant for another."""

import asyncio
import os
import random
from collections.abc import AsyncIterator

import pytest

from server.core.session import Device, Rules
from server.core.token import issue_token
from server.sessions.verdicts import LiveSession
from tests.support.engine.crashing import Node, open_node

ROUNDS = 1_250
AT_ONCE = 8
CANCELLED_SHARE = 0.7
LONGEST_STEPS = 12
"""Turns of the event loop that a task gets before it is cancelled; an answer takes about ten."""

CHANCE = random.Random(os.urandom(8))  # noqa: S311 - a schedule is no secret


@pytest.fixture
async def node(store_url: str) -> AsyncIterator[Node]:
    async with open_node(store_url, Rules(max_sessions_per_user=1000)) as node:
        yield node


async def signed_in(node: Node, user: str) -> LiveSession:
    """A session with the user's name in its data."""
    made = await node.sessions.sign_in(user, await node.sessions.epochs(user), Device(), None)
    assert isinstance(made, LiveSession)
    written = await node.sessions.write(made, {"name": user})
    assert isinstance(written, LiveSession)
    return written


async def ask(node: Node, live: LiveSession, kind: int) -> None:
    """One request, whose answer must be about the user of this session."""
    session, user = live.session, live.session.user or ""
    match kind:
        case 0:
            token = issue_token(session.sid, session.seed, session.generation)
            found = await node.sessions.check(token)
            assert isinstance(found, LiveSession)
            assert (found.session.user, found.session.data["name"]) == (user, user)
        case 1:
            written = await node.sessions.write(live, {"n": CHANCE.random()})
            assert isinstance(written, LiveSession)
            assert written.session.data["name"] == user
        case 2:
            listed = await node.sessions.sessions_of(user)
            assert {each.session.user for each in listed} == {user}
        case _:
            epochs = await node.sessions.epochs(user)
            assert (epochs.shard, epochs.user) == ("", "")


@pytest.mark.proves("A97")
async def test_ten_thousand_requests_given_up_at_any_moment_shift_no_answer(node: Node) -> None:
    people = [await signed_in(node, user) for user in ("ann", "bob")]
    answered = cancelled = 0
    for _ in range(ROUNDS):
        asked = [ask(node, CHANCE.choice(people), CHANCE.randrange(4)) for _ in range(AT_ONCE)]
        tasks = [asyncio.create_task(each) for each in asked]
        for task in tasks:
            for _ in range(CHANCE.randrange(LONGEST_STEPS // AT_ONCE + 2)):
                await asyncio.sleep(0)
            if CHANCE.random() < CANCELLED_SHARE:
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        given_up = sum(isinstance(each, asyncio.CancelledError) for each in results)
        cancelled += given_up
        answered += results.count(None)
        assert given_up + results.count(None) == AT_ONCE, results
    assert min(answered, cancelled) > ROUNDS
