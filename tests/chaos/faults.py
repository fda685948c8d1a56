"""The faults: what goes wrong, how it is mended, and what may then be seen."""

import signal
from typing import Final

from tests.chaos.rig import LEASE_SECONDS, Rig
from tests.chaos.story import Fault


def _nothing(_: Rig) -> None:
    """There is nothing to mend."""


COMPLETE, BOUNDED = frozenset({"complete"}), frozenset({"bounded"})
PENDING, UNKNOWN = frozenset({"pending"}), frozenset({"none"})
HELD = frozenset({"hold", "resume"})
ENDED = frozenset({"ended", "4401 terminated"})
UNVERIFIED = frozenset({"hold", "hello", "4503 unverified"})
CALM: frozenset[str] = frozenset()

FAULTS: Final = (
    Fault(
        "connections-killed",
        "every connection to Valkey is reset (`CLIENT KILL`)",
        begin=Rig.kill_connections,
        mend=_nothing,
        receipts=COMPLETE,
        at_a=ENDED,
        at_b=ENDED,
        others=CALM,
    ),
    Fault(
        "frozen",
        "Valkey is stopped (SIGSTOP) for longer than the lease",
        begin=lambda rig: rig.valkey.freeze(),
        mend=lambda rig: rig.valkey.thaw(),
        lasts=LEASE_SECONDS + 1.5,
        mended_after_receipt=False,
        receipts=COMPLETE | UNKNOWN,
        at_a=ENDED | HELD,
        at_b=ENDED | HELD,
        others=HELD,
    ),
    Fault(
        "link-dark",
        "B's link is silent in both directions, without a reset",
        begin=lambda rig: rig.link_b.darken(),
        mend=Rig.mend,
        lasts=LEASE_SECONDS + 0.5,
        receipts=BOUNDED,
        at_a=ENDED,
        at_b=ENDED | {"hold"},
        others=HELD,
    ),
    Fault(
        "requests-dark",
        "B's requests get lost, for longer than lease and hold timeout",
        begin=lambda rig: rig.link_b.darken(from_target=False),
        mend=Rig.mend,
        lasts=7.0,
        receipts=BOUNDED,
        at_a=ENDED,
        at_b=ENDED | UNVERIFIED,
        others=UNVERIFIED,
    ),
    Fault(
        "replies-dark",
        "Valkey's replies to B get lost",
        begin=lambda rig: rig.link_b.darken(to_target=False),
        mend=Rig.mend,
        lasts=LEASE_SECONDS + 0.5,
        receipts=BOUNDED,
        at_a=ENDED,
        at_b=ENDED | {"hold"},
        others=HELD,
    ),
    Fault(
        "restarted",
        "Valkey is down for longer than the lease, and comes back with its data",
        begin=lambda rig: rig.valkey.kill(),
        mend=lambda rig: rig.valkey.start(),
        lasts=LEASE_SECONDS + 1.0,
        mended_after_receipt=False,
        receipts=COMPLETE,
        at_a=ENDED | HELD,
        at_b=ENDED | HELD,
        others=HELD,
    ),
    Fault(
        "trimmed",
        "B's link is cut, and what the stream held is removed before B is back",
        begin=lambda rig: rig.link_b.cut(),
        mend=Rig.trim_and_mend,
        lasts=LEASE_SECONDS / 2,
        mended_after_receipt=False,
        receipts=PENDING | BOUNDED,
        at_a=ENDED,
        at_b=ENDED | HELD,
        others=HELD,
    ),
    Fault(
        "node-stopped",
        "B is stopped (SIGSTOP) for longer than the lease",
        begin=lambda rig: rig.signal_node_b(signal.SIGSTOP),
        mend=lambda rig: rig.signal_node_b(signal.SIGCONT),
        lasts=LEASE_SECONDS + 0.5,
        receipts=BOUNDED,
        at_a=ENDED,
        at_b=ENDED | {"hold"},
        others=HELD,
    ),
    Fault(
        "node-killed",
        "B is killed (SIGKILL)",
        begin=lambda rig: rig.signal_node_b(signal.SIGKILL),
        mend=_nothing,
        receipts=BOUNDED,
        at_a=ENDED,
        at_b=ENDED | {"cut"},
        others=frozenset({"cut", "hello"}),
    ),
    Fault(
        "full",
        "Valkey is full (`maxmemory 1`) for longer than the lease",
        begin=Rig.fill,
        mend=Rig.make_room,
        lasts=LEASE_SECONDS + 1.5,
        mended_after_receipt=False,
        receipts=COMPLETE | BOUNDED | UNKNOWN,
        at_a=ENDED | HELD,
        at_b=ENDED | HELD,
        others=HELD,
    ),
    Fault(
        "slow",
        "Valkey takes 500 ms for every answer",
        begin=lambda rig: rig.slow_down(0.5),
        mend=Rig.mend,
        first=1.0,
        lasts=1.0,
        receipts=COMPLETE | BOUNDED | UNKNOWN,
        at_a=ENDED | HELD,
        at_b=ENDED | HELD,
        others=HELD,
    ),
    Fault(
        "data-lost",
        "Valkey is killed and comes back without its data",
        begin=Rig.lose_data,
        mend=lambda rig: rig.valkey.start(),
        lasts=1.0,
        mended_after_receipt=False,
        receipts=UNKNOWN,
        at_a=frozenset({"hold", "ended", "4401 unauthenticated"}),
        at_b=frozenset({"hold", "ended", "4401 unauthenticated"}),
        others=frozenset({"hold", "ended", "4401 unauthenticated"}),
        loses_data=True,
    ),
)
