"""Histories in which settings change find a store whose ends miss what lapsed by other rules."""

import pytest

from server.core.session import Session
from server.store.contract import Created, EpochChanged, Tombstone
from tests.simulation.history import HistoryFailed, run_history
from tests.simulation.memory import Memory

WITHIN = 1_500
"""In so many histories, a broken store must be found."""


def test_histories_find_an_index_that_forgets_what_lapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    create = Memory.create

    def create_and_forget(
        memory: Memory, session: Session, *rest: object
    ) -> Created | EpochChanged | Tombstone:
        indexed = memory.index.get(session.user or "", {})
        for sid in [sid for sid, score in indexed.items() if score < memory.now()]:
            del indexed[sid]
        return create(memory, session, *rest)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Memory, "create", create_and_forget)
    assert any("too late" in _outcome(seed) for seed in range(WITHIN))


def _outcome(seed: int) -> str:
    try:
        run_history(seed)
    except HistoryFailed as failed:
        return str(failed)
    return ""
