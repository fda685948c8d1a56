"""A person's browser, as far as HTTP and WebSockets go: that of the testing kit."""

from curfew.testing.client import (
    COOKIE,
    PASSWORD,
    PATIENCE_SECONDS,
    Client,
    frame,
    set_cookie,
)

__all__ = ["COOKIE", "PASSWORD", "PATIENCE_SECONDS", "Client", "frame", "set_cookie"]
