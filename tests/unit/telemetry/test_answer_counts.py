"""Answers are told to Prometheus as the library's own counter and histogram would tell them."""

from http import HTTPStatus

from prometheus_client import CollectorRegistry, generate_latest

from server.telemetry.answer_counts import BUCKETS, AnswerCounts
from server.telemetry.families import Families

ANSWERS = [
    ("SessionResource", "GET", 200, 0.0007),
    ("SessionResource", "GET", HTTPStatus.OK, 0.001),  # the limit belongs to its bucket
    ("SessionResource", "HEAD", 200, 0.0010001),
    ("LoginHandler", "POST", HTTPStatus.UNAUTHORIZED, 0.3),
    ("LoginHandler", "POST", 401, 5.0),
    ("LoginHandler", "POST", 503, 61.5),
]


def test_the_text_is_the_librarys() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counts, families = AnswerCounts("n1"), Families("n1", theirs)
    ours.register(counts)
    labels = "handler", "method", "status"
    answers = families.counter("curfew_http_requests_total", "Answers.", *labels)
    text = "From a request's first line to the end of its answer."
    seconds = families.histogram("curfew_http_request_seconds", text, BUCKETS, "handler")
    assert generate_latest(ours) == generate_latest(theirs), "before the first answer"
    for handler, method, status, taken in ANSWERS:
        counts.add(handler, method, status, taken)
        answers.labels("n1", handler, method, status).inc()
        seconds.labels("n1", handler).observe(taken)
    assert generate_latest(ours) == generate_latest(theirs)
