"""The parts of an engine on a single store, of which there is one each."""

from typing import TypeVar

T = TypeVar("T")


def of_single(found: object, kind: type[T]) -> T:
    """Return a part; on a cluster there would be one for each shard."""
    assert isinstance(found, kind)
    return found
