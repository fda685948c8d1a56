"""Metrics are text that Prometheus reads, and the system's words for processes."""

import os
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.telemetry.exposition import processes_of, text_of
from server.telemetry.snapshots import Family, Sample


def test_the_text_can_be_read_back() -> None:
    samples = [Sample("some_total", {"node": "a", "why": 'a "quote"\n'}, 2.0)]
    (family,) = text_string_to_metric_families(
        text_of([Family("some", "Some.", "counter", samples)]).decode()
    )
    assert (family.name, family.type, family.documentation) == ("some", "counter", "Some.")
    assert [(each.name, each.labels, each.value) for each in family.samples] == samples


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_this_process_is_the_parent_and_the_others_have_their_nodes() -> None:
    found = {family.name: family for family in processes_of({os.getppid(): "a"})}
    nodes = [each.labels["node"] for each in found["process_resident_memory_bytes"].samples]
    assert nodes == ["parent", "a"]
    assert {"process_cpu_seconds", "process_open_fds", "process_start_time_seconds"} <= set(found)


def test_a_process_that_is_gone_is_left_out() -> None:
    families = processes_of({2**30: "gone"})
    assert all(each.labels["node"] == "parent" for family in families for each in family.samples)
