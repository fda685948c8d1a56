"""The browser client: its own tests, its types, its size, and that its words are the server's."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from handlers.http.session import ACTIVITY_HEADER
from server.core import messages
from server.core.limits import RETRY_MS
from server.core.messages import CloseCode
from server.core.reasons import Reason
from tests.support.browsers.node import ROOT, package, run_node

SCRIPTS = ROOT / "static" / "js"
MODULE = ("protocol.js", "connection.js", "tabs.js", "presence.js", "fallback.js", "session.js")
"""What one takes who wants the client without our pages: decision 0020."""
MODULE_BYTES = 15_170
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$|\s// .*?$", re.DOTALL | re.MULTILINE)


def exports_of(script: Path) -> Any:
    """What a script exports, as far as it is data."""
    printed = run_node(
        "--input-type=module",
        "--eval",
        f"import * as words from '{script.as_uri()}'; console.log(JSON.stringify(words));",
    )
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


@pytest.fixture(scope="module")
def protocol() -> Any:
    """The words of the wire."""
    return exports_of(SCRIPTS / "protocol.js")


@pytest.fixture(scope="module")
def events() -> Any:
    """The names of frames and events."""
    return exports_of(SCRIPTS / "events.js")


def test_the_tests_of_the_scripts_pass() -> None:
    tests = [str(each) for each in sorted((ROOT / "tests/js").glob("*.test.mjs"))]
    ran = run_node("--test", "--test-timeout=30000", *tests)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 0" not in ran.stdout


@pytest.mark.parametrize("project", ["tsconfig.client.json", "tsconfig.json"])
def test_every_type_in_the_scripts_holds(project: str) -> None:
    compiler = package("typescript") / "bin" / "tsc"
    checked = run_node(str(compiler), "--project", f"tests/js/{project}")
    assert checked.returncode == 0, checked.stdout


def test_the_client_is_a_small_module_that_needs_no_other_file() -> None:
    sources = {name: (SCRIPTS / name).read_text(encoding="utf-8") for name in MODULE}
    code = {name: COMMENT.sub("", source) for name, source in sources.items()}
    imported = set(re.findall(r"^import .* from '\./(.*)';$", "".join(code.values()), re.MULTILINE))
    assert imported == set(MODULE) - {"session.js"}
    lines = [line for each in code.values() for line in each.splitlines() if line.strip()]
    assert sum(len(line) + 1 for line in lines) < MODULE_BYTES


def test_every_address_of_ours_is_below_the_base_path() -> None:
    texts = {each.name: COMMENT.sub("", each.read_text("utf-8")) for each in SCRIPTS.glob("*.js")}
    addresses = {
        (name, found)
        for name, text in texts.items()
        for found in re.findall(r"""[\w.:({ ]*['"`]/[a-z][\w/-]*""", text)
        if not re.search(r"""\bat\(['"`]|connectSession\(\{ url: ['"`]""", found)
    }
    assert addresses == set()


def test_the_subprotocol_is_the_servers(protocol: Any) -> None:
    assert protocol["SUBPROTOCOL"] == messages.SUBPROTOCOL


def test_the_close_codes_are_the_servers(protocol: Any) -> None:
    assert protocol["CLOSE"] == {code.name: code.value for code in CloseCode}


def test_the_words_that_a_client_must_know_are_the_servers(protocol: Any) -> None:
    assert protocol["RETRY"] == dict(zip(("min_ms", "max_ms"), RETRY_MS, strict=True))
    assert protocol["REASON"] == {
        each.name: each.value
        for each in (Reason.IDLE_TIMEOUT, Reason.ABSOLUTE_TIMEOUT, Reason.SUPERSEDED)
    }
    assert protocol["NO_ACTIVITY"] == {ACTIVITY_HEADER: "none"}


def test_the_frames_are_those_that_the_server_makes_and_reads(events: Any) -> None:
    made = {
        name
        for name, member in vars(messages).items()
        if callable(member) and getattr(member, "__annotations__", {}).get("return") is str
    }
    assert set(events["SERVER_FRAMES"]) == made - {"_frame"}
    read = {
        kind
        for kind in [*events["CLIENT_FRAMES"], *events["SERVER_FRAMES"]]
        if getattr(messages.read_frame(json.dumps({"type": kind})), "code", "") != "unknown_type"
    }
    assert read == set(events["CLIENT_FRAMES"])
