"""What is asked of a cluster's nodes, what is learnt from failures, and for whom is vouched."""

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final

import pytest
from redis.crc import key_slot
from redis.exceptions import (
    ClusterDownError,
    MovedError,
    NoPermissionError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as ClientConnectionError

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.store_url import ClusterStore, Login, Place, Tls
from server.store.cluster import Cluster
from server.store.names import ShardNames
from tests.support.running.waiting import until

A, B, C = (Place("127.0.0.1", number) for number in (7001, 7002, 7003))
SLOT: Final = key_slot(ShardNames(0).epoch.encode())
FAR: Final = Place("10.0.0.9", 7009)


class Asker:
    """Stands for a client of one node."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    async def execute_command(self, *words: str) -> Any:
        """See the real one."""
        assert words == ("CLUSTER", "NODES")
        return self._answer()

    async def info(self, section: str) -> Any:
        """See the real one."""
        assert section == "server"
        return {"server_mode": "standalone"}

    async def aclose(self) -> None:
        """See the real one."""


def raising(error: Exception) -> Callable[[], Any]:
    """An answer that is an error."""

    def answer() -> Any:
        raise error

    return answer


def nodes(asked: Place, *masters: tuple[Place, str]) -> bytes:
    """An answer to CLUSTER NODES."""
    lines = [
        f"{place.port:040d} {place}@1 {'myself,' * (place == asked)}master - 0 0 {place.port} "
        f"connected {slots}"
        for place, slots in masters
    ]
    return "\n".join(lines).encode()


def cluster(*seeds: Place, tls: Tls | None = None, **answers: Callable[[], Any]) -> Cluster:
    """A cluster whose nodes answer so; `a`, `b` and `c` are their names."""
    found = Cluster(
        ClusterStore(seeds or (A,), Login("u", "p:@/"), tls), None, plaintext_allowed=False
    )
    for name, place in (("a", A), ("b", B), ("c", C)):
        found._asked[place] = Asker(answers.get(name, raising(ClientConnectionError())))  # type: ignore[assignment]
    return found


ALL: Final = ((A, "0-5000"), (B, "5001-10000"), (C, "10001-16383"))


def whole() -> Cluster:
    """A cluster of three masters that all answer."""
    return cluster(a=lambda: nodes(A, *ALL), b=lambda: nodes(B, *ALL), c=lambda: nodes(C, *ALL))


async def test_the_masters_are_found_from_one_seed_and_vouched_for_when_they_were_asked() -> None:
    known = whole()
    await known.discover()
    assert known.map.masters() == [A, B, C]
    assert known.vouched_at(0) == -math.inf  # only the seed was asked
    await known.discover()
    vouched_at = known.vouched_at(0)
    assert math.isfinite(vouched_at)
    known._note(A, MovedError(f"{SLOT} 127.0.0.1:7004"))  # for it nobody vouches yet
    assert known.vouched_at(0) == vouched_at


@pytest.mark.parametrize("error", [ClientConnectionError(), TimeoutError()])
async def test_seeds_that_do_not_answer_are_not_available(error: Exception) -> None:
    with pytest.raises(StoreUnavailable):
        await cluster(a=raising(error)).discover()


@pytest.mark.parametrize(
    "error",
    [ResponseError("This instance has cluster support disabled"), NoPermissionError("no")],
)
async def test_a_single_server_is_refused(error: Exception) -> None:
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:7001 is no member of a cluster"):
        await cluster(a=raising(error)).discover()


async def test_a_server_that_tells_nothing_of_itself_is_not_taken_for_a_single_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(_: str) -> None:
        raise NoPermissionError("no")

    silent = cluster(a=raising(NoPermissionError("no")))
    monkeypatch.setattr(silent._asked[A], "info", refuse)
    with pytest.raises(StoreUnavailable):
        await silent.discover()


async def test_slots_without_a_master_are_waited_for() -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await cluster(a=lambda: nodes(A, (A, "0-9"))).discover()
    assert str(refused.value.__cause__) == "slots 10-16383 have no master"


async def test_what_is_no_answer_is_a_failure() -> None:
    with pytest.raises(StoreUnavailable):
        await cluster(a=lambda: b"+OK").discover()


async def test_a_master_on_another_machine_needs_tls() -> None:
    far = cluster(a=lambda: nodes(A, (A, "0-9"), (FAR, "10-16383")))
    with pytest.raises(ConfigurationError, match=r"10\.0\.0\.9:7009.*CURFEW_STORE_PLAINTEXT"):
        await far.discover()
    with pytest.raises(ClusterDownError):
        far.url(FAR)
    safe = cluster(tls=Tls("/ca.pem"))
    assert safe.url(FAR) == "rediss://u:p%3A%40%2F@10.0.0.9:7009?ssl_ca_certs=%2Fca.pem"


async def test_a_replica_to_which_nothing_may_go_in_plain_text_is_not_asked() -> None:
    far = f"{'r' * 40} {FAR}@1 slave {A.port:040d} 0 0 1 connected"
    known = cluster(a=lambda: nodes(A, (A, "0-16383")) + f"\n{far}".encode())
    await known.discover()
    await known.discover()  # now it knows of the replica, and the watch must go on
    assert known.vouched_at(0) > -math.inf
    assert FAR not in known._asked


async def test_a_redirection_is_followed_at_once_and_the_nodes_are_asked() -> None:
    known = whole()
    await known.discover()
    known._note(A, MovedError(f"{SLOT} :7001"))
    assert known.map.owner(SLOT) == A
    assert known._is_wanted.is_set()


async def test_keys_that_are_being_moved_are_no_reason_to_ask() -> None:
    known = whole()
    known._note(A, TryAgainError("later"))
    assert not known._is_wanted.is_set()


async def test_a_failure_on_a_connection_to_a_master_has_the_nodes_asked() -> None:
    known = whole()
    assert known.link(A) is known.link(A)
    known.link(A).not_reached(ClientConnectionError())
    assert known._is_wanted.is_set()


async def test_idle_connections_to_a_former_master_are_closed() -> None:
    closed: list[Place] = []

    class Pool:
        """Notes that its idle connections were closed."""

        def __init__(self, place: Place) -> None:
            self._place = place

        def mark_used(self) -> None:
            """See the real one."""

        async def close_idle(self) -> None:
            """See the real one; meanwhile somebody connects to another node."""
            closed.append(self._place)
            known.link(C)

    known = cluster(a=lambda: nodes(A, (A, "0-16383")))
    await known.discover()
    for place in (A, B):
        known.link(place).add(Pool(place))
    await known._leave_others()
    assert closed == [B]


async def test_failures_have_the_nodes_asked_until_the_map_is_right() -> None:
    known = whole()
    await known.discover()
    promoted = ((A, "0-5000"), (B, "5001-10000"), (Place("127.0.0.1", 7004), "10001-16383"))
    for each in (A, B):
        known._asked[each] = Asker(lambda each=each: nodes(each, *promoted))  # type: ignore[assignment,misc]
    running = asyncio.create_task(known.run())
    known._note(C, ClientConnectionError())

    async def is_learnt() -> bool:
        return known.map.owner(16383) == Place("127.0.0.1", 7004)

    await until(is_learnt)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await known.close()
