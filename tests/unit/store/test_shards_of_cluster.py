"""What is kept for each shard of a cluster, and that a single store keeps nothing by shard."""

from typing import Any, cast

from server.store.shards_of_cluster import open_shards


class Vouching:
    """A cluster that vouches for each shard at another moment."""

    def vouched_at(self, shard: int) -> float:
        """See `Cluster`."""
        return 100.0 + shard


def test_each_shard_has_its_streams_and_who_vouches_for_it() -> None:
    none: Any = None
    found: list[Any] = list(
        open_shards(cast("Any", Vouching()), none, none, cast("Any", ["zero", "one"]))
    )
    assert [each.control for each in found] == ["zero", "one"]
    assert [each.vouched_at() for each in found] == [100.0, 101.0]


def test_a_single_store_has_no_shards_of_its_own() -> None:
    none: Any = None
    assert open_shards(None, none, none, [none]) == []
