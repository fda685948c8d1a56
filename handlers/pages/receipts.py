"""A receipt in words: what ended, what is known of it, and what is not."""

import math
from datetime import timedelta

from handlers.languages.texts import Language
from handlers.pages.base import PageHandler
from server.core.receipt import Durability, Receipt, State


def receipt_notice(page: PageHandler, receipt: Receipt) -> list[str]:
    """Return what a page says of an end."""
    return describe_receipt(page.language, receipt, page.application.configuration.node_lease)


def describe_receipt(language: Language, receipt: Receipt, lease: timedelta) -> list[str]:
    """Return what a person is told of an end: what happened first, then what is not known of it.

    Args:
        language: to tell it in.
        receipt: of the end.
        lease: after which a server that confirms nothing has stopped by itself.
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
    """Only where a crash of the store at this very moment could bring the sessions back."""
    if receipt.state is State.PENDING and not receipt.nodes.waiting:
        return language.text("receipt.replicas_missing")
    return language.text("receipt.memory") if receipt.durability is Durability.MEMORY else ""
