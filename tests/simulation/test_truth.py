"""What counts as served too late after a failover that lost a sign-in."""

from types import SimpleNamespace
from typing import cast

import pytest

from server.core.reasons import Reason
from server.core.session import Session
from server.store.contract import Created
from tests.simulation.memory import Memory
from tests.simulation.servers import Server, replica_of
from tests.simulation.truth import Truth
from tests.simulation.world import LEASE, RULES, Node
from tests.support.engine.browsing import new_session

_REMOTE = SimpleNamespace(master=SimpleNamespace(arrivals={}))
NODE = cast("Node", SimpleNamespace(remote=_REMOTE))
"""A node that was never led to the old master."""


class _FailedOver:
    """A new master that lacks a sign-in, and the truth about it.

    Args:
        ends_before: whether the session has ended on the old master, as only that one knows.
    """

    def __init__(self, *, ends_before: bool) -> None:
        self.now = 1000.0
        self.session: Session = new_session(self.now)
        self.truth = Truth(lambda: self.now, LEASE)
        old = Server(Memory(lambda: self.now, RULES, LEASE))
        self.new = replica_of(old, "second")
        self.truth.follow(old)
        assert self._sign_in(old)
        if ends_before:
            old.memory.end_user("ann", None, "end 1", Reason.ADMIN, "node0", self.now)
        old.demote(self.now)
        self.truth.follow(self.new)
        self.truth.take_over(old, self.new)
        self.now += LEASE / 2

    def sign_in_again(self) -> bool:
        """Do as the sign-in whose reply was lost: ask once more for the same session."""
        return self._sign_in(self.new)

    def is_too_late_after(self, seconds: float) -> bool:
        """Return whether the session is served too late, so many seconds from now."""
        self.truth.served(NODE, self.session.sid, self.now + seconds, "a request")
        return bool(self.truth.violations)

    def _sign_in(self, server: Server) -> bool:
        made = server.memory.create(self.session, "sign-in", "", "node0", self.now)
        return isinstance(made, Created)


@pytest.mark.parametrize("ends_before", [False, True])
def test_a_session_that_was_lost_with_the_old_master_must_not_be_served(ends_before: bool) -> None:  # noqa: FBT001
    assert _FailedOver(ends_before=ends_before).is_too_late_after(LEASE)


@pytest.mark.parametrize("ends_before", [False, True])
def test_a_session_that_the_new_master_has_made_again_is_live(ends_before: bool) -> None:  # noqa: FBT001
    store = _FailedOver(ends_before=ends_before)
    assert store.sign_in_again()
    assert not store.is_too_late_after(10 * LEASE)


def test_a_session_that_the_new_master_has_made_again_ends_like_any_other() -> None:
    store = _FailedOver(ends_before=True)
    assert store.sign_in_again()
    store.new.memory.end_session(
        store.session.sid, "ann", "end 2", Reason.LOGOUT, "node0", store.now
    )
    assert not store.is_too_late_after(LEASE / 2)
    assert store.is_too_late_after(1.01 * LEASE)


def test_an_end_on_the_new_master_refuses_the_sign_in_that_comes_again() -> None:
    store = _FailedOver(ends_before=False)
    store.new.memory.end_user("ann", None, "end 2", Reason.ADMIN, "node0", store.now)
    assert not store.sign_in_again()
    assert store.is_too_late_after(LEASE)
