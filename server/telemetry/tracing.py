"""Traces by OpenTelemetry, where an operator asked for them. Nothing else imports the library."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from server import VERSION
from server.core.errors import ConfigurationError
from server.core.tracing import NO_TRACER, Facts, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan

OFF: Final = "off"
CONSOLE: Final = "console"
OTLP: Final = "otlp"
EXPORTERS: Final = {
    CONSOLE: ("opentelemetry.sdk.trace.export", "ConsoleSpanExporter"),
    OTLP: ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter"),
}
HEADER: Final = "traceparent"


class OpenTelemetryTracer:
    """Implements `Tracer`.

    Args:
        provider: makes spans, and sends them away in a thread of its own.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - optional
            TraceContextTextMapPropagator,
        )

        self._provider = provider
        self._tracer = provider.get_tracer("curfew", VERSION)
        self._propagator = TraceContextTextMapPropagator()

    def span(self, name: str, facts: Facts) -> AbstractContextManager[Span]:
        """Return a span that is part of the one in which this task works."""
        return self._begun(name, facts, None)

    def span_after(self, parent: str, name: str, facts: Facts) -> AbstractContextManager[Span]:
        """Return a span that is part of another node's; nothing without that one."""
        if not parent:
            return NO_TRACER.span(name, facts)
        return self._begun(name, facts, self._context_of(parent))

    def current(self) -> str:
        """Return the span in which this task works, as `traceparent`; empty for none."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(HEADER, "")

    def begin_request(self, parent: str, facts: Facts) -> "OtelSpan":
        """Return the span of a request. It is the task's own only after `enter`.

        Args:
            parent: the `traceparent` that a trusted proxy sent; empty without one.
            facts: further facts.
        """
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - optional

        return self._tracer.start_span(
            "request",
            context=self._context_of(parent),
            kind=SpanKind.SERVER,
            attributes=dict(facts),
        )

    @staticmethod
    def enter(span: "OtelSpan") -> None:
        """Make a span the one in which this task works from here on."""
        from opentelemetry import context, trace  # noqa: PLC0415 - optional

        context.attach(trace.set_span_in_context(span))

    def close(self) -> None:
        """Send what is left, and end the thread."""
        self._provider.shutdown()

    def _context_of(self, parent: str) -> "Context":
        from opentelemetry.context import Context  # noqa: PLC0415 - optional

        carrier: Mapping[str, str] = {HEADER: parent} if parent else {}
        return self._propagator.extract(carrier, Context())

    @contextmanager
    def _begun(self, name: str, facts: Facts, context: "Context | None") -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, context=context, attributes=dict(facts), record_exception=False
        ) as span:
            yield _Begun(span)


class _Begun:
    """A span that goes on."""

    def __init__(self, span: "OtelSpan") -> None:
        self._span = span

    def add(self, facts: Facts) -> None:
        """Say more about it."""
        self._span.set_attributes(dict(facts))


@contextmanager
def open_tracer(kind: str, node: str) -> Iterator[Tracer]:
    """Open what makes the traces of this process.

    Args:
        kind: `off`; `console` for a line of JSON for each span on standard error; `otlp` for a
            collector.
        node: this node's id.

    Raises:
        ConfigurationError: the packages that this needs are not installed.
    """
    if kind == OFF:
        yield NO_TRACER
        return
    tracer = make_tracer(_exporter(kind), node)
    try:
        yield tracer
    finally:
        tracer.close()


def make_tracer(exporter: "SpanExporter", node: str) -> OpenTelemetryTracer:
    """Return a tracer that sends spans in batches.

    Args:
        exporter: where to.
        node: this node's id.
    """
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - optional
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - optional
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - optional

    resource = Resource.create(
        {"service.name": "curfew", "service.version": VERSION, "service.instance.id": node}
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetryTracer(provider)


def _exporter(kind: str) -> Any:
    module, name = EXPORTERS[kind]
    try:
        found = getattr(import_module(module), name)
    except ImportError:
        raise ConfigurationError(
            f"CURFEW_TRACES={kind} needs packages that are not installed. Install them: "
            "pip install -r requirements-traces.txt"
        ) from None
    if kind == OTLP:
        return found()  # OTEL_EXPORTER_OTLP_ENDPOINT and the like say where
    return found(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n")
