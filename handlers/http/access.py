"""Who may use a handler. A handler that says nothing is for signed-in people only."""

from enum import Enum, auto


class Access(Enum):
    """The levels, from open to closed."""

    PUBLIC = auto()
    """Anybody, with or without a session."""
    SESSION = auto()
    """Any live session, an anonymous visitor's too."""
    SIGNED_IN = auto()
    """A person who signed in."""
    RECENT = auto()
    """A person who proved the password within the reauthentication window (ASVS 5.0 7.5)."""
    ADMIN = auto()
    """A person with the admin role who proved the password recently."""
