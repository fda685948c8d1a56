"""What the lines of a process, and of a request, have in common in a log of JSON."""

from contextvars import ContextVar
from typing import Final

current_request: Final[ContextVar[str]] = ContextVar("current_request", default="")
"""The id of the request in whose task a line is logged; empty outside of requests."""
