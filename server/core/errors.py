"""The failures of the engine. Expected outcomes (missing, expired, forged) are values, not these.

SessionError
├── StoreUnavailable      the store could not be asked, or did not answer in time
├── WriteConflict         other writers kept winning; the bounded tries are used up
├── DataRefused           session data is too large or not JSON
└── ConfigurationError    the program cannot start like this
"""

from dataclasses import dataclass


class SessionError(Exception):
    """Base of everything that the engine raises on purpose."""


@dataclass
class StoreUnavailable(SessionError):
    """The store could not be asked: unknown is not ended, so nobody is signed out (P5).

    Args:
        operation: what was attempted, for the log.
        cause: the client's error class name; never its text, which may hold data.
    """

    operation: str
    cause: str = ""

    def __str__(self) -> str:
        return f"the store did not answer {self.operation}" + (
            f" ({self.cause})" if self.cause else ""
        )


@dataclass
class WriteConflict(SessionError):
    """A write lost against other writers in every one of its bounded tries. Nothing was lost."""

    sid: str
    tries: int

    def __str__(self) -> str:
        return f"session {self.sid}: {self.tries} tries all met a newer revision"


@dataclass
class DataRefused(SessionError):
    """The session's data cannot be kept as asked; what was there before still is."""

    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass
class ConfigurationError(SessionError):
    """A setting, or the store found behind it, does not allow a start."""

    detail: str

    def __str__(self) -> str:
        return self.detail
