"""What one process counts of its surroundings: the store, the passwords that wait, its build."""

import platform
from collections.abc import Callable
from datetime import datetime
from typing import Final

from server import VERSION
from server.core.counts import FAILURES, StoreCounts
from server.crypto.hash_threads import HashThreads
from server.telemetry.families import Families

STORE_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds. Most answers take less than a ms; after 0.75 s a command gives up."""


class SetUpMetrics:
    """The metrics of a node's surroundings.

    Args:
        families: makes them.
    """

    def __init__(self, families: Families) -> None:
        self._node = families.node
        self._register_store(families)
        self._register_passwords(families)
        self._register_handshakes(families)
        self._malformed = families.counter(
            "curfew_malformed_requests_total", "Requests that are not HTTP, or too large.", "status"
        )
        self._certificate = families.gauge(
            "curfew_tls_expiry_timestamp_seconds",
            "When the certificate in use expires, in Unix seconds; none without TLS.",
        )
        build = families.gauge("curfew_build_info", "1; the labels say it.", "version", "python")
        build.labels(self._node, VERSION, platform.python_version()).set(1)

    @property
    def store_counts(self) -> StoreCounts:
        """The methods that the connections to the store call."""
        return StoreCounts(self._store_seconds.observe, self.store_failed)

    def store_failed(self, why: str) -> None:
        """Count a failure of the store, as one of `FAILURES`."""
        self._store_errors.labels(self._node, why).inc()

    def malformed(self, status: int) -> None:
        """Count a request that no handler got, by the status of its answer."""
        self._malformed.labels(self._node, int(status)).inc()

    def certificate_loaded(self, expires_at: datetime | None) -> None:
        """Note when the certificate in use expires; None if there is none."""
        if expires_at is not None:
            self._certificate.labels(self._node).set(expires_at.timestamp())

    def live_sessions(self, number: int) -> None:
        """Note how many sessions live in the store."""
        self._live.labels(self._node).set(number)

    def watch_passwords(self, threads: HashThreads) -> None:
        """Export how many passwords wait, computed at scrape time."""
        self._waiting.labels(self._node).set_function(lambda: threads.waiting)
        self._running.labels(self._node).set_function(lambda: threads.running)
        threads.count_refused(self._refused.labels(self._node).inc)

    def handshake_refused(self) -> None:
        """Count a handshake whose client was told to come back later."""
        self._handshakes_refused.inc()

    def watch_handshakes(self, under_way: Callable[[], float]) -> None:
        """Export how many handshakes are under way, computed at scrape time."""
        self._handshakes.labels(self._node).set_function(under_way)

    def _register_handshakes(self, families: Families) -> None:
        self._handshakes = families.gauge(
            "curfew_handshakes", "Handshakes of sockets that are under way."
        )
        self._handshakes_refused = families.counter(
            "curfew_handshakes_refused_total", "Handshakes that were told to come back later."
        ).labels(self._node)

    def _register_store(self, families: Families) -> None:
        self._store_seconds = families.histogram(
            "curfew_store_seconds",
            "From the sending of a command, or a batch, to the store's first answer.",
            STORE_BUCKETS,
        ).labels(self._node)
        self._store_errors = families.counter(
            "curfew_store_errors_total", "Commands and connections that failed.", "why"
        )
        for why in FAILURES:  # from zero, so that a first failure is an increase
            self._store_errors.labels(self._node, why)
        self._live = families.gauge(
            "curfew_live_sessions", "Sessions in the store that have not ended."
        )

    def _register_passwords(self, families: Families) -> None:
        self._waiting = families.gauge(
            "curfew_passwords_waiting", "Passwords that wait to be hashed."
        )
        self._running = families.gauge(
            "curfew_passwords_hashing", "Passwords that are being hashed."
        )
        self._refused = families.counter(
            "curfew_passwords_refused_total", "Passwords for which there was no place in the queue."
        )
