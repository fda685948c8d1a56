"""The failures of the engine: all of one kind, each with a sentence that reveals no data."""

import pytest

from server.core.errors import (
    ConfigurationError,
    DataRefused,
    SessionError,
    StoreMoved,
    StoreNotReached,
    StoreUnavailable,
    WriteConflict,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StoreUnavailable("GET"), "the store did not answer GET"),
        (StoreUnavailable("GET", "TimeoutError"), "the store did not answer GET (TimeoutError)"),
        (StoreMoved("SET", "ReadOnlyError"), "the store did not answer SET (ReadOnlyError)"),
        (StoreNotReached("GET", "TimeoutError", "db:6379", "Start it."),
         "The store at db:6379 could not be used (TimeoutError). Start it."),
        (StoreNotReached("GET", "", "db:6379", "Start it."),
         "The store at db:6379 could not be used. Start it."),
        (WriteConflict("00abc", 5), "session 00abc: 5 tries all met a newer revision"),
        (DataRefused("Too large."), "Too large."),
        (ConfigurationError("CURFEW_PORT is 'x'."), "CURFEW_PORT is 'x'."),
    ],
)  # fmt: skip
def test_every_failure_is_a_session_error_that_says_what_happened(
    error: SessionError, text: str
) -> None:
    assert isinstance(error, SessionError)
    assert str(error) == text
