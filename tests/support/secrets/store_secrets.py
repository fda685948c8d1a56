"""Reads a server's secrets where it keeps them: its keys, and the seeds of its sessions.

A seed is read when the first cookie of its session comes, as the session may end at any time.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import redis

from server.core.token import shard_of_sid
from server.crypto.keyring import Keyring, WeakKey, parse_secret
from server.crypto.sealer import Sealer
from server.crypto.weak_keys import LEAST_BYTES
from server.embedded.store import store_url
from server.store.codec import SessionCodec
from server.store.contract import Stored
from server.store.names import ShardNames
from tests.support.secrets.leaks import LeakSearch
from tests.support.servers.stores import servers_of

PATIENCE_SECONDS = 0.5
"""A store that does not answer by then is one that a test stopped."""
_GONE = (redis.RedisError, OSError, ValueError, WeakKey)
"""Also an address of another kind, and keys that no server starts with."""
PURPOSES = ("session cookie", "tries")
"""What keys are derived for and used as they are; others go through `Sealer` and `Signer`."""


@dataclass(frozen=True)
class Keeper:
    """Where the server on a port keeps its sessions."""

    url: str
    keys: tuple[bytes, ...]

    def seed_of(self, sid: str) -> bytes | None:
        """The seed of a session; None if it has ended."""
        for client, codec in self.opened():
            with suppress(*_GONE):
                if seed := _seed(client, codec, ShardNames(shard_of_sid(sid)).session(sid)):
                    return seed
        return None

    def opened(self) -> Iterator[tuple[redis.Redis, SessionCodec]]:
        """A client of each server of the store that answers, and what opens its records."""
        with suppress(*_GONE):
            codec = SessionCodec(Sealer(Keyring.from_secrets(list(self.keys))))
            for url in servers_of(self.url):
                with suppress(*_GONE), _opened(url) as client:
                    if url != self.url:  # one of a cluster, where a replica is asked as well
                        client.execute_command("READONLY")
                    yield client, codec


KEEPERS: dict[int, Keeper] = {}
_known: set[str] = set()
"""Ids of sessions whose seeds were looked up."""


def note_keys(search: LeakSearch, environment: Mapping[str, str], data_dir: Path) -> list[bytes]:
    """Notice the secret keys of a server; those in the file, unless the environment has them."""
    text = environment.get("CURFEW_SECRET_KEYS", "")
    file = Path(environment.get("CURFEW_SECRET_KEYS_FILE") or data_dir / "secret_keys")
    if not text and file.is_file():
        text = file.read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    keys = [key for word in " ".join(lines).replace(",", " ").split() for key in _keys(word)]
    note_derived(search, keys)
    return keys


def note_derived(search: LeakSearch, keys: list[bytes]) -> None:
    """Notice secret keys, and the keys that are derived from them."""
    for key in keys:
        search.key(key, "secret key")
    with suppress(WeakKey):
        keyring = Keyring.from_secrets(keys)
        for purpose in PURPOSES:
            for derived in keyring.derive(purpose).by_version.values():
                search.key(derived, "derived key")


def _keys(word: str) -> list[bytes]:
    try:
        key = parse_secret(word)
    except (ValueError, WeakKey):
        return []
    return [key] if len(key) >= LEAST_BYTES else []


def note_seeds(search: LeakSearch, keeper: Keeper) -> None:
    """Notice the seeds of all sessions in a store, if it answers."""
    for client, codec in keeper.opened():
        with suppress(*_GONE):
            for key in client.scan_iter("curfew:{*}:session:*", count=1000):
                if seed := _seed(client, codec, key.decode()):
                    search.key(seed, "seed")


def note_session(search: LeakSearch, port: int | None, sid: str | None) -> None:
    """Notice the seed of a session whose cookie came from a server, when it comes first."""
    keeper = KEEPERS.get(port or 0)
    if keeper is None or sid is None or sid in _known:
        return
    _known.add(sid)
    if seed := keeper.seed_of(sid):
        search.key(seed, "seed")


def note_server(search: LeakSearch, environment: Mapping[str, str], data_dir: Path) -> None:
    """Notice everything secret of a server that runs, and where it keeps its sessions."""
    keys = note_keys(search, environment, data_dir)
    if keys:
        url = environment.get("CURFEW_STORE_URL") or store_url(data_dir)
        search.password(unquote(urlsplit(url).password or ""), "password of the store")
        keeper = KEEPERS[int(environment["CURFEW_PORT"])] = Keeper(url, tuple(keys))
        note_seeds(search, keeper)


def _opened(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        driver_info=None,  # telling it needs a right that Curfew's own user has not
    )


def _seed(client: redis.Redis, codec: SessionCodec, key: str) -> bytes | None:
    value = client.get(key)
    stored = codec.decode(value, key.rpartition(":")[2]) if isinstance(value, bytes) else None
    return stored.session.seed if isinstance(stored, Stored) else None
