"""A cluster: its map, and one `MasterLink` for each of its masters.

The client library has a client for clusters. Curfew uses its slots and its errors, and not that
client: it runs a write again whose reply was lost, it checks no server's role, and a pipeline of
it sends `INFO` and `WAITAOF` to other nodes than the script that they are about (decision 0035).

Every failure on a connection is looked at. MOVED corrects the map at once, because the server has
changed nothing; what may mean a failover has all nodes asked. ASK and TRYAGAIN are answers of a
slot that is being moved key by key: nothing ran, and the command is repeated until the slot is in
one place again, because a script whose keys are in two places runs in neither.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, MovedError, TryAgainError

from server.core.cluster_map import (
    ClusterMap,
    ClusterNode,
    NotClusterNodes,
    listed_ranges,
    nodes_of,
)
from server.core.counts import StoreCounts
from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.findings import mode_of
from server.core.store_url import ClusterStore, Place
from server.store.connection import execute_once
from server.store.master import MasterLink, MasterUnknown
from server.store.names import ShardNames

log = logging.getLogger("curfew.store")

ASK_TIMEOUT: Final = 0.75
"""Seconds for one node's answer. Others are asked at the same time, and frozen ones hold up the
next round."""
INTERVAL: Final = 0.5
"""Seconds between two rounds while nothing fails. Proofs are as old as the last round."""
PAUSE: Final = 0.1
"""Seconds between two rounds while something does."""
MOST_ASKED: Final = 12
"""Nodes in one round."""


class Cluster:
    """Knows the masters of a cluster, and keeps knowing them.

    Args:
        address: where some of its nodes are.
        counts: counts answers and failures of the store.
        plaintext_allowed: whether its nodes may be on other machines without TLS.

    Attributes:
        map: who serves which slot.
    """

    def __init__(
        self, address: ClusterStore, counts: StoreCounts | None, *, plaintext_allowed: bool
    ) -> None:
        self.address = address
        self._may_leave = plaintext_allowed or address.tls is not None
        self.map = ClusterMap()
        self._counts = counts
        self._links: dict[Place, MasterLink] = {}
        self._asked: dict[Place, Redis] = {}
        self._vouched_at: dict[Place, float] = {}
        self._shards_vouched_at: dict[int, float] = {}
        self._is_wanted = asyncio.Event()

    def link(self, place: Place) -> MasterLink:
        """Return what judges the connections to a master."""
        if place not in self._links:
            self._links[place] = MasterLink(
                counts=self._counts, in_cluster=True, on_failure=partial(self._note, place)
            )
        return self._links[place]

    def url(self, place: Place) -> str:
        """Return the address of one node, as the client library takes it.

        Raises:
            ClusterDownError: it is on another machine, and without TLS it may not be.
        """
        if not self._may_lead_to(place):
            raise ClusterDownError("a master is elsewhere, without TLS", status_code="CLUSTERDOWN")
        login, tls = self.address.login, self.address.tls
        credentials = f"{quote(login.user or '', safe='')}:{quote(login.password or '', safe='')}@"
        files = {
            "ssl_ca_certs": tls and tls.ca_certs,
            "ssl_certfile": tls and tls.certfile,
            "ssl_keyfile": tls and tls.keyfile,
        }
        query = urlencode({name: file for name, file in files.items() if file})
        scheme = "rediss" if tls else "redis"
        shown = credentials if login.password is not None or login.user else ""
        return f"{scheme}://{shown}{place}" + (f"?{query}" if query else "")

    async def discover(self) -> None:
        """Ask the nodes once, and require that every slot has a master.

        Raises:
            ConfigurationError: a server that was asked is no member of a cluster.
            StoreUnavailable: no node answered, or some slots have no master.
        """
        if failure := await self._ask_all():
            raise failure
        if away := [each for each in self.map.masters() if not self._may_lead_to(each)]:
            raise ConfigurationError(
                f"CURFEW_STORE_URL is {self.address}, and it has a master at {away[0]}, on another "
                "machine: everything could be read and changed on the way. Use rediss+cluster://, "
                "or set CURFEW_STORE_PLAINTEXT=allow if that network is yours alone."
            )
        if missing := self.map.missing():
            raise StoreUnavailable("CLUSTER NODES", "MasterUnknown") from MasterUnknown(
                f"slots {listed_ranges(missing)} have no master",
                "Give every slot a master that is up, and start again.",
            )

    async def run(self) -> None:
        """Keep the map up to date, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._is_wanted.wait()
            self._is_wanted.clear()
            with suppress(ConfigurationError):  # that was no member: others know the cluster
                await self._ask_all()
            await self._leave_others()
            await asyncio.sleep(PAUSE)

    def vouched_at(self, shard: int) -> float:
        """Return a moment at which a majority of masters held a shard's master for its master.

        One that has just taken over is not vouched for yet; the former was until a moment ago.
        """
        place = self.map.owner(key_slot(ShardNames(shard).epoch.encode()))
        now = self._vouched_at.get(place, -math.inf) if place else -math.inf
        self._shards_vouched_at[shard] = max(now, self._shards_vouched_at.get(shard, -math.inf))
        return self._shards_vouched_at[shard]

    async def close(self) -> None:
        """Close the connections over which nodes are asked."""
        for each in self._asked.values():
            await each.aclose()

    def _note(self, place: Place, error: Exception) -> None:
        """Take note of a failure on a connection to a node."""
        if isinstance(error, MovedError):
            self.map.move(error.slot_id, Place(error.host or place.host, error.port))
        if not isinstance(error, TryAgainError):
            self._is_wanted.set()

    def _may_lead_to(self, place: Place) -> bool:
        return self._may_leave or place.is_here

    def _places(self) -> list[Place]:
        known = dict.fromkeys([*self.map.masters(), *self.map.places, *self.address.seeds])
        asked = [each for each in known if self._may_lead_to(each)]
        return asked[: max(MOST_ASKED, len(self.map.masters()))]

    async def _ask_all(self) -> StoreUnavailable | None:
        """Ask all nodes at once, and take each answer as it comes.

        Returns:
            Why a node did not answer, if none did.

        Raises:
            ConfigurationError: a server is no member of a cluster.
        """
        asked_at, answers = time.monotonic(), list[Sequence[ClusterNode]]()

        async def ask(place: Place) -> None:
            answers.append(await self._ask(place))
            for vouched in self.map.vouched(answers):
                self._vouched_at[vouched] = asked_at

        found = await asyncio.gather(*map(ask, self._places()), return_exceptions=True)
        failures = [each for each in found if isinstance(each, StoreUnavailable)]
        for each in found:
            if isinstance(each, BaseException) and not isinstance(each, StoreUnavailable):
                raise each
        return failures[-1] if failures and not answers else None

    async def _ask(self, place: Place) -> Sequence[ClusterNode]:
        """Ask one node, and learn what it says.

        Raises:
            ConfigurationError: it is no member of a cluster.
            StoreUnavailable: it did not answer, or refused.
        """
        client = self._asked.get(place)
        if client is None:
            client = self._asked[place] = self._asker(place)
        by_name = self.address.tls is not None
        try:
            members = await nodes_told_by(client, place, by_name=by_name)
        except StoreUnavailable as error:
            if await _is_single(client, error):
                raise ConfigurationError(
                    f"CURFEW_STORE_URL is {self.address}, but the server at {place} is no member "
                    "of a cluster. Set redis:// or rediss:// for a single server."
                ) from error
            raise
        self.map.learn(members)
        return members

    def _asker(self, place: Place) -> Redis:
        return Redis.from_url(
            self.url(place),
            max_connections=1,
            socket_timeout=ASK_TIMEOUT,
            socket_connect_timeout=ASK_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )

    async def _leave_others(self) -> None:
        """Close idle connections to what is no master any more."""
        masters = set(self.map.masters())
        for place, link in list(self._links.items()):
            if place not in masters:
                await link.close_idle()


@asynccontextmanager
async def open_cluster(
    address: ClusterStore, counts: StoreCounts | None = None, *, plaintext_allowed: bool = False
) -> AsyncIterator[Cluster]:
    """Yield a cluster, of which nothing is known yet; `discover` asks."""
    cluster = Cluster(address, counts, plaintext_allowed=plaintext_allowed)
    watching = asyncio.create_task(cluster.run())
    try:
        yield cluster
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await cluster.close()


async def nodes_told_by(
    client: Redis, asked: Place | None = None, *, by_name: bool = False
) -> list[ClusterNode]:
    """Return the nodes of a cluster, as one of them tells of them.

    Args:
        client: of that node.
        asked: where it is; None where only its slots matter.
        by_name: see `nodes_of`.

    Raises:
        StoreUnavailable: it did not answer, or refused.
    """
    ask: Callable[..., Awaitable[Any]] = client.execute_command
    operation = f"CLUSTER NODES of {asked}" if asked else "CLUSTER NODES"
    told = await execute_once(operation, partial(ask, "CLUSTER", "NODES"))
    try:
        return nodes_of(_text(told), asked or Place("", 0), by_name=by_name)
    except NotClusterNodes as error:
        raise StoreUnavailable("CLUSTER NODES", "NotClusterNodes") from error


async def _is_single(client: Redis, refused: StoreUnavailable) -> bool:
    """Return whether a server that refused to tell its cluster's nodes is in none.

    To a user without the right to ask, it does not say so by itself.
    """
    if "cluster support disabled" in str(refused.__cause__):
        return True
    if refused.cause != "NoPermissionError":
        return False
    try:
        told = await execute_once("INFO server", partial(client.info, "server"))
    except StoreUnavailable:
        return False
    return mode_of(told) == "standalone"


def _text(told: Any) -> str:
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)
