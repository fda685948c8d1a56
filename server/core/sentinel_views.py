"""What sentinels see, and whether that settles which server is the master.

Each sentinel has a view of its own. Behind a cut it may name a master that the others have long
replaced, and the client library believes whoever answers first. A promotion needs the votes of a
majority of the sentinels and gets a number that is higher than all before, the configuration epoch.
So the highest epoch counts, and a majority must be of its view: then no other master was promoted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.core.findings import Finding
from server.core.plurals import counted
from server.core.store_url import Place


@dataclass(frozen=True, slots=True)
class SentinelView:
    """What one sentinel sees of a service.

    Attributes:
        master: where it sends clients.
        epoch: the number of the promotion that made it the master; 0 for the first master.
        is_down: whether it does not reach the master.
        is_failing_over: whether it replaces the master, and has not found the new one to be one.
        sentinels: how many sentinels it knows, itself included.
        replicas: how many replicas it knows.
        quorum: how many sentinels must find the master down before it is replaced.
    """

    master: Place
    epoch: int
    is_down: bool = False
    is_failing_over: bool = False
    sentinels: int = 1
    replicas: int = 0
    quorum: int = 1


class SentinelFault(StrEnum):
    """Why there is no view of a sentinel, as the end of a sentence about it."""

    SILENT = "does not answer"
    LOGIN = "refuses the user and the password"
    RIGHTS = "does not let this user ask"
    NO_SENTINEL = "is no sentinel"
    UNKNOWN_SERVICE = "does not know this service"
    TLS = "failed in the TLS handshake"
    NO_NAME = "has a name that is not known"


_NEEDED = {
    SentinelFault.SILENT: "Start the sentinels, or correct the hosts in CURFEW_STORE_URL.",
    SentinelFault.LOGIN: "Correct sentinel_username and sentinel_password in CURFEW_STORE_URL; the "
    "password before the @ is the store's.",
    SentinelFault.RIGHTS: "Let that user run SENTINEL MASTER and SENTINEL GET-MASTER-ADDR-BY-NAME.",
    SentinelFault.NO_SENTINEL: "CURFEW_STORE_URL takes the sentinels, on port 26379 as a rule, and "
    "not the store; the store alone takes redis://.",
    SentinelFault.UNKNOWN_SERVICE: "Correct the service in CURFEW_STORE_URL: it is the name behind "
    "`sentinel monitor`.",
    SentinelFault.TLS: "Check its certificate, its port, and the files in CURFEW_STORE_URL.",
    SentinelFault.NO_NAME: "Correct the hosts in CURFEW_STORE_URL, or the resolver.",
}
_MAY_PASS = frozenset({SentinelFault.SILENT, SentinelFault.NO_NAME})
"""What a sentinel that has just been started may still mend."""

Answer = SentinelView | SentinelFault


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Why it is not settled which server is the master.

    Attributes:
        found: what was found.
        needed: what to do about it, as a sentence.
        is_for_ever: whether waiting cannot mend it.
    """

    found: str
    needed: str
    is_for_ever: bool = False


def majority(count: int) -> int:
    """Return how many of `count` sentinels no other majority can do without."""
    return count // 2 + 1


def settle(answers: Sequence[Answer | None], asked: int) -> SentinelView | None:
    """Return the view that settles which server is the master; None if none does.

    Args:
        answers: those that have come; None for one that is still awaited.
        asked: how many sentinels were asked.
    """
    views = [each for each in answers if isinstance(each, SentinelView)]
    newest = [each for each in views if each.epoch == max(view.epoch for view in views)]
    if any(each.is_failing_over for each in newest):
        return None
    agreeing = Counter(each.master for each in newest if not each.is_down)
    for place, count in agreeing.most_common(1):
        if count >= majority(asked):
            return next(each for each in newest if each.master == place and not each.is_down)
    return None


def explain(answers: Mapping[Place, Answer], service: str) -> Unsettled:
    """Return why `settle` found nothing.

    Args:
        answers: by sentinel; all of them have come.
        service: whose master was asked for.
    """
    needed = majority(len(answers))
    faults = {place: each for place, each in answers.items() if isinstance(each, SentinelFault)}
    if len(answers) - len(faults) < needed:
        return _explain_faults(faults, len(answers), service)
    views = [each for each in answers.values() if isinstance(each, SentinelView)]
    if any(each.is_failing_over for each in views):
        return Unsettled(f"the sentinels are replacing the master of {service}", "Wait for them.")
    if sum(each.is_down for each in views) > len(answers) - needed:
        places = ", ".join(sorted({str(each.master) for each in views}))
        return Unsettled(
            f"the sentinels do not reach the master of {service} at {places}",
            "Start it, or let them promote a replica of it.",
        )
    return Unsettled(
        f"no majority of the sentinels agrees about the master of {service}",
        "Let them reach each other, and the master.",
    )


def _explain_faults(faults: Mapping[Place, SentinelFault], asked: int, service: str) -> Unsettled:
    """Explain why fewer than a majority answered: by what a person must mend first."""
    lasting = [each for each in faults.values() if each not in _MAY_PASS]
    told = "; ".join(f"{place} {fault}" for place, fault in faults.items())
    first = lasting[0] if lasting else next(iter(faults.values()))
    return Unsettled(
        f"{counted(asked - len(faults), 'sentinel')} of {asked} told of the service {service!r}, "
        f"and {majority(asked)} must: {told}",
        _NEEDED[first],
        is_for_ever=len(lasting) > asked - majority(asked),
    )


def summary(answers: Mapping[Place, Answer], service: str) -> str:
    """Return in one line what the sentinels say, for `doctor`."""
    view = settle([*answers.values()], len(answers))
    views = sum(isinstance(each, SentinelView) for each in answers.values())
    told = f"{views} of {len(answers)} answer"
    if view is None:
        return f"{told}, and do not agree about the master of {service}"
    replicas = counted(view.replicas, "replica")
    return f"{told}: {view.master} is the master of {service}, with {replicas}"


def findings_of_sentinels(answers: Mapping[Place, Answer], replicas: int) -> list[Finding]:
    """Return what is wrong with a service whose master is known.

    Args:
        answers: by sentinel.
        replicas: how many replicas an end waits for.
    """
    url = "CURFEW_STORE_URL"
    found = [
        Finding(url, f"the sentinel {place} {fault}", "all sentinels that are named")
        for place, fault in answers.items()
        if isinstance(fault, SentinelFault)
    ]
    view = settle([*answers.values()], len(answers))
    if view is None:
        return found
    if view.sentinels > len(answers):
        named = f"it names {len(answers)} of {counted(view.sentinels, 'sentinel')}"
        more = "all of them: a majority of those that are named is believed"
        found.append(Finding(url, named, more))
    if view.replicas < max(1, replicas):
        has = f"the master has {counted(view.replicas, 'replica')}"
        waits = f", and each end waits for {replicas}" if replicas else ""
        needed = f"{counted(max(1, replicas), 'replica')}, or more"
        found.append(Finding("CURFEW_TERMINATION_REPLICAS", has + waits, needed))
    if not replicas:
        lost = "0, so an end that no replica has yet is lost when the master dies"
        found.append(Finding("CURFEW_TERMINATION_REPLICAS", lost, "1 or more"))
    return found
