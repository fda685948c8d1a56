"""A real Firefox: windows with cookie jars of their own, tabs, real clicks and keys."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browsers.bidi import Bidi, CommandFailed
from tests.support.running.processes import eventually

NAMES = ("firefox-esr", "firefox")
APPS = (Path("/Applications"), Path.home() / "Applications")
STOP_SECONDS = 20.0
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_ATTRIBUTES = """(selector) => {
  const found = document.querySelector(selector);
  return found && Object.fromEntries([...found.attributes].map(({ name, value }) => [name, value]));
}"""


class Tab:
    """One tab.

    Args:
        bidi: the session with the browser.
        context: the tab's name in it.
        url: of the server, without a path.
    """

    def __init__(self, bidi: Bidi, context: str, url: str) -> None:
        self._bidi = bidi
        self._context = context
        self._url = url

    def goto(self, path: str) -> None:
        """Load a page."""
        self._command("browsingContext.navigate", url=self._url + path, wait="complete")

    def back(self) -> None:
        """The back button."""
        self._command("browsingContext.traverseHistory", delta=-1)

    def show(self) -> None:
        """Bring it to the front: a page that nobody sees does not fetch what changed."""
        self._command("browsingContext.activate")
        eventually(lambda: self._asked("() => document.visibilityState", failed="") == "visible")

    def click(self, selector: str) -> None:
        """Click into the middle of an element, once it is there and can be clicked.

        A page that comes into view first asks the server, and takes no clicks meanwhile.
        """
        self.show()
        self.sees("html:not([data-unverified])")
        self.sees(selector)
        self.run("(selector) => document.querySelector(selector).scrollIntoView()", selector)
        (node,) = self._command(
            "browsingContext.locateNodes", locator={"type": "css", "value": selector}
        )["nodes"]
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        self._act(
            "pointer",
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        )

    def type(self, selector: str, text: str) -> None:
        """Click into a field, and type."""
        self.click(selector)
        kinds = ("keyDown", "keyUp")
        self._act("key", *({"type": kind, "value": each} for each in text for kind in kinds))

    def fill_in(self, username: str, password: str) -> None:
        """Fill in the form of the page that is open, and send it."""
        self.type("#username", username)
        self.type("#password", password)
        self.click("main form button")

    def sees(self, selector: str, **attributes: str) -> dict[str, str]:
        """Wait until an element is there and has these attributes, underscores for dashes.

        Returns:
            All its attributes.
        """
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        (found,) = eventually(lambda: self._found(selector, wanted))
        return found

    def sees_none(self, selector: str) -> None:
        """Wait until there is no such element."""
        eventually(lambda: self._asked(_ATTRIBUTES, selector, failed={}) is None)

    def arrives(self, path: str) -> None:
        """Wait until the tab shows an address that begins with this path."""
        there = self._url + path
        eventually(lambda: self._asked("() => location.href", failed="").startswith(there))

    def text(self) -> str:
        """What the page shows."""
        return str(self.run("() => document.body.innerText"))

    def run(self, function: str, *given: str) -> Any:
        """Call a function in the page, and return what it returns."""
        answer = self._bidi.command(
            "script.callFunction",
            functionDeclaration=f"(...given) => JSON.stringify(({function})(...given) ?? null)",
            arguments=[{"type": "string", "value": each} for each in given],
            target={"context": self._context},
            awaitPromise=False,
        )
        if answer["type"] != "success":
            raise CommandFailed(json.dumps(answer))
        return json.loads(answer["result"]["value"])

    def _found(self, selector: str, wanted: dict[str, str]) -> list[dict[str, str]]:
        found: dict[str, str] | None = self._asked(_ATTRIBUTES, selector, failed=None)
        return [found] if found is not None and wanted.items() <= found.items() else []

    def _asked(self, function: str, *given: str, failed: Any) -> Any:
        """As `run`; a page that is just being left cannot be asked."""
        try:
            return self.run(function, *given)
        except CommandFailed:
            return failed

    def _act(self, kind: str, *steps: dict[str, Any]) -> None:
        source = {"type": kind, "id": kind, "actions": steps}
        self._command("input.performActions", actions=[source])

    def _command(self, method: str, **params: Any) -> Any:
        return self._bidi.command(method, context=self._context, **params)


class Firefox:
    """A running Firefox.

    Args:
        bidi: the session with it.
    """

    def __init__(self, bidi: Bidi) -> None:
        self._bidi = bidi
        bidi.command("session.subscribe", events=["log.entryAdded"])

    def window(self) -> str:
        """A window without cookies, as on another device; its name."""
        return str(self._bidi.command("browser.createUserContext")["userContext"])

    def open(self, window: str, url: str) -> Tab:
        """A new tab of a window, for a server."""
        made = self._bidi.command("browsingContext.create", type="tab", userContext=window)
        return Tab(self._bidi, made["context"], url)

    def close(self, window: str) -> None:
        """Close a window with all its tabs."""
        self._bidi.command("browser.removeUserContext", userContext=window)

    def faults(self) -> list[str]:
        """Errors of scripts so far."""
        told = [event["params"] for event in self._bidi.events]
        return [each["text"] for each in told if each["level"] == "error"]


@contextmanager
def firefox() -> Iterator[Firefox]:
    """A Firefox with a profile of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="curfew-firefox-") as profile:
        command = [executable(), "--headless", "--no-remote", "--profile", profile]
        process = subprocess.Popen(
            [*command, "--remote-debugging-port", "0"], stderr=subprocess.PIPE, text=True
        )
        try:
            with Bidi(_address(process)) as bidi:
                yield Firefox(bidi)
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
            process.communicate()


def executable() -> str:
    """The Firefox of this machine; `install-browsers.sh` looks in the same places."""
    apps = [folder / "Firefox.app/Contents/MacOS/firefox" for folder in APPS]
    found = [path for name in NAMES if (path := shutil.which(name))]
    found += [str(app) for app in apps if app.exists()]
    assert found, "no Firefox: run tests/support/browsers/install-browsers.sh"
    return found[0]


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if match := _LISTENING.search(line):
            return match[1]
    raise AssertionError("Firefox ended before it listened")
