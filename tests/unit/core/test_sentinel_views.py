"""What sentinels see, and when it settles which server is the master."""

import pytest

from server.core.sentinel_views import (
    Answer,
    SentinelFault,
    SentinelView,
    explain,
    findings_of_sentinels,
    majority,
    settle,
    summary,
)
from server.core.store_url import Place

A, B = Place("a", 1), Place("b", 1)
OLD, DOWN = SentinelView(A, 3), SentinelView(A, 3, is_down=True)
BUSY, NEW = SentinelView(A, 3, is_failing_over=True), SentinelView(B, 4)
SILENT = SentinelFault.SILENT
SENTINELS = [Place("s", number) for number in range(1, 4)]


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(count: int, needed: int) -> None:
    assert majority(count) == needed


@pytest.mark.parametrize(
    ("answers", "master"),
    [
        ([OLD, OLD, OLD], A),
        ([OLD, OLD], A),  # the third is still awaited
        ([OLD, OLD, SILENT], A),
        ([OLD, OLD, DOWN], A),
        ([NEW, NEW, OLD], B),  # one is behind a cut
        ([OLD], None),
        ([OLD, SILENT, SILENT], None),  # it may be behind a cut, together with its master
        ([OLD, DOWN, DOWN], None),
        ([OLD, OLD, NEW], None),  # the others are about to hear of it
        ([OLD, NEW, SILENT], None),
        ([OLD, OLD, BUSY], None),  # what is written now may be lost
        ([NEW, NEW, BUSY], B),
        ([OLD, OLD, SentinelView(B, 3)], A),
        ([OLD, SentinelView(B, 3), SILENT], None),
        ([], None),
    ],
)
def test_a_majority_of_the_newest_view_settles_who_is_the_master(
    answers: list[SentinelView | SentinelFault], master: Place | None
) -> None:
    for order in (answers, answers[::-1]):
        view = settle(order, 3)
        assert (view and view.master) == master


def test_a_single_sentinel_is_believed_where_it_is_the_only_one() -> None:
    assert settle([OLD], 1) == OLD


@pytest.mark.parametrize(
    ("answers", "found", "needed", "is_for_ever"),
    [
        ([SILENT] * 3, "0 sentinels of 3 told of the service 'main', and 2 must: s:1 does",
         "Start the sentinels", False),
        ([OLD, SILENT, SILENT], "1 sentinel of 3 told", "Start the sentinels", False),
        ([SentinelFault.UNKNOWN_SERVICE] * 3, "not know this service", "Correct the", True),
        ([SentinelFault.UNKNOWN_SERVICE, SILENT, SILENT], "s:2 does not", "Correct the", False),
        ([SentinelFault.LOGIN] * 2 + [OLD], "s:1 refuses", "Correct sentinel_username", True),
        ([SentinelFault.RIGHTS] * 3, "does not let", "Let that user run SENTINEL MASTER", True),
        ([SentinelFault.NO_SENTINEL] * 3, "is no sentinel", "takes the sentinels", True),
        ([SentinelFault.TLS] * 3, "TLS", "Check its certificate", True),
        ([SentinelFault.NO_NAME] * 3, "name that is not known", "Correct the hosts", False),
        ([BUSY, OLD, OLD], "are replacing the master of main", "Wait", False),
        ([DOWN, DOWN, OLD], "do not reach the master of main at a:1", "Start it", False),
        ([OLD, NEW, SILENT], "no majority of the sentinels agrees", "Let them reach", False),
    ],
)  # fmt: skip
def test_what_is_not_settled_is_explained(
    answers: list[SentinelView | SentinelFault], found: str, needed: str, *, is_for_ever: bool
) -> None:
    told = explain(dict(zip(SENTINELS, answers, strict=True)), "main")
    assert found in told.found
    assert told.needed.startswith(needed) or needed in told.needed
    assert told.is_for_ever == is_for_ever


def test_the_doctor_is_told_what_the_sentinels_say() -> None:
    view = SentinelView(A, 3, sentinels=3, replicas=2)
    answers: dict[Place, Answer] = {SENTINELS[0]: view, SENTINELS[1]: view, SENTINELS[2]: SILENT}
    assert summary(answers, "main") == "2 of 3 answer: a:1 is the master of main, with 2 replicas"
    (found,) = findings_of_sentinels(answers, 1)
    assert str(found).startswith("warning    CURFEW_STORE_URL: the sentinel s:3 does not answer;")
    alone: dict[Place, Answer] = {SENTINELS[0]: SILENT, SENTINELS[1]: view}
    assert summary(alone, "main") == "1 of 2 answer, and do not agree about the master of main"
    assert len(findings_of_sentinels(alone, 1)) == 1


@pytest.mark.parametrize(
    ("view", "replicas", "setting", "found"),
    [
        (SentinelView(A, 3, sentinels=3, replicas=2), 1, "CURFEW_STORE_URL", "names 1 of 3"),
        (SentinelView(A, 3, replicas=1), 2, "CURFEW_TERMINATION_REPLICAS", "each end waits for 2"),
        (SentinelView(A, 3, replicas=1), 0, "CURFEW_TERMINATION_REPLICAS", "0, so an end that"),
    ],
)
def test_what_would_lose_ends_is_found(
    view: SentinelView, replicas: int, setting: str, found: str
) -> None:
    (finding,) = findings_of_sentinels({SENTINELS[0]: view}, replicas)
    assert finding.setting == setting
    assert found in finding.found
    assert not finding.is_problem


def test_nothing_is_found_where_all_is_well() -> None:
    view = SentinelView(A, 3, sentinels=3, replicas=2)
    assert findings_of_sentinels(dict.fromkeys(SENTINELS, view), 2) == []
