"""The session rules of each listed node, noted in the store, so that nodes notice other rules.

A note lives as long as its node is listed: every node removes the notes of nodes that are not.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.rule_differences import (
    NodeRules,
    OtherRules,
    decode,
    other_rules,
    refusal_of_rules,
)
from server.store.connection import execute
from server.store.contract import NodeRegistry
from server.store.names import ShardNames
from server.store.replies import pairs
from server.store.scripts import Scripts

log = logging.getLogger("curfew.rules")

INTERVAL: Final = timedelta(seconds=2)
RETRY: Final = timedelta(milliseconds=200)
AFTER_LEASE: Final = timedelta(seconds=1)
"""A silent node is dropped at the first renewal that comes a lease after it was seen first."""
_NAME: Final = ShardNames(0).rules


class NodeRulesBoard:
    """Notes this node's rules, and reads those of the others.

    Args:
        client: the store.
        scripts: runs `tell_rules`.
        registry: the list of nodes.
        node: this node's id.
        ours: this node's rules.
        lease: how long a node that crashed stays listed.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        registry: NodeRegistry,
        node: str,
        ours: NodeRules,
        lease: timedelta,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._registry = registry
        self._node = node
        self._ours = ours
        self._patience = (1.5 * lease + AFTER_LEASE).total_seconds()
        self._told: Sequence[OtherRules] = []

    async def require_same(self) -> None:
        """Require that no listed node has other rules. Note nothing.

        Raises:
            ConfigurationError: a listed node has other rules, and no change was announced.
            StoreUnavailable: the store did not answer.
        """
        if unannounced := _unannounced(await self.others()):
            raise ConfigurationError(refusal_of_rules(unannounced))

    async def agree(self) -> None:
        """Do as `require_same`, and note this node's rules: it is listed, and does not serve yet.

        A node with other rules may have crashed a moment ago, so it is waited for until this node
        would have dropped it.

        Raises:
            ConfigurationError: likewise. Of two nodes that begin at once, one goes on.
            StoreUnavailable: likewise.
        """
        deadline = time.monotonic() + self._patience
        while unannounced := _unannounced(await self._tell()):
            await self.withdraw()
            if time.monotonic() > deadline:
                raise ConfigurationError(refusal_of_rules(unannounced))
            await asyncio.sleep(RETRY.total_seconds())

    async def run(self) -> None:
        """Note the rules every two seconds, and log what differs. Remove the note at the end."""
        try:
            while True:
                with suppress(StoreUnavailable):  # this node is not listed then, either
                    self._log(await self._tell())
                await asyncio.sleep(INTERVAL.total_seconds())
        finally:
            await self.withdraw()

    async def others(self) -> Sequence[OtherRules]:
        """Return the listed nodes with other rules, and note nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        found = await execute("rules of nodes", lambda: self._client.hgetall(_NAME))
        return other_rules(self._ours, await self._listed(found))

    async def withdraw(self) -> None:
        """Remove this node's note. If that fails, another node does it when this one is gone."""
        with suppress(StoreUnavailable):
            await self._remove([self._node])

    async def _tell(self) -> Sequence[OtherRules]:
        found = await self._scripts.run("tell_rules", [_NAME], [self._node, self._ours.encode()])
        return other_rules(self._ours, await self._listed(dict(pairs(found))))

    async def _listed(self, found: Mapping[bytes, bytes]) -> Mapping[str, NodeRules]:
        """Return the rules of the other listed nodes, and remove those of nodes that are gone."""
        notes = {node.decode(errors="replace"): decode(text) for node, text in found.items()}
        leases = await self._registry.leases()
        if gone := [node for node in notes if node not in leases and node != self._node]:
            await self._remove(gone)
        return {
            node: rules
            for node, rules in notes.items()
            if rules is not None and node in leases and node != self._node and node.isalnum()
        }

    async def _remove(self, nodes: Sequence[str]) -> None:
        await execute("remove rules", lambda: self._client.hdel(_NAME, *nodes))

    def _log(self, others: Sequence[OtherRules]) -> None:
        if others == self._told:
            return
        self._told = others
        for each in others:
            if each.is_announced:
                log.warning("session rules differ while they change: %s", each)
            else:
                log.error("session rules differ, and sessions end early: %s", each)
        if not others:
            log.info("all nodes have the same session rules")


def _unannounced(others: Sequence[OtherRules]) -> list[OtherRules]:
    return [each for each in others if not each.is_announced]
