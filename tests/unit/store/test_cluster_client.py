"""Which master a command goes to, and what shares a round trip."""

import asyncio
from typing import Any, Final, Self, cast

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, TryAgainError
from redis.exceptions import ConnectionError as ClientConnectionError

from server.core.cluster_map import ClusterMap, ClusterNode
from server.core.errors import StoreUnavailable
from server.core.store_url import ClusterStore, Login, Place
from server.store.cluster import Cluster
from server.store.cluster_client import ClusterClient, first_of, key_of, master_of, masters_of
from server.store.durability import durability_now
from server.store.names import SHARD_COUNT, ShardNames

A, B = Place("127.0.0.1", 1), Place("127.0.0.1", 2)
ZERO, ONE = ShardNames(0), ShardNames(1)
TWICE: Final = 2


class Master:
    """Stands for the client of a master, and notes what it is sent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[Any] = []
        self.refuses: Exception | None = None

    async def execute_command(self, *args: Any, **_: Any) -> Any:
        """See the real one."""
        self.sent.append(args)
        return self.name

    async def mget(self, keys: Any) -> Any:
        """See the real one."""
        self.sent.append(("MGET", *keys))
        return [self.name for _ in keys]

    @property
    def connection_pool(self) -> Self:
        """Stands for its pool, too."""
        return self

    async def disconnect(self, _inuse_connections: bool) -> None:  # noqa: FBT001 theirs
        """See the real one."""
        self.sent.append("disconnect")

    async def aclose(self) -> None:
        """See the real one."""
        self.sent.append("close")

    def pipeline(self, transaction: bool) -> "Piped":  # noqa: FBT001 theirs
        """See the real one."""
        assert not transaction
        return Piped(self)


class Piped:
    """A pipeline of a `Master`."""

    def __init__(self, master: Master) -> None:
        self.master = master
        self.command_stack: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def execute_command(self, *args: Any, **options: Any) -> None:
        """See the real one."""
        self.command_stack.append((args, options))

    def exists(self, key: str) -> None:
        """See the real one."""
        self.execute_command("EXISTS", key)

    def mget(self, keys: Any) -> None:
        """See the real one."""
        self.execute_command("MGET", *keys)

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 theirs
        """See the real one."""
        self.master.sent.append([args for args, _ in self.command_stack])
        if self.master.refuses:
            if raise_on_error:
                raise self.master.refuses
            return [self.master.refuses, *self.command_stack[1:]]
        return [self.master.name for _ in self.command_stack]


class Rig:
    """A client of a cluster whose masters only note what they are sent."""

    def __init__(self, *, whole: bool = True) -> None:
        cluster = Cluster(ClusterStore((A,), Login(), None), None, plaintext_allowed=False)
        if whole:
            give(cluster.map, 0, A)
            give(cluster.map, 1, B)
        self.cluster = cluster
        self.client = ClusterClient(cluster)
        self.a, self.b = Master("a"), Master("b")
        clients = cast("dict[Place, Any]", self.client._clients)
        clients[A], clients[B] = self.a, self.b


def give(known: ClusterMap, shard: int, place: Place, epoch: int = 1) -> None:
    """Have a shard's slot served by a master."""
    slot = key_slot(ShardNames(shard).epoch.encode())
    known.learn([ClusterNode(place, epoch, is_master=True, is_usable=True, slots=((slot, slot),))])


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("GET", "k"), "k"),
        (("XINFO STREAM", "k"), "k"),
        (("EVALSHA", "sha", 2, "k", "other", "arg"), "k"),
        (("EVALSHA", "sha", 0), None),
        (("XREAD", b"BLOCK", "5", b"STREAMS", "k", "l", "0-0", "0-0"), "k"),
        (("SCAN", 0, b"MATCH", "curfew:{01}:*", b"COUNT", 5), "curfew:{01}:*"),
        (("INFO", "stats"), None),
        (("WAITAOF", 1, 0, 10), None),
        (("WAIT", 1, 500), None),
        (("SCRIPT LOAD", "return 1"), None),
        (("TIME",), None),
    ],
)
def test_the_first_key_of_a_command_is_found(command: tuple[Any, ...], key: str | None) -> None:
    assert key_of(command) == key


async def test_a_command_goes_to_the_master_of_its_key_and_any_other_to_the_first_shards(
    rig: Rig,
) -> None:
    assert await rig.client.get(ZERO.epoch) == "a"
    assert await rig.client.get(ONE.epoch) == "b"
    assert await rig.client.execute_command("TIME") == "a"
    assert first_of([]) == SHARD_COUNT


async def test_a_master_to_which_nothing_may_go_in_plain_text_is_not_available(rig: Rig) -> None:
    give(rig.cluster.map, 1, Place("10.0.0.9", 7009), epoch=2)
    with pytest.raises(StoreUnavailable):
        masters_of(rig.client)
    with pytest.raises(StoreUnavailable):
        await durability_now(rig.client, 2)


async def test_a_master_that_is_not_known_is_a_cluster_that_does_not_serve() -> None:
    with pytest.raises(ClusterDownError):
        await Rig(whole=False).client.get(ZERO.epoch)


async def test_a_pipeline_goes_to_the_master_of_the_first_key_in_it(rig: Rig) -> None:
    pipeline = rig.client.pipeline()
    pipeline.info("stats")
    pipeline.get(ONE.epoch)
    assert await pipeline.execute() == ["b", "b"]
    assert rig.b.sent == [[("INFO", "stats"), ("GET", ONE.epoch)]]


async def test_a_pipeline_about_several_masters_is_answered_in_its_order(rig: Rig) -> None:
    pipeline = rig.client.pipeline()
    for key in (ONE.epoch, ZERO.epoch, ONE.control):
        pipeline.get(key)
    pipeline.info("stats")
    assert await pipeline.execute() == ["b", "a", "b", "b"]


async def test_reads_of_one_tick_from_one_master_share_a_round_trip(rig: Rig) -> None:
    give(rig.cluster.map, 2, A)
    shared = [rig.client.mget([ShardNames(shard).epoch]) for shard in (0, 1, 2)]
    await asyncio.gather(*shared)
    assert rig.a.sent == [[("MGET", ZERO.epoch), ("MGET", ShardNames(2).epoch)]]
    assert rig.b.sent == [("MGET", ONE.epoch)]
    await rig.client.mget([ZERO.epoch])
    assert len(rig.a.sent) == TWICE


async def test_a_round_trip_that_fails_fails_all_reads_in_it_but_those_that_were_given_up(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Any) -> None:
        raise ClientConnectionError("lost")

    monkeypatch.setattr(rig.a, "mget", fail)
    with pytest.raises(ClientConnectionError):
        await rig.client.mget([ZERO.epoch])
    given_up, patient = rig.client.mget([ZERO.epoch]), rig.client.mget([ZERO.epoch])
    given_up.cancel()
    assert await patient == "a"


async def test_closing_a_client_and_dropping_its_connections_reach_every_master(rig: Rig) -> None:
    await rig.client.connection_pool.disconnect(False)
    await rig.client.aclose()
    assert rig.a.sent == rig.b.sent == ["disconnect", "close"]


async def test_one_read_that_fails_leaves_the_others_of_its_tick_alone(rig: Rig) -> None:
    give(rig.cluster.map, 2, A)
    rig.a.refuses = TryAgainError("moving")
    outcomes: Any = await asyncio.gather(
        rig.client.mget([ZERO.epoch]),
        rig.client.mget([ShardNames(2).epoch]),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], TryAgainError)
    assert not isinstance(outcomes[1], Exception)


async def test_a_scan_makes_sure_of_its_master_and_does_not_change_it(rig: Rig) -> None:
    pattern = ONE.session("*")
    client: Any = rig.client
    assert await client.scan(0, match=pattern) == "b"
    assert rig.b.sent[0][1] == ("EXISTS", pattern)
    assert await client.scan(7, match=pattern) == "b"
    give(rig.cluster.map, 1, A, epoch=2)
    with pytest.raises(ClientConnectionError, match="moved"):
        await client.scan(7, match=pattern)
    assert await client.scan(0, match=pattern) == "a"


async def test_a_single_store_is_its_own_only_master(rig: Rig) -> None:
    single = Redis()
    assert master_of(single, "k") is single
    assert masters_of(single) == [single]
    assert master_of(rig.client, ONE.epoch) is cast("Any", rig.b)
    assert set(masters_of(rig.client)) == cast("Any", {rig.a, rig.b})
