"""Reads a server's secrets where it keeps them: its keys, and the seeds of its sessions."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import redis

from server.crypto.keyring import Keyring, WeakKey, parse_secret
from server.crypto.sealer import Sealer
from server.crypto.weak_keys import LEAST_BYTES
from server.store.codec import SessionCodec
from server.store.contract import Stored
from server.store.embedded import store_url
from tests.support.leaks import LeakSearch

PATIENCE_SECONDS = 0.5
"""A store that does not answer by then is one that a test stopped."""


def note_keys(search: LeakSearch, environment: Mapping[str, str], data_dir: Path) -> list[bytes]:
    """Notice the secret keys of a server; those in the file, unless the environment has them."""
    text = environment.get("CURFEW_SECRET_KEYS", "")
    file = Path(environment.get("CURFEW_SECRET_KEYS_FILE") or data_dir / "secret_keys")
    if not text and file.is_file():
        text = file.read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    keys = [key for word in " ".join(lines).replace(",", " ").split() for key in _keys(word)]
    for key in keys:
        search.key(key, "secret key")
    return keys


def _keys(word: str) -> list[bytes]:
    try:
        key = parse_secret(word)
    except (ValueError, WeakKey):
        return []
    return [key] if len(key) >= LEAST_BYTES else []


def note_seeds(search: LeakSearch, url: str, keys: Iterable[bytes]) -> None:
    """Notice the seeds of all sessions in a store, if it answers."""
    try:
        codec = SessionCodec(Sealer(Keyring.from_secrets(list(keys))))
        client = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            driver_info=None,  # telling it needs a right that Curfew's own user has not
        )
    except (ValueError, WeakKey):
        return  # an address of another kind, or keys that no server starts with
    with client:
        try:
            for key in client.scan_iter("curfew:{*}:session:*", count=1000):
                sid = key.decode().rpartition(":")[2]
                value = client.get(key)
                stored = codec.decode(value, sid) if isinstance(value, bytes) else None
                if isinstance(stored, Stored):
                    search.key(stored.session.seed, "seed")
        except (redis.RedisError, OSError):
            return


def note_server(search: LeakSearch, environment: Mapping[str, str], data_dir: Path) -> None:
    """Notice everything secret of a server that still runs."""
    keys = note_keys(search, environment, data_dir)
    if keys:
        url = environment.get("CURFEW_STORE_URL") or store_url(data_dir)
        note_seeds(search, url, keys)
