"""Key names: a store that an earlier version wrote is read by the next one."""

import re
from typing import Final

import pytest

from server.store.names import SHARD_COUNT, ShardNames, shard_of_user

SID: Final = "07" + "A" * 22
NAMES: Final = ShardNames(7)
EVERY_NAME: Final = {
    NAMES.session(SID): f"curfew:{{07}}:session:{SID}",
    NAMES.tombstone(SID): f"curfew:{{07}}:ended:{SID}",
    NAMES.index("ann"): "curfew:{07}:user:ann",
    NAMES.user_epoch("ann"): "curfew:{07}:epoch:ann",
    NAMES.completed_end("e1"): "curfew:{07}:done:e1",
    NAMES.sockets("ann"): "curfew:{07}:sockets:ann",
    NAMES.account("ann"): "curfew:{07}:account:ann",
    NAMES.tries("account", "d1"): "curfew:{07}:tries:account:d1",
    NAMES.familiar("d1"): "curfew:{07}:familiar:d1",
    NAMES.activity("ann"): "curfew:{07}:activity:ann",
    NAMES.handle(SID): f"curfew:{{07}}:handle:{SID}",
    NAMES.used("c1"): "curfew:{07}:used:c1",
    NAMES.epoch: "curfew:{07}:epoch",
    NAMES.control: "curfew:{07}:control",
    NAMES.messages: "curfew:{07}:messages",
    NAMES.nodes: "curfew:{07}:nodes",
    NAMES.renewals: "curfew:{07}:renewals",
    NAMES.dropped("n1"): "curfew:{07}:dropped:n1",
    NAMES.key_versions("n1"): "curfew:{07}:ring:n1",
    NAMES.signing_key(5): "curfew:{07}:signing:5",
    NAMES.replies("n1"): "curfew:{07}:replies:n1",
    NAMES.acknowledgements: "curfew:{07}:acks",
    SHARD_COUNT: "curfew:{00}:shards",
}


@pytest.mark.parametrize(("name", "expected"), EVERY_NAME.items())
def test_a_key_has_the_name_that_earlier_versions_gave_it(name: str, expected: str) -> None:
    assert name == expected


def test_all_keys_of_a_shard_are_in_one_slot_of_a_cluster() -> None:
    tags = {re.findall(r"\{(.*?)\}", name)[0] for name in EVERY_NAME if name != SHARD_COUNT}
    assert tags == {"07"}


@pytest.mark.parametrize(
    ("user", "shards", "shard"), [("ann", 1, 0), ("ann", 16, 14), ("ann", 100, 70)]
)
def test_a_user_stays_in_the_shard_that_earlier_versions_chose(
    user: str, shards: int, shard: int
) -> None:
    assert shard_of_user(user, shards) == shard
    assert ShardNames.of_user(user, shards) == ShardNames(shard)


def test_users_are_spread_over_all_shards() -> None:
    assert {shard_of_user(f"user{number}", 8) for number in range(200)} == set(range(8))


def test_a_session_is_in_the_shard_that_its_id_names() -> None:
    assert ShardNames.of_session(SID) == NAMES
