"""Traces: which work of which node belongs to one request. Without a library for them, nothing.

A span is a piece of work with its time. The names follow OpenTelemetry; this file imports nothing
of it, and `server/telemetry/tracing.py` only where an operator asked for traces.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol

Facts = Mapping[str, str | int]
"""What a span says besides its name and time. Never a user, a session or an address."""


class Span(Protocol):
    """A piece of work that goes on."""

    def add(self, facts: Facts) -> None:
        """Say more about it."""


class Tracer(Protocol):
    """Makes spans."""

    def span(self, name: str, facts: Facts) -> AbstractContextManager[Span]:
        """Return a span that is part of the one in which this task works."""

    def span_after(self, parent: str, name: str, facts: Facts) -> AbstractContextManager[Span]:
        """Return a span that is part of another node's.

        Args:
            parent: that one, as `current` returned it there; empty if that node makes no traces,
                and then this one makes none of it either.
            name: what is done.
            facts: further facts.
        """

    def current(self) -> str:
        """Return the span in which this task works, as `traceparent` (W3C); empty for none."""


class _NoSpan:
    """Nobody asked for traces."""

    def add(self, facts: Facts) -> None:
        """Do nothing."""


class _NoTracer:
    """Likewise."""

    _nothing = nullcontext(_NoSpan())

    def span(self, name: str, facts: Facts) -> AbstractContextManager[Span]:
        """Return nothing to fill in."""
        del name, facts
        return self._nothing

    def span_after(self, parent: str, name: str, facts: Facts) -> AbstractContextManager[Span]:
        """Likewise."""
        del parent, name, facts
        return self._nothing

    def current(self) -> str:
        """Return no span."""
        return ""


NO_TRACER: Final[Tracer] = _NoTracer()
