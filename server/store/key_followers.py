"""Parts of the store that hash names with the newest secret key, whichever that is."""

from server.core.context import NodeContext
from server.core.session import Rules
from server.core.visitors import VisitorLimits
from server.crypto.keyring import Keyring
from server.store.scripts import Scripts
from server.store.sessions import longest_life_ms
from server.store.try_counters import TryCounters
from server.store.visitors import VisitorRecords


def open_visitors(
    scripts: Scripts, shards: int, keyring: Keyring, limits: VisitorLimits, rules: Rules
) -> VisitorRecords:
    """Return the records of visitors, whose networks are hashed with the newest key."""
    keys = keyring.derive("visitors")
    per_shard = limits.of_shard(shards)
    visitors = VisitorRecords(scripts, keys.newest[1], per_shard, longest_life_ms(rules))
    keyring.subscribe(lambda: visitors.use_key(keys.newest[1]))
    return visitors


def open_tries(scripts: Scripts, keyring: Keyring, context: NodeContext) -> TryCounters:
    """Return the counters of tries, whose names are hashed with the newest key."""
    keys = keyring.derive("tries")
    tries = TryCounters(scripts, keys.newest[1], context.now)
    keyring.subscribe(lambda: tries.use_key(keys.newest[1]))
    return tries
