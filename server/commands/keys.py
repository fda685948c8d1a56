"""`keys`: lists, adds, promotes and retires secret keys, and seals again what lies under them.

Only versions are printed, which are fingerprints; a key itself by `keys new` alone. Changes are
written to the key file, and servers read it when they start.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from server.commands.output import CommandFailed
from server.crypto.key_file import replace_keys
from server.crypto.keyring import Keyring, new_secret, parse_secret, secret_text, version_of
from server.services import Services
from server.store.sealed_records import Resealed
from settings import Settings

TOLD_EVERY = 1_000
"""Records between two words about how far it is."""


async def show(services: Services, settings: Settings) -> None:
    """List the keys, newest first, with what lies under each and which servers have it."""
    counts = await services.sealed.counts(_told)
    rings = await services.key_use.versions_of(await services.nodes.leases())
    for position, version in enumerate(versions(settings), start=1):
        have = sum(version in ring for ring in rings.values())
        write = sum(ring[:1] == (version,) for ring in rings.values())
        left = await services.key_use.cookie_lifetime_left(version)
        cookies = f"cookies for {_hours(left)} more" if left else "no cookies"
        print(
            f"{position}  {version}  {_records(counts, version)}, {cookies}, "
            f"had by {have} and written with by {write} of {len(rings)} servers"
        )
    if strange := sum(n for (_, each), n in counts.items() if each not in versions(settings)):
        print(f"{strange} records are under none of these keys, and open for nobody.")


def add(settings: Settings, *, last: bool) -> None:
    """Put a new key into the key file, in front, or behind the others.

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


async def promote(services: Services, settings: Settings, version: int, *, force: bool) -> None:
    """Put a key in front, if all running servers can read what it will write.

    Raises:
        CommandFailed: there is no such key, or some server does not have it.
    """
    key = _key(settings, version)
    if not force:
        await _require_readers(services, version)
    _write(settings, [key, *(each for each in settings.secret_keys if each != key)])
    print(f"{version} is in front. Restart every server; it writes from then on.")


async def retire(
    services: Services, settings: Settings, version: int | None, *, force: bool
) -> None:
    """Drop a key, the oldest one unless another is named, when nothing is under it any more.

    By force only the one that is named: whoever is in a hurry means a certain one, and that need
    not be the oldest.

    Raises:
        CommandFailed: there is no such key, it is the only one, or something is still under it.
    """
    if force and version is None:
        raise CommandFailed("Say which: python run.py keys retire VERSION --force")
    chosen = versions(settings)[-1] if version is None else version
    key = _key(settings, chosen)
    if len(settings.secret_keys) == 1:
        raise CommandFailed("It is the only key. Add one first: python run.py keys add")
    if not force:
        await _require_unused(services, settings, chosen)
    _write(settings, [each for each in settings.secret_keys if each != key])
    print(f"{chosen} is dropped. Restart every server; what is under it opens no more.")


async def reseal(services: Services, settings: Settings, *, force: bool) -> None:
    """Write everything that lies under an older key again, under the newest.

    Raises:
        CommandFailed: a running server does not have the newest key, or something was left.
    """
    newest = versions(settings)[0]
    if not force:
        await _require_readers(services, newest)
    results: Counter[Resealed] = Counter()
    async for record in services.sealed.all():
        if record.version != newest:
            results[await services.sealed.reseal(record)] += 1
            _told(results.total())
    await services.sealed.sweep()
    print(f"{results[Resealed.DONE]} records were sealed again under {newest}.")
    if unreadable := results[Resealed.UNREADABLE]:
        print(f"{unreadable} open under none of the keys, and stay as they are.")
    if busy := results[Resealed.BUSY]:
        raise CommandFailed(f"{busy} were being written all the time. Say it again.")


def versions(settings: Settings) -> list[int]:
    """The versions of the keys, newest first."""
    return [version_of(each) for each in settings.secret_keys]


def _key(settings: Settings, version: int) -> bytes:
    if version not in versions(settings):
        raise CommandFailed(f"There is no key {version}. See: python run.py keys list")
    return settings.secret_keys[versions(settings).index(version)]


async def _require_readers(services: Services, version: int) -> None:
    rings = await services.key_use.versions_of(await services.nodes.leases())
    without = sum(version not in ring for ring in rings.values())
    if without:
        raise CommandFailed(
            f"{without} of {len(rings)} running servers do not have {version} yet, and could not "
            "read what is written with it. Restart them with this key file first."
        )


async def _require_unused(services: Services, settings: Settings, version: int) -> None:
    if version == versions(settings)[0]:
        raise CommandFailed(f"{version} is in front. Add or promote another one first.")
    counts = await services.sealed.counts(_told)
    if any(each == version for _, each in counts):
        raise CommandFailed(
            f"{_records(counts, version)} are still under {version}. Seal them again: "
            "python run.py keys reseal"
        )
    if left := await services.key_use.cookie_lifetime_left(version):
        raise CommandFailed(
            f"A server wrote cookies with {version} not long ago. Whoever has one that was not "
            f"renewed would be signed out. Wait for {_hours(left)}, or say --force."
        )


def _write(settings: Settings, keys: Sequence[bytes]) -> None:
    path = settings.secret_keys_file
    if path is None:
        raise CommandFailed("The keys are in CURFEW_SECRET_KEYS, which only you can change.")
    Keyring.from_secrets(keys)  # nothing is written that would stop the next start
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


def _records(counts: Counter[tuple[str, int | None]], version: int) -> str:
    return (
        f"{counts['session', version]} sessions, {counts['account', version]} accounts and "
        f"{counts['activity', version]} lists of activity"
    )


def _hours(left: timedelta) -> str:
    minutes = -(-int(left.total_seconds()) // 60)
    return f"{minutes // 60} h {minutes % 60} min"


def _told(number: int) -> None:
    if number % TOLD_EVERY == 0:
        print(f"{number} records so far", file=sys.stderr)
