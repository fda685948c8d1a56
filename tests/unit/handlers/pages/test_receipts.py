"""Receipts in words: no more and no less than what is known, in every language."""

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.languages.texts import ENGLISH, LANGUAGES, Language
from handlers.pages.receipts import describe_receipt
from server.core.receipt import Durability, NodeCounts, Receipt, State

GERMAN = LANGUAGES["de"]
LEASE = timedelta(seconds=5)
WHOLE = Receipt(
    end_id="e",
    state=State.COMPLETE,
    sessions=1,
    sockets_closed=3,
    nodes=NodeCounts(acked=2),
    durability=Durability.FSYNC,
    elapsed_ms=3.6,
)
BOUNDED = replace(WHOLE, state=State.BOUNDED, nodes=NodeCounts(acked=1, lease_expired=1))
PENDING = replace(WHOLE, state=State.PENDING, nodes=NodeCounts(acked=1, waiting=2))


@pytest.mark.parametrize(
    ("receipt", "english", "german"),
    [
        (
            WHOLE,
            "1 session ended: 3 tabs closed on 2 servers in 4 ms.",
            "1 Sitzung beendet: 3 Tabs auf 2 Servern in 4 ms geschlossen.",
        ),
        (
            replace(WHOLE, sessions=2, sockets_closed=1, nodes=NodeCounts(acked=1), elapsed_ms=0.2),
            "2 sessions ended: 1 tab closed on 1 server in 1 ms.",
            "2 Sitzungen beendet: 1 Tab auf 1 Server in 1 ms geschlossen.",
        ),
        (
            replace(WHOLE, sockets_closed=0),
            "1 session ended, confirmed by 2 servers in 4 ms. No tab of it was open.",
            "1 Sitzung beendet, von 2 Servern bestätigt in 4 ms. Kein Tab davon war offen.",
        ),
        (
            replace(WHOLE, sessions=0, sockets_closed=0),
            "There was no session left to end.",
            "Es gab keine Sitzung mehr zu beenden.",
        ),
    ],
)
def test_a_complete_end_is_told_in_one_sentence(
    receipt: Receipt, english: str, german: str
) -> None:
    assert describe_receipt(ENGLISH, receipt, LEASE) == [english]
    assert describe_receipt(GERMAN, receipt, LEASE) == [german]


def test_a_bounded_end_says_that_the_rest_has_stopped_by_itself() -> None:
    first, caution = describe_receipt(ENGLISH, BOUNDED, LEASE)
    assert first == "1 session ended: 3 tabs closed on 1 server so far."
    assert caution.startswith("1 server could not be reached. It has stopped by itself")
    nobody = replace(BOUNDED, sockets_closed=0, nodes=NodeCounts(lease_expired=2))
    first, caution = describe_receipt(ENGLISH, nobody, LEASE)
    assert first == "1 session ended, confirmed by no server so far."
    assert caution.startswith("2 servers could not be reached. They have stopped")


def test_a_pending_end_says_who_is_missing_and_how_long_that_can_last() -> None:
    first, caution = describe_receipt(ENGLISH, PENDING, timedelta(milliseconds=4200))
    assert first == "1 session ended: 3 tabs closed on 1 server so far."
    assert caution == (
        "2 servers have not confirmed yet. "
        "If they are cut off, they stop by themselves within 5 seconds."
    )


def test_what_a_crash_could_undo_is_told() -> None:
    kept_in_memory = replace(WHOLE, durability=Durability.MEMORY)
    assert "keeps this in memory" in describe_receipt(ENGLISH, kept_in_memory, LEASE)[1]
    untold = replace(WHOLE, durability=Durability.UNKNOWN)
    assert "does not say whether" in describe_receipt(ENGLISH, untold, LEASE)[1]
    without_replicas = replace(WHOLE, state=State.PENDING)
    assert "copies of the session store" in describe_receipt(ENGLISH, without_replicas, LEASE)[1]
    copied = replace(WHOLE, durability=Durability.REPLICAS)
    assert len(describe_receipt(ENGLISH, copied, LEASE)) == 1


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("durability", Durability)
@pytest.mark.parametrize("numbers", [(0, 0, 0), (1, 0, 1), (1, 1, 2), (2, 5, 0)])
def test_every_receipt_has_words(
    language: Language, state: State, durability: Durability, numbers: tuple[int, int, int]
) -> None:
    sessions, sockets, nodes = numbers
    counts = NodeCounts(nodes, nodes if state is State.BOUNDED else 0)
    receipt = Receipt("e", state, sessions, sockets, counts, durability, 1234.5)
    sentences = describe_receipt(language, receipt, LEASE)
    assert sentences
    assert all(each.endswith(".") and "{" not in each for each in sentences)
