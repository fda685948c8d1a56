"""What the services of a process stand on: the connection to the store, the keys, the records."""

import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import CollectorRegistry

from server.core.context import NodeContext
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.embedded.store import store_url
from server.store.opening import StoreConnection, Stores, connect, open_stores
from server.telemetry.audit import Audit
from server.telemetry.metrics import Metrics
from server.telemetry.tracing import open_tracer
from settings import Settings


@dataclass(frozen=True, slots=True)
class Foundation:
    """The connection to the store, the keys, and what records and counts."""

    settings: Settings
    store: StoreConnection
    keyring: Keyring
    sealer: Sealer
    metrics: Metrics
    audit: Audit
    context: NodeContext

    def open_stores(self, *, serves: bool) -> Stores:
        """Open the stores in the store; `serves` says whether this process serves."""
        return open_stores(
            self.store,
            self.keyring,
            self.sealer,
            self.context,
            rules=self.settings.rules,
            rules_change=self.settings.rules_change,
            visitor_limits=self.settings.visitor_limits,
            lease=self.settings.node_lease,
            serves=serves,
        )


async def open_foundation(
    settings: Settings, stack: AsyncExitStack, *, for_serving: bool
) -> Foundation:
    """Connect to the store, and read the keys.

    Args:
        settings: the settings.
        stack: closes what is opened.
        for_serving: whether this process serves, or prepares for others that do.

    Raises:
        StoreNotReached: the store did not answer.
        ConfigurationError: the store does not fit the settings.
    """
    metrics = Metrics(node := os.urandom(6).hex(), CollectorRegistry())
    store = await stack.enter_async_context(
        connect(
            settings.store_url or store_url(settings.data_dir),
            shards=settings.shards,
            replicas=settings.termination_replicas,
            serves=for_serving,
            wait=settings.store_wait if for_serving else timedelta(),
            counts=metrics.set_up.store_counts,
            plaintext_allowed=settings.store_plaintext,
        )
    )
    now, monotonic = store.clock.now, time.monotonic
    tracer = stack.enter_context(open_tracer(settings.running.traces, node))
    keyring = Keyring.from_secrets(settings.secret_keys)
    audit = Audit(now, monotonic, metrics.audited)
    stack.callback(audit.report_left_out, closing=True)
    context = NodeContext(node, now, monotonic, os.urandom, metrics.counts, audit.record, tracer)
    return Foundation(settings, store, keyring, Sealer(keyring), metrics, audit, context)
