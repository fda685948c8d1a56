"""The `doctor` command: examine what a server needs, and say what is wrong."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from server.commands.command import Command
from server.commands.command_services import open_command_services
from server.commands.errors import CommandFailed
from server.commands.machine_findings import examine_machine
from server.commands.needs import with_settings
from server.core.addresses import own_origins
from server.core.cluster_map import findings_of_replicas
from server.core.errors import StoreUnavailable
from server.core.findings import (
    Finding,
    finding_of_keys,
    findings_of_clock,
    findings_of_lease,
    findings_of_origins,
    findings_of_proxies,
    findings_of_rules,
)
from server.core.plurals import counted
from server.core.receipt import Durability
from server.core.rule_differences import refusal_of_rules
from server.core.sentinel_views import findings_of_sentinels, summary
from server.crypto.certificate import read_certificate
from server.crypto.certificate_findings import Hosts, examine_certificate
from server.embedded.paths import has_store
from server.services import Services
from server.store.inspection import (
    evicting_policy,
    refuse_eviction,
    replicas_of_masters,
    version_findings,
)
from server.telemetry.log_format import configure_command_logging
from settings import Settings


def examine(settings: Settings) -> None:
    """Print what a server would find here, and what is wrong with it.

    Raises:
        CommandFailed: everything was printed, and no server would start with these settings, or no
            browser connect to it.
        ConfigurationError: likewise, on this store.
        StoreUnavailable: everything but the store was examined, which did not answer.
    """
    configure_command_logging(settings.log_format)
    asyncio.run(_examine(settings, list(_findings(settings))))


async def _examine(settings: Settings, findings: list[Finding]) -> None:
    async with AsyncExitStack() as stack:
        opening = open_command_services(settings, keys_must_fit=False)
        try:
            services = await stack.enter_async_context(opening)
            findings += await _tell_of_store(services)
            findings += _tell_of_sentinels(services, settings)
            findings += await _tell_of_cluster(services, settings)
            _tell_of_settings(settings)
        finally:
            for each in findings:
                print(each)
        await _compare(services)
    if problems := sum(each.is_problem for each in findings):
        raise CommandFailed(
            f"{problems} of these findings must be mended before people can use it."
        )


def _findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong before the store is opened, which a running server may have locked."""
    default = settings.origins == frozenset(own_origins(settings.scheme, settings.port).split(","))
    proxied = bool(settings.trusted_proxies)
    if not (settings.store_url or has_store(settings.data_dir)):
        found = f"{settings.data_dir} is new, so its store is empty"
        yield Finding("CURFEW_DATA_DIR", found, "the folder with your data, if you have any")
    yield from examine_machine(settings)
    if settings.tls_cert and settings.tls_key and not settings.tls_self_made:
        names = {urlsplit(each).hostname or "" for each in settings.origins}
        hosts = Hosts(names, all_are_meant=not default, meets_browsers=not proxied)
        now = datetime.now(UTC)
        yield from examine_certificate(settings.tls_cert, settings.tls_key, hosts, now)
    yield from findings_of_rules(settings.rules)
    yield from findings_of_lease(settings.node_lease, settings.watchdog)
    yield from findings_of_origins(settings.origins, is_default=default, proxied=proxied)
    yield from findings_of_proxies(settings.trusted_proxies)


async def _tell_of_store(services: Services) -> list[Finding]:
    """Print what the store says, which has answered and whose layout is accepted."""
    started = time.monotonic()
    await services.clock.synchronise()
    print(f"store      answers in {(time.monotonic() - started) * 1000:.1f} ms")
    ahead = timedelta(seconds=services.clock.now() - time.time())
    print(f"durability {_durability(await services.durability())}")
    print(f"eviction   {await _eviction(services)}")
    print(f"keys       newest first: {', '.join(map(str, services.keyring.versions))}")
    findings = [*findings_of_clock(ahead), *await version_findings(services.store.client)]
    if unfit := await services.witness.compare():
        findings.append(finding_of_keys(unfit.versions, unfit.ring))
    return findings


def _tell_of_sentinels(services: Services, settings: Settings) -> list[Finding]:
    """Print what Sentinel says, if it leads to the store."""
    sentinels = services.store.sentinels
    if sentinels is None:
        return []
    print(f"sentinel   {summary(sentinels.answers, sentinels.service)}")
    return findings_of_sentinels(sentinels.answers, settings.termination_replicas)


async def _tell_of_cluster(services: Services, settings: Settings) -> list[Finding]:
    """Print where the masters of a cluster are, if the store is one."""
    cluster = services.store.cluster
    if cluster is None:
        return []
    masters = cluster.map.masters()
    told = f"{counted(len(masters), 'master')}: {', '.join(map(str, masters))}"
    print(f"cluster    {told}; {counted(services.store.shards, 'shard')}")
    replicas = dict(zip(masters, await replicas_of_masters(services.store.client), strict=True))
    return findings_of_replicas(replicas, settings.termination_replicas)


def _tell_of_settings(settings: Settings) -> None:
    print(f"origins    {', '.join(sorted(settings.origins))}")
    print(f"tls        {_tls(settings)}")
    print(f"data       {settings.data_dir}")


async def _compare(services: Services) -> None:
    """Compare keys and rules with what is in the store.

    Raises:
        CommandFailed: no server would start.
        ConfigurationError: likewise.
    """
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
    run=with_settings(examine),
)
