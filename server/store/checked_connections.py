"""The connections themselves: each asks at its beginning where it leads, and watches its answers.

What follows from what they are told is decided in `server/store/master.py`.
"""

import builtins
import math
from collections.abc import Iterable
from typing import Any, Final

import hiredis
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.connection import AbstractConnection, UnixDomainSocketConnection
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    DataError,
    NoPermissionError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004 likewise
)

from server.core.store_url import Place, SentinelStore, Tls, parse_store_url
from server.store.master import MasterLink, MasterUnknown
from server.store.patience import Patience
from server.store.writing import write

NAME: Final = "curfew"
"""The name of each connection in CLIENT LIST."""


def open_pool(
    url: str, link: MasterLink, *, blocks: bool = False, **options: Any
) -> BlockingConnectionPool:
    """Return a pool whose connections belong to a link.

    Args:
        url: of the store. The servers of a service of Sentinel are found by the link.
        link: drops the connections.
        blocks: whether commands wait in the store. Then their time says nothing.
        options: as the client library's pool takes them.
    """
    store = parse_store_url(url)
    if isinstance(store, SentinelStore):
        login = {"username": store.login.user, "password": store.login.password, "db": store.db}
        kind = _CheckedTls if store.tls else _CheckedTcp
        options |= login | tls_options(store.tls)
        pool = _Pool(connection_class=kind, link=link, blocks=blocks, **options)
    else:
        pool = _Pool.from_url(url, link=link, blocks=blocks, **options)
        pool.connection_class = _CHECKED[pool.connection_class]
    link.add(pool)
    return pool


def tls_options(tls: Tls | None) -> dict[str, str | None]:
    """Return the client library's options for TLS. It verifies certificate and host name."""
    if tls is None:
        return {}
    files = {"ssl_certfile": tls.certfile, "ssl_keyfile": tls.keyfile}
    return {"ssl_ca_certs": tls.ca_certs, **files}


class _Pool(BlockingConnectionPool):
    """A pool that can let go of its connections while other tasks use it.

    As long as a connection is free, or may be opened, it is taken and given back at once. The
    library takes a lock for that, which nobody else can hold meanwhile, and sets a timer.
    """

    _waiting = 0
    """How many tasks wait for a connection. They come first."""

    async def get_connection(self, *_: Any, **__: Any) -> Any:
        """Return a connection that is ready; wait for one, with patience, if all are in use.

        Raises:
            ConnectionError: all are in use, and stay so.
        """
        if self._waiting or not self.can_get_connection():
            connection = await self._wait_for_one()
        else:
            connection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def _wait_for_one(self) -> Any:
        self._waiting += 1
        try:
            async with self._condition:
                if not self.can_get_connection():
                    async with Patience(self.timeout):
                        await self._condition.wait_for(self.can_get_connection)
                return self.get_available_connection()  # type: ignore[no-untyped-call]
        except builtins.TimeoutError as error:
            raise ConnectionError("No connection available.") from error
        finally:
            self._waiting -= 1

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back."""
        if self._waiting:
            await super().release(connection)
            return
        self._in_use_connections.remove(connection)
        try:
            if connection.should_reconnect():  # type: ignore[no-untyped-call]
                await connection.disconnect()
        finally:
            self._available_connections.append(connection)

    def mark_used(self) -> None:
        """Let every connection in use be closed when its command is done."""
        for each in self._get_in_use_connections():
            each.mark_for_reconnect()  # type: ignore[no-untyped-call]

    async def close_idle(self) -> None:
        """Close the other connections, without waiting: another task may take one meanwhile."""
        for each in list(self._get_free_connections()):
            await each.disconnect(nowait=True)


class _Checked(AbstractConnection):
    """Asks its server for its role, and watches its answers.

    Args:
        link: hears of it.
        blocks: whether commands wait in the store.
        options: as the client library's connection takes them.
    """

    __slots__ = ()

    def __init__(self, *, link: MasterLink, blocks: bool, **options: Any) -> None:
        super().__init__(**options)
        self._link = link
        self._blocks = blocks
        self._place: Place | None = None
        self._opened_at = self._sent_at = 0.0

    async def connect(self) -> None:
        """Connect, unless there is a connection that is not too old. Called before each command."""
        if self.is_connected and self._is_left:
            await self.disconnect(nowait=True)
        if self.is_connected:
            return
        try:
            if (place := await self._link.find()) is not None:
                self._place = place
                self.host, self.port = place.host, place.port
            await super().connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            self._link.not_reached(error)
            raise

    @property
    def _is_left(self) -> bool:
        """Whether the next command needs another connection."""
        return self._link.is_too_old(self._opened_at) or self._link.has_left(self._place)

    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 theirs
        """Sign in, and make sure that the server is a master.

        Raises:
            ReadOnlyError: it is a replica.
        """
        await super().on_connect_check_health(check_health)
        self._opened_at = self._link.monotonic()
        for words in (("CLIENT", "SETNAME", NAME), ("INFO", "replication")):  # one round trip
            await self.send_command(*words, check_health=check_health)
        await self.read_response()
        try:
            told = bytes(await self.read_response())
        except NoPermissionError:
            told = b""  # whoever may not ask must trust the address
        await self._link.arrived(self, told)

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as it is sent.

        The client library joins the parts in Python, which takes four times as long.

        Raises:
            DataError: a part is no text, number or bytes.
        """
        words = tuple(args[0].encode().split()) if isinstance(args[0], str) else (args[0],)
        try:
            return [hiredis.pack_command((*words, *args[1:]))]
        except TypeError as error:
            raise DataError(str(error)) from error

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """Return several commands as they are sent."""
        return [b"".join(part for each in commands for part in self.pack_command(*each))]

    async def send_packed_command(
        self,
        command: Any,
        check_health: bool = True,  # noqa: ARG002, FBT001, FBT002 theirs; no connection is pinged
    ) -> None:
        """Send a command as `pack_command` returns it, and note when."""
        self._sent_at = self._link.monotonic()
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        await write(self, command)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Return the next answer; drop all connections if it says that this is no master."""
        try:
            answer = await self._read(*args, **options)
        except RedisError as error:
            await self._link.failed(self, error)
            raise
        if self._link.has_left(self._place):
            await self.disconnect(nowait=True)
            found = "it was no master any more when it answered"
            raise MasterUnknown(found, "Try again.", has_moved=True)
        if self._sent_at and not self._blocks:
            self._link.counts.answered(self._link.monotonic() - self._sent_at)
            self._sent_at = 0.0
        return answer

    async def _read(self, *args: Any, **options: Any) -> Any:
        """Return the next answer as the client library does, but with patience.

        Most answers to commands that were sent together are here already with the first one.
        """
        try:
            answer = NOT_ENOUGH_DATA if args or options else self._received()
        except RedisError as error:
            if not isinstance(error, ResponseError):
                await self.disconnect(nowait=True)
            raise
        if answer is not NOT_ENOUGH_DATA:
            return answer
        try:
            async with Patience(self.socket_timeout):
                return await super().read_response(*args, **(options | {"timeout": math.inf}))
        except builtins.TimeoutError as error:
            raise TimeoutError("Timeout reading from socket") from error

    def _received(self) -> Any:
        """Return an answer that has come as a whole; `NOT_ENOUGH_DATA` if there is none."""
        parser: Any = self._parser
        reader = parser._reader if self.is_connected else None  # noqa: SLF001 see `writing`
        if reader is None or not reader.has_data():
            return NOT_ENOUGH_DATA
        answer = reader.gets()
        while isinstance(answer, hiredis.PushNotification):  # nobody has asked for it
            answer = reader.gets()
        if isinstance(answer, RedisError):
            raise answer from None
        return answer


class _CheckedTcp(_Checked, Connection):
    __slots__ = ()


class _CheckedTls(_Checked, SSLConnection):
    __slots__ = ()


class _CheckedUnix(_Checked, UnixDomainSocketConnection):
    __slots__ = ()


_CHECKED: Final[dict[type[AbstractConnection], type[AbstractConnection]]] = {
    Connection: _CheckedTcp,
    SSLConnection: _CheckedTls,
    UnixDomainSocketConnection: _CheckedUnix,
}
