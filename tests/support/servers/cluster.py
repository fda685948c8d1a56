"""A real cluster of Valkeys for tests: masters and replicas, which can fail and move slots."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self, cast

import redis
from redis.crc import key_slot

from server.core.cluster_map import SLOTS
from server.core.receipt import Durability
from server.core.store_url import SHARDS_OF_CLUSTER, Place
from server.store import acl
from server.store.names import ShardNames
from tests.support.running.ports import free_port
from tests.support.servers.valkey import PASSWORD, ValkeyServer

NODE_TIMEOUT_MS: Final = 1000
"""How long a node is silent before the others let its replica take over."""
PATIENCE: Final = 30.0
"""Seconds."""


class ValkeyCluster:
    """Masters that share the slots evenly, and replicas of theirs.

    Args:
        masters: how many.
        replicas: how many of each master.
        settings: further Valkey settings, with underscores for dashes.

    Attributes:
        shards: for how many Curfew lays it out, unless a setting says otherwise.
        durability: what receipts say, unless it writes to its disk.
    """

    shards = SHARDS_OF_CLUSTER
    durability = Durability.REPLICAS

    def __init__(self, masters: int = 3, replicas: int = 1, **settings: str) -> None:
        """Choose the addresses; nothing is started yet."""
        given = {
            "cluster_enabled": "yes",
            "cluster_node_timeout": str(NODE_TIMEOUT_MS),
            "cluster_require_full_coverage": "no",
            "repl_diskless_sync_delay": "0",
            **settings,
        }
        self._buses = [free_port() for _ in range(masters * (1 + replicas))]
        self.servers = [
            ValkeyServer(tcp=True, cluster_port=str(bus), **given) for bus in self._buses
        ]
        self._masters = masters

    @property
    def url(self) -> str:
        """The address for Curfew, with the rights of `run.py store acl`."""
        places = ",".join(f"127.0.0.1:{each.port}" for each in self.servers)
        return f"redis+cluster://{acl.USER}:{PASSWORD}@{places}"

    def start(self) -> None:
        """Start all servers, share the slots, and wait until each replica has its data."""
        for each in self.servers:
            each.start()
        self._share_slots()
        self._meet()
        self._await("no complete cluster", self._is_known_everywhere)
        for number, each in enumerate(self.servers[self._masters :]):
            self._run(each, "CLUSTER", "REPLICATE", self._id(self.servers[number % self._masters]))
        self.await_health()

    def await_health(self) -> None:
        """Wait until each slot has a master, and each replica follows one."""
        self._await("the cluster is not whole", lambda: all(map(self._is_well, self._running())))

    def master_of(self, shard: int) -> ValkeyServer:
        """Return the server that serves a shard now."""
        slot = slot_of(shard)
        for each in self._running():
            for line in self._nodes(each):
                if "myself,master" in line[2] and _has(line[8:], slot):
                    return each
        raise AssertionError("no master")

    def replicas_of(self, master: ValkeyServer) -> list[ValkeyServer]:
        """Return the running replicas of a master."""
        lines = self._nodes(master)
        master_id = next(line[0] for line in lines if "myself" in line[2])
        ports = {int(line[1].split("@")[0].split(":")[1]) for line in lines if line[3] == master_id}
        return [each for each in self._running() if each.port in ports]

    def shards_of(self, master: ValkeyServer, shards: int = 16) -> list[int]:
        """Return the shards that a server serves now."""
        return [shard for shard in range(shards) if self.master_of(shard) is master]

    def fail_over(self, replica: ValkeyServer, *options: str) -> None:
        """Let a replica take over by command, and wait until it has."""
        self._run(replica, "CLUSTER", "FAILOVER", *options)
        self._await("no failover", lambda: self._role(replica) == "master")

    def move_shard(self, shard: int, to: ValkeyServer) -> None:
        """Move a shard's slot to another master in one piece, as Valkey 9 can."""
        source, slot = self.master_of(shard), str(slot_of(shard))
        self._run(source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", self._id(to))
        self._await("the slot did not move", lambda: self.master_of(shard) is to)

    def begin_moving(self, shard: int, to: ValkeyServer) -> ValkeyServer:
        """Begin to move a shard's slot key by key, and return the server that had it."""
        source, slot = self.master_of(shard), slot_of(shard)
        self._run(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", self._id(source))
        self._run(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self._id(to))
        return source

    def finish_moving(self, shard: int, source: ValkeyServer, to: ValkeyServer) -> None:
        """Move the keys, and give the slot away."""
        slot = slot_of(shard)
        while keys := self._run(source, "CLUSTER", "GETKEYSINSLOT", slot, 100):
            self._run(source, "MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", *keys)
        for each in (to, source):
            self._run(each, "CLUSTER", "SETSLOT", slot, "NODE", self._id(to))
        self._await("the slot did not move", lambda: self.master_of(shard) is to)

    def flush(self) -> None:
        """Remove all data of all masters, and all scripts."""
        for each in self._running():
            if self._role(each) == "master":
                each.flush()

    def client(self) -> redis.Redis:
        """Make a synchronous client for somebody who may do everything, which the caller closes."""
        return owner_of_cluster(Place("127.0.0.1", self._running()[0].port))

    def close(self) -> None:
        """Stop all servers, and remove their folders."""
        with ExitStack() as stack:
            for each in self.servers:
                stack.callback(each.close)

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.close()

    def _share_slots(self) -> None:
        edges = [round(SLOTS * part / self._masters) for part in range(self._masters + 1)]
        for epoch, each in enumerate(self.servers, 1):
            self._run(each, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for each, first, after in zip(self.servers, edges, edges[1:], strict=False):
            self._run(each, "CLUSTER", "ADDSLOTSRANGE", first, after - 1)

    def _meet(self) -> None:
        for each, bus in list(zip(self.servers, self._buses, strict=True))[1:]:
            self._run(self.servers[0], "CLUSTER", "MEET", "127.0.0.1", each.port, bus)

    def _is_known_everywhere(self) -> bool:
        return all(self._is_whole(each) for each in self.servers)

    def _is_whole(self, server: ValkeyServer) -> bool:
        lines = self._nodes(server)
        slots = sum(_size(part) for line in lines for part in line[8:])
        flags = ",".join(line[2] for line in lines)
        return (
            len(lines) == len(self.servers)
            and slots == SLOTS
            and "handshake" not in flags
            and "fail" not in flags
        )

    def _is_well(self, server: ValkeyServer) -> bool:
        lines = self._nodes(server)
        told = self._run(server, "CLUSTER", "INFO")
        if b"cluster_state:ok" not in told or b"cluster_slots_ok:16384" not in told:
            return False
        if any(line[2].startswith("slave") and line[3] == "-" for line in lines):
            return False
        with server.client() as client:
            information: Any = client.info("replication")
        return "up" in (
            information["role"] == "master" and "up",
            information.get("master_link_status"),
        )

    def _running(self) -> list[ValkeyServer]:
        return [each for each in self.servers if each.runs]

    def _role(self, server: ValkeyServer) -> str:
        with server.client() as client:
            information: Any = client.info("replication")
        return str(information["role"])

    def _id(self, server: ValkeyServer) -> str:
        return str(self._run(server, "CLUSTER", "MYID"), "ascii")

    def _nodes(self, server: ValkeyServer) -> list[list[str]]:
        told = self._run(server, "CLUSTER", "NODES").decode()
        return [line.split(" ") for line in told.splitlines()]

    @staticmethod
    def _run(server: ValkeyServer, *words: object) -> Any:
        with server.client() as client:
            client.response_callbacks.clear()
            return client.execute_command(*words)

    @staticmethod
    def _await(what: str, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, what
            time.sleep(0.02)


def owner_of_cluster(node: Place) -> redis.Redis:
    """Make a client for somebody who may do everything, which the caller closes."""
    owner = _Owner(host=node.host, port=node.port, socket_timeout=5)
    return cast("redis.Redis", owner)  # its commands are the same


class _Owner(redis.RedisCluster):
    """Asks all masters what the library asks one of them."""

    def keys(self, pattern: str = "*", **_: Any) -> list[bytes]:  # type: ignore[override]
        """All keys that match."""
        return list(self.scan_iter(pattern, count=1000))

    def config_set(self, name: Any, value: Any, *rest: Any, **_: Any) -> Any:
        """Change a setting of all masters."""
        return super().config_set(name, value, *rest, target_nodes=self.PRIMARIES)

    def dbsize(self, **_: Any) -> int:
        """The number of all keys."""
        masters = map(self.get_redis_connection, self.get_primaries())  # type: ignore[no-untyped-call]
        return sum(each.dbsize() for each in masters)


def slot_of(shard: int) -> int:
    """The slot of a shard's keys."""
    return key_slot(ShardNames(shard).epoch.encode())


def _size(part: str) -> int:
    if part.startswith("["):
        return 0
    first, _, last = part.partition("-")
    return int(last or first) - int(first) + 1


def _has(parts: Sequence[str], slot: int) -> bool:
    return any(slot in each for each in _ranges(parts))


def _ranges(parts: Sequence[str]) -> Iterator[range]:
    for part in parts:
        if not part.startswith("["):
            first, _, last = part.partition("-")
            yield range(int(first), int(last or first) + 1)
