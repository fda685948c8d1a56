"""What an application adds: only one that has hooks makes a stop longer."""

from contextlib import nullcontext
from datetime import timedelta

from handlers.http.additions import NOTHING, STOP_LIMIT, Additions


def test_only_an_application_with_a_lifespan_may_take_longer_to_stop() -> None:
    assert NOTHING.longest_stop == timedelta()
    assert Additions(lifespan=lambda _: nullcontext()).longest_stop == STOP_LIMIT
