"""The operations page against the code: metrics, their labels, and loggers."""

import re
from datetime import timedelta

from prometheus_client import CollectorRegistry

from server.core.audit import AuditEvent
from server.realtime.fence import Fence
from server.realtime.hub import Hub
from server.telemetry.answer_counts import AnswerCounts
from server.telemetry.metrics import Metrics
from tests.docs.markdown import ROOT, code, page, table

PAGE = page("docs/operations.md")


def test_every_metric_is_on_the_page_with_its_labels_and_no_other() -> None:
    rows = {code(row[0])[0]: set(code(row[1])) for row in table(PAGE, "metric")}
    assert rows == metrics_in_the_code()


def metrics_in_the_code() -> dict[str, set[str]]:
    """Names as Prometheus shows them, with their labels but for `node`."""
    registry = CollectorRegistry()
    metrics = Metrics("node", registry)
    metrics.watch(Hub(), fence())
    found = {}
    for each in registry._names_to_collectors.values():
        if isinstance(each, AnswerCounts):
            metrics_of = [(told.type, told.name, told._labelnames) for told in each.describe()]
        else:  # there is no public way
            metrics_of = [(each._type, each._name, each._labelnames)]  # type: ignore[attr-defined]
        for kind, name, labels in metrics_of:
            found[f"{name}_total" if kind == "counter" else name] = set(labels) - {"node"}
    return found


def fence() -> Fence:
    """Some fence."""

    async def compare() -> None: ...

    second = timedelta(seconds=1)
    return Fence(Hub(), compare, second, second, lambda: 0.0)


def test_every_logger_is_on_the_page_and_no_other() -> None:
    named = {name for row in table(PAGE, "logger") for name in code(row[0])}
    assert named == loggers_in_the_code()


def loggers_in_the_code() -> set[str]:
    """Names of the loggers of a server process that write anything."""
    found = set()
    for folder in ("handlers", "server"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            if "log." in text:
                found |= set(re.findall(r'getLogger\("(curfew\.\w+)"\)', text))
    return found | {"server.supervisor"}


def test_every_audit_event_is_on_the_page_and_no_other() -> None:
    named = {name for row in table(PAGE, "event") for name in code(row[0])}
    assert named == {event.value for event in AuditEvent}
