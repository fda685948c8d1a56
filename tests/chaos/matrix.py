"""Runs every fault once and writes what was seen: `python -m tests.chaos.matrix`.

`one` or `sentinel` behind it measures only the table of one server of the store, or of Sentinel.
"""

import asyncio
import sys
from collections.abc import Collection, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from tests.chaos.faults import FAULTS
from tests.chaos.rig import Rig
from tests.chaos.sentinel_faults import SENTINEL_FAULTS
from tests.chaos.sentinel_rig import SentinelFaultRig
from tests.chaos.story import Fault, R, Story, tell
from tests.chaos.two_servers import LEASE_SECONDS, SETTINGS
from tests.chaos.witness import Witness
from tests.support.servers.sentinels import DOWN_AFTER

TABLE: Final = Path(__file__).parents[2] / "docs" / "fault-matrix.md"
COLUMNS: Final = (
    "fault",
    "ended session saw at A",
    "at B",
    "others saw at B",
    "receipt",
    "last served",
    "silent",
    "recovery",
    "signed out",
)
HEAD: Final = f"""\
# Faults and what happened

`make chaos-matrix` (`python -m tests.chaos.matrix`) runs every fault and writes this file. In every
test run, `tests/chaos` checks the same faults with the same code.

Two servers, A and B, share one Valkey that syncs every write. Each reaches it over its own link,
which the test can break. When the fault begins, a session has an open socket and a stream of
requests on each server. Then another session of its user ends it at A, and repeats the request as
long as the answer is 503. The test also watches that other session and a stranger's session on both
servers.

Settings: {", ".join(f"`CURFEW_{name.upper()}={value}`" for name, value in SETTINGS.items())}.

- **saw**: what the sockets received after their first `hello`. `cut`: the connection broke. A
  client reconnects after every close that is not 44xx, so more may follow.
- **receipt**: its state, and how many listed nodes acknowledged, lost their lease, or had still to
  answer. `none`: the session was gone before there was a receipt. 503: the answer before; that
  request may have ended the session.
- **last served**: the time from the end to the last request that was still answered, or message
  that was still delivered, to the ended session. The bound is the lease, {LEASE_SECONDS:g} s, and
  the moment of a `complete` or `bounded` receipt.
- **silent**: the time from the end until the session's last socket was closed or held. A stopped
  process can do neither, and serves nothing.
- **recovery**: the time from the repair until everybody else was served again, socket and requests,
  on both servers.
- **signed out**: other sessions that were refused, closed with 44xx, or told to remove their
  cookie.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""


SENTINEL: Final = "\n## With Sentinel\n"
SENTINEL_HEAD: Final = f"""\
{SENTINEL}
The same two servers and the same story, on a master with two replicas that three sentinels watch.
Each server reaches all of them directly. Sentinel takes a master for down after {DOWN_AFTER:g} s.
**Recovery** is the time from the fault until everybody else was served again; for the two
sentinels, from their return. `make sentinel` checks these faults, and that every receipt stays true
when sessions end under load.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""


async def main(which: Collection[str]) -> int:
    """Write the tables; 1 if something was served too late."""
    one, _, several = TABLE.read_text(encoding="utf-8").partition(SENTINEL)
    several, too_late = SENTINEL + several, list[str]()
    if "one" in which:
        with Rig.running() as rig:
            one = HEAD + await measured(rig, FAULTS, too_late)
    if "sentinel" in which:
        with SentinelFaultRig.running() as sentinel_rig:
            several = SENTINEL_HEAD + await measured(sentinel_rig, SENTINEL_FAULTS, too_late)
    TABLE.write_text(one + several, encoding="utf-8")
    return 1 if too_late else 0


async def measured(rig: R, faults: Iterable[Fault[R]], too_late: list[str]) -> str:
    """Tell the stories of some faults, and return their rows.

    Args:
        rig: where they happen.
        faults: the faults.
        too_late: gets what was served too late.
    """
    rows = []
    for fault in faults:
        rig.settle()
        story = await tell(rig, fault)
        late = [f"{fault.name}: {each}" for each in story.served_too_late]
        rows.append(_row(fault, story) + "\n")
        sys.stdout.writelines([rows[-1], *(f"{each}\n" for each in late)])
        too_late += late
    return "".join(rows)


def _row(fault: Fault[Any], story: Story) -> str:
    at_a, at_b = story.ended
    cells = [
        fault.title,
        _saw(at_a),
        _saw(at_b),
        _saw(story.others[-1]),
        _receipt(story),
        f"{story.last_served:.1f} s",
        f"{story.silent_after:.1f} s",
        "-" if fault.loses_data else f"{story.recovery:.1f} s",
        _signed_out(fault, story),
    ]
    return f"| {' | '.join(cells)} |"


def _saw(witness: Witness) -> str:
    """What sockets were told after the first `hello`; the same word in a row is told once."""
    began = witness.words.index("hello") + 1
    words = [word for word, _ in groupby(witness.words[began:])]
    return ", ".join(f"`{word}`" for word in words) or "nothing"


def _receipt(story: Story) -> str:
    unavailable = "503, then " if story.unavailable else ""
    if story.receipt is None:
        return f"{unavailable}`none`"
    nodes = story.receipt["nodes"]
    counts = f"{nodes['acked']}, {nodes['lease_expired']}, {nodes['waiting']}"
    return f"{unavailable}`{story.state}` ({counts})"


def _signed_out(fault: Fault[Any], story: Story) -> str:
    if fault.loses_data:
        return "all: nobody is known any more"
    return str(sum(each.is_signed_out for each in story.others) or "nobody")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:] or ("one", "sentinel"))))
