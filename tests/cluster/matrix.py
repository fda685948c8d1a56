"""Runs every fault of a cluster once and writes what was seen: `python -m tests.cluster.matrix`."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from tests.chaos.matrix import COLUMNS, measured
from tests.cluster.faults import CLUSTER_FAULTS
from tests.cluster.rig import ClusterFaultRig
from tests.support.servers.cluster import NODE_TIMEOUT_MS

TABLE: Final = Path(__file__).parents[2] / "docs" / "fault-matrix-cluster.md"
HEAD: Final = f"""\
# Faults of a cluster and what happened

`python -m tests.cluster.matrix` runs every fault and writes this file; `make test-cluster` checks
the same faults with the same code. The columns and the settings are those of [the other
matrix](fault-matrix.md).

The store is a real Valkey Cluster: three masters, a replica of each, and 16 shards, with
`cluster-node-timeout {NODE_TIMEOUT_MS}` and `cluster-require-full-coverage no`. The fault is about
the master of the session that is ended. What others saw at B is told of a stranger's session **in a
shard of another master**: it must notice nothing, unless B itself is stopped. Each master has one
replica. So an end right after a failover waits in vain for another one, and its receipt says
`pending`.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""


async def main() -> int:
    """Write the table; 1 if something was served too late."""
    too_late: list[str] = []
    with ClusterFaultRig.running() as rig:
        table = HEAD + await measured(rig, CLUSTER_FAULTS, too_late)
    TABLE.write_text(table, encoding="utf-8")
    return 1 if too_late else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
