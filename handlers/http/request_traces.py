"""Makes a span of each request, where an operator asked for traces. Else nothing here runs.

The span goes on where a trusted proxy began the trace. What the request does is part of it, because
its task works in it.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from handlers.http.client import Network
from handlers.http.request_ids import TRACEPARENT, RequestIds, RequestName
from server.core.tracing import Tracer
from server.telemetry.tracing import OpenTelemetryTracer

if TYPE_CHECKING:
    from opentelemetry.trace import Span as OtelSpan


class TracedName(RequestName):
    """A request's name, with its span."""

    span: "OtelSpan"

    def name_lines(self) -> None:
        """Put the id on the log lines of this task, and let it work in the span."""
        super().name_lines()
        OpenTelemetryTracer.enter(self.span)


class RequestTraces:
    """Names requests as `RequestIds` does, and begins and ends their spans.

    Args:
        names: names requests.
        tracer: makes spans.
    """

    def __init__(self, names: RequestIds, tracer: OpenTelemetryTracer) -> None:
        self._names = names
        self._tracer = tracer

    def name(self, request: HTTPServerRequest) -> RequestName:
        """Return the name of a request, which is the trace's where it is one."""
        name = self._names.name(request)
        # The name says so only of a header that a trusted proxy sent, and that is well formed.
        parent = request.headers[TRACEPARENT] if name.answered_trace else ""
        facts = {"http.request.method": request.method or "", "curfew.request": name.id}
        span = self._tracer.begin_request(parent, facts)
        of = span.get_span_context()
        trace, own = f"{of.trace_id:032x}", f"{of.span_id:016x}"
        answered = f"00-{trace}-{own}-{of.trace_flags:02x}" if name.answered_trace else ""
        traced = TracedName(name.id, trace, answered)
        traced.span = span
        return traced

    @staticmethod
    def end(handler: RequestHandler) -> None:
        """End the span of a request: its answer was handed over."""
        name = getattr(handler, "request_name", None)
        if isinstance(name, TracedName):
            status = handler.get_status()
            name.span.update_name(f"{handler.request.method} {type(handler).__name__}")
            name.span.set_attribute("http.response.status_code", int(status))
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                name.span.set_attribute("error.type", str(int(status)))
            name.span.end()


def names_of_requests(trusted: Sequence[Network], tracer: Tracer) -> RequestIds | RequestTraces:
    """Return what names requests; it makes their traces, too, if somebody asked for them.

    Args:
        trusted: proxies that are believed.
        tracer: makes spans, or nothing.
    """
    names = RequestIds(trusted)
    return RequestTraces(names, tracer) if isinstance(tracer, OpenTelemetryTracer) else names
