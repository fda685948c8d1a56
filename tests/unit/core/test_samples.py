"""Readings of metrics: sums over processes, what grew between two of them, and quantiles."""

import math

from server.core.samples import Samples, Series, increase, quantile


def counted(name: str, value: float, **labels: str) -> Series:
    """One number of all processes of a machine."""
    return Series(f"curfew_machine_{name}", {"node": "all", **labels}, value)


def histogram(*counts: float, limits: tuple[str, ...] = ("0.1", "1.0", "+Inf")) -> Samples:
    """The buckets of a histogram, each with all before it."""
    buckets = zip(limits, counts, strict=True)
    return Samples(counted("t_seconds_bucket", count, le=limit) for limit, count in buckets)


def test_the_sum_is_of_all_processes_and_of_the_series_with_the_labels() -> None:
    told = Samples([
        counted("requests_total", 5, status="200"),
        counted("requests_total", 2, status="503"),
        Series("curfew_requests_total", {"node": "a", "status": "200"}, 4),
    ])  # fmt: skip
    assert told.total("requests_total") == 7
    assert told.total("requests_total", status="503") == 2
    assert told.by("status", "requests_total") == {"200": 5, "503": 2}
    assert told.of_nodes("requests_total") == {"a": 4}


def test_a_server_that_told_only_of_one_process_is_believed_for_that_one() -> None:
    told = Samples([Series("curfew_sockets_open", {"node": "a"}, 3)])
    assert told.total("sockets_open") == 3


def test_two_machines_are_added_and_what_each_tells_of_the_store_is_not() -> None:
    told = Samples([counted("live_sessions", 7), counted("live_sessions", 9)])
    assert told.total("live_sessions") == 16
    assert told.largest("live_sessions") == 9
    assert told.largest("nothing") is None


def test_series_of_some_labels_can_be_left_out() -> None:
    told = Samples([counted("n", 5, handler="Healthz"), counted("n", 2, handler="Page")])
    assert told.without("handler", ("Healthz",)).total("n") == 2


def test_a_counter_that_began_anew_counts_from_zero() -> None:
    early, late = Samples([counted("n", 10)]), Samples([counted("n", 14)])
    assert increase("n", late, early) == 4
    assert increase("n", early, late) == 10
    assert increase("n", late, None) == 14


def test_a_quantile_is_the_limit_of_the_bucket_that_has_it() -> None:
    told = histogram(90, 99, 100)
    assert quantile(0.5, "t_seconds", told) == 0.1
    assert quantile(0.99, "t_seconds", told) == 1.0
    assert quantile(1.0, "t_seconds", told) == math.inf


def test_a_quantile_between_two_readings_is_of_what_came_between() -> None:
    assert quantile(0.5, "t_seconds", histogram(90, 99, 100), histogram(90, 90, 90)) == 1.0
    assert quantile(0.5, "t_seconds", histogram(1, 1, 1), histogram(1, 1, 1)) is None
    assert quantile(0.5, "t_seconds", Samples()) is None
