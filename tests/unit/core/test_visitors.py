"""How much visitors without an account may keep."""

import pytest

from server.core import strict_json
from server.core.session import MAX_DATA_BYTES, Json
from server.core.visitors import BYTES_BESIDE_DATA, VISITOR_LIMITS, VisitorLimits, bytes_of


def test_a_session_takes_its_data_and_what_is_beside_it() -> None:
    data: dict[str, Json] = {"note": ["é", 1, None]}
    assert bytes_of(data) == BYTES_BESIDE_DATA + len(strict_json.encode(data))


def test_the_largest_session_finds_room_under_the_lowest_limit() -> None:
    assert BYTES_BESIDE_DATA + MAX_DATA_BYTES < 2**20  # one MiB is the lowest setting


@pytest.mark.parametrize("shards", [1, 3, 100])
def test_each_shard_has_its_part_but_never_less_than_one_address_may_keep(shards: int) -> None:
    part = VISITOR_LIMITS.of_shard(shards)
    assert part.sessions_per_address == VISITOR_LIMITS.sessions_per_address
    assert part.bytes_per_address == VISITOR_LIMITS.bytes_per_address
    assert part.sessions_in_all == max(1000, 50_000 // shards)
    assert part.bytes_in_all == max(8 * 2**20, 64 * 2**20 // shards)


def test_one_shard_has_it_all() -> None:
    limits = VisitorLimits(1, 2, 3, 4)
    assert limits.of_shard(1) == limits
