"""Histories in which a store loses its role find nodes that stay, or do not notice what was lost.

The first seeds that find each fault: a reader that stays 4, 49, 66, 72, 98; writes that were lost
unnoticed 90, 370; a replica that is believed to have an end 5, 27, 53, 141, 181.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from server.engine import Engine
from server.realtime.follower import Follower
from server.store.contract import Ended
from tests.simulation import remote_store
from tests.simulation.connections import NodeLink
from tests.simulation.history import HistoryFailed, run_history, unchanged
from tests.simulation.servers import Server
from tests.simulation.world import Change
from tests.support.engine.of_single import of_single

WITHIN = 1_500
"""In so many histories, each fault must be found."""


def _with_a_reader_that_stays(engine: Engine) -> None:
    """Let nothing that other connections find out drop the reader's, however old it is."""
    remote = cast("Any", of_single(engine.follower, Follower)._control).read.__self__
    remote = getattr(remote, "_remote", remote)  # of a node of an earlier version
    pool = remote._reader._pool
    remote.master._pools.remove(pool)
    pool._link = NodeLink(timedelta.max, remote.master.monotonic)


def test_histories_find_a_reader_that_stays_on_the_old_master() -> None:
    assert any("without faults" in _outcome(s, _with_a_reader_that_stays) for s in range(WITHIN))


def test_histories_find_writes_that_were_lost_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_store, "is_other_history", lambda *_: False)
    assert any("outlived" in _outcome(seed) for seed in range(WITHIN))


def test_histories_find_a_replica_that_is_believed_to_have_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def confirm(_: Server, ended: Ended) -> Ended:
        return replace(ended, replicated=True)

    monkeypatch.setattr(Server, "confirm", confirm)
    assert any("was lost" in _outcome(seed) for seed in range(WITHIN))


def _outcome(seed: int, change: Change = unchanged) -> str:
    try:
        run_history(seed, change)
    except HistoryFailed as failed:
        return str(failed)
    return ""
