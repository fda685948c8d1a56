"""Counts answers. Each request does it, so it costs two additions; all else is done at scrape time.

The library's own counters take a lock and several checks each, for threads that are not here.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds. Most answers take a few ms, a password hash about 0.1 s."""
_LIMITS: Final = (*map(floatToGoString, BUCKETS), "+Inf")


class AnswerCounts(Collector):
    """How many answers there were, and how long they took. For one thread.

    Args:
        node: this node's id, a label of every sample.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._answers: dict[tuple[str, str, int], int] = {}
        self._durations: dict[str, _Durations] = {}

    def add(self, handler: str, method: str, status: int, seconds: float) -> None:
        """Count an answer; handlers and methods are few.

        Args:
            handler: the handler's class name.
            method: of the request.
            status: of the answer.
            seconds: how long the request took.
        """
        answer = handler, method, status
        self._answers[answer] = self._answers.get(answer, 0) + 1
        durations = self._durations.get(handler)
        if durations is None:
            durations = self._durations[handler] = _Durations()
        durations.seconds += seconds
        durations.buckets[bisect_left(BUCKETS, seconds)] += 1

    def describe(self) -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        """Return both metrics without samples, so that a registry knows their names."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Return both metrics."""
        answers, durations = self._families()
        for (handler, method, status), number in self._answers.items():
            answers.add_metric((self._node, handler, method, str(int(status))), number)
        for handler, each in self._durations.items():
            durations.add_metric((self._node, handler), each.samples(), each.seconds)
        return answers, durations

    @staticmethod
    def _families() -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        answers = CounterMetricFamily(
            "curfew_http_requests", "Answers.", labels=("node", "handler", "method", "status")
        )
        durations = HistogramMetricFamily(
            "curfew_http_request_seconds",
            "From a request's first line to the end of its answer.",
            labels=("node", "handler"),
        )
        return answers, durations


class _Durations:
    """How long the answers of one handler took.

    Attributes:
        seconds: of all together.
        buckets: the number of those up to each limit, and over the one before.
    """

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buckets = [0] * len(_LIMITS)

    def samples(self) -> Sequence[tuple[str, float]]:
        """Return how many took up to each limit at most."""
        return list(zip(_LIMITS, accumulate(self.buckets), strict=True))
