"""What `run.py top` shows is computed from two readings, and says what is wrong."""

from server.core.live_view import Reading, view_of
from server.core.samples import Samples, Series


def told(node: str = "a", **numbers: float) -> list[Series]:
    """What one node counted, and the same for all processes."""
    return [
        Series(name, labels, value)
        for metric, value in numbers.items()
        for name, labels in (
            (f"curfew_{metric}", {"node": node}),
            (f"curfew_machine_{metric}", {"node": "all"}),
        )
    ]


def answers(number: float, status: str = "200", handler: str = "Page") -> Series:
    """So many answers of all processes."""
    labels = {"node": "all", "handler": handler, "status": status}
    return Series("curfew_machine_http_requests_total", labels, number)


def test_rates_are_of_the_time_between_two_readings_without_probes() -> None:
    before = Reading(10.0, Samples([answers(100), answers(7, handler="MetricsHandler")]))
    now = Reading(
        15.0, Samples([answers(150), answers(5, "503"), answers(99, handler="MetricsHandler")])
    )
    figures = view_of(now, before).figures
    assert (figures.requests, figures.failed) == (11.0, 1.0)
    first = view_of(now, None).figures
    assert (first.requests, first.failed, first.request_median) == (None, None, None)


def test_a_node_of_the_list_without_metrics_is_elsewhere() -> None:
    samples = Samples(told("a", lease_held=1, sockets_open=3, stream_lag_seconds=0.1))
    now = Reading(1.0, samples, leases={"a": 105.0, "b": 103.0}, store_now=100.0)
    here, elsewhere = view_of(now, None).nodes
    assert (here.node, here.serves, here.lease_left, here.sockets) == ("a", True, 5.0, 3)
    assert (elsewhere.node, elsewhere.is_told, elsewhere.serves) == ("b", False, None)
    assert view_of(now, None).faults == []


def test_what_is_wrong_is_said_of_each_node() -> None:
    samples = Samples([
        *told("a", lease_held=0, stream_lag_seconds=9),
        *told("b", lease_held=1, stream_lag_seconds=9),
        Series("curfew_workers", {"node": "all", "state": "hanging"}, 1),
        *told("a", sockets_past_session_end=2),
    ])  # fmt: skip
    now = Reading(1.0, samples, leases={"c": 90.0}, store_now=100.0, problems=["no store"])
    faults = view_of(now, None).faults
    assert faults[0] == "no store"
    assert "node a may not serve" in faults[1]
    assert faults[2] == "node b last read the control stream 9.0 s ago"
    assert faults[3] == "node c has let its lease run out, and has not left the list"
    assert faults[4:] == ["workers that hang: 1", "sockets open behind their session's end: 2"]


def test_what_went_wrong_is_counted_with_what_is_new() -> None:
    def errors(number: float) -> Samples:
        return Samples([
            Series("curfew_machine_store_errors_total", {"node": "all"}, number),
            Series("curfew_worker_restarts_total", {"node": "all", "why": "crash"}, 1),
            Series("curfew_worker_restarts_total", {"node": "all", "why": "exit"}, 4),
        ])  # fmt: skip

    now, before = Reading(2.0, errors(5)), Reading(1.0, errors(2))
    assert view_of(now, before).faults == [
        "workers that were replaced after a crash: 1",
        "commands and connections to the store that failed: 5, 3 of them just now",
    ]
    assert "just now" not in " ".join(view_of(now, None).faults)
