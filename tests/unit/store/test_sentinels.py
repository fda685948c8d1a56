"""Asking Sentinel: all at once, the newest view, a majority; and what each wrong answer is."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from socket import gaierror

import pytest

from server.core.sentinel_views import SentinelFault
from server.core.store_url import Login, Place, SentinelStore
from server.store import sentinels
from server.store.master import MasterUnknown
from server.store.sentinels import INTERVAL, Sentinels, _fault_of
from tests.support.running.ports import free_port
from tests.support.running.processes import PATIENCE_SECONDS
from tests.support.running.waiting import until
from tests.support.servers.scripted import Reply, ScriptedServer, scripted_server

A, B = ("127.0.0.1", 7001), ("127.0.0.1", 7002)
NO_SUCH = Exception("ERR No such master with that name")


class View:
    """What a scripted sentinel answers; a test changes it."""

    def __init__(self) -> None:
        self.master, self.shown, self.epoch, self.flags = A, A, 1, "master"
        self.refusal: Exception | None = None
        self.delay = False

    def promote(self) -> None:
        """See B as the master."""
        self.master = self.shown = B
        self.epoch += 1

    def answer(self, words: list[str]) -> Reply:
        """Answer a command."""
        if self.delay:
            return None
        if self.refusal:
            return self.refusal
        if words[1] == "GET-MASTER-ADDR-BY-NAME":
            return [self.master[0], str(self.master[1])]
        return {
            "ip": self.shown[0],
            "port": str(self.shown[1]),
            "flags": self.flags,
            "config-epoch": str(self.epoch),
            "num-other-sentinels": "2",
            "num-slaves": "1",
            "quorum": "2",
        }


class Three:
    """Three scripted sentinels, and who asks them."""

    def __init__(self, views: list[View], servers: list[ScriptedServer]) -> None:
        self.views = views
        self.servers = servers
        self.opened: list[Sentinels] = []
        self.sentinels = self.open([each.port for each in servers])

    def open(self, ports: list[int], *, plaintext_allowed: bool = False) -> Sentinels:
        """Ask the sentinels on these ports."""
        places = tuple(Place("127.0.0.1", port) for port in ports)
        store = SentinelStore(places, "main", 0, Login(), Login(), None)
        opened = Sentinels(store, plaintext_allowed=plaintext_allowed)
        self.opened.append(opened)
        return opened


@pytest.fixture
async def three() -> AsyncIterator[Three]:
    async with AsyncExitStack() as stack:
        views = [View() for _ in range(3)]
        servers = [await stack.enter_async_context(scripted_server(each.answer)) for each in views]
        three = Three(views, servers)
        yield three
        for each in three.opened:
            await each.close()


async def fault(three: Three) -> str:
    """Why no master is found."""
    with pytest.raises(MasterUnknown) as unknown:
        await three.sentinels.find()
    return unknown.value.found


async def test_the_master_is_whom_a_majority_names(three: Three) -> None:
    started = time.monotonic()
    assert await three.sentinels.find() == Place(*A)
    assert three.sentinels.vouched_at >= started
    view = next(iter(three.sentinels.answers.values()))
    assert not isinstance(view, SentinelFault)
    assert (view.sentinels, view.replicas, view.quorum) == (3, 1, 2)


async def test_a_sentinel_behind_a_cut_is_not_believed(three: Three) -> None:
    await three.sentinels.find()
    for view in three.views[1:]:
        view.delay = True
    three.sentinels.doubt()
    vouched_at = three.sentinels.vouched_at
    assert "1 sentinel of 3 told of the service 'main'" in await fault(three)
    assert three.sentinels.vouched_at == vouched_at


async def test_a_promotion_counts_as_soon_as_a_majority_knows_of_it(three: Three) -> None:
    moves: list[Place | None] = []

    async def moved() -> None:
        moves.append(three.sentinels.place)

    three.sentinels.on_move(moved)
    before = await three.sentinels.find()
    three.views[0].promote()
    three.sentinels.doubt()
    assert "no majority of the sentinels agrees" in await fault(three)
    three.views[1].promote()
    assert await three.sentinels.confirm(time.monotonic()) == Place(*B)
    assert moves == [Place(*B)]
    assert three.sentinels.place is not before


async def test_nobody_vouches_while_the_master_is_replaced(three: Three) -> None:
    three.views[2].flags = "master,failover_in_progress"
    assert "replacing the master" in await fault(three)
    three.views[2].master, three.views[2].epoch = B, 2  # it has found the replica promoted
    assert "no majority" in await fault(three)
    for view in three.views[:2]:
        view.promote()
    assert await three.sentinels.find() == Place(*B)


async def test_an_end_waits_for_a_failover_that_is_under_way(three: Three) -> None:
    await three.sentinels.find()
    three.views[0].flags = "s_down,master,failover_in_progress"

    async def finish() -> None:
        await asyncio.sleep(0.2)
        for view in three.views:
            view.flags = "master"
            view.promote()

    asked_at = time.monotonic()
    place, _ = await asyncio.gather(three.sentinels.confirm(asked_at), finish())
    assert place == Place(*B)
    assert three.sentinels.vouched_at > asked_at


async def test_an_end_does_not_wait_for_ever(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.sentinels.CONFIRMED_WITHIN", 0.1)
    three.views[0].flags = "s_down,master,failover_in_progress"
    async with asyncio.timeout(2):
        with pytest.raises(MasterUnknown, match="are replacing the master"):
            await three.sentinels.confirm(time.monotonic())


async def test_the_log_says_once_that_no_master_is_known_and_that_one_is_again(
    three: Three, caplog: pytest.LogCaptureFixture
) -> None:
    def said(text: str) -> int:
        return sum(text in each.message for each in caplog.records)

    async def is_unknown() -> bool:
        asked = [words for words in three.servers[0].commands if words[0] == "SENTINEL"]
        return said("no master is known") > 0 and len(asked) > 4  # in three rounds

    async def is_known_again() -> bool:
        return said("agree about the master again") > 0

    three.views[0].flags = "s_down,master,failover_in_progress"
    async with three.sentinels.watching():
        await until(is_unknown)
        assert said("no master is known") == 1
        three.views[0].flags = "master"
        await until(is_known_again)


async def test_a_frozen_sentinel_costs_next_to_nothing(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentinels, "ANSWER_TIMEOUT", PATIENCE_SECONDS)
    three.views[0].delay = True
    asking = three.open([each.port for each in three.servers])
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        assert await asking.find() == Place(*A)


async def test_who_asks_at_once_asks_together(three: Three) -> None:
    await asyncio.gather(*(three.sentinels.find() for _ in range(20)))
    asked = [words for words in three.servers[0].commands if words[0] == "SENTINEL"]
    assert len(asked) == 2
    await three.sentinels.find()
    assert len(three.servers[0].commands) == 3  # with the greeting: the answer is still good


async def test_the_watch_hears_of_a_promotion_by_itself(three: Three) -> None:
    moved = asyncio.Event()

    async def note() -> None:
        moved.set()

    three.sentinels.on_move(note)
    async with three.sentinels.watching():
        await three.sentinels.find()
        for view in three.views:
            view.promote()
        async with asyncio.timeout(4 * INTERVAL):
            await moved.wait()


@pytest.mark.parametrize(
    ("refusal", "found"),
    [
        (NO_SUCH, SentinelFault.UNKNOWN_SERVICE),
        (Exception("ERR unknown command 'SENTINEL'"), SentinelFault.NO_SENTINEL),
        (Exception("NOAUTH Authentication required."), SentinelFault.LOGIN),
        (Exception("WRONGPASS invalid username-password pair"), SentinelFault.LOGIN),
        (Exception("NOPERM this user has no permissions"), SentinelFault.RIGHTS),
    ],
)
async def test_what_will_be_refused_again_is_told_at_once(
    three: Three, refusal: Exception, found: SentinelFault
) -> None:
    for view in three.views:
        view.refusal = refusal
    with pytest.raises(MasterUnknown) as unknown:
        await three.sentinels.find()
    assert found in unknown.value.found
    assert unknown.value.is_for_ever
    assert set(three.sentinels.answers.values()) == {found}


async def test_an_answer_that_makes_no_sense_is_no_sentinels(three: Three) -> None:
    def nonsense(words: list[str]) -> Reply:
        return {"flags": "master"} if words[1] == "MASTER" else "here"

    for server in three.servers:
        server.answer = nonsense
    assert "is no sentinel" in await fault(three)


async def test_sentinels_that_are_not_there_may_still_come(three: Three) -> None:
    nobody = three.open([free_port(), free_port()])
    with pytest.raises(MasterUnknown) as unknown:
        await nobody.find()
    assert not unknown.value.is_for_ever
    assert "0 sentinels of 2 told" in unknown.value.found


async def test_a_master_on_another_machine_needs_tls(three: Three) -> None:
    for view in three.views:
        view.master = view.shown = ("192.0.2.7", 6379)
    with pytest.raises(MasterUnknown) as unknown:
        await three.sentinels.find()
    assert "the sentinels name 192.0.2.7:6379, where other machines" in unknown.value.found
    assert "CURFEW_STORE_PLAINTEXT=allow" in unknown.value.needed
    assert unknown.value.is_for_ever
    allowed = three.open([each.port for each in three.servers], plaintext_allowed=True)
    assert await allowed.find() == Place("192.0.2.7", 6379)


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        (ssl.SSLCertVerificationError("unknown authority"), SentinelFault.TLS),
        (gaierror(-2, "Name or service not known"), SentinelFault.NO_NAME),
        (UnicodeError("label too long"), SentinelFault.NO_NAME),
        (OSError("refused"), SentinelFault.SILENT),
    ],
)
def test_what_waiting_cannot_mend_is_told_from_silence(
    cause: Exception, fault: SentinelFault
) -> None:
    error = ConnectionError("Error connecting")
    error.__cause__ = cause
    assert _fault_of(error) is fault
