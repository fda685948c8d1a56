"""Measures what single commands cost the store: the CPU time of a real one, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Final

from benchmarks.processes import cpu_seconds
from server.core.events import Acknowledgement, RoomGranted
from server.core.reasons import Reason
from server.core.session import Device, Rules
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.sessions.manager import SessionManager
from server.sessions.verdicts import LiveSession
from server.store.opening import Stores, connect, open_stores
from server.store.stream_contract import Positions
from tests.simulation.fleet_store import Costs
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context
from tests.support.servers.valkey import ValkeyServer

TIMES: Final = 3_000
MICRO: Final = 1e6
NODES: Final = 100
"""On the list of nodes, which renewals and ends return."""
TOGETHER: Final = 90
"""Entries that one read brings."""
ON_ITS_WAY: Final = 0.002
"""Seconds after which a read surely waits in the store."""


def measure_commands() -> Costs:
    """Measure them on a store of their own, which writes to its disk as the embedded one does."""
    with ValkeyServer(appendonly="yes") as server:
        return asyncio.run(_measure(server))


async def _measure(server: ValkeyServer) -> Costs:
    keyring, rules = Keyring.from_secrets([KEY]), Rules()
    context = quiet_context(node="n1")
    async with connect(server.url, shards=1, replicas=0) as connection:
        stores = open_stores(
            connection, keyring, Sealer(keyring), context, rules=rules, rules_change=False,
            lease=timedelta(seconds=5), serves=True,
        )  # fmt: skip
        manager = SessionManager(stores.sessions, rules, context)
        made = await manager.sign_in("ann", await manager.epochs("ann"), Device(), None)
        assert isinstance(made, LiveSession)  # noqa: S101 - a new store has room
        for number in range(NODES):
            await stores.nodes.renew(f"node{number}", 1)
        return await _Meter(server, stores, made.session.sid).all_of()


class _Meter:
    """Runs commands many times, and reads what CPU time the store has used."""

    def __init__(self, server: ValkeyServer, stores: Stores, sid: str) -> None:
        self._server = server
        self._stores = stores
        self._sid = sid
        self._control = stores.controls[0]
        self._numbers = count(2)
        self._positions: Positions = {}

    async def all_of(self) -> Costs:
        """Measure all commands."""
        sid, sessions, nodes = self._sid, self._stores.sessions, self._stores.nodes
        done = Acknowledgement("n1", {32 * "e": 0})
        written = await self._cost(self._append)
        self._positions = await self._control.tail()
        read = await self._cost(self._read_woken) - written
        one_kept, many_kept = [await self._kept(number) for number in (1, TOGETHER)]
        return Costs(
            read=read,
            entry=(many_kept - one_kept) / (TOGETHER - 1),
            acknowledge=await self._cost(lambda: self._control.acknowledge_together(done)),
            renew=await self._cost(lambda: nodes.renew("node1", next(self._numbers))),
            end=await self._cost(self._end),
            load=await self._cost(self._load_many, TIMES // 3) / TOGETHER,
            count=await self._cost(
                lambda: sessions.count_sockets("ann", sid, "n1", next(self._numbers))
            ),
        )

    async def _cost(self, act: Callable[[], Awaitable[object]], times: int = TIMES) -> float:
        for _ in range(times // 20):
            await act()
        before = cpu_seconds([self._server.pid])
        for _ in range(times):
            await act()
        return MICRO * (cpu_seconds([self._server.pid]) - before) / times

    async def _append(self) -> None:
        """Append an entry to a stream that is followed."""
        await self._control.send(RoomGranted("ann", "", "room"))

    async def _read_woken(self) -> None:
        """Read what is appended while the read waits."""
        reading = asyncio.create_task(self._control.read(self._positions))
        await asyncio.sleep(ON_ITS_WAY)
        await self._append()
        self._positions = (await reading).positions

    async def _kept(self, number: int) -> float:
        """Return what it costs to read so many entries, again and again the same ones."""
        self._positions = before = await self._control.tail()
        for _ in range(number):
            await self._append()
        return await self._cost(lambda: self._control.read(before), TIMES // 2)

    async def _load_many(self) -> None:
        """Load many records with one command, as a comparison does."""
        load, sid = self._stores.sessions.load, self._sid
        await asyncio.gather(*(load(sid) for _ in range(TOGETHER)))

    async def _end(self) -> None:
        await self._stores.sessions.end_session(
            f"00{next(self._numbers):022d}",
            user="ann",
            end_id=f"{next(self._numbers):032x}",
            reason=Reason.LOGOUT,
            initiator="n1",
        )
