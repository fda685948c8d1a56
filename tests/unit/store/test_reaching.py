"""Waiting for a store at the start: what may come is waited for, what will not fails at once."""

import socket
import ssl
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004 the client's own
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 likewise
)

from server.core.errors import ConfigurationError, StoreNotReached, StoreUnavailable
from server.store.master import MasterUnknown
from server.store.reaching import _causes, may_come, reach

PLACE = "db.internal:6379"
LONG, SHORT = timedelta(seconds=20), timedelta(milliseconds=600)


def failure(cause: Exception, deeper: Exception | None = None) -> StoreUnavailable:
    """Return what the store's client raises for such a cause."""
    cause.__context__ = deeper
    error = StoreUnavailable("claim layout", type(cause).__name__)
    error.__cause__ = cause
    return error


class Store:
    """Fails with each of some errors, one after the other, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.tries = 0

    async def __call__(self) -> None:
        """Answer, or fail."""
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)


MAY_COME: list[Callable[[], StoreUnavailable]] = [
    lambda: failure(ConnectionError("refused"), ConnectionRefusedError()),
    lambda: failure(ConnectionError("closed by the server")),
    lambda: failure(TimeoutError("slow")),
    lambda: failure(ConnectionError("no name"), socket.gaierror()),
    lambda: failure(ConnectionError("no socket"), FileNotFoundError()),
    lambda: failure(ConnectionError("in the handshake"), ssl.SSLEOFError()),
    lambda: failure(BusyLoadingError("loading", status_code="LOADING")),
    lambda: failure(ReadOnlyError("a replica", status_code="READONLY")),
    lambda: failure(ResponseError("NOREPLICAS Not enough")),
]
NEVER: list[tuple[Callable[[], StoreUnavailable], str]] = [
    (lambda: failure(AuthenticationError("wrong")), "Correct the user and the password"),
    (lambda: failure(ConnectionError("x"), ssl.SSLCertVerificationError()), "Check its certifi"),
    (lambda: failure(ConnectionError("x"), ssl.SSLError("WRONG_VERSION_NUMBER")), "its port"),
    (lambda: failure(ConnectionError("x"), UnicodeError("label too long")), "name is not known"),
    (lambda: failure(NoPermissionError("set")), "python run.py store acl"),
    (lambda: failure(ResponseError("DENIED protected mode")), "no store for Curfew"),
    (lambda: failure(OutOfMemoryError("full", status_code="OOM")), "Its memory is full"),
    (lambda: failure(InvalidResponse("HTTP/1.1")), "no store for Curfew"),
]


@pytest.mark.parametrize("fail", MAY_COME)
async def test_a_store_that_may_come_is_waited_for(fail: Callable[[], StoreUnavailable]) -> None:
    store = Store(fail(), fail())
    await reach(store, PLACE, LONG)
    assert store.tries == 3


@pytest.mark.parametrize(("fail", "advice"), NEVER)
async def test_a_store_that_will_never_come_is_not_waited_for(
    fail: Callable[[], StoreUnavailable], advice: str
) -> None:
    store = Store(fail())
    with pytest.raises(StoreNotReached, match=advice):
        await reach(store, PLACE, LONG)
    assert store.tries == 1


@pytest.mark.parametrize(
    ("fail", "advice"),
    [
        (MAY_COME[0], "Start it, or correct CURFEW_STORE_URL."),
        (MAY_COME[3], "Its name is not known: correct CURFEW_STORE_URL, or the resolver."),
        (MAY_COME[6], "It loads its data: raise CURFEW_STORE_WAIT."),
        (MAY_COME[7], "It is no master that serves: let CURFEW_STORE_URL lead to the master."),
    ],
)
async def test_the_wait_is_as_long_as_it_was_set(
    fail: Callable[[], StoreUnavailable], advice: str
) -> None:
    started = time.monotonic()
    with pytest.raises(StoreNotReached) as failed:
        await reach(Store(*(fail() for _ in range(100))), PLACE, SHORT)
    assert SHORT.total_seconds() <= time.monotonic() - started < 2
    assert str(failed.value).startswith(f"The store at {PLACE} could not be used (")
    assert str(failed.value).endswith(advice)


async def test_who_does_not_wait_tries_once() -> None:
    store = Store(MAY_COME[0]())
    with pytest.raises(StoreNotReached):
        await reach(store, PLACE, timedelta())
    assert store.tries == 1


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (0, "it does not answer"),
        (3, "its name is not known yet"),
        (6, "it loads its data"),
        (7, "it is no master that serves"),
    ],
)
async def test_what_is_waited_for_is_said_once(
    caplog: pytest.LogCaptureFixture, number: int, state: str
) -> None:
    await reach(Store(MAY_COME[number](), MAY_COME[number]()), PLACE, LONG)
    (line,) = caplog.messages
    assert line == f"waiting 20 s for the store at {PLACE}: {state}"


async def test_a_store_that_answers_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    await reach(Store(), PLACE, LONG)
    assert caplog.messages == []


async def test_a_store_that_does_not_fit_is_not_waited_for() -> None:
    store = Store(ConfigurationError("laid out for 4"))
    with pytest.raises(ConfigurationError):
        await reach(store, PLACE, LONG)
    assert store.tries == 1


def test_the_nearest_cause_comes_first_and_none_is_left_out() -> None:
    near, far = ConnectionError("x"), socket.gaierror()
    assert list(_causes(failure(near, far))) == [near, far]
    assert may_come([near, far])
    assert not may_come([])


async def test_what_sentinel_says_is_told_and_waited_for_if_it_may_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    passing = failure(MasterUnknown("the sentinels are busy", "Wait for them."))
    await reach(Store(passing), PLACE, LONG)
    assert "waiting 20 s for the store at db.internal:6379: the sentinels are busy" in caplog.text
    lasting = failure(MasterUnknown("no such service", "Correct it.", is_for_ever=True))
    with pytest.raises(StoreNotReached) as error:
        await reach(Store(lasting), PLACE, LONG)
    assert str(error.value).endswith("(MasterUnknown). No such service. Correct it.")
