"""The `store` commands: what an external store needs, and a new start on data without its keys."""

from collections import Counter
from typing import Final

from server.commands.command import Argument, Command, CommandGroup
from server.commands.confirmation import confirm
from server.commands.errors import CommandFailed
from server.commands.needs import with_services, with_settings
from server.core.audit import AuditEvent
from server.core.plurals import counted
from server.core.reasons import Reason
from server.core.store_url import ClusterStore, parse_store_url
from server.services import Services
from server.store.acl import acl_command
from settings import Settings


def print_acl(settings: Settings) -> None:
    """Print the command that makes Curfew's user in the store.

    The password in it is a placeholder, for the person who types the command to replace.
    """
    address = parse_store_url(settings.store_url)
    print(
        acl_command(
            "PASSWORD",
            replicas=settings.termination_replicas,
            in_cluster=isinstance(address, ClusterStore),
        )
    )


async def start_over(services: Services, *, confirmed: bool) -> None:
    """Give up what opens under none of the keys here: remove it, and sign everybody out.

    Accounts that open stay. Everybody is signed out, so that no session lives again if the lost
    keys come back.

    Args:
        services: the services.
        confirmed: whether to do it without asking first.

    Raises:
        CommandFailed: nothing was changed.
    """
    await _require_no_server_with_other_keys(services)
    counts = await services.openable.counts()
    closed = Counter({kind: number for (kind, opens), number in counts.items() if not opens})
    if not closed and not await services.witness.compare():
        raise CommandFailed("The secret keys fit the store, and everything in it opens.")
    print(_loss(closed, counts["account", True]))
    if not (confirmed or _confirm()):
        raise CommandFailed("Nothing was changed.")
    services.audit.record(AuditEvent.ADMIN_ACT, act="start_over")
    await services.terminations.everything(Reason.ADMIN)
    await services.openable.remove_closed()
    await services.witness.start_over()
    print("The store is under the keys here now. Start the server.")


async def _require_no_server_with_other_keys(services: Services) -> None:
    others = await _number_of_servers_with_other_keys(services)
    if others:  # they may have died without leaving the list, with the machine that had the keys
        await services.engine.lease.settle()
        others = await _number_of_servers_with_other_keys(services)
    if others:
        raise CommandFailed(
            f"{counted(others, 'running server uses', 'running servers use')} this store with "
            "other keys. Are the keys here the right ones? If they are, stop those servers first."
        )


async def _number_of_servers_with_other_keys(services: Services) -> int:
    ours = services.keyring.versions[0]
    rings = await services.key_use.versions_of(await services.nodes.leases())
    return sum(ours not in ring for ring in rings.values())


def _loss(closed: Counter[str], kept: int) -> str:
    return (
        f"{counted(closed['account'], 'account')}, {counted(closed['session'], 'session')} and "
        f"{counted(closed['activity'], 'list of activity', 'lists of activity')} do not open under "
        "the keys here. They will be removed for ever. "
        f"{counted(kept, 'account opens and stays', 'accounts open and stay')}. "
        "Everybody is signed out."
    )


def _confirm() -> bool:
    return confirm("This removes data for ever", "Start over?")


STORE: Final = CommandGroup(
    "store",
    help="what a store of your own needs, and a new start without its keys",
    commands=(
        Command(
            "acl",
            help="print the command that makes the store's user",
            run=with_settings(print_acl),
        ),
        Command(
            "start-over",
            help="give up what opens under none of the keys here",
            run=with_services(start_over, keys_must_fit=False),
            arguments=(
                Argument("--yes", action="store_true", dest="confirmed", help="do not ask"),
            ),
        ),
    ),
)
