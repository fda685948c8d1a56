"""What `run.py top` shows: figures of all processes, the nodes, the latest ends, and faults.

It is computed from what exists: two readings of the metrics, the list of nodes, and the streams.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.core.recent_ends import RecentEnd
from server.core.samples import Samples, increase, quantile

ANSWERS: Final = "http_requests_total"
REQUESTS: Final = "http_request_seconds"
OF_PROBES: Final = ("MetricsHandler", "Healthz", "Readyz")
"""Handlers whose requests are left out: they come from machines that look, as this one."""
LAGS: Final = 3.0
"""Seconds without a proof that the control stream was read, from which a node is told of."""
COUNTED_FAULTS: Final = (
    ("store_errors_total", "commands and connections to the store that failed"),
    ("sweep_closed_total", "sockets that only the sweep closed"),
    ("handshakes_refused_total", "handshakes told to come back later"),
    ("passwords_refused_total", "passwords without a place in the queue"),
    ("clients_unnamed_total", "requests whose proxy named no client"),
    ("log_lines_lost_total", "log lines lost"),
    ("malformed_requests_total", "requests that are not HTTP"),
)
"""Counters of what should not happen, and how to say it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read at one time.

    Attributes:
        at: seconds on a clock that is never set back.
        samples: the metrics of all machines that answered.
        leases: the listed nodes, each with the end of its lease on the store's clock.
        store_now: the store's clock, in Unix seconds.
        ends: the latest ends, the latest first.
        problems: what could not be read, in words.
    """

    at: float
    samples: Samples
    leases: Mapping[str, float] = field(default_factory=dict)
    store_now: float = 0.0
    ends: Sequence[RecentEnd] = ()
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node.

    Attributes:
        node: its id.
        is_told: whether its metrics were read. If not, it is on another machine, or is gone.
        serves: whether it may serve; None if its metrics were not read.
        lease_left: seconds until its lease ends by the store's clock; None if it is not listed.
        lag: seconds since it last proved that it had read the control stream.
        sockets: registered sockets.
        sessions: sessions with sockets.
        requests: answers per second; None before a second reading.
    """

    node: str
    is_told: bool
    serves: bool | None
    lease_left: float | None
    lag: float
    sockets: int
    sessions: int
    requests: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums. Rates are per second, latencies in seconds; None means that nobody can say yet.

    Attributes:
        sockets: registered sockets.
        held: sockets that wait for the store.
        sessions: sessions that live in the store.
        with_sockets: sessions with sockets.
        requests: answers per second, without those to probes.
        failed: of these, the answers with a status from 500.
        request_median: of the answers since the reading before.
        request_slow: their 99th percentile.
        ends: ends per second.
        ended: ends since the servers' start.
        receipt_median: from the call that ended sessions to its receipt, since the start.
        receipt_slow: its 99th percentile.
        closing_median: from an end to the closing of its sockets, since the start.
        closing_slow: its 99th percentile.
    """

    sockets: int
    held: int
    sessions: int | None
    with_sockets: int
    requests: float | None
    failed: float | None
    request_median: float | None
    request_slow: float | None
    ends: float | None
    ended: int
    receipt_median: float | None
    receipt_slow: float | None
    closing_median: float | None
    closing_slow: float | None


@dataclass(frozen=True, slots=True)
class LiveView:
    """What is shown.

    Attributes:
        figures: the sums.
        nodes: each node.
        ends: the latest ends, the latest first.
        faults: what is wrong, or went wrong since the servers' start, in words.
    """

    figures: Figures
    nodes: Sequence[NodeRow]
    ends: Sequence[RecentEnd]
    faults: Sequence[str]


def view_of(now: Reading, before: Reading | None) -> LiveView:
    """Return what to show.

    Args:
        now: the latest reading.
        before: an earlier one, for rates; None if there is none.
    """
    nodes = _nodes(now, before)
    return LiveView(_figures(now, before), nodes, now.ends, _faults(now, before, nodes))


def _figures(now: Reading, before: Reading | None) -> Figures:
    samples, earlier = now.samples, before.samples if before else None
    of_people, earlier_of_people = _of_people(now), _of_people(before) if before else None
    failed = [each for each in of_people.by("status", ANSWERS) if each.startswith("5")]
    failures = sum(increase(ANSWERS, of_people, earlier_of_people, status=each) for each in failed)
    sessions = samples.largest("live_sessions")
    receipts, closings = "termination_seconds", "termination_latency_seconds"
    return Figures(
        sockets=int(samples.total("sockets_open")),
        held=int(samples.total("sockets_held")),
        sessions=None if sessions is None else int(sessions),
        with_sockets=int(samples.total("sessions_with_sockets")),
        requests=_per_second(increase(ANSWERS, of_people, earlier_of_people), now, before),
        failed=_per_second(failures, now, before),
        request_median=quantile(0.5, REQUESTS, of_people, earlier_of_people) if before else None,
        request_slow=quantile(0.99, REQUESTS, of_people, earlier_of_people) if before else None,
        ends=_per_second(increase("terminations_total", samples, earlier), now, before),
        ended=int(samples.total("terminations_total")),
        receipt_median=quantile(0.5, receipts, samples),
        receipt_slow=quantile(0.99, receipts, samples),
        closing_median=quantile(0.5, closings, samples),
        closing_slow=quantile(0.99, closings, samples),
    )


def _per_second(number: float, now: Reading, before: Reading | None) -> float | None:
    return number / (now.at - before.at) if before and now.at > before.at else None


def _of_people(reading: Reading) -> Samples:
    return reading.samples.without("handler", OF_PROBES)


def _nodes(now: Reading, before: Reading | None) -> list[NodeRow]:
    told = now.samples.of_nodes("lease_held")
    lags, sockets = now.samples.of_nodes("stream_lag_seconds"), now.samples.of_nodes("sockets_open")
    sessions = now.samples.of_nodes("sessions_with_sockets")
    answers = _of_people(now).of_nodes(ANSWERS)
    earlier = _of_people(before).of_nodes(ANSWERS) if before else {}
    return [
        NodeRow(
            node=node,
            is_told=node in told,
            serves=bool(told[node]) if node in told else None,
            lease_left=now.leases[node] - now.store_now if node in now.leases else None,
            lag=lags.get(node, 0.0),
            sockets=int(sockets.get(node, 0)),
            sessions=int(sessions.get(node, 0)),
            requests=_per_second(answers.get(node, 0) - earlier[node], now, before)
            if node in earlier
            else None,
        )
        for node in sorted(told.keys() | now.leases.keys())
    ]


def _faults(now: Reading, before: Reading | None, nodes: Sequence[NodeRow]) -> list[str]:
    faults = list(now.problems)
    for each in nodes:
        if each.is_told and not each.serves:
            faults.append(f"node {each.node} may not serve: it cannot prove contact with the store")
        elif each.is_told and each.lag > LAGS:
            faults.append(f"node {each.node} last read the control stream {each.lag:.1f} s ago")
        elif not each.is_told and each.lease_left is not None and each.lease_left < 0:
            faults.append(f"node {each.node} has let its lease run out, and has not left the list")
    if hanging := int(now.samples.total("workers", state="hanging")):
        faults.append(f"workers that hang: {hanging}")
    if past := int(now.samples.total("sockets_past_session_end")):
        faults.append(f"sockets open behind their session's end: {past}")
    return faults + _counted(now, before)


def _counted(now: Reading, before: Reading | None) -> list[str]:
    """Say what went wrong since the servers' start, and how often just now."""
    earlier = before.samples if before else None
    lines = [
        f"workers that were replaced after a {why}: {int(number)}"
        for why, number in now.samples.by("why", "worker_restarts_total").items()
        if number and why != "exit"
    ]
    for name, words in COUNTED_FAULTS:
        if total := int(now.samples.total(name)):
            new = int(increase(name, now.samples, earlier)) if before else 0
            lines.append(f"{words}: {total}" + (f", {new} of them just now" if new else ""))
    return lines
