"""Messages on sockets: those of one user begin one by one, those of others at once."""

import asyncio
from collections.abc import Callable

from handlers.front.message_turns import REMEMBERED, MessageTurns
from handlers.front.turns import BESIDE_OTHERS, COMPUTES
from handlers.front.under_way import RequestsOfAddress, RequestsUnderWay, UnderWay
from tests.support.running.waiting import until


class Scene:
    """Users who send messages, and a clock that only the test moves.

    Attributes:
        begun: the messages that have begun.
        time: of the clock.
    """

    def __init__(self) -> None:
        self.begun = list[str]()
        self.time = 100.0
        self.requests = RequestsUnderWay(asyncio.get_running_loop(), lambda: None)
        self.requests.now = lambda: self.time
        self.turns = MessageTurns(self.requests, lambda: self.time)
        self.tasks = list[asyncio.Task[None]]()

    def send(self, user: str, name: str) -> Callable[[], None]:
        """Send a message; return what says that it was handled."""
        handled = asyncio.Event()

        async def handle() -> None:
            async with self.turns.turn(user):
                self.begun.append(name)
                await handled.wait()

        self.tasks.append(asyncio.create_task(handle()))
        return handled.set

    async def have_begun(self, *names: str) -> None:
        """Wait until these messages have begun, and no others in some turns after that."""

        async def have() -> bool:
            return len(self.begun) >= len(names)

        await until(have)
        await asyncio.sleep(0.01)
        assert self.begun == list(names)


async def test_a_message_of_a_user_begins_when_the_one_before_was_handled() -> None:
    scene = Scene()
    ends = [scene.send("ann", name) for name in "abc"]
    await scene.have_begun("a")
    ends[0]()
    await scene.have_begun("a", "b")
    ends[1]()
    await scene.have_begun("a", "b", "c")
    ends[2]()
    await asyncio.gather(*scene.tasks)


async def test_a_message_that_takes_long_makes_room_for_the_next_one() -> None:
    scene = Scene()
    ends = [scene.send("ann", name) for name in "ab"]
    await scene.have_begun("a")
    scene.time += COMPUTES
    await scene.have_begun("a", "b")
    for end in ends:
        end()
    await asyncio.gather(*scene.tasks)


async def test_users_do_not_wait_for_each_other() -> None:
    scene = Scene()
    ends = [scene.send("ann", "a"), scene.send("ben", "b")]
    await scene.have_begun("a", "b")
    for end in ends:
        end()
    await asyncio.gather(*scene.tasks)


async def test_few_begin_while_a_request_is_under_way() -> None:
    scene = Scene()
    request = UnderWay(RequestsOfAddress(scene.requests))
    request.begin()
    for name in "abc":
        scene.send("ann", name)()
    await scene.have_begun("a")
    scene.time += 1 / BESIDE_OTHERS.per_second
    await scene.have_begun("a", "b")
    request.end()
    await scene.have_begun("a", "b", "c")
    await asyncio.gather(*scene.tasks)


async def test_one_who_leaves_while_waiting_stops_nobody() -> None:
    scene = Scene()
    end = scene.send("ann", "a")
    await scene.have_begun("a")
    scene.send("ann", "left")
    last = scene.send("ann", "b")
    scene.tasks[1].cancel()
    end()
    await scene.have_begun("a", "b")
    last()
    await asyncio.gather(*scene.tasks, return_exceptions=True)


async def test_little_is_kept_of_users_of_whom_no_message_is_here() -> None:
    scene = Scene()
    for number in range(2 * REMEMBERED):
        scene.send(f"user-{number}", "a")()
    await asyncio.gather(*scene.tasks)
    assert len(scene.turns._users) == REMEMBERED
