"""Who asks gets an answer that began after the question, and many share one."""

import asyncio

from server.telemetry.rounds import Rounds


class Slow:
    """Runs until it is let go, and returns its number."""

    def __init__(self) -> None:
        self.begun = 0
        self.runs, self.go = asyncio.Event(), asyncio.Event()

    async def run(self) -> int:
        """Wait, and return the number of this round."""
        self.begun += 1
        self.runs.set()
        number = self.begun
        await self.go.wait()
        return number


async def test_who_comes_during_a_round_gets_the_next_and_shares_it() -> None:
    slow = Slow()
    rounds = Rounds(slow.run)
    first = asyncio.create_task(rounds.fresh())
    await slow.runs.wait()
    later = [asyncio.create_task(rounds.fresh()) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert slow.begun == 1
    slow.go.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2, 2, 2]
    assert await rounds.fresh() == 3


async def test_who_gives_up_ends_nobody_elses_round() -> None:
    slow = Slow()
    rounds = Rounds(slow.run)
    first, second = (asyncio.create_task(rounds.fresh()) for _ in range(2))
    await slow.runs.wait()
    first.cancel()
    slow.go.set()
    assert await second == 1
