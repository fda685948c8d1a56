"""What is counted: under few labels, whatever clients send."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from server.core.counts import Counts
from server.core.reasons import Reason
from server.core.receipt import Durability, NodeCounts, Receipt
from server.core.throttling import Act, TryOutcome
from server.realtime.fence import Fence
from server.realtime.hub import Hub
from server.telemetry.metrics import Metrics

NODE = "node-1"


@pytest.fixture
def metrics() -> Metrics:
    """The metrics of one node."""
    return Metrics(NODE, CollectorRegistry())


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return a sample of this node, if there is one."""
    return metrics.registry.get_sample_value(name, {"node": NODE} | labels)


@pytest.mark.parametrize(
    ("method", "shown"), [("GET", "GET"), ("PROPFIND", "other"), ("", "other")]
)
def test_a_method_that_nobody_knows_gets_no_label_of_its_own(
    metrics: Metrics, method: str, shown: str
) -> None:
    metrics.answered("SomeHandler", method, 405, 0.01)
    labels = {"handler": "SomeHandler", "method": shown, "status": "405"}
    assert sample(metrics, "curfew_http_requests_total", **labels) == 1


@pytest.mark.parametrize(
    ("code", "shown", "reason"),
    [(1000, "1000", "client"), (1001, "1001", "client"), (3999, "other", "client"),
     (None, "1006", "lost")],
)  # fmt: skip
def test_the_code_of_a_client_is_shown_where_browsers_send_it(
    metrics: Metrics, code: int | None, shown: str, reason: str
) -> None:
    metrics.socket_left(code)
    assert sample(metrics, "curfew_socket_closes_total", code=shown, reason=reason) == 1


def test_an_end_counts_once_with_the_state_of_its_receipt_and_its_seconds(metrics: Metrics) -> None:
    receipt = Receipt("end", NodeCounts(waiting=1).state, 1, 2, NodeCounts(waiting=1),
                      Durability.MEMORY, 1500)  # fmt: skip
    metrics.terminated(Reason.LOGOUT, receipt)
    labels = {"reason": Reason.LOGOUT.value, "state": "pending"}
    assert sample(metrics, "curfew_terminations_total", **labels) == 1
    assert sample(metrics, "curfew_termination_seconds_sum") == 1.5


def test_an_end_that_nobody_waited_for_counts_as_unawaited(metrics: Metrics) -> None:
    metrics.ended(Reason.IDLE_TIMEOUT)
    labels = {"reason": Reason.IDLE_TIMEOUT.value, "state": "unawaited"}
    assert sample(metrics, "curfew_terminations_total", **labels) == 1


def test_clocks_that_differ_never_count_less_than_no_time(metrics: Metrics) -> None:
    metrics.reached("push", -3.0)
    assert sample(metrics, "curfew_termination_latency_seconds_sum", path="push") == 0
    assert sample(metrics, "curfew_termination_latency_seconds_count", path="push") == 1


def test_sweeps_add_up_and_the_gauge_shows_the_latest(metrics: Metrics) -> None:
    metrics.swept(3)
    metrics.swept(0)
    assert sample(metrics, "curfew_sweep_closed_total") == 3
    assert sample(metrics, "curfew_sockets_past_session_end") == 0


def test_the_gauges_show_what_the_fence_can_prove_when_they_are_read(metrics: Metrics) -> None:
    now = 100.0

    async def compare() -> None: ...

    second = timedelta(seconds=1)
    fence = Fence(Hub(), compare, 5 * second, second, lambda: now)
    metrics.watch(Hub(), fence)
    fence.note_followed(now)
    now += 2
    assert sample(metrics, "curfew_stream_lag_seconds") == 2
    assert sample(metrics, "curfew_follower_connected") == 1
    assert sample(metrics, "curfew_lease_held") == 0
    now += 10
    assert sample(metrics, "curfew_follower_connected") == 0


def test_the_other_parts_get_the_methods_and_nothing_else(metrics: Metrics) -> None:
    counts = metrics.counts
    assert isinstance(counts, Counts)
    counts.tried(next(iter(Act)), next(iter(TryOutcome)))
    act, outcome = next(iter(Act)).value, next(iter(TryOutcome)).value
    assert sample(metrics, "curfew_tries_total", act=act, outcome=outcome) == 1


def test_lost_log_lines_are_counted_from_zero(metrics: Metrics) -> None:
    assert sample(metrics, "curfew_log_lines_lost_total") == 0
    metrics.lines_lost(3)
    metrics.lines_lost(1)
    assert sample(metrics, "curfew_log_lines_lost_total") == 4
