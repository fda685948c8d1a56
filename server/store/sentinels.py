"""Asks Sentinel where the master is, all sentinels at once, and believes a majority only.

The client library speaks to each sentinel. Its own `Sentinel` is not used: it believes the first
sentinel that answers, asks them one after the other, and keeps clients that were there before a
failover by command on the old master. docs/decisions/0034 says more.
"""

import asyncio
import logging
import math
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from socket import gaierror
from typing import Any, Final

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.maint_notifications import MaintNotificationsConfig

from server.core.sentinel_views import (
    Answer,
    SentinelFault,
    SentinelView,
    Unsettled,
    explain,
    settle,
)
from server.core.store_url import Place, SentinelStore
from server.store.checked_connections import tls_options
from server.store.master import MasterUnknown

log = logging.getLogger("curfew.store")

INTERVAL: Final = 0.5
"""Seconds between two questions. A master that was replaced by command, and still takes itself for
one, is left within them."""
ANSWER_TIMEOUT: Final = 0.5
"""Seconds for one sentinel to be connected to and to answer."""
LAST_WORD: Final = 0.05
"""Seconds that are left to the others when a majority agrees: one may know of a later promotion."""
PAUSE: Final = 0.05
"""The least time between two questions while nothing is settled."""
CONFIRMED_WITHIN: Final = 2.0
"""Seconds that an end waits for the sentinels: a failover by command takes less."""


class Sentinels:
    """Implements `MasterFinder` for a service of Sentinel.

    Args:
        store: the sentinels and the service.
        plaintext_allowed: whether the master may be on another machine without TLS.
        monotonic: seconds on a clock that is never set back.

    Attributes:
        service: Sentinel's name of the master.
        answers: the latest of each sentinel.
    """

    def __init__(
        self,
        store: SentinelStore,
        *,
        plaintext_allowed: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place: Place | None = None
        self.vouched_at = float("-inf")
        self.answers: Mapping[Place, Answer] = {}
        self.service = store.service
        self._needs_loopback = store.tls is None and not plaintext_allowed
        self._monotonic = monotonic
        self._clients = {place: _open(store, place) for place in store.sentinels}
        self._on_move: Callable[[], Awaitable[None]] | None = None
        self._question: asyncio.Task[Place] | None = None
        self._asked_at = float("-inf")
        self._is_doubted = asyncio.Event()
        self._is_settled = True

    def on_move(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call this whenever another server has become the master."""
        self._on_move = callback

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ask again and again while this is open."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """Close the connections to the sentinels."""
        if self._question:
            self._question.cancel()
            await asyncio.gather(self._question, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    async def find(self) -> Place:
        """See `MasterFinder`. An answer is good for a while, unless it is doubted."""
        age = self._monotonic() - self.vouched_at
        if self.place and age < 2 * INTERVAL and not self._is_doubted.is_set():
            return self.place
        return await self._ask()

    async def confirm(self, since: float) -> Place:
        """See `MasterFinder`. A failover that is under way is waited for."""
        last = self._monotonic() + CONFIRMED_WITHIN
        while True:
            try:
                place = await self._ask()
            except MasterUnknown:
                if self._monotonic() >= last:
                    raise
                await asyncio.sleep(PAUSE)
            else:
                if self.vouched_at >= since:
                    return place

    def doubt(self) -> None:
        """See `MasterFinder`."""
        self._is_doubted.set()

    async def _watch(self) -> None:
        while True:
            try:
                await self._ask()
            except MasterUnknown as error:
                if self._is_settled:
                    log.warning("no master is known: %s", error.found)
                self._is_settled = False
            else:
                if not self._is_settled:
                    log.warning("the sentinels agree about the master again")
                self._is_settled = True
            await asyncio.sleep(PAUSE)
            try:
                async with asyncio.timeout(INTERVAL - PAUSE):
                    await self._is_doubted.wait()
            except TimeoutError:
                continue

    async def _ask(self) -> Place:
        """Ask the sentinels, together with whoever asks at the same moment."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._find())
        return await asyncio.shield(self._question)

    async def _find(self) -> Place:
        asked_at = self._monotonic()
        if not self._is_settled and asked_at - self._asked_at < PAUSE:
            await asyncio.sleep(PAUSE)
            asked_at = self._monotonic()
        self._asked_at = asked_at
        self._is_doubted.clear()
        view = await self._ask_all()
        if view is None:
            raise _unknown(explain(self.answers, self.service))
        if self._needs_loopback and not view.master.is_here:
            raise _unknown(_plaintext(view.master))
        await self._learn(view, asked_at)
        return view.master if self.place is None else self.place

    async def _learn(self, view: SentinelView, asked_at: float) -> None:
        before = self.place
        if before != view.master:
            self.place = view.master
        self.vouched_at = asked_at
        if before is not None and before != view.master:
            log.warning("the master is now %s; it was %s", view.master, before)
            if self._on_move:
                await self._on_move()

    async def _ask_all(self) -> SentinelView | None:
        """Ask all sentinels at once; do not wait for the silent ones when the others agree."""
        tasks = {asyncio.create_task(self._ask_one(each)): each for each in self._clients}
        waiting, found, last = set(tasks), dict[Place, Answer](), math.inf
        try:
            while waiting and self._monotonic() < last:
                left = None if last == math.inf else last - self._monotonic()
                done, waiting = await asyncio.wait(
                    waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                found |= {tasks[each]: each.result() for each in done}
                if settle([*found.values()], len(tasks)) and last == math.inf:
                    last = self._monotonic() + LAST_WORD
        finally:
            for each in waiting:
                each.cancel()
        self.answers = {**dict.fromkeys(self._clients, SentinelFault.SILENT), **found}
        return settle([*found.values()], len(tasks))

    async def _ask_one(self, place: Place) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                pipeline = self._clients[place].pipeline(transaction=False)
                pipeline.execute_command("SENTINEL MASTER", self.service)
                pipeline.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", self.service)
                state, address = await pipeline.execute()
            return _view_of(state, address)
        except (RedisError, OSError, TimeoutError, UnicodeError) as error:
            return _fault_of(error)
        except (KeyError, TypeError, ValueError):
            return SentinelFault.NO_SENTINEL


def _open(store: SentinelStore, place: Place) -> Redis:
    pool = ConnectionPool(
        connection_class=SSLConnection if store.tls else Connection,
        host=place.host,
        port=place.port,
        username=store.sentinel_login.user,
        password=store.sentinel_login.password,
        socket_timeout=ANSWER_TIMEOUT,
        socket_connect_timeout=ANSWER_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **tls_options(store.tls),  # type: ignore[arg-type]  # they are paths
    )
    return Redis.from_pool(pool)


def _view_of(state: Mapping[str, Any], address: Any) -> SentinelView:
    """Return what a sentinel sees. It sends clients to a promoted replica before it says so."""
    host, port = address
    master = Place(host.decode() if isinstance(host, bytes) else str(host), int(port))
    flags = set(state["flags"].split(",") if isinstance(state["flags"], str) else state["flags"])
    is_promoted = master != Place(str(state["ip"]), int(state["port"]))
    return SentinelView(
        master=master,
        epoch=int(state["config-epoch"]),
        is_down=bool(flags & {"s_down", "o_down"}) and not is_promoted,
        is_failing_over="failover_in_progress" in flags and not is_promoted,
        sentinels=int(state["num-other-sentinels"]) + 1,
        replicas=int(state["num-slaves"]),
        quorum=int(state["quorum"]),
    )


def _fault_of(error: Exception) -> SentinelFault:
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return SentinelFault.TLS
    if any(isinstance(each, gaierror | UnicodeError) for each in causes):
        return SentinelFault.NO_NAME
    if isinstance(error, NoPermissionError):
        return SentinelFault.RIGHTS
    if isinstance(error, AuthenticationError | AuthorizationError):
        return SentinelFault.LOGIN
    if isinstance(error, ResponseError):
        return _fault_of_reply(str(error))
    return SentinelFault.SILENT


def _fault_of_reply(text: str) -> SentinelFault:
    if "No such master" in text:
        return SentinelFault.UNKNOWN_SERVICE
    return SentinelFault.LOGIN if "NOAUTH" in text else SentinelFault.NO_SENTINEL


def _unknown(unsettled: Unsettled) -> MasterUnknown:
    return MasterUnknown(unsettled.found, unsettled.needed, is_for_ever=unsettled.is_for_ever)


def _plaintext(master: Place) -> Unsettled:
    return Unsettled(
        f"the sentinels name {master}, where other machines could read and change everything on "
        "the way",
        "Use rediss+sentinel://, or set CURFEW_STORE_PLAINTEXT=allow if that network is yours "
        "alone.",
        is_for_ever=True,
    )
