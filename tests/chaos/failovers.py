"""The faults of a master that a replica replaces, whoever promotes it."""

import signal
from typing import Protocol, TypeVar

from tests.chaos.expectations import BOUNDED, HELD_EVERYWHERE, Expected, nothing
from tests.chaos.story import Fault
from tests.chaos.two_servers import TwoServers
from tests.support.servers.valkey import ValkeyServer


class WithReplicas(TwoServers, Protocol):
    """Two servers, on a store whose master can be replaced.

    Attributes:
        old: the master when the fault began.
    """

    old: ValkeyServer

    def fail_over(self) -> None:
        """Replace the master by command."""


W = TypeVar("W", bound=WithReplicas)


def failovers(
    by_command: str, *, expected: Expected, receipts: frozenset[str]
) -> tuple[Fault[W], ...]:
    """Return the four ways in which a master is replaced.

    Args:
        by_command: title of a failover by command.
        expected: what may be seen of it.
        receipts: states that any receipt may have.
    """
    return (
        Fault(
            "command",
            by_command,
            begin=lambda rig: rig.fail_over(),
            mend=nothing,
            receipts=receipts,
            expected=expected,
        ),
        Fault(
            "killed",
            "the master is killed (SIGKILL), and comes back after the failover",
            begin=lambda rig: rig.old.kill(),
            mend=lambda rig: rig.old.start(),
            receipts=receipts,
            expected=HELD_EVERYWHERE,
        ),
        Fault(
            "frozen",
            "the master is stopped (SIGSTOP), and wakes after the failover",
            begin=lambda rig: rig.old.freeze(),
            mend=lambda rig: rig.old.thaw(),
            receipts=receipts,
            expected=HELD_EVERYWHERE,
        ),
        Fault(
            "frozen-with-b",
            "the master and B are stopped, and wake together after the failover",
            begin=_freeze_master_and_b,
            mend=_wake_master_and_b,
            receipts=receipts | BOUNDED,
            expected=HELD_EVERYWHERE,
        ),
    )


def _freeze_master_and_b(rig: WithReplicas) -> None:
    rig.old.freeze()
    rig.servers.signal_b(signal.SIGSTOP)


def _wake_master_and_b(rig: WithReplicas) -> None:
    """Let both run on: B meets a master that still takes itself for one."""
    rig.old.thaw()
    rig.servers.signal_b(signal.SIGCONT)
