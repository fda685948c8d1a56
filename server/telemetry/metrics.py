"""What one process counts, for `GET /metrics`. No user, session id or address is ever a label.

Gauges are computed at scrape time; a counter costs a dictionary look-up and an addition. The other
parts get single methods of this class as `Counts`, and do not import it. Every label has few
values, whatever clients send: one label per client would fill the memory here and in Prometheus.
"""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    disable_created_metrics,
)

from server.core.audit import AuditEvent
from server.core.counts import Counts
from server.core.forwarded import Unnamed
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.throttling import Act, TryOutcome
from server.realtime.fence import Fence
from server.realtime.fences import Fences
from server.realtime.hub import Hub
from server.telemetry.answer_counts import AnswerCounts
from server.telemetry.families import Families
from server.telemetry.set_up_metrics import SetUpMetrics

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ABNORMAL_CLOSURE: Final = 1006
"""The connection was lost. The code is never on the wire (RFC 6455 §7.4.1)."""
CLIENT_CODES: Final = frozenset({1000, 1001})
"""What browsers send when a page closes its socket, or is left."""
UNAWAITED: Final = "unawaited"
"""The state of an end without a receipt, because no caller waited for it."""
OTHER: Final = "other"

TERMINATION_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Seconds, up to the default of CURFEW_TERMINATION_WAIT."""

LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds. A push takes a few ms; lease and sweep limit the other paths."""

# They double the number of samples, and only show when each counter was first used.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters and gauges of this process.

    Args:
        node: this node's id, a label of every sample.
        registry: holds them; the library's global registry is not used.

    Attributes:
        node: the same.
        registry: the same.
        set_up: the metrics of the store, the passwords that wait, and the build.
    """

    def __init__(self, node: str, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.node = node
        self._families = Families(node, registry)
        self._answers = AnswerCounts(node)
        self._closes: dict[tuple[int, str], Counter] = {}
        self._register_ends()
        self._register_requests()
        self.set_up = SetUpMetrics(self._families)

    @property
    def counts(self) -> Counts:
        """The methods that the other parts of this node call."""
        return Counts(
            terminated=self.terminated,
            ended=self.ended,
            reached=self.reached,
            swept=self.swept,
            socket_closed=self.socket_closed,
            socket_left=self.socket_left,
            tried=self.tried,
        )

    def watch(self, hub: Hub, fence: Fence | Fences) -> None:
        """Export the state of these two as gauges, computed at scrape time."""
        self._families.computed(
            "curfew_sockets_open",
            "Registered sockets.",
            lambda: hub.socket_count,
        )
        self._families.computed(
            "curfew_sessions_with_sockets",
            "Sessions with registered sockets.",
            lambda: hub.session_count,
        )
        self._families.computed(
            "curfew_follower_connected",
            "1 while the control stream is known to reach this node.",
            lambda: fence.follows,
        )
        self._families.computed(
            "curfew_sockets_held",
            "Sockets held because this node cannot prove contact with the store.",
            lambda: fence.held,
        )
        self._families.computed(
            "curfew_lease_age_seconds",
            "Since the latest proof that this node is listed.",
            lambda: fence.listed_age,
        )
        self._families.computed(
            "curfew_stream_lag_seconds",
            "Since the latest proof that the control stream was read to its end.",
            lambda: fence.followed_age,
        )
        self._families.computed(
            "curfew_lease_held", "1 while this node may serve.", lambda: fence.is_open
        )

    def socket_closed(self, code: int, reason: str) -> None:
        """Count a socket that this server closed.

        Args:
            code: the code of the close frame.
            reason: the word in the close frame.
        """
        counter = self._closes.get((code, reason))
        if counter is None:
            counter = self._closes[code, reason] = self._socket_closes.labels(
                self.node, code, reason
            )
        counter.inc()

    def socket_left(self, code: int | None) -> None:
        """Count a socket that its client closed, or that was lost.

        Args:
            code: the code that the client sent; None if it sent no close frame.
        """
        if code is None:
            self.socket_closed(ABNORMAL_CLOSURE, "lost")
            return
        shown = code if code in CLIENT_CODES else OTHER
        self._socket_closes.labels(self.node, shown, "client").inc()

    def terminated(self, reason: Reason, receipt: Receipt) -> None:
        """Count an end with its receipt."""
        self._terminations.labels(self.node, reason.value, receipt.state.value).inc()
        self._termination_seconds.observe(receipt.elapsed_ms / 1000)

    def ended(self, reason: Reason) -> None:
        """Count an end without a receipt: a timeout, a reused token, too many sessions."""
        self._terminations.labels(self.node, reason.value, UNAWAITED).inc()

    def audited(self, event: AuditEvent) -> None:
        """Count an event of the audit trail, whether its line was written or left out."""
        self._audited.labels(self.node, event.value).inc()

    def client_unnamed(self, why: Unnamed) -> None:
        """Count a request whose trusted proxy did not name its client."""
        self._unnamed.labels(self.node, why.value).inc()

    def lines_lost(self, number: int) -> None:
        """Count log lines that could not be written. Any thread may call this."""
        self._lines_lost.inc(number)

    def answered(self, handler: str, method: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            handler: the handler's class name.
            method: the request's method; a client may send any word.
            status: HTTP status code; 101 is the handshake of a socket.
            seconds: how long the request took.
        """
        self._answers.add(handler, method if method in METHODS else OTHER, status, seconds)

    def tried(self, act: Act, outcome: TryOutcome) -> None:
        """Count a try at a password or a code."""
        self._tries.labels(self.node, act.value, outcome.value).inc()

    def reached(self, path: str, seconds: float) -> None:
        """Count an end that closed sockets here.

        Args:
            path: how this node learned of it: `push`, `gap`, `sweep` or `lease`.
            seconds: the time since the end.
        """
        self._reached_seconds.labels(self.node, path).observe(max(0.0, seconds))

    def swept(self, closed: int) -> None:
        """Count sockets that the periodic sweep closed."""
        self._swept.inc(closed)
        self._past_end.set(closed)

    def _register_ends(self) -> None:
        self._socket_closes = self._families.counter(
            "curfew_socket_closes_total", "Sockets that were closed.", "code", "reason"
        )
        self._terminations = self._families.counter(
            "curfew_terminations_total", "Ends that this process wrote.", "reason", "state"
        )
        self._termination_seconds = self._families.histogram(
            "curfew_termination_seconds",
            "From the call that ended sessions to its receipt.",
            TERMINATION_BUCKETS,
        ).labels(self.node)
        self._reached_seconds = self._families.histogram(
            "curfew_termination_latency_seconds",
            "From an end to the closing of its sockets in this process, by how it was heard of.",
            LATENCY_BUCKETS,
            "path",
        )
        self._past_end = self._families.gauge(
            "curfew_sockets_past_session_end",
            "Sockets that the latest sweep found open behind their session's end.",
        ).labels(self.node)
        self._swept = self._families.counter(
            "curfew_sweep_closed_total",
            "Sockets whose session had ended without a message that said so.",
        ).labels(self.node)

    def _register_requests(self) -> None:
        self.registry.register(self._answers)
        self._tries = self._families.counter(
            "curfew_tries_total", "Tries at passwords and codes.", "act", "outcome"
        )
        self._audited = self._families.counter(
            "curfew_audit_events_total", "Events worth looking into.", "event"
        )
        self._unnamed = self._families.counter(
            "curfew_clients_unnamed_total",
            "Requests whose trusted proxy did not name its client.",
            "why",
        )
        self._lines_lost = self._families.counter(
            "curfew_log_lines_lost_total", "Log lines that could not be written."
        ).labels(self.node)
