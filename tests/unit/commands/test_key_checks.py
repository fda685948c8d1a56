"""Which key a command means, and when it may change its place."""

from collections import Counter
from datetime import timedelta

import pytest

from server.commands.errors import CommandFailed
from server.commands.key_checks import (
    key_to_retire,
    key_with,
    require_no_cookies,
    require_no_records,
    require_not_first,
    require_readers,
    versions_of,
)
from tests.support.engine.keys import key

KEYS = [key("new"), key("middle"), key("old")]
NEW, MIDDLE, OLD = versions_of(KEYS)


def test_a_key_is_named_by_its_version() -> None:
    assert key_with(MIDDLE, KEYS) == KEYS[1]
    with pytest.raises(CommandFailed, match=r"There is no key 7\. See: python run\.py keys list"):
        key_with(7, KEYS)


def test_the_oldest_key_is_retired_unless_another_one_is_named() -> None:
    assert key_to_retire(KEYS, None, force=False) == KEYS[2]
    assert key_to_retire(KEYS, MIDDLE, force=False) == KEYS[1]


def test_force_retires_only_the_key_that_is_named() -> None:
    assert key_to_retire(KEYS, NEW, force=True) == KEYS[0]
    with pytest.raises(CommandFailed, match="Say which"):
        key_to_retire(KEYS, None, force=True)


@pytest.mark.parametrize("force", [False, True])
def test_the_only_key_is_never_retired(*, force: bool) -> None:
    with pytest.raises(CommandFailed, match="It is the only key"):
        key_to_retire(KEYS[:1], NEW, force=force)
    with pytest.raises(CommandFailed, match="There is no key"):
        key_to_retire(KEYS[:1], OLD, force=force)


def test_a_key_may_write_once_every_running_server_has_it() -> None:
    require_readers(NEW, [])
    require_readers(NEW, [(NEW,), (OLD, NEW)])
    with pytest.raises(CommandFailed, match=f"2 of 3 running servers do not have {NEW} yet"):
        require_readers(NEW, [(OLD, NEW), (OLD,), ()])


def test_the_key_in_front_stays() -> None:
    require_not_first(OLD, KEYS)
    with pytest.raises(CommandFailed, match=f"{NEW} is in front"):
        require_not_first(NEW, KEYS)


@pytest.mark.parametrize("kind", ["session", "account", "activity"])
def test_a_key_with_records_stays(kind: str) -> None:
    counts: Counter[tuple[str, int | None]] = Counter({(kind, OLD): 1, (kind, None): 5})
    require_no_records(NEW, counts)
    with pytest.raises(CommandFailed, match=f"are still under {OLD}"):
        require_no_records(OLD, counts)


def test_a_key_with_cookies_stays() -> None:
    require_no_cookies(OLD, timedelta(0))
    with pytest.raises(CommandFailed, match="Wait for 0 h 1 min, or say --force"):
        require_no_cookies(OLD, timedelta(milliseconds=1500))
