"""Reaches a store that may not be there yet: containers and units start in any order."""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004 the client's own
    NoPermissionError,
    OutOfMemoryError,
    TimeoutError,  # noqa: A004 likewise
)

from server.core.errors import StoreNotReached, StoreUnavailable
from server.store.master import MasterUnknown, leads_elsewhere

log = logging.getLogger("curfew.store")

PAUSE: Final = 0.25
"""Seconds between two tries: a store that has come is found within them."""


async def reach(attempt: Callable[[], Awaitable[None]], place: str, wait: timedelta) -> None:
    """Run `attempt` until the store answers it; say once what is waited for.

    Args:
        attempt: asks the store for something. It may run many times.
        place: where the store is, for the person who reads the log.
        wait: how long to wait, at most. What waiting cannot mend fails at once.

    Raises:
        StoreNotReached: the store did not answer in time, or never will.
        ConfigurationError: the store answered, and does not fit the settings.
    """
    deadline, is_told = time.monotonic() + wait.total_seconds(), False
    while True:
        try:
            return await attempt()
        except StoreUnavailable as error:
            causes = list(_causes(error))
            left = deadline - time.monotonic()
            if left <= 0 or not may_come(causes):
                raise StoreNotReached(
                    error.operation, error.cause, place, _advice(causes)
                ) from error
        if not is_told:
            seconds = wait.total_seconds()
            log.warning("waiting %g s for the store at %s: %s", seconds, place, _state(causes))
            is_told = True
        await asyncio.sleep(min(PAUSE, left))


def may_come(causes: list[BaseException]) -> bool:
    """Return whether a store that failed like this may still answer, if one only waits.

    A name that does not resolve yet is usual for containers. A refused password, certificate or
    command will be refused again.

    Args:
        causes: the failure, and what caused it.
    """
    if any(_is_for_ever(each) for each in causes):
        return False
    return any(
        isinstance(each, OSError | TimeoutError | ConnectionError) or leads_elsewhere(each)
        for each in causes
    )


def _is_for_ever(cause: BaseException) -> bool:
    if isinstance(cause, MasterUnknown):
        return cause.is_for_ever
    if isinstance(cause, ssl.SSLError):
        # A balancer without a server ends the connection in the middle of the handshake.
        return not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(cause, AuthenticationError | AuthorizationError | UnicodeError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Return what led to an error, the nearest first."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _state(causes: list[BaseException]) -> str:
    """Say what is the matter with a store that may still come."""
    for each in causes:
        if isinstance(each, MasterUnknown):
            return each.found
        if isinstance(each, BusyLoadingError):
            return "it loads its data"
        if isinstance(each, socket.gaierror):
            return "its name is not known yet"
        if leads_elsewhere(each):
            return "it is no master that serves"
    return "it does not answer"


_ADVICE: Final[tuple[tuple[tuple[type[BaseException], ...], str], ...]] = (
    (
        (AuthenticationError, AuthorizationError),
        "Correct the user and the password in CURFEW_STORE_URL.",
    ),
    ((ssl.SSLError,), "Check its certificate, its port, and the files in CURFEW_STORE_URL."),
    ((BusyLoadingError,), "It loads its data: raise CURFEW_STORE_WAIT."),
    (
        (socket.gaierror, UnicodeError),
        "Its name is not known: correct CURFEW_STORE_URL, or the resolver.",
    ),
    ((NoPermissionError,), "Give Curfew's user its rights: python run.py store acl"),
    ((OutOfMemoryError,), "Its memory is full: give it more."),
)


def _advice(causes: list[BaseException]) -> str:
    """Say what to do about a store that was not reached."""
    for each in causes:
        if advice := _advice_on(each):
            return advice
    if may_come(causes):
        return "Start it, or correct CURFEW_STORE_URL."
    return "What answers there is no store for Curfew: correct CURFEW_STORE_URL."


def _advice_on(cause: BaseException) -> str:
    """Say what to do about one cause; nothing if it does not tell."""
    if isinstance(cause, MasterUnknown):
        return f"{cause.found[:1].upper()}{cause.found[1:]}. {cause.needed}"
    for kinds, advice in _ADVICE:
        if isinstance(cause, kinds):
            return advice
    if leads_elsewhere(cause):
        return "It is no master that serves: let CURFEW_STORE_URL lead to the master."
    return ""
