"""The browser client: its own tests, and that its words are those of the server."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.core import messages
from server.core.messages import CloseCode

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "static/js/protocol.js").as_uri()


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Node in the project's folder."""
    return subprocess.run(
        ["node", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def protocol() -> Any:
    """What `protocol.js` exports, as far as it is data."""
    printed = node(
        "--input-type=module",
        "--eval",
        f"import * as protocol from '{PROTOCOL}'; console.log(JSON.stringify(protocol));",
    )
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def test_the_tests_of_the_scripts_pass() -> None:
    tests = [str(each) for each in sorted((ROOT / "tests/js").glob("*.test.mjs"))]
    ran = node("--test", *tests)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 0" not in ran.stdout


def test_the_subprotocol_is_the_servers(protocol: Any) -> None:
    assert protocol["SUBPROTOCOL"] == messages.SUBPROTOCOL


def test_the_close_codes_are_the_servers(protocol: Any) -> None:
    assert protocol["CLOSE"] == {code.name: code.value for code in CloseCode}


def test_the_frames_are_those_that_the_server_makes_and_reads(protocol: Any) -> None:
    made = {
        name
        for name, member in vars(messages).items()
        if callable(member) and getattr(member, "__annotations__", {}).get("return") is str
    }
    assert set(protocol["SERVER_FRAMES"]) == made - {"_frame"}
    read = {
        kind
        for kind in [*protocol["CLIENT_FRAMES"], *protocol["SERVER_FRAMES"]]
        if getattr(messages.read_frame(json.dumps({"type": kind})), "code", "") != "unknown_type"
    }
    assert read == set(protocol["CLIENT_FRAMES"])
