"""The dashboard and the alerts use metrics that exist; promtool checks and tests the alerts."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client import CollectorRegistry

from server.realtime.hub import Hub
from server.telemetry.exposition import processes_of
from server.telemetry.machine import Machine
from server.telemetry.metrics import Metrics
from server.telemetry.snapshots import read_snapshot, take_snapshot
from tests.docs.markdown import ROOT, page
from tests.docs.test_operations import fence, metrics_in_the_code

FOLDER: Final = ROOT / "docs" / "monitoring"
ALERTS: Final = FOLDER / "alerts.yml"
TESTS: Final = FOLDER / "alerts.test.yml"
DASHBOARD: Final[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))

PARTS: Final = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
OF_PROMETHEUS: Final = {"instance", "job", "le", "node", "alertname", "alertstate"}
OF_PROCESSES: Final = {
    *("process_cpu_seconds_total", "process_resident_memory_bytes"),
    *("process_open_fds", "process_max_fds"),
}
"""What prometheus_client says of processes, on Linux."""
OWN_LABELS: Final = {
    "curfew_workers": {"state"},
    "curfew_worker_hangs": {"place"},
    "curfew_worker_restarts_total": {"why"},
}
"""Of what the parent tells."""


def queries() -> Iterator[tuple[str, str]]:
    """Yield the title of each panel with each of its queries."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def alerts() -> dict[str, str]:
    """The text of each alert, by its name."""
    _, *parts = re.split(r"- alert: ", ALERTS.read_text("utf-8"))
    return {part.partition("\n")[0]: part.partition("labels:")[0] for part in parts}


def names_that_exist() -> set[str]:
    """The names of all series of a scrape, as Prometheus stores them."""
    registry = CollectorRegistry()
    metrics = Metrics("node", registry)
    metrics.watch(Hub(), fence())
    machine = Machine(processes_of)
    machine.started(0, 1)
    machine.told(0, read_snapshot(asyncio.run(take_snapshot(registry))))
    found = {family.name + part for family in machine.families([]) for part in PARTS[family.kind]}
    return found | OF_PROCESSES


NAMES: Final = names_that_exist()
LABELS: Final = metrics_in_the_code() | OWN_LABELS


def labels_of(name: str) -> set[str]:
    """The labels of a series besides what every series has."""
    metric = re.sub(r"_(bucket|sum|count)$", "", name.replace("curfew_machine_", "curfew_"))
    return LABELS.get(metric, set()) | OF_PROMETHEUS


@pytest.mark.parametrize(("where", "query"), [*queries(), *alerts().items()])
def test_every_query_uses_metrics_and_labels_that_exist(where: str, query: str) -> None:
    used = set(re.findall(r"\b(?:curfew|process)_\w+", query))
    assert used - NAMES == set(), where
    for name, selector in re.findall(r"\b((?:curfew|process)_\w+)\{([^}]*)\}", query):
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
        assert asked <= labels_of(name), where
    known = OF_PROMETHEUS.union(*(labels_of(name) for name in used))
    for grouped in re.findall(r"(?:by|on) \(([^)]*)\)", query):
        assert set(re.findall(r"\w+", grouped)) <= known, where


def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    queries_as_run = [
        query.replace("$__rate_interval", "1m").replace("$instance", ".*") for _, query in queries()
    ]
    records = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(queries_as_run)]
    rules.write_text(json.dumps({"groups": [{"name": "panels", "rules": records}]}), "utf-8")
    promtool("check", "rules", rules.name, folder=tmp_path)


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (each["gridPos"] for each in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_promtool_accepts_the_alerts_and_each_comes_and_stays_away_as_its_test_says() -> None:
    promtool("check", "rules", ALERTS.name)
    promtool("test", "rules", TESTS.name)
    tested = re.findall(r"name: (\w+) (comes|stays away)", TESTS.read_text("utf-8"))
    both = {(name, how) for name in alerts() for how in ("comes", "stays away")}
    assert sorted(tested) == sorted(both)


def test_the_page_names_every_alert_and_no_other() -> None:
    text = page("docs/monitoring.md").read_text("utf-8")
    assert set(re.findall(r"`(Curfew\w+)`", text)) == alerts().keys()


def promtool(*words: str, folder: Path = FOLDER) -> None:
    """Run promtool, which must accept everything."""
    ran = subprocess.run(
        ["promtool", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
