"""Opens the clients of a store: of one server, of a service of Sentinel, or of a cluster."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from server.core.counts import StoreCounts
from server.core.store_url import ClusterStore, SentinelStore, parse_store_url
from server.store.cluster import Cluster, open_cluster
from server.store.cluster_client import ClusterClient, masters_of
from server.store.connection import open_client, open_reader
from server.store.inspection import claim_layout, refuse_unfit
from server.store.master import MasterLink
from server.store.sentinels import Sentinels


@dataclass(frozen=True, slots=True)
class OpenedClients:
    """Clients of a store that was not asked yet.

    Attributes:
        client: runs commands.
        readers: see `StoreConnection`.
        room_readers: likewise.
        link: leads all connections to one master; None in a cluster, which has several.
        sentinels: see `StoreConnection`.
        cluster: likewise.
    """

    client: Redis
    readers: Sequence[Redis]
    room_readers: Sequence[Redis]
    link: MasterLink | None = None
    sentinels: Sentinels | None = None
    cluster: Cluster | None = None

    async def look(self, shards: int, *, serves: bool) -> None:
        """Ask the store whether it is what was expected.

        Args:
            shards: how many shards it must be laid out for.
            serves: whether sessions are served from it, so that it must be new enough.

        Raises:
            ConfigurationError: it is not what was expected.
            StoreUnavailable: it did not answer.
        """
        if self.cluster is not None:
            await self.cluster.discover()
        for each in masters_of(self.client):
            await refuse_unfit(each, may_be_old=not serves, may_be_part=self.cluster is not None)
        await claim_layout(self.client, shards)

    def vouched_at(self) -> float:
        """Return a moment at which others still named this master; always to come if none do."""
        return self.link.vouched_at() if self.link else math.inf


@asynccontextmanager
async def open_clients(
    url: str, shards: int, counts: StoreCounts | None, *, plaintext_allowed: bool
) -> AsyncIterator[OpenedClients]:
    """Open the clients of one server, of a service of Sentinel, or of a cluster.

    Args:
        url: of the store.
        shards: how many shards the store is laid out for.
        counts: counts answers and failures of the store.
        plaintext_allowed: whether servers that others name may be on other machines without TLS.
    """
    address = parse_store_url(url)
    if isinstance(address, ClusterStore):
        opening = _open_cluster(address, shards, counts, plaintext_allowed=plaintext_allowed)
    else:
        opening = _open_single(url, counts, plaintext_allowed=plaintext_allowed)
    async with opening as opened:
        yield opened


@asynccontextmanager
async def _open_single(
    url: str, counts: StoreCounts | None, *, plaintext_allowed: bool
) -> AsyncIterator[OpenedClients]:
    async with (
        _open_link(url, counts, plaintext_allowed=plaintext_allowed) as (link, sentinels),
        open_client(url, link) as client,
        open_reader(url, link) as reader,
        open_reader(url, link) as room_reader,
    ):
        yield OpenedClients(client, [reader], [room_reader], link, sentinels)


@asynccontextmanager
async def _open_cluster(
    address: ClusterStore, shards: int, counts: StoreCounts | None, *, plaintext_allowed: bool
) -> AsyncIterator[OpenedClients]:
    """Open a client, and a reader for each shard: one command cannot read several shards."""
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(
            open_cluster(address, counts, plaintext_allowed=plaintext_allowed)
        )
        client = await stack.enter_async_context(ClusterClient(cluster))
        readers, room_readers = [
            [
                await stack.enter_async_context(ClusterClient(cluster, blocks=True))
                for _ in range(shards)
            ]
            for _ in range(2)
        ]
        yield OpenedClients(client, readers, room_readers, cluster=cluster)


@asynccontextmanager
async def _open_link(
    url: str, counts: StoreCounts | None, *, plaintext_allowed: bool
) -> AsyncIterator[tuple[MasterLink, Sentinels | None]]:
    """Open what leads all connections to one master, and asks Sentinel for it if there is one."""
    store = parse_store_url(url)
    if not isinstance(store, SentinelStore):
        yield MasterLink(counts=counts), None
        return
    sentinels = Sentinels(store, plaintext_allowed=plaintext_allowed)
    link = MasterLink(counts=counts, finder=sentinels)
    sentinels.on_move(link.drop)
    async with sentinels.watching():
        yield link, sentinels
