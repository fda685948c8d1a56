"""Changes of a session's data: what merges, what needs no write, what is refused."""

from typing import Any

import pytest

from server.core.changes import merge, with_data
from server.core.errors import DataRefused
from server.core.policy import Accept
from server.core.session import MAX_DATA_BYTES, Json
from tests.support.engine.browsing import new_session

NOW = 1_000_000.0


def nested(depth: int) -> Json:
    """Return a number inside so many lists."""
    value: Json = 1
    for _ in range(depth):
        value = [value]
    return value


def test_changes_replace_whole_top_level_keys_and_none_removes_one() -> None:
    data: dict[str, Json] = {"a": {"x": 1, "y": 2}, "b": 1, "c": 2}
    changes: dict[str, Json] = {"a": {"x": 3}, "b": None, "d": False, "e": None}
    assert merge(data, changes) == {"a": {"x": 3}, "c": 2, "d": False}
    assert data == {"a": {"x": 1, "y": 2}, "b": 1, "c": 2}


def test_new_data_is_written_and_changes_nothing_else() -> None:
    session = new_session(NOW, data={"a": 1})
    assert with_data(session, {"a": 2}) == Accept(new_session(NOW, data={"a": 2}), changed=True)


def test_equal_data_is_not_written() -> None:
    session = new_session(NOW, data={"a": 1})
    accepted = with_data(session, {"a": 1})
    assert accepted.session is session
    assert not accepted.changed


@pytest.mark.parametrize("other", [1.0, True])
def test_what_only_python_calls_equal_is_written(other: Json) -> None:
    accepted = with_data(new_session(NOW, data={"a": 1}), {"a": other})
    assert accepted.changed
    assert type(accepted.session.data["a"]) is type(other)


def test_data_may_have_its_limit_to_the_byte() -> None:
    frame = len('{"a":""}')
    most = "x" * (MAX_DATA_BYTES - frame)
    assert with_data(new_session(NOW), {"a": most}).changed
    with pytest.raises(DataRefused, match=f"{MAX_DATA_BYTES + 1} bytes; {MAX_DATA_BYTES} are"):
        with_data(new_session(NOW), {"a": most + "x"})


def test_data_may_be_as_deep_as_json_from_outside() -> None:
    assert with_data(new_session(NOW), {"a": nested(31)}).changed
    with pytest.raises(DataRefused, match="nested more than 32 levels"):
        with_data(new_session(NOW), {"a": nested(32)})


@pytest.mark.parametrize("value", [object(), b"a", {1, 2}, float("nan"), "\ud800", {"\udfff": 1}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(DataRefused):
        with_data(new_session(NOW), {"a": value})
