"""Manager, terminations and the real store against a reference of a few dictionaries.

Requests are slow here: one that was accepted may go on much later, when its session has been
written by others, rotated, or ended. A crash loses the reply to the next write, which happened.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, ClassVar, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from server.core.errors import StoreUnavailable
from server.core.policy import Accept, Refuse, Verdict
from server.core.reasons import NoSession, Reason
from server.core.receipt import State
from server.core.session import Device, Json, Rules
from server.core.token import issue_token
from server.sessions.creation import SignInInterrupted
from server.sessions.verdicts import LiveSession, TokenRefused
from server.store.contract import Stored, Tombstone
from tests.support.engine.crashing import open_node
from tests.support.engine.reference import Reference, Request, SignIn, elevation, rotation, writing
from tests.support.servers.valkey import ValkeyServer

RULES: Final = Rules(
    idle_timeout=timedelta(minutes=30),
    absolute_timeout=timedelta(hours=2),
    rotation_interval=timedelta(minutes=1),
    rotation_grace=timedelta(seconds=30),
    max_sessions_per_user=3,
)
DEVICE: Final = Device("a browser", "192.0.2.7")
users = st.sampled_from(["ann", "bob"])
values: st.SearchStrategy[Json] = st.sampled_from([None, 0, 1, True, 1.0, "é", [1], {"a": None}])
changes = st.dictionaries(st.sampled_from("abc"), values, max_size=2)


class Managed(RuleBasedStateMachine):
    """Everything that handlers ask of the engine, on two users and visitors."""

    url: ClassVar[str]
    requests: Bundle[Request] = Bundle("requests")
    sign_ins: Bundle[SignIn] = Bundle("sign_ins")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.node = self.run(self.stack.enter_async_context(open_node(self.url, RULES)))
        self.reference = Reference(RULES, self.node.clock.time)
        self.lost = False
        self.unswept = 0

    def teardown(self) -> None:
        """Close the node."""
        self.run(self.stack.aclose())
        self.runner.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result; None when its reply was lost, which is noted."""
        try:
            return self.runner.run(work)
        except StoreUnavailable:
            assert not self.node.store.crashes
            self.lost = True
            return None

    def replied(self) -> bool:
        """Whether the call just made was answered."""
        lost, self.lost = self.lost, False
        return not lost

    @rule(seconds=st.sampled_from([0.1, 15.0, 29.9, 30.0, 61.0, 900.0, 1800.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.node.clock.time += seconds
        self.reference.now = self.node.clock.time

    @rule()
    def crash(self) -> None:
        """The next reply to a write will be lost."""
        self.node.store.crashes = True

    @rule(target=sign_ins, user=users)
    def begin_sign_in(self, user: str) -> SignIn:
        """Somebody sends a password."""
        epochs = self.run(self.node.sessions.epochs(user))
        return SignIn(user, epochs, self.reference.epochs(user))

    @rule(target=requests, sign_in=consumes(sign_ins), previous=st.none() | requests)
    def finish_sign_in(self, sign_in: SignIn, previous: Request | None) -> Any:
        """It was right."""
        before = previous.live if previous else None
        made = self.run(self.node.sessions.sign_in(sign_in.user, sign_in.epochs, DEVICE, before))
        if sign_in.began != self.reference.epochs(sign_in.user):
            assert made == SignInInterrupted() or not self.replied()
            return multiple()
        session = self.node.store.made
        assert session.user == sign_in.user
        assert session.data in self.carried(before)
        assert session.sid not in self.reference.records
        self.reference.begin(session)
        if not self.replied():
            return multiple()
        if previous is not None:
            self.reference.end(previous.sid, Reason.SUPERSEDED)
        assert made.token == issue_token(session.sid, session.seed, 1)
        return Request(made, 1)

    def carried(self, previous: LiveSession | None) -> list[Any]:
        """What a new session may begin with: a visitor's data, as it was seen or is by now."""
        if previous is None or previous.session.user is not None:
            return [{}]
        return [previous.session.data, self.reference.records[previous.session.sid].data, {}]

    @rule(target=requests, data=changes)
    def begin_anonymous(self, data: dict[str, Json]) -> Any:
        """A visitor has something to keep."""
        made = self.run(self.node.sessions.begin_anonymous(DEVICE, data))
        self.reference.begin(self.node.store.made)
        return Request(made, 1) if self.replied() else multiple()

    @rule(target=requests, data=st.data(), may_rotate=st.booleans())
    @precondition(lambda self: self.reference.records)
    def check(self, data: st.DataObject, *, may_rotate: bool) -> Any:
        """A request comes with any token that ever was, or will be."""
        session = data.draw(st.sampled_from(list(self.reference.records.values())))
        number = max(1, session.issued - data.draw(st.sampled_from([0, 0, 0, 1, 2, -1])))
        token = issue_token(session.sid, session.seed, number)
        expected = self.reference.judge(token, may_rotate=may_rotate)
        found = self.run(self.node.sessions.check(token, may_rotate=may_rotate))
        return self.compare(found, expected, number)

    @rule(target=requests, request=requests, data=changes)
    def write(self, request: Request, data: dict[str, Json]) -> Any:
        """A request writes data."""
        expected = self.reference.change(request.live, writing(data))
        found = self.run(self.node.sessions.write(request.live, data))
        return self.compare(found, expected, request.presented)

    @rule(target=requests, request=requests)
    def rotate(self, request: Request) -> Any:
        """A request asks for the next token."""
        expected = self.reference.change(request.live, rotation(self.reference, request.presented))
        found = self.run(self.node.sessions.rotate(request.live))
        return self.compare(found, expected, request.presented)

    @rule(target=requests, request=requests)
    def elevate(self, request: Request) -> Any:
        """A request proved the password."""
        expected = self.reference.change(request.live, elevation(self.reference, request.presented))
        found = self.run(self.node.sessions.elevate(request.live))
        return self.compare(found, expected, request.presented)

    @rule(request=requests)
    def touch(self, request: Request) -> None:
        """Activity on an open socket."""
        expected = self.reference.touch(request.sid)
        found = self.run(self.node.sessions.touch(request.sid))
        if self.replied() and isinstance(expected, Reason):
            assert found.reason == expected
        elif found is not None:
            assert found == self.reference.records[request.sid]

    @rule(request=requests, reason=st.sampled_from([Reason.LOGOUT, Reason.TERMINATED]))
    def end_one(self, request: Request, reason: Reason) -> None:
        """Somebody logs out, or is ended."""
        count = int(request.sid not in self.reference.ended)
        self.reference.end(request.sid, reason)
        self.assert_receipt(self.node.terminations.one(request.live.session, reason), count)

    @rule(user=users, kept=st.none() | requests)
    def end_all(self, user: str, kept: Request | None) -> None:
        """All sessions of a user end, but for one perhaps."""
        keep = kept.sid if kept else None
        count = len(set(self.reference.of(user)) - {keep})
        self.reference.end_all(user, Reason.CREDENTIAL_CHANGED, keep)
        ending = self.node.terminations.all_of(user, Reason.CREDENTIAL_CHANGED, keep=keep)
        self.assert_receipt(ending, count)

    @rule()
    def end_everything(self) -> None:
        """An operator ends everything, perhaps with what an earlier one left to sweep."""
        count = len(self.reference.records.keys() - self.reference.ended.keys())
        self.unswept += count
        self.reference.end_everything(Reason.ADMIN)
        receipts = self.run(self.node.terminations.everything(Reason.ADMIN))
        if self.replied():
            assert count <= sum(each.sessions for each in receipts) <= self.unswept
            self.unswept = 0

    def assert_receipt(self, ending: Coroutine[Any, Any, Any], sessions: int) -> None:
        """Nobody else is listed, so it is complete, and counts right."""
        receipt = self.run(ending)
        if self.replied():
            assert (receipt.state, receipt.sessions) == (State.COMPLETE, sessions)

    def compare(self, found: Any, expected: Reason | Verdict, presented: int) -> Any:
        """What was answered is what the reference says; the request if it goes on."""
        if not self.replied():
            return multiple()
        if isinstance(expected, Accept):
            assert isinstance(found, LiveSession)
            assert found.session == expected.session
            assert found.token == expected.token
            return Request(found, max(presented, found.token.generation if found.token else 0))
        if isinstance(expected, Refuse):
            assert found in [TokenRefused(expected.why), NoSession()]
        else:
            assert isinstance(found, NoSession)
            assert found.reason == expected
        return multiple()

    @invariant()
    def the_store_agrees(self) -> None:
        """Every session that ever was is as the reference has it, and the lists too."""
        reference, store = self.reference, self.node.store
        for sid, session in reference.records.items():
            stored = self.runner.run(store.load(sid))
            if sid in reference.ended:
                assert isinstance(stored, Tombstone)
                assert stored.reason == reference.ended[sid]
            else:
                assert stored == Stored(session, reference.revisions[sid])
                assert repr(stored.session.data) == repr(session.data)  # True is not 1
        for user in ("ann", "bob"):
            listed = {each.session.sid for each in self.runner.run(store.list_user(user))}
            assert listed == {sid for sid in reference.of(user) if not reference.timeout(sid)}
            assert len(listed) <= RULES.max_sessions_per_user


@pytest.mark.proves("7.4.1")
def test_the_store_agrees_with_the_reference_after_every_step(valkey: ValkeyServer) -> None:
    Managed.url = valkey.url
    run_state_machine_as_test(Managed, settings=settings(max_examples=250, stateful_step_count=30))
