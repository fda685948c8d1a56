"""Describes a user agent: which browser, on which device. Untrusted, so only its owner sees it."""

import functools
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ua_parser import Result, parse

from handlers.languages.texts import Language

_BROWSERS: Final = {
    "Mobile Safari": "Safari",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "HeadlessChrome": "Chrome",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
}
"""The names that people use for what the parser distinguishes."""
_IN_AN_APP: Final = frozenset({"Mobile Safari UI/WKWebView", "Chrome Mobile WebView"})
_SYSTEMS: Final = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
_PRODUCT: Final = re.compile(r"(?!Mozilla/)([A-Za-z][\w.+-]{0,39})/")
"""The first word of a program's user agent (RFC 9110 10.1.5). All browsers begin with `Mozilla`."""


class DeviceKind(StrEnum):
    """The kind of device, which decides the picture that stands for it."""

    COMPUTER = "computer"
    PHONE = "phone"
    TABLET = "tablet"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """What a user agent says.

    Attributes:
        browser: or program; empty if unknown.
        system: or device, such as «iPhone»; empty if unknown.
        kind: of device.
    """

    browser: str
    system: str
    kind: DeviceKind

    def label(self, language: Language) -> str:
        """Return what people read, such as «Safari on iPhone»."""
        browser = self.browser or language.text("device.unknown")
        if not self.system:
            return browser
        return language.text("device.on", browser=browser, system=self.system)


@functools.lru_cache(maxsize=1024)
def describe(user_agent: str) -> DeviceDescription:
    """Return what a user agent says about browser and device."""
    if program := _PRODUCT.match(user_agent):
        return DeviceDescription(program[1], "", DeviceKind.PROGRAM)
    result = parse(user_agent)
    return DeviceDescription(_browser(result), _system(result), _kind(result, user_agent))


def _browser(result: Result) -> str:
    family = result.user_agent.family if result.user_agent else ""
    return "" if family in _IN_AN_APP else _BROWSERS.get(family, family)


def _system(result: Result) -> str:
    family = result.os.family if result.os else ""
    if family == "iOS" and result.device:
        return result.device.family
    return _SYSTEMS.get(family, family)


def _kind(result: Result, user_agent: str) -> DeviceKind:
    system = _system(result)
    if system == "iPad" or "Tablet" in user_agent:
        return DeviceKind.TABLET
    if system == "Android":
        return DeviceKind.PHONE if "Mobile" in user_agent else DeviceKind.TABLET
    return (
        DeviceKind.PHONE
        if system in {"iPhone", "iPod"} or "Mobile" in user_agent
        else DeviceKind.COMPUTER
    )
