"""Traces: spans of several nodes are one trace, and nothing is imported where nobody asked."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from server.core.errors import ConfigurationError
from server.core.tracing import NO_TRACER
from server.telemetry.tracing import OpenTelemetryTracer, make_tracer, open_tracer
from tests.support.servers.server import ROOT

OF_A_PROXY = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


EXPORT = "opentelemetry.sdk.trace.export"


class Exported:
    """What a tracer has sent away."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        self.tracer: OpenTelemetryTracer = make_tracer(self._memory, "n1")

    def spans(self) -> dict[str, ReadableSpan]:
        """All spans by their names, after the tracer was closed."""
        self.tracer.close()
        return {each.name: each for each in self._memory.get_finished_spans()}


def id_of(context: SpanContext | None) -> tuple[int, int]:
    """The trace and the span."""
    assert context is not None
    return context.trace_id, context.span_id


@pytest.fixture
def exported() -> Iterator[Exported]:
    """A tracer that sends to memory."""
    exported = Exported()
    yield exported
    exported.tracer.close()


def test_a_span_in_another_is_a_part_of_it(exported: Exported) -> None:
    with exported.tracer.span("outer", {"a": 1}) as outer:
        with exported.tracer.span("inner", {}):
            pass
        outer.add({"b": "two"})
    assert exported.tracer.current() == ""
    spans = exported.spans()
    (inner, outer_span) = spans["inner"], spans["outer"]
    assert id_of(inner.parent) == id_of(outer_span.get_span_context())
    assert dict(outer_span.attributes or {}) == {"a": 1, "b": "two"}
    assert outer_span.resource.attributes["service.instance.id"] == "n1"


def test_the_work_of_another_node_is_a_part_of_the_trace(exported: Exported) -> None:
    with exported.tracer.span("here", {}):
        told = exported.tracer.current()
    with exported.tracer.span_after(told, "there", {}):
        pass
    with exported.tracer.span_after("", "of a node without traces", {}):
        assert exported.tracer.current() == ""
    spans = exported.spans()
    assert spans.keys() == {"here", "there"}
    assert id_of(spans["there"].parent) == id_of(spans["here"].get_span_context())


def test_what_is_no_trace_begins_a_new_one(exported: Exported) -> None:
    with exported.tracer.span_after("00-nonsense", "alone", {}):
        pass
    assert exported.spans()["alone"].parent is None


def test_a_request_goes_on_with_the_trace_of_a_proxy(exported: Exported) -> None:
    exported.tracer.begin_request(OF_A_PROXY, {"a": 1}).end()
    parent = exported.spans()["request"].parent
    assert parent is not None
    assert f"{parent.trace_id:032x}-{parent.span_id:016x}" == OF_A_PROXY[3:-3]


def test_nobody_asked_for_traces() -> None:
    with open_tracer("off", "n1") as tracer:
        assert tracer is NO_TRACER
        with tracer.span("a", {}) as span, tracer.span_after(OF_A_PROXY, "b", {}):
            span.add({"c": 1})
        assert tracer.current() == ""


def test_nothing_imports_the_library_where_nobody_asked() -> None:
    # Not the whole program: the client of the store imports the package where it is installed.
    program = "import server.telemetry.tracing, sys; sys.exit('opentelemetry' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_packages_that_are_missing_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, package in (("otlp", "opentelemetry.exporter"), ("console", EXPORT)):
        monkeypatch.setitem(sys.modules, package, None)
        with (
            pytest.raises(ConfigurationError, match=f"CURFEW_TRACES={kind} needs packages"),
            open_tracer(kind, "n1"),
        ):
            pass


def test_the_console_gets_a_line_for_each_span(capsys: pytest.CaptureFixture[str]) -> None:
    with open_tracer("console", "n1") as tracer, tracer.span("work", {}):
        pass
    assert '"name": "work"' in capsys.readouterr().err.splitlines()[0]
