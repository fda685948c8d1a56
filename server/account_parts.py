"""Builds what stands on accounts, wherever these are kept."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from server.accounts.account_changes import AccountChanges
from server.accounts.renaming import Renaming
from server.accounts.second_factor_check import SecondFactorCheck
from server.accounts.second_factor_setup import SecondFactorSetup
from server.accounts.throttle import Throttle
from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.errors import ConfigurationError, StoreUnavailable
from server.crypto.challenges import Challenges
from server.engine import Engine
from server.foundation import Foundation
from server.sessions.manager import SessionManager
from server.store.account_contract import Accounts, EndsWithChange, OpenAccounts
from server.store.contained import ApplicationFault, contained
from server.store.opening import Stores
from server.store.redis_accounts import RedisAccounts
from server.store.stepwise_ends import StepwiseEnds

log = logging.getLogger("curfew.application")

OPEN_LIMIT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class AccountParts:
    """Where accounts are, and how their sessions end with them.

    Attributes:
        accounts: where they are.
        ends: changes an account and ends its sessions.
        upkeep: what goes on while a server runs.
    """

    accounts: Accounts
    ends: EndsWithChange
    upkeep: Callable[[], Coroutine[Any, Any, None]]


async def opened_accounts(
    accounts: OpenAccounts | None, stack: AsyncExitStack, limit: timedelta = OPEN_LIMIT
) -> Accounts | None:
    """Open the accounts of an application, if it keeps them itself.

    Args:
        accounts: opens them; None if Curfew keeps them.
        stack: closes them.
        limit: how long it may take.

    Raises:
        ConfigurationError: they did not open. The line says what, and the log has the traceback.
    """
    if accounts is None:
        return None
    try:
        async with asyncio.timeout(limit.total_seconds()):
            with contained():
                return await stack.enter_async_context(accounts())
    except (ConfigurationError, StoreUnavailable):
        raise
    except Exception as error:
        log.exception("the accounts of the application did not open")
        fault = error.__cause__ if isinstance(error, ApplicationFault) else error
        what = type(fault).__name__  # its text may hold a password of the database
        raise ConfigurationError(f"The accounts of the application did not open: {what}.") from None


def account_parts(base: Foundation, stores: Stores, elsewhere: Accounts | None) -> AccountParts:
    """Return Curfew's own parts, or those for accounts that an application keeps elsewhere."""
    if elsewhere is not None:
        ends = StepwiseEnds(elsewhere, stores.sessions, stores.activity.remove, base.context)
        return AccountParts(elsewhere, ends, ends.run)
    index, ours = stores.account_index, stores.account_ends
    accounts = RedisAccounts(stores.accounts, index, ours, base.context.node)
    return AccountParts(accounts, ours, index.run)


def build_second_factors(
    base: Foundation, accounts: Accounts, stores: Stores, sessions: SessionManager
) -> tuple[SecondFactorCheck, SecondFactorSetup]:
    """Build what checks second factors, and what sets them up."""
    context, record = base.context, base.context.record
    challenges = Challenges(
        base.sealer, context.now, lambda use: record(AuditEvent.CHALLENGE_REFUSED, use=use.value)
    )
    used = stores.single_use
    return (
        SecondFactorCheck(accounts, challenges, used, sessions.epochs, context),
        SecondFactorSetup(accounts, challenges, used, base.store.shards, context),
    )


def build_account_changes(
    parts: AccountParts,
    stores: Stores,
    engine: Engine,
    throttle: Throttle,
    context: NodeContext,
) -> tuple[AccountChanges, Renaming]:
    """Build what changes accounts, and what gives them other names."""
    accounts, rooms = parts.accounts, engine.rooms
    changes = AccountChanges(
        accounts, parts.ends, engine.sessions, engine.terminations, throttle, rooms, context
    )
    return changes, Renaming(accounts, changes, stores.activity, throttle, rooms, context)
