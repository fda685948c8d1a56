"""Reads the metrics of servers over HTTP, as Prometheus does."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, build_opener

from prometheus_client.parser import text_string_to_metric_families

from server.core.samples import Series

TIMEOUT: Final = 3.0
"""Seconds. The parent itself waits a second for a worker that hangs."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """What the servers told.

    Attributes:
        samples: of all servers that answered.
        problems: why others did not, in words.
    """

    samples: Sequence[Series]
    problems: Sequence[str]


class Scraper:
    """Reads the metrics of some servers.

    Args:
        targets: where they are, each with what checks its certificate; None checks it as usual.
    """

    def __init__(self, targets: Sequence[tuple[str, ssl.SSLContext | None]]) -> None:
        self._targets = [(url, _opener(trust)) for url, trust in targets]

    async def read(self) -> Scraped:
        """Read all at the same time. Whoever does not answer is a problem in words."""
        reads = (asyncio.to_thread(_read, url, opener) for url, opener in self._targets)
        found = await asyncio.gather(*reads)
        return Scraped(
            [sample for each in found if not isinstance(each, str) for sample in each],
            [each for each in found if isinstance(each, str)],
        )


def _opener(trust: ssl.SSLContext | None) -> OpenerDirector:
    # No proxy of the environment: these are addresses of one's own network.
    return build_opener(ProxyHandler({}), HTTPHandler(), HTTPSHandler(context=trust))


def _read(url: str, opener: OpenerDirector) -> list[Series] | str:
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            return samples_of(answer.read().decode())
    except HTTPError as error:
        error.close()
        return f"no metrics from {url}: the answer was {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return f"no metrics from {url}: {words}"


def samples_of(text: str) -> list[Series]:
    """Return the samples in Prometheus' text format.

    Raises:
        ValueError: the text is in another format.
    """
    return [
        Series(each.name, each.labels, each.value)
        for family in text_string_to_metric_families(text)
        for each in family.samples
    ]


def trust_only(certificate: Path) -> ssl.SSLContext:
    """Return what trusts one certificate, under any name.

    It is for this machine's own server: its certificate may be self-made, and for a name that does
    not lead here.
    """
    context = ssl.create_default_context(cafile=str(certificate))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context
