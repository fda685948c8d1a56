"""The failures of the engine. Expected outcomes (missing, expired, forged) are values instead.

SessionError
├── StoreUnavailable      the store could not be asked, or did not answer in time
│   ├── StoreMoved        … because the server is not a master that serves
│   └── StoreNotReached   … at the start, with where it should be and what to do
├── WriteConflict         other requests changed the record in each of the allowed tries
├── DataRefused           session data is too large or not JSON
├── VisitorsFull          visitors without an account keep as much as they may
└── ConfigurationError    the program cannot start with this configuration
"""

from dataclasses import dataclass
from datetime import timedelta

from server.core.plurals import counted


class SessionError(Exception):
    """Base class of all exceptions that the engine raises on purpose."""


@dataclass
class StoreUnavailable(SessionError):
    """The store could not be asked. Unknown does not mean ended: nobody is signed out (P5).

    Args:
        operation: what was tried, for the log.
        cause: the class name of the client's error; never its text, which may hold data.
    """

    operation: str
    cause: str = ""

    def __str__(self) -> str:
        return f"the store did not answer {self.operation}" + (
            f" ({self.cause})" if self.cause else ""
        )


@dataclass
class StoreMoved(StoreUnavailable):
    """The server answered that it is not a master that serves.

    A new connection may lead to one at any moment, so it is worth while to try again soon.
    """


@dataclass
class StoreNotReached(StoreUnavailable):
    """The store could not be asked when the program started.

    Args:
        operation: what was tried.
        cause: the class name of the client's error.
        place: where the store should be, without user and password.
        advice: what to do, as a sentence.
    """

    place: str = ""
    advice: str = ""

    def __str__(self) -> str:
        because = f" ({self.cause})" if self.cause else ""
        return f"The store at {self.place} could not be used{because}. {self.advice}"


@dataclass
class WriteConflict(SessionError):
    """Each try to write met a newer record, and the number of tries is limited.

    Nothing was written, and the record of the other writers is whole.
    """

    sid: str
    tries: int

    def __str__(self) -> str:
        return f"session {self.sid}: {counted(self.tries, 'try', 'tries')} all met a newer revision"


@dataclass
class DataRefused(SessionError):
    """The session's data cannot be stored; the data that was there is unchanged."""

    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass
class VisitorsFull(SessionError):
    """Visitors without an account keep as much as they may; nothing was written.

    Args:
        wait: when to try again.
    """

    wait: timedelta

    def __str__(self) -> str:
        return "visitors without an account keep as much as they may"


@dataclass
class ConfigurationError(SessionError):
    """A setting, or the store that it names, does not allow the program to start."""

    detail: str

    def __str__(self) -> str:
        return self.detail
