"""The `keys` commands: make, list, add, promote and retire secret keys, and reseal records.

They print versions, which are fingerprints; only `keys new` prints a key. Changes are written to
the key file, which servers read when they start.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from server.commands.command import Argument, Command, CommandGroup
from server.commands.errors import CommandFailed
from server.commands.formatting import key_line
from server.commands.key_checks import (
    key_to_retire,
    key_with,
    require_no_cookies,
    require_no_records,
    require_not_first,
    require_readers,
    versions_of,
)
from server.commands.needs import with_services_and_settings, with_settings
from server.core.plurals import counted
from server.crypto.key_file import replace_keys
from server.crypto.keyring import Keyring, new_secret, parse_secret, secret_text, version_of
from server.crypto.sealer import Sealer
from server.services import Services
from server.store.sealed_records import Resealed
from settings import Settings

PROGRESS_EVERY: Final = 1_000
"""Records between two lines about the progress."""


def print_new() -> None:
    """Print a new key."""
    print(new_secret())


async def list_keys(services: Services, settings: Settings) -> None:
    """List the keys, newest first, with what each sealed and which servers have it."""
    versions = versions_of(settings.secret_keys)
    counts = await services.sealed.counts(_print_progress)
    rings = await _key_rings(services)
    for position, version in enumerate(versions, start=1):
        left = await services.key_use.cookie_lifetime_left(version)
        print(key_line(position, version, counts, rings.values(), left))
    if unknown := sum(number for (_, each), number in counts.items() if each not in versions):
        under = counted(
            unknown,
            "record is under none of these keys, and opens",
            "records are under none of these keys, and open",
        )
        print(f"{under} for nobody.")


def add(settings: Settings, *, last: bool) -> None:
    """Add a new key to the key file, in front of the others, or behind them.

    Raises:
        CommandFailed: the file cannot be changed.
    """
    key = parse_secret(new_secret())
    keys = [*settings.secret_keys, key] if last else [key, *settings.secret_keys]
    _write(settings, keys)
    print(f"{version_of(key)} was added {'behind the others' if last else 'in front'}.")
    if last:
        print(f"Restart every server, then: python run.py keys promote {version_of(key)}")
    else:
        print("Restart the server. If there are others on this store, see docs/howto first.")


async def promote(services: Services, settings: Settings, *, version: int, force: bool) -> None:
    """Move a key to the front, if all running servers can read what it will write.

    Raises:
        CommandFailed: there is no such key, or a running server does not have it.
    """
    key = key_with(version, settings.secret_keys)
    if not force:
        await _require_readers(services, version)
    _write(settings, [key, *(each for each in settings.secret_keys if each != key)])
    print(f"{version} is in front. Restart every server; it writes from then on.")


async def retire(
    services: Services, settings: Settings, *, version: int | None, force: bool
) -> None:
    """Remove a key, by default the oldest, if nothing depends on it any more.

    Raises:
        CommandFailed: there is no such key, it is the only one, or something depends on it.
    """
    key = key_to_retire(settings.secret_keys, version, force=force)
    if not force:
        await _require_unused(services, settings, version_of(key))
    kept = [each for each in settings.secret_keys if each != key]
    ring = Keyring.from_secrets(kept)
    await services.witness.drop(version_of(key), Sealer(ring), ring.versions[0])
    _write(settings, kept)
    print(f"{version_of(key)} is dropped. Restart every server; what is under it opens no more.")


async def reseal(services: Services, settings: Settings, *, force: bool) -> None:
    """Seal every record again that another key sealed, with the newest key.

    Raises:
        CommandFailed: a running server does not have the newest key or has other session rules, by
            which the records would live longer or shorter, or a record was not sealed.
    """
    others = await services.node_rules.others()
    if others:  # one of them may have crashed a moment ago
        await services.engine.lease.settle()
        others = await services.node_rules.others()
    if others:
        raise CommandFailed(f"Run it with the session rules of the servers: {others[0]}.")
    newest = version_of(settings.secret_keys[0])
    if not force:
        await _require_readers(services, newest)
    results: Counter[Resealed] = Counter()
    async for record in services.sealed.all():
        if record.version != newest:
            results[await services.sealed.reseal(record)] += 1
            _print_progress(results.total())
    await services.sealed.sweep()
    done = counted(results[Resealed.DONE], "record was", "records were")
    print(f"{done} sealed again under {newest}.")
    if unreadable := results[Resealed.UNREADABLE]:
        left = ("opens under none of the keys, and stays as it is",
                "open under none of the keys, and stay as they are")  # fmt: skip
        print(f"{counted(unreadable, *left)}.")
    if busy := results[Resealed.BUSY]:
        raise CommandFailed(
            f"{counted(busy, 'was', 'were')} being written all the time. Say it again."
        )


async def _key_rings(services: Services) -> Mapping[str, tuple[int, ...]]:
    """Return the versions of the keys that each running server has."""
    rings = await services.key_use.versions_of(await services.nodes.leases())
    if not all(rings.values()):  # one of them may have died without leaving the list
        await services.engine.lease.settle()
        rings = await services.key_use.versions_of(await services.nodes.leases())
    return rings


async def _require_readers(services: Services, version: int) -> None:
    rings = await _key_rings(services)
    require_readers(version, rings.values())


async def _require_unused(services: Services, settings: Settings, version: int) -> None:
    require_not_first(version, settings.secret_keys)
    require_no_records(version, await services.sealed.counts(_print_progress))
    require_no_cookies(version, await services.key_use.cookie_lifetime_left(version))


def _write(settings: Settings, keys: Sequence[bytes]) -> None:
    path = settings.secret_keys_file
    if path is None:
        raise CommandFailed("The keys are in CURFEW_SECRET_KEYS, which only you can change.")
    Keyring.from_secrets(keys)  # so that no file is written that would stop the next start
    try:
        replace_keys(path, [secret_text(each) for each in keys])
    except FileExistsError:
        raise CommandFailed(_in_the_way(path)) from None
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.") from None


def _in_the_way(path: Path) -> str:
    return (
        f"{path}.new is there: another command is changing the keys, or was interrupted. If none "
        "runs, remove it."
    )


def _print_progress(number: int) -> None:
    if number % PROGRESS_EVERY == 0:
        print(f"{counted(number, 'record')} so far", file=sys.stderr)


KEYS: Final = CommandGroup(
    "keys",
    help="make, list and change secret keys",
    commands=(
        Command("new", help="print a new key", run=print_new),
        Command(
            "list",
            help="list the keys and what is under each",
            run=with_services_and_settings(list_keys, keys_must_fit=False),
        ),
        Command(
            "add",
            help="put a new key into the key file, in front",
            run=with_settings(add),
            arguments=(
                Argument("--last", action="store_true", help="behind the others: it reads only"),
            ),
        ),
        Command(
            "promote",
            help="put a key in front",
            run=with_services_and_settings(promote),
            arguments=(
                Argument("version", type=int),
                Argument("--force", action="store_true", help="also if a server lacks it"),
            ),
        ),
        Command(
            "retire",
            help="drop a key, the oldest unless another is named",
            run=with_services_and_settings(retire),
            arguments=(
                Argument("version", type=int, nargs="?"),
                Argument("--force", action="store_true", help="the one named, used or not"),
            ),
        ),
        Command(
            "reseal",
            help="seal everything again under the newest key",
            run=with_services_and_settings(reseal),
            arguments=(
                Argument("--force", action="store_true", help="also if a server lacks that key"),
            ),
        ),
    ),
)
