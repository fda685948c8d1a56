"""Everything that lies in a store, as bytes; and the forms in which a secret could lie there."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Any

import redis


def everything(client: redis.Redis) -> bytes:
    """All keys and values, read by their type, and their dumps."""
    parts: list[bytes] = []
    for key in client.scan_iter(count=500):
        parts += [key, *_flat(_value(client, key)), client.dump(key) or b""]
    return b"\x00".join(parts)


def key_like(client: redis.Redis, name: str) -> bytes:
    """The one key, in whichever shard, whose name within the shard matches."""
    (key,) = client.scan_iter(f"curfew:{{*}}:{name}", count=500)
    return bytes(key)


def copy(source: redis.Redis, target: redis.Redis) -> int:
    """Restore a dump of every key in another store; how many there were."""
    keys = list(source.scan_iter(count=500))
    for key in keys:
        target.restore(key, max(0, int(source.pttl(key))), source.dump(key))  # type: ignore[arg-type]
    return len(keys)


def forms(secret: str | bytes) -> Iterator[bytes]:
    """How somebody could have written it down."""
    raw = secret.encode() if isinstance(secret, str) else secret
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield b64encode(raw).rstrip(b"=")
    yield urlsafe_b64encode(raw).rstrip(b"=")
    yield repr(raw)[2:-1].encode()


def found_in(haystack: bytes, secrets: Iterable[str | bytes]) -> list[str | bytes]:
    """Those secrets that can be read there in any form."""
    return [each for each in secrets if any(form in haystack for form in forms(each))]


def _value(client: redis.Redis, key: bytes) -> Any:
    match client.type(key):
        case b"string":
            return client.get(key)
        case b"hash":
            return client.hgetall(key)
        case b"zset":
            return client.zrange(key, 0, -1)
        case b"stream":
            return client.xrange(key)
        case b"none":  # its life was over just now
            return b""
        case other:
            raise AssertionError(f"nothing here is a {other!r}")


def _flat(value: Any) -> Iterator[bytes]:
    match value:
        case bytes():
            yield value
        case dict():
            for pair in value.items():
                yield from _flat(pair)
        case list() | tuple():
            for each in value:
                yield from _flat(each)
