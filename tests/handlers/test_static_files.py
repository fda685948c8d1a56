"""The static files: kept by browsers where that is right, and nothing outside their folder."""

import json
import logging

import pytest

from handlers.pages.static_files import StaticFiles
from server.telemetry.log_format import JsonFormatter
from tests.support.clients.browser import Browser

STYLE = "/static/css/curfew.css"


@pytest.mark.gen_test
async def test_a_file_is_asked_after_each_time_unless_its_address_names_its_version(
    browser: Browser,
) -> None:
    plain = await browser.send("GET", STYLE)
    assert plain.code == 200
    assert plain.headers["Cache-Control"] == "no-cache"
    page = (await browser.send("GET", "/")).body.decode()
    versioned = page.partition(f'href="{STYLE}?v=')[2].partition('"')[0]
    kept = await browser.send("GET", f"{STYLE}?v={versioned}")
    assert "max-age=3" in kept.headers["Cache-Control"]
    again = await browser.send("GET", STYLE, If_None_Match=plain.headers["Etag"])
    assert (again.code, again.body) == (304, b"")
    for answer in (plain, kept, again):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "Curfew"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("nowhere.js", 404),
        ("", 403),
        ("js", 403),
        ("%00", 404),
        ("css/curfew.css%00.png", 404),
        ("%ff", 400),
        ("css/curfew.css?v=%ff", 400),
        ("../settings.py", 403),
        ("..%2fsettings.py", 403),
        ("%2e%2e/%2e%2e/etc/passwd", 403),
        ("/etc/passwd", 403),
        ("%2fetc%2fpasswd", 403),
        ("a" * 5000, 404),
        ("..\\settings.py", 404),
    ],
)
async def test_anything_else_is_refused_in_words(browser: Browser, name: str, status: int) -> None:
    refused = await browser.send("GET", f"/static/{name}")
    assert refused.code == status
    assert refused.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.body.endswith(b".\n")
    assert b"Traceback" not in refused.body


@pytest.mark.gen_test
async def test_files_are_only_read(browser: Browser) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
        refused = await browser.send(method, STYLE)
        assert (refused.code, refused.headers["Allow"]) == (405, "GET, HEAD")
    head = await browser.send("HEAD", STYLE)
    assert (head.code, head.body) == (200, b"")


@pytest.mark.gen_test
@pytest.mark.proves("14.2.1")
async def test_the_query_of_a_refused_address_is_logged_nowhere(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refused = await browser.send("GET", "/static/..%2fsettings.py?token=a-secret-by-mistake")
    assert refused.code == 403
    told = [vars(record) for record in caplog.records]
    assert "settings.py" in str(told)
    assert "by-mistake" not in str(told)


class Lines(logging.Handler):
    """Keeps what is logged, as a program reads it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(JsonFormatter())
        self.read: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.read.append(json.loads(self.format(record)))


@pytest.mark.gen_test
async def test_the_line_of_a_failure_names_its_request(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: StaticFiles) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(StaticFiles, "get_content_size", fail)
    logger, lines = logging.getLogger("curfew.http"), Lines()
    logger.addHandler(lines)
    try:
        failed = await browser.send("GET", STYLE)
    finally:
        logger.removeHandler(lines)
    assert failed.code == 500
    assert [each.get("request_id") for each in lines.read] == [failed.headers["X-Request-ID"]]
