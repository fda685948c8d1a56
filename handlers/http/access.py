"""Who may use a handler. A handler that says nothing serves signed-in people only."""

from enum import Enum, auto


class Access(Enum):
    """The levels of access, from open to closed."""

    PUBLIC = auto()
    """Anybody, with or without a session."""
    SESSION = auto()
    """Any live session, an anonymous visitor's too."""
    SIGNED_IN = auto()
    """A person who signed in."""
    RECENT = auto()
    """A person who authenticated within the reauthentication window (ASVS 5.0 7.5)."""
    ADMIN = auto()
    """A person with the admin role who authenticated within this window."""
