"""Accounts in a database of your own: `curfew.Accounts` on SQLAlchemy 2, asynchronous, on SQLite.

It needs two packages: pip install sqlalchemy aiosqlite. Run it with

    python examples/sql_accounts.py

and sign up. `python examples/sql_accounts.py user add ann` goes to the same database.

SQLite has one writer at a time, so a transaction here sees no other. For another database, let the
engine have the isolation level SERIALIZABLE, and repeat what fails by it.
"""

import secrets
import sys
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    MetaData,
    String,
    Table,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from curfew import (
    Account,
    Accounts,
    Application,
    StoredAccount,
    StoreUnavailable,
    account_as_json,
    account_from_json,
    look_of,
)

CLAIM_KEPT: Final = 120.0
"""Seconds for which the look of a name is kept for an account that is not made yet."""

METADATA: Final = MetaData()
ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("user", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("operation", String, nullable=False),
    Column("document", JSON, nullable=False),
    Column("unfinished", Boolean, nullable=False, index=True),
)
ADMINISTRATORS: Final = Table("administrators", METADATA, Column("user", String, primary_key=True))
HANDLES: Final = Table(
    "handles",
    METADATA,
    Column("handle", String, primary_key=True),
    Column("user", String, nullable=False),
)
LOOKS: Final = Table(
    "looks",
    METADATA,
    Column("look", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("claimed_at", Float, nullable=False),
)


class SqlAccounts:
    """`curfew.Accounts` in a database; see there what each method promises.

    Args:
        engine: of the database.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self, user: str) -> StoredAccount | None:
        """Return an account."""
        async with self._transaction() as connection:
            row = await _row(connection, user)
        return StoredAccount(account_from_json(row.document), row.revision) if row else None

    load_to_change = load

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """Write an account if it still has the revision that the writer saw."""
        async with self._transaction() as connection:
            row = await _row(connection, account.user)
            if row and row.operation == operation:
                return True
            if (row.revision if row else 0) != based_on:
                return False
            values = {
                "revision": secrets.randbelow(2**62) + 1,  # so no name has one again
                "operation": operation,
                "document": account_as_json(account),
                "unfinished": account.pending_end is not None,
            }
            if row:
                changing = update(ACCOUNTS).where(ACCOUNTS.c.user == account.user)
                await connection.execute(changing.values(**values))
            else:
                await connection.execute(insert(ACCOUNTS).values(user=account.user, **values))
            if account.factors.handle and not account.moving_to:
                await _point(connection, account.factors.handle, account.user)
            if account.admin:
                listing = upsert(ADMINISTRATORS).values(user=account.user)
                await connection.execute(listing.on_conflict_do_nothing())
            return True

    async def remove(self, user: str, *, based_on: int, operation: str) -> bool:  # noqa: ARG002
        """Remove an account and its handle. What is gone may be removed again."""
        async with self._transaction() as connection:
            row = await _row(connection, user)
            if row is None or row.revision != based_on:
                return row is None
            await connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.user == user))
            await connection.execute(delete(HANDLES).where(HANDLES.c.user == user))
            return True

    async def user_of_handle(self, handle: str) -> str | None:
        """Return whom authenticators know by a handle."""
        async with self._transaction() as connection:
            asking = select(HANDLES.c.user).where(HANDLES.c.handle == handle)
            return (await connection.execute(asking)).scalar_one_or_none()

    async def point_handle(self, handle: str, user: str) -> None:
        """Have a handle lead to another user, or to nobody."""
        async with self._transaction() as connection:
            if user:
                await _point(connection, handle, user)
            else:
                await connection.execute(delete(HANDLES).where(HANDLES.c.handle == handle))

    async def page(self, after: str, limit: int, *, prefix: str = "") -> Sequence[str]:
        """Return names in order; SQLite compares the bytes of text."""
        name = ACCOUNTS.c.user
        asking = select(name).where(name > after, func.substr(name, 1, len(prefix)) == prefix)
        async with self._transaction() as connection:
            return list(await connection.scalars(asking.order_by(name).limit(limit)))

    async def administrators(self) -> Collection[str]:
        """Return the names that are noted as administrators'."""
        async with self._transaction() as connection:
            return list(await connection.scalars(select(ADMINISTRATORS.c.user)))

    async def drop_administrator(
        self, user: str, *, others: Collection[str] = (), may_be_last: bool = False
    ) -> bool:
        """Remove a name from the administrators, if one of the others stays."""
        name = ADMINISTRATORS.c.user
        async with self._transaction() as connection:
            asking = select(name).where(name.in_(others), name != user).limit(1)
            if not may_be_last and (await connection.execute(asking)).first() is None:
                return False
            await connection.execute(delete(ADMINISTRATORS).where(name == user))
            return True

    async def claim_look(self, user: str, *, former: str = "") -> bool:
        """Claim how a name looks, if nobody else has it."""
        async with self._transaction() as connection:
            asking = select(LOOKS).where(LOOKS.c.look == look_of(user))
            held = (await connection.execute(asking)).first()
            if held and held.user not in {user, former}:
                is_young = held.claimed_at > time.time() - CLAIM_KEPT
                if is_young or await _row(connection, held.user):
                    return False
            values = {"user": user, "claimed_at": time.time()}
            claiming = upsert(LOOKS).values(look=look_of(user), **values)
            await connection.execute(
                claiming.on_conflict_do_update(index_elements=["look"], set_=values)
            )
            return True

    async def release_look(self, user: str, *, since: float) -> None:
        """Give up a claim that is not younger."""
        releasing = delete(LOOKS).where(LOOKS.c.user == user, LOOKS.c.look == look_of(user))
        async with self._transaction() as connection:
            await connection.execute(releasing.where(LOOKS.c.claimed_at <= since))

    async def unfinished(self) -> Collection[str]:
        """Return the names of accounts whose sessions are still owed an end."""
        async with self._transaction() as connection:
            asking = select(ACCOUNTS.c.user).where(ACCOUNTS.c.unfinished)
            return list(await connection.scalars(asking))

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return transaction(self._engine, "accounts")


async def _row(connection: AsyncConnection, user: str) -> Any:
    return (await connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.user == user))).first()


async def _point(connection: AsyncConnection, handle: str, user: str) -> None:
    pointing = upsert(HANDLES).values(handle=handle, user=user)
    await connection.execute(
        pointing.on_conflict_do_update(index_elements=["handle"], set_={"user": user})
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine, what: str) -> AsyncIterator[AsyncConnection]:
    """Begin a transaction, and commit it at the end. People get a 503 if the database fails.

    Args:
        engine: of the database.
        what: is kept there, for the log.
    """
    try:
        async with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        failed = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(what, type(failed).__name__) from error


@asynccontextmanager
async def open_database(url: str, tables: MetaData) -> AsyncIterator[AsyncEngine]:
    """Open a database, and make those of its tables that are missing.

    Args:
        url: such as `sqlite+aiosqlite:///people.sqlite`.
        tables: all that it shall have.
    """
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def begin_by_hand(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # else the driver begins, and too late

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        async with engine.begin() as connection:
            await connection.run_sync(tables.create_all)
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_accounts(url: str) -> AsyncIterator[Accounts]:
    """Open the accounts in a database.

    Args:
        url: as of `open_database`.
    """
    async with open_database(url, METADATA) as engine:
        yield SqlAccounts(engine)


@dataclass(frozen=True)
class Options:
    """The settings: `PEOPLE_DATABASE`."""

    database: str = "sqlite+aiosqlite:///people.sqlite"


application = Application(
    "People", settings=Options, accounts=lambda options: open_accounts(options.database)
)

if __name__ == "__main__":
    sys.exit(application.main())
