"""Receipts in words, on all pages that end sessions: what ended, what is known, what is not."""

import math
from datetime import timedelta

from handlers.languages.texts import Language
from handlers.pages.base import PageHandler
from server.core.receipt import Durability, Receipt, State


def receipt_notice(page: PageHandler, receipt: Receipt) -> list[str]:
    """Return what a page says about the sessions that were ended: the plain words come first.

    Args:
        page: the handler of the request, in whose language the sentences are.
        receipt: of the end.
    """
    details = describe_receipt(page.language, receipt, page.application.configuration.node_lease)
    return [*plain_words(page.language, receipt), *details]


def plain_words(language: Language, receipt: Receipt) -> list[str]:
    """Return what an end means to the person who asked for it; nothing if nothing was to end.

    Args:
        language: of the sentence.
        receipt: of the end. A server that has stopped by itself serves nothing more, so an end
            that is bounded is as true as one that is complete.
    """
    if not receipt.sessions:
        return []
    key = "receipt.under_way" if receipt.state is State.PENDING else "receipt.done"
    return [language.text(key, count=receipt.sessions)]


def others_notice(page: PageHandler, receipt: Receipt | None) -> list[str]:
    """Return what a page says about other sessions that a change ended; nothing if there were none.

    Args:
        page: the handler of the request.
        receipt: of the other sessions; None if they were kept.
    """
    return receipt_notice(page, receipt) if receipt and receipt.sessions else []


def describe_receipt(language: Language, receipt: Receipt, lease: timedelta) -> list[str]:
    """Return the sentences on an end: first what happened, then what is not known about it.

    Args:
        language: of the sentences.
        receipt: of the end.
        lease: after which a server that confirmed nothing has stopped by itself.
    """
    if not receipt.sessions:
        return [language.text("receipt.nothing")]
    cautions = [_unconfirmed(language, receipt, lease), _not_durable(language, receipt)]
    return [_what_ended(language, receipt), *filter(None, cautions)]


def _what_ended(language: Language, receipt: Receipt) -> str:
    if receipt.state is State.COMPLETE:
        key = "receipt.closed" if receipt.sockets_closed else "receipt.no_tabs"
    else:
        key = "receipt.closed_so_far" if receipt.sockets_closed else "receipt.no_tabs_so_far"
    return language.text(
        key,
        sessions=language.text("receipt.sessions", count=receipt.sessions),
        tabs=language.text("receipt.tabs", count=receipt.sockets_closed),
        servers=language.text("receipt.servers", count=receipt.nodes.acked),
        ms=max(1, round(receipt.elapsed_ms)),
    )


def _unconfirmed(language: Language, receipt: Receipt, lease: timedelta) -> str:
    nodes = receipt.nodes
    if nodes.waiting:
        seconds = language.text("receipt.seconds", count=math.ceil(lease.total_seconds()))
        return language.text("receipt.waiting", count=nodes.waiting, seconds=seconds)
    if nodes.lease_expired:
        return language.text("receipt.bounded", count=nodes.lease_expired)
    return ""


def _not_durable(language: Language, receipt: Receipt) -> str:
    """Return a warning if a crash of the store right now could bring the sessions back."""
    if receipt.state is State.PENDING and not receipt.nodes.waiting:
        return language.text("receipt.replicas_missing")
    if receipt.durability is Durability.UNKNOWN:
        return language.text("receipt.unknown")
    return language.text("receipt.memory") if receipt.durability is Durability.MEMORY else ""
