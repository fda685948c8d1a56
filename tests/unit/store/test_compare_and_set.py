from server.store.compare_and_set import MAX_TRIES, retry_conflicts
from server.store.contract import Conflict


class Writer:
    """Saves after a number of other writers were first."""

    def __init__(self, conflicts: int) -> None:
        self._conflicts = conflicts
        self.attempts = 0

    async def attempt(self) -> str | Conflict:
        """Try once."""
        self.attempts += 1
        return Conflict() if self.attempts <= self._conflicts else "saved"


async def test_a_save_that_is_first_is_made_once() -> None:
    writer = Writer(conflicts=0)
    assert await retry_conflicts(writer.attempt) == "saved"
    assert writer.attempts == 1


async def test_a_save_starts_again_when_another_writer_was_first() -> None:
    writer = Writer(conflicts=MAX_TRIES - 1)
    assert await retry_conflicts(writer.attempt) == "saved"
    assert writer.attempts == MAX_TRIES


async def test_a_save_that_always_loses_ends() -> None:
    writer = Writer(conflicts=1_000)
    assert await retry_conflicts(writer.attempt) == Conflict()
    assert writer.attempts == MAX_TRIES


async def test_an_outcome_that_is_nothing_is_no_conflict() -> None:
    async def nothing_to_do() -> None:
        return None

    assert await retry_conflicts(nothing_to_do) is None
