"""Races between the managers of two nodes on one real store, a thousand of them."""

import asyncio
import logging
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt, State
from server.core.session import Device
from server.core.token import Token, issue_token
from server.crypto.keyring import new_secret
from server.services import Services, open_services
from server.sessions.creation import SignInInterrupted
from server.sessions.verdicts import LiveSession
from settings import load_settings

T = TypeVar("T")
log = logging.getLogger(__name__)

LIMIT: Final = 10
DUE_AFTER: Final = 0.2
"""Seconds; until then rotation is due on every node's idea of the store's clock."""


@pytest.fixture(params=[LIMIT])
async def nodes(
    store_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[list[Services]]:
    """Two nodes; a token is due for rotation as soon as it was given. Takes the limit."""
    async with AsyncExitStack() as stack:
        environment = {
            "CURFEW_STORE_URL": store_url,
            "CURFEW_DATA_DIR": str(tmp_path),
            "CURFEW_SECRET_KEYS": new_secret(),
            "CURFEW_ROTATION_INTERVAL": "1ms",
            "CURFEW_MAX_SESSIONS_PER_USER": str(request.param),
        }
        settings = load_settings(environment)
        yield [await stack.enter_async_context(open_services(settings)) for _ in range(2)]


@pytest.fixture
def chance(caplog: pytest.LogCaptureFixture) -> random.Random:
    """Orders what happens together; a failure shows the seed."""
    caplog.set_level(logging.INFO, __name__)
    seed = int.from_bytes(os.urandom(4))
    log.info("seed %d", seed)
    return random.Random(seed)  # noqa: S311 - orders events, hides nothing


async def together(chance: random.Random, work: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once, in any order; the results have that order too."""
    chance.shuffle(work)
    return await asyncio.gather(*work)


async def after_a_while(chance: random.Random, work: Coroutine[Any, Any, T]) -> T:
    """Let others go first now and then."""
    for _ in range(chance.randrange(30)):
        await asyncio.sleep(0)
    return await work


async def sign_in(
    node: Services, user: str, chance: random.Random
) -> LiveSession | SignInInterrupted:
    """Read the epochs, take a while as if for a password, and begin."""
    epochs = await node.sessions.epochs(user)
    return await after_a_while(chance, node.sessions.sign_in(user, epochs, Device(), None))


async def begun(node: Services, user: str) -> LiveSession:
    """A session that began undisturbed."""
    epochs = await node.sessions.epochs(user)
    live = await node.sessions.sign_in(user, epochs, Device(), None)
    assert isinstance(live, LiveSession)
    return live


async def served(node: Services, token: Token) -> LiveSession:
    """A request with this token, which must be served."""
    found = await node.sessions.check(token)
    assert isinstance(found, LiveSession), found
    return found


def token_of(live: LiveSession, number: int = 1) -> Token:
    """The session's token of a number."""
    return issue_token(live.session.sid, live.session.seed, number)


async def sids_of(node: Services, user: str) -> set[str]:
    """The ids on the user's list."""
    return {each.session.sid for each in await node.sessions.sessions_of(user)}


@pytest.mark.proves("A20", "15.4.1")
async def test_parallel_requests_are_handed_one_successor(
    nodes: list[Services], chance: random.Random
) -> None:
    trials = [await begun(nodes[0], f"user-{trial}") for trial in range(150)]
    await asyncio.sleep(DUE_AFTER)
    for live in trials:
        first, second = token_of(live, 1), token_of(live, 2)
        requests = await together(chance, [served(node, first) for node in nodes * 100])
        assert {each.token for each in requests} == {second}
        mixed = [served(node, token) for node in nodes * 25 for token in (first, second)]
        requests = await together(chance, mixed)
        assert {each.token for each in requests} <= {None, second}
        newest = (await served(nodes[0], second)).session
        assert (newest.generation, newest.issued) == (2, 2)
        assert newest.created_at == live.session.created_at


@pytest.mark.parametrize("nodes", [200], indirect=True)
@pytest.mark.proves("A25")
async def test_an_end_of_all_beats_every_sign_in_that_began_before_it(
    nodes: list[Services], chance: random.Random
) -> None:
    outcomes: Counter[str] = Counter()
    for trial in range(100):
        user = f"user-{trial}"
        old = [await begun(node, user) for node in nodes]
        before = await nodes[0].sessions.epochs(user)
        results: list[Receipt | LiveSession | SignInInterrupted] = await together(
            chance,
            [
                after_a_while(chance, nodes[0].terminations.all_of(user, Reason.TERMINATED)),
                *(after_a_while(chance, sign_in(node, user, chance)) for node in nodes * 50),
            ],
        )
        (receipt,) = (each for each in results if isinstance(each, Receipt))
        made = [each for each in results if isinstance(each, LiveSession)]
        live = await sids_of(nodes[1], user)
        assert not live & {each.session.sid for each in old}
        assert (await nodes[1].sessions.epochs(user)) != before
        ended = [each for each in made if each.session.sid not in live]
        assert live <= {each.session.sid for each in made}
        assert receipt.state is State.COMPLETE
        assert receipt.sessions == len(ended) + len(old)
        for each in [*old, *ended]:
            found = await nodes[0].sessions.check(token_of(each))
            assert isinstance(found, NoSession)
            assert found.end_id == receipt.end_id
        outcomes.update(live=len(live), ended=len(ended), interrupted=100 - len(made))
    assert min(outcomes.values()) > 100, outcomes  # the trials did meet


@pytest.mark.proves("A23", "A31")
async def test_no_late_request_revives_a_session(
    nodes: list[Services], chance: random.Random
) -> None:
    for trial in range(500):
        begun_live = await begun(nodes[trial % 2], "ann")
        token = token_of(begun_live)
        slow = [(node, await served(node, token)) for node in nodes * 5]
        work: list[Coroutine[Any, Any, Any]] = [
            after_a_while(chance, nodes[0].terminations.one(begun_live.session, Reason.LOGOUT))
        ]
        for number, (node, live) in enumerate(slow):
            act = (
                node.sessions.write(live, {f"key {number}": trial}),
                node.sessions.rotate(live),
                node.sessions.elevate(live),
                node.sessions.touch(live.session.sid),
                node.sessions.check(token),
            )
            chosen = number % len(act)
            for other in act[:chosen] + act[chosen + 1 :]:
                other.close()
            work.append(after_a_while(chance, act[chosen]))
        await together(chance, work)
        for node, live in slow:
            for late in (node.sessions.check(token), node.sessions.write(live, {"late": trial})):
                found = await late
                assert isinstance(found, NoSession)
                assert found.reason is Reason.LOGOUT
        assert await sids_of(nodes[0], "ann") == set()


@pytest.mark.proves("A39", "15.4.2")
async def test_the_limit_is_exact_under_parallel_sign_ins(
    nodes: list[Services], chance: random.Random
) -> None:
    for trial in range(150):
        user = f"user-{trial}"
        made = [await begun(nodes[0], user) for _ in range(LIMIT)]
        results = await together(chance, [sign_in(node, user, chance) for node in nodes * 25])
        made += [each for each in results if isinstance(each, LiveSession)]
        assert len(made) == LIMIT + 50
        live = await sids_of(nodes[1], user)
        assert len(live) == LIMIT
        for each in made:
            found = await nodes[0].sessions.check(token_of(each))
            if each.session.sid in live:
                assert isinstance(found, LiveSession)
            else:
                assert isinstance(found, NoSession)
                assert found.reason is Reason.SESSION_LIMIT


async def test_parallel_writers_of_their_own_keys_lose_none(
    nodes: list[Services], chance: random.Random
) -> None:
    for trial in range(100):
        live = await begun(nodes[trial % 2], "ann")
        token = token_of(live)

        async def write(node: Services, key: str, token: Token = token) -> None:
            request = await served(node, token)
            assert isinstance(await node.sessions.write(request, {key: key}), LiveSession)

        keys = [f"key {number}" for number in range(50)]
        work = [
            after_a_while(chance, write(node, key))
            for node, key in zip(nodes * 25, keys, strict=True)
        ]
        await together(chance, work)
        newest = await served(nodes[0], token_of(live, 1))
        assert newest.session.data == {key: key for key in keys}
        await nodes[0].terminations.one(live.session, Reason.LOGOUT)
