"""The `doctor` command: examine what a server needs, and say what is wrong."""

import time
from typing import Final

from server.commands.command import Command
from server.commands.errors import CommandFailed
from server.commands.needs import with_services_and_settings
from server.core.errors import StoreUnavailable
from server.core.receipt import Durability
from server.core.rule_differences import refusal_of_rules
from server.crypto.certificate import read_certificate
from server.services import Services
from server.store.inspection import evicting_policy, refuse_eviction
from settings import Settings


async def examine(services: Services, settings: Settings) -> None:
    """Print what a server would find here.

    The services are open, so the store answers and its layout is accepted.

    Raises:
        CommandFailed: everything was printed, and no server would start with these settings.
        ConfigurationError: likewise, on this store.
    """
    started = time.monotonic()
    await services.clock.synchronise()
    print(f"store      answers in {(time.monotonic() - started) * 1000:.1f} ms")
    print(f"durability {_durability(await services.durability())}")
    print(f"eviction   {await _eviction(services)}")
    print(f"keys       newest first: {', '.join(map(str, services.keyring.versions))}")
    print(f"origins    {', '.join(sorted(settings.origins))}")
    print(f"tls        {_tls(settings)}")
    print(f"data       {settings.data_dir}")
    others = await services.node_rules.others()
    if others:  # one of them may have crashed a moment ago
        await services.engine.lease.settle()
        others = await services.node_rules.others()
    for each in others:
        print(f"rules      {each}")
    await refuse_eviction(services.store.client)
    if unfit := await services.witness.compare():
        raise CommandFailed(str(unfit))
    if unannounced := [each for each in others if not each.is_announced]:
        raise CommandFailed(refusal_of_rules(unannounced))


async def _eviction(services: Services) -> str:
    """Say whether the store drops keys when it is full."""
    try:
        policy = await evicting_policy(services.store.client)
    except StoreUnavailable as error:
        return f"unknown: the store does not tell ({error.cause})"
    if policy:
        return f"{policy}: a full store drops ends, and the sessions live again"
    return "none: the store keeps what it was given"


def _durability(durability: Durability) -> str:
    if durability is Durability.MEMORY:
        return "memory: a crash of the store can bring ended sessions back; see docs/operations.md"
    if durability is Durability.UNKNOWN:
        return "unknown: the store does not tell; see docs/howto/external-redis.md"
    return durability.value


def _tls(settings: Settings) -> str:
    if settings.tls_cert is None:
        return "none: browsers talk plain HTTP to this server, or to a proxy before it"
    found = read_certificate(settings.tls_cert)
    if found is None:
        return "self-made at the next start" if settings.tls_self_made else "a certificate"
    whose = "self-made, browsers warn once" if settings.tls_self_made else str(settings.tls_cert)
    return f"{whose}; until {found.expires_at:%Y-%m-%d}, for {', '.join(sorted(found.hosts))}"


DOCTOR: Final = Command(
    "doctor",
    help="look at what a server needs",
    run=with_services_and_settings(examine, keys_must_fit=False),
)
