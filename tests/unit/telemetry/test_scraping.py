"""Metrics are read over HTTP; whoever does not answer is a problem in words."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

import pytest

from server.core.samples import Samples
from server.crypto.certificate import ensure_certificate
from server.telemetry.scraping import Scraper, samples_of, trust_only
from tests.support.running.ports import free_port

TEXT: Final = 'curfew_machine_n{node="all"} 3.0\n'
ANSWERS: Final = {"/metrics": (200, TEXT), "/missing": (404, ""), "/page": (200, "<p>no {")}


class Handler(BaseHTTPRequestHandler):
    """Answers what is in the table."""

    def do_GET(self) -> None:
        """Answer."""
        status, text = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's word
        """Write nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where it answers."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_servers_that_answer_are_read_and_others_are_told_of(url: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/metrics"
    urls = [f"{url}{path}" for path in ANSWERS]
    found = await Scraper([(each, None) for each in (*urls, nobody)]).read()
    assert Samples(found.samples).total("n") == 3
    assert found.problems[0] == f"no metrics from {url}/missing: the answer was 404"
    assert found.problems[1].startswith(f"no metrics from {url}/page: ")
    assert found.problems[2] == f"no metrics from {nobody}: Connection refused"


def test_what_is_no_text_of_metrics_is_refused() -> None:
    with pytest.raises(ValueError, match="could not"):
        samples_of("<p>no {")


async def test_ones_own_certificate_is_trusted_under_any_name(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    ensure_certificate(certificate, key, frozenset({"curfew.example"}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = f"https://127.0.0.1:{server.server_port}/metrics"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found = await Scraper([(url, trust_only(certificate)), (url, None)]).read()
        server.shutdown()
        thread.join()
    assert Samples(found.samples).total("n") == 3
    assert [each for each in found.problems if "certificate" in each] == found.problems != []
