"""Failures of the store: what is tried again, and what each is reported as."""

import asyncio
import builtins
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import redis
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 the client's own
    MovedError,
    NoScriptError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 likewise
    TryAgainError,
)

from server.core.errors import StoreMoved, StoreUnavailable
from server.store.connection import (
    LONGEST_BLOCK,
    MOVING_PAUSES,
    READ_TIMEOUT,
    execute,
    execute_at_most_once,
    execute_once,
    open_reader,
    replies_of,
    values_of,
)
from server.store.master import MasterUnknown
from server.store.names import ShardNames
from tests.support.running.waiting import until


class Command:
    """Fails with each of some errors, one after the other, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.runs = 0

    async def __call__(self) -> str:
        """Run once."""
        self.runs += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


NAMES = ShardNames(0)
LOST = [ConnectionError("gone"), TimeoutError("slow"), OSError("gone"), builtins.TimeoutError()]


@pytest.mark.parametrize("error", LOST, ids=repr)
async def test_a_command_whose_connection_failed_is_run_once_more(error: Exception) -> None:
    command = Command(error)
    assert await execute("load", command) == "done"
    assert command.runs == 2


@pytest.mark.parametrize("error", LOST, ids=repr)
async def test_a_command_that_fails_twice_is_given_up(error: Exception) -> None:
    command = Command(error, error, error)
    with pytest.raises(StoreUnavailable) as failed:
        await execute("load", command)
    assert command.runs == 2
    assert failed.value == StoreUnavailable("load", type(error).__name__)


@pytest.mark.parametrize(
    "error", [ResponseError("OOM"), AuthenticationError("no")], ids=lambda each: type(each).__name__
)
async def test_a_command_that_the_store_refused_is_not_run_again(error: Exception) -> None:
    command = Command(error)
    with pytest.raises(StoreUnavailable, match=type(error).__name__):
        await execute("load", command)
    assert command.runs == 1


async def test_a_command_that_a_server_refused_which_is_no_master_is_run_once_more() -> None:
    """Another connection may lead to the master; if it does not, the error says what is wrong."""
    error = ReadOnlyError("You can't write", status_code="READONLY")
    assert await execute("create", Command(error)) == "done"
    with pytest.raises(StoreMoved, match="ReadOnlyError"):
        await execute("create", Command(error, error))


async def test_a_command_that_must_not_run_twice_runs_once() -> None:
    command = Command(ConnectionError("gone"))
    with pytest.raises(StoreUnavailable, match="send"):
        await execute_once("send", command)
    assert command.runs == 1


@pytest.mark.parametrize(
    ("error", "runs"),
    [
        (ReadOnlyError("READONLY of"), 2),
        (MovedError("1 127.0.0.1:2", status_code="MOVED"), 2),
        (ConnectionError("gone"), 1),
        (MasterUnknown("it moved", ""), 1),
    ],
)
async def test_a_command_that_must_run_once_at_most_is_repeated_only_if_nothing_ran(
    error: Exception, runs: int
) -> None:
    command = Command(error)
    if runs == 1:
        with pytest.raises(StoreUnavailable):
            await execute_at_most_once("publish", command)
    else:
        assert await execute_at_most_once("publish", command) == "done"
    assert command.runs == runs


async def test_a_script_that_the_server_lost_is_left_to_who_can_load_it() -> None:
    with pytest.raises(NoScriptError):
        await execute("create", Command(NoScriptError()))


async def test_an_error_is_reported_without_its_text() -> None:
    with pytest.raises(StoreUnavailable) as failed:
        await execute_once("load", Command(ResponseError("the value was secret")))
    assert "secret" not in str(failed.value)


async def test_a_connection_that_tls_refused_is_reported_by_the_reason() -> None:
    async def connect() -> None:
        try:
            raise ssl.SSLCertVerificationError
        except ssl.SSLError as error:
            raise ConnectionError from error

    with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
        await execute_once("load", connect)


async def test_a_store_that_is_gone_is_reported(gone: Redis) -> None:
    with pytest.raises(StoreUnavailable):
        await execute("PING", gone.ping)


def test_a_blocking_read_is_answered_before_its_client_gives_up() -> None:
    assert LONGEST_BLOCK.total_seconds() < READ_TIMEOUT / 2


async def test_a_blocking_read_of_a_quiet_stream_brings_nothing(store_url: str) -> None:
    async with open_reader(store_url) as reader:
        assert not await reader.xread({"curfew:{00}:control": "0-0"}, block=1)


async def test_an_error_among_replies_holds_no_frames(client: Redis) -> None:
    pipeline = client.pipeline(transaction=False)
    pipeline.set(NAMES.epoch, "1")
    pipeline.xinfo_stream(NAMES.control)
    first, error = await replies_of(pipeline)
    assert first is True
    assert isinstance(error, ResponseError)
    assert error.__traceback__ is None


async def test_a_pipeline_whose_connection_failed_is_sent_whole_once_more(
    client: Redis, raw: redis.Redis
) -> None:
    def waiting() -> list[str]:
        return [each["id"] for each in raw.client_list() if "b" in each["flags"]]

    pipeline = client.pipeline(transaction=False)
    pipeline.set(NAMES.epoch, "1")
    pipeline.exists(NAMES.epoch, NAMES.nodes)
    raw.client_pause(60_000, all=False)
    try:
        answered = asyncio.create_task(execute("load", partial(replies_of, pipeline)))
        (sent,) = await until(partial(asyncio.to_thread, waiting))
        raw.client_kill_filter(_id=sent)
    finally:
        raw.client_unpause()
    assert await answered == [True, 1]


class Pauses:
    """`asyncio.sleep`, which takes no time and notes the pauses."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Note a pause."""
        self.seconds.append(seconds)


MOVING = TryAgainError("Multiple keys request during rehashing of slot", status_code="TRYAGAIN")


@pytest.mark.parametrize("run", [execute, execute_at_most_once])
@pytest.mark.parametrize("times", [1, 2, len(MOVING_PAUSES) + 1])
async def test_for_keys_that_a_cluster_is_moving_more_tries_wait_a_little(
    monkeypatch: pytest.MonkeyPatch, times: int, run: Callable[[str, Command], Awaitable[str]]
) -> None:
    """While a slot moves, a command about two keys may find one of them on either side."""
    monkeypatch.setattr(asyncio, "sleep", pauses := Pauses())
    command = Command(*[MOVING] * times)
    assert await run("load", command) == "done"
    assert command.runs == times + 1
    assert pauses.seconds == list(MOVING_PAUSES)[:times]


@pytest.mark.parametrize("error", [*LOST, MasterUnknown("left", "", has_moved=True)], ids=repr)
async def test_what_may_have_run_when_keys_stopped_moving_is_not_run_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(asyncio, "sleep", Pauses())
    command = Command(MOVING, error)
    with pytest.raises(StoreUnavailable):
        await execute_at_most_once("publish", command)
    assert command.runs == 2


async def test_the_replies_of_a_pipeline_are_asked_for_again_when_one_is_no_value(
    client: Redis, raw: redis.Redis
) -> None:
    asked = 0

    async def ask() -> list[Any]:
        nonlocal asked
        asked += 1
        pipeline = client.pipeline(transaction=False)
        pipeline.exists(NAMES.epoch)
        pipeline.zrange(NAMES.index("ann"), 0, -1)
        return await values_of(pipeline)

    raw.set(NAMES.index("ann"), "no list")
    with pytest.raises(StoreUnavailable):
        await execute("index", ask)
    assert asked == 1  # the server would refuse again
    raw.delete(NAMES.index("ann"))
    assert await execute("index", ask) == [0, []]


async def test_keys_that_do_not_stop_moving_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "sleep", Pauses())
    command = Command(*[MOVING] * 99)
    with pytest.raises(StoreUnavailable, match="TryAgainError"):
        await execute("load", command)
    assert command.runs == len(MOVING_PAUSES) + 2
