"""A store that says that another has the data (MOVED): an outage, and nothing is lost by it."""

from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import pytest
from redis.exceptions import MovedError

from server.store.names import SHARD_COUNT
from tests.support.clients.client import Client, frame, set_cookie
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

SLOTS = 16_384


class ClusterNode:
    """One member of a cluster of two.

    Args:
        valkey: in cluster mode.
        bus: the port on which members speak.
    """

    def __init__(self, valkey: ValkeyServer, bus: int) -> None:
        self.valkey = valkey
        self._bus = bus
        self.owner = cast("Any", valkey.client())
        self.id: str = self.owner.execute_command("CLUSTER MYID").decode()

    def take_all_slots(self) -> None:
        """Be responsible for everything."""
        self.owner.execute_command("CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)

    def is_ok(self) -> bool:
        """Whether it serves, which it does once it knows who has every slot."""
        return bool(self.owner.execute_command("CLUSTER INFO")["cluster_state"] == "ok")

    def meet(self, other: "ClusterNode") -> None:
        """Know each other, which takes a moment."""
        address = ("127.0.0.1", other.valkey.port, other._bus)
        self.owner.execute_command("CLUSTER MEET", *address)
        for one, two in ((self, other), (other, self)):
            eventually(partial(one.knows, two))
            eventually(one.is_ok)

    def knows(self, other: "ClusterNode") -> bool:
        """Whether the other is a member, as far as this one knows."""
        members = self.owner.execute_command("CLUSTER NODES").values()
        known = [each["flags"] for each in members if each["node_id"] == other.id]
        return bool(known) and "handshake" not in known[0]

    def hand_over(self, slot: int, other: "ClusterNode") -> None:
        """Give a slot with all its keys to the other."""
        set_slot = ("CLUSTER SETSLOT", slot)
        other.owner.execute_command(*set_slot, "IMPORTING", self.id)
        self.owner.execute_command(*set_slot, "MIGRATING", other.id)
        while keys := self.owner.execute_command("CLUSTER GETKEYSINSLOT", slot, 1000):
            where = ("127.0.0.1", other.valkey.port, "", 0, 5000)
            self.owner.execute_command("MIGRATE", *where, "KEYS", *keys)
        for each in (other, self):
            each.owner.execute_command(*set_slot, "NODE", other.id)


@pytest.fixture
def nodes() -> Iterator[tuple[ClusterNode, ClusterNode]]:
    """Two members, of which the first has everything."""
    buses = [free_port(), free_port()]
    cluster = {
        "cluster_enabled": "yes",
        "cluster_node_timeout": "60000",  # a busy machine may keep a member silent for a while
        "cluster_allow_replica_migration": "no",  # who has no slot left stays what it is
    }
    stores = [ValkeyServer(tcp=True, cluster_port=str(bus), **cluster) for bus in buses]
    with stores[0], stores[1]:
        first, second = (ClusterNode(*each) for each in zip(stores, buses, strict=True))
        first.take_all_slots()
        first.meet(second)
        yield first, second
        for each in (first, second):
            each.owner.close()


@pytest.mark.proves("A95", "16.5.2", "16.5.3")
async def test_a_store_that_points_elsewhere_is_one_that_does_not_answer(
    nodes: tuple[ClusterNode, ClusterNode],
) -> None:
    first, second = nodes
    slot = first.owner.execute_command("CLUSTER KEYSLOT", SHARD_COUNT)
    with CurfewServer(store_url=first.valkey.url, node_lease="60s") as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
            async with ann.open_socket() as socket:
                await frame(socket, "hello")
                first.hand_over(slot, second)
                with pytest.raises(MovedError):
                    first.owner.execute_command("GET", SHARD_COUNT)
                for method, path, body in (
                    ("GET", "/api/session", None),
                    ("GET", "/account", None),
                    ("PATCH", "/api/session/data", {"a": 1}),
                    ("POST", "/api/logout", None),
                ):
                    answer = await ann.request(method, path, body)
                    assert answer.status_code == 503, (path, answer.text)
                    assert set_cookie(answer) is None
                second.hand_over(slot, first)

                async def is_served() -> bool:
                    answer = await ann.request("GET", "/api/session")
                    assert answer.status_code in {200, 503}
                    return answer.status_code == 200

                await until(is_served)
                await socket.send('{"type":"ping"}')
                await frame(socket, "pong")
        assert "Traceback" not in server.log
