"""What is told of sessions, and when nothing is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.http.additions import Hooks
from handlers.http.node import Node
from handlers.http.tasks import Tasks
from handlers.serving import session_hooks
from handlers.serving.session_hooks import FAR, SessionHooks
from server.core.errors import StoreUnavailable
from server.core.events import EVERYTHING, Scope, SessionsEnded
from server.core.reasons import NoSession, Reason
from server.core.session import Device, Session
from server.store.session_ledger import EndedSession, SessionLedger
from tests.support.engine.memory_node import RULES
from tests.support.running.waiting import until

ADA = EndedSession("00ada", "ada")
SESSION = Session(
    sid="00ada", user="ada", seed=b"", created_at=0.0, authenticated_at=0.0, last_active_at=0.0,
    current_since=0.0, epoch="", device=Device("", ""), data={},
)  # fmt: skip


class Ledger:
    """Notes what it is asked to do."""

    shards = range(1)

    def __init__(self, *noted: EndedSession) -> None:
        self.noted = list(noted)
        self.moved: dict[str, float] = {}
        self.claimed = False

    async def note(self, session: EndedSession, *, look_at: float) -> None:
        """Note the moment."""
        self.moved[session.sid] = look_at

    async def forget(self, session: EndedSession) -> None:
        """Take it off."""
        self.noted.remove(session)

    async def claim(self, _: EndedSession, *, retry_at: float) -> bool:
        """Say whether it is free."""
        assert retry_at > 1000
        return not self.claimed

    async def due(self, _shard: int, _until: float) -> AsyncIterator[Sequence[EndedSession]]:
        """Return all."""
        yield list(self.noted)


class World:
    """One application and one session store, which says the same of every session."""

    def __init__(self, found: Session | NoSession, *, unreadable: bool = False) -> None:
        self.found, self.unreadable = found, unreadable
        self.told = list[tuple[str | None, Reason | None]]()
        self.failed = list[str]()
        self.fails: BaseException | None = None
        self.ledger = Ledger(ADA)
        sessions = SimpleNamespace(
            current=self.current, is_unreadable=self.is_unreadable, rules=RULES
        )
        self.node: Any = SimpleNamespace(
            services=SimpleNamespace(sessions=sessions),
            tasks=Tasks(self.failed.append),
            now=lambda: 1000.0,
        )
        self.hooks = SessionHooks(
            Hooks(ended=self.ended), cast("Node", self.node), cast("SessionLedger", self.ledger)
        )

    async def current(self, _: str) -> Session | NoSession:
        """Return what was found."""
        return self.found

    async def is_unreadable(self, _: str) -> bool:
        """Say so."""
        return self.unreadable

    async def ended(self, _: Node, session: EndedSession, reason: Reason | None) -> None:
        """Note it, or fail."""
        self.told.append((session.user, reason))
        if self.fails is not None:
            raise self.fails

    async def look(self, until: float) -> None:
        """Look around once, and wait for the hooks."""
        await self.hooks._look_around(until)
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing runs any more."""
        if running := self.node.tasks._running:
            await asyncio.wait(list(running))


async def test_an_end_is_told_and_taken_off() -> None:
    world = World(NoSession(Reason.LOGOUT))
    await world.look(FAR)
    assert world.told == [("ada", Reason.LOGOUT)]
    assert world.ledger.noted == []


async def test_a_live_session_is_looked_at_again_when_it_expires() -> None:
    world = World(SESSION)
    await world.look(1000.0)
    assert world.told == []
    assert world.ledger.moved == {"00ada": RULES.idle_timeout.total_seconds()}


async def test_one_that_may_be_about_to_begin_has_not_ended() -> None:
    world = World(NoSession())
    await world.look(FAR)
    assert world.told == []
    await world.look(1000.0)  # it should have expired by now
    assert world.told == [("ada", None)]


async def test_a_record_that_does_not_open_is_no_end() -> None:
    world = World(NoSession(), unreadable=True)
    await world.look(1000.0)
    assert world.told == []
    assert world.ledger.moved["00ada"] > 1000


async def test_another_nodes_claim_is_respected_without_a_busy_loop() -> None:
    world = World(NoSession(Reason.LOGOUT))
    world.ledger.claimed = True
    world.ledger.noted = [ADA] * 2 * session_hooks.AT_ONCE
    await asyncio.wait_for(world.look(1000.0), 5)
    assert world.told == []


@pytest.mark.parametrize(
    "fault", [None, RuntimeError("locked"), SystemExit(78), asyncio.CancelledError()]
)
async def test_a_hook_that_raises_or_never_returns_is_counted_and_stays_noted(
    fault: BaseException | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_hooks, "HOOK_SECONDS", 0.02)
    world = World(NoSession(Reason.LOGOUT))
    world.fails = fault

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    if fault is None:
        world.hooks = SessionHooks(
            Hooks(ended=never), world.node, cast("SessionLedger", world.ledger)
        )
    await world.look(FAR)
    assert world.failed == ["session ended"]
    assert world.ledger.noted == [ADA]
    await world.look(FAR)
    assert world.failed == ["session ended"] * 2, "it is called again"


async def test_a_hook_that_never_returns_keeps_only_itself_waiting() -> None:
    world = World(NoSession(Reason.LOGOUT))
    people = [EndedSession(f"00{number}", f"person {number}") for number in range(200)]
    world.ledger.noted = list(people)
    stuck = {each.user for each in people[: session_hooks.AT_ONCE - 1]}
    told = set[str | None]()

    async def hook(_: Node, session: EndedSession, __: Reason | None) -> None:
        if session.user in stuck:
            await asyncio.Event().wait()
        told.add(session.user)

    async def all_others_are_told() -> bool:
        return told == {each.user for each in people} - stuck

    world.hooks = SessionHooks(Hooks(ended=hook), world.node, cast("SessionLedger", world.ledger))
    looking = asyncio.create_task(world.hooks._look_around(FAR))
    await until(all_others_are_told)
    await looking
    await world.node.tasks.stop()
    assert {each.user for each in world.ledger.noted} == stuck


async def test_while_a_process_stops_no_end_is_told_and_none_is_lost() -> None:
    world = World(NoSession(Reason.LOGOUT))
    await world.node.tasks.stop()
    world.hooks.note_end(end_of("00ada"))
    await world.look(FAR)
    assert (world.told, world.failed, world.ledger.noted) == ([], [], [ADA])
    assert world.hooks._turns._value == session_hooks.AT_ONCE


async def test_without_a_hook_for_ends_nothing_is_noted() -> None:
    world, begun = World(SESSION), list[str | None]()

    async def started(_: Node, session: Session) -> None:
        begun.append(session.user)

    hooks = SessionHooks(Hooks(started=started), world.node, cast("SessionLedger", world.ledger))
    await hooks.about_to_begin(SESSION)
    hooks.begun(SESSION)
    hooks.rotated(SESSION)
    await asyncio.sleep(0.01)
    assert begun == ["ada"]
    assert world.ledger.moved == {}


async def test_a_session_is_noted_before_it_begins_and_forgotten_if_it_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(SESSION)
    await world.hooks.about_to_begin(SESSION)
    assert world.ledger.moved == {"00ada": RULES.idle_timeout.total_seconds()}
    await world.hooks.not_begun(SESSION)
    assert world.ledger.noted == []

    async def away(_: EndedSession) -> None:
        raise StoreUnavailable("forget")

    monkeypatch.setattr(world.ledger, "forget", away)
    await world.hooks.not_begun(SESSION)


def end_of(*sids: str) -> SessionsEnded:
    """Return an end of sessions of Ada's, as the control stream tells of it."""
    return SessionsEnded(
        scope=Scope.SESSION, end_id="e1", initiator="n2", reason=Reason.ADMIN, asked_at=1000.0,
        user="ada", shard=0, keep="", at=1000.0, sids=sids,
    )  # fmt: skip


async def test_an_end_that_the_stream_tells_of_is_told_at_once() -> None:
    world = World(NoSession(Reason.ADMIN))

    async def is_told() -> bool:
        return bool(world.told)

    world.hooks.note_end(end_of("00ada"))
    await until(is_told)
    assert world.told == [("ada", Reason.ADMIN)]


async def test_an_end_of_everything_has_all_noted_sessions_looked_at_now() -> None:
    world = World(SESSION)
    looked = list[float]()

    async def due(_shard: int, moment: float) -> AsyncIterator[Sequence[EndedSession]]:
        looked.append(moment)
        yield []

    async def has_looked(times: int) -> bool:
        return len(looked) == times

    world.ledger.due = due  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(world.hooks.run())
    await until(lambda: has_looked(1))
    world.hooks.note_end(end_of(EVERYTHING))
    await until(lambda: has_looked(2))
    running.cancel()
    assert looked == [FAR, FAR]


async def test_a_store_that_is_down_while_ends_are_looked_for_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(session_hooks, "LOOK_EVERY", 0.01)
    world = World(NoSession(Reason.LOGOUT))
    due, failures = world.ledger.due, 0

    async def down_at_first(*_: float) -> AsyncIterator[Sequence[EndedSession]]:
        nonlocal failures
        failures += 1
        if failures < 3:
            raise StoreUnavailable("due", "TimeoutError")
        async for page in due(0, 0.0):
            yield page

    async def is_told() -> bool:
        return bool(world.told)

    world.ledger.due = down_at_first  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(world.hooks.run())
    world.hooks._look_at_all.set()
    await until(is_told)
    running.cancel()
    assert "ends of sessions could not be looked for" in caplog.text


async def test_without_a_hook_for_ends_the_stream_is_of_no_interest() -> None:
    world = World(NoSession(Reason.LOGOUT))
    hooks = SessionHooks(Hooks(), world.node, cast("SessionLedger", world.ledger))
    hooks.note_end(end_of("00ada"))
    hooks.note_end(end_of(EVERYTHING))
    await asyncio.sleep(0.01)
    assert (world.told, hooks._look_at_all.is_set()) == ([], False)


async def test_a_new_token_is_told_with_the_session() -> None:
    world, rotated = World(SESSION), list[str]()

    async def hook(_: Node, session: Session) -> None:
        rotated.append(session.sid)

    hooks = SessionHooks(Hooks(rotated=hook), world.node, cast("SessionLedger", world.ledger))
    hooks.rotated(SESSION)
    await asyncio.sleep(0.01)
    assert rotated == ["00ada"]
