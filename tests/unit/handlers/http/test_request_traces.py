"""The span of a request: it goes on with a trusted proxy's trace, and says how it was answered."""

from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any, Final

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext
from tornado.httputil import HTTPHeaders

from handlers.http.request_ids import RequestIds, RequestName
from handlers.http.request_traces import RequestTraces, names_of_requests
from server.core.tracing import NO_TRACER
from server.telemetry.tracing import make_tracer

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
GIVEN: Final = f"00-{TRACE}-b7ad6b7169203331-01"
PROXY: Final = "10.0.0.1"
TRUSTED: Final = [ip_network(PROXY)]


def ended(peer: str, status: int) -> tuple[RequestName, ReadableSpan]:
    """The name of a request from somebody, and its span after an answer."""
    memory = InMemorySpanExporter()
    tracer = make_tracer(memory, "n1")
    traces = names_of_requests(TRUSTED, tracer)
    assert isinstance(traces, RequestTraces)
    request: Any = SimpleNamespace(
        method="GET", remote_ip=peer, headers=HTTPHeaders({"traceparent": GIVEN})
    )
    name = traces.name(request)
    handler: Any = SimpleNamespace(request=request, request_name=name, get_status=lambda: status)
    traces.end(handler)
    tracer.close()
    (span,) = memory.get_finished_spans()
    return name, span


def context_of(span: ReadableSpan) -> SpanContext:
    """Which span it is."""
    found = span.get_span_context()
    assert found is not None
    return found


def test_a_trusted_proxys_trace_goes_on_and_the_answer_names_our_part() -> None:
    name, span = ended(PROXY, 200)
    assert name.trace == TRACE
    assert span.parent is not None
    assert name.answered_trace == f"00-{TRACE}-{context_of(span).span_id:016x}-01"


def test_nobody_elses_trace_is_believed() -> None:
    name, span = ended("203.0.113.7", 200)
    assert (span.parent, name.answered_trace) == (None, "")
    assert name.trace == f"{context_of(span).trace_id:032x}" != TRACE


@pytest.mark.parametrize(("status", "error"), [(200, None), (404, None), (503, "503")])
def test_a_span_says_how_the_request_was_answered(status: int, error: str | None) -> None:
    _, span = ended(PROXY, status)
    told = span.attributes or {}
    assert (told["http.response.status_code"], told.get("error.type")) == (status, error)
    assert span.name == "GET SimpleNamespace"


def test_a_request_without_a_name_has_no_span_and_nobody_asked_for_traces() -> None:
    RequestTraces.end(SimpleNamespace())  # type: ignore[arg-type]  # static files have no name
    assert isinstance(names_of_requests(TRUSTED, NO_TRACER), RequestIds)
