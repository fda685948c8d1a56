"""User agents in words: as people call their browsers and devices, whatever a client claims."""

import pytest

from handlers.http.devices import DeviceKind, describe
from handlers.languages.texts import ENGLISH, LANGUAGES

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT}"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {BLINK} Chrome/137.0.0.0"
LAST = "Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "words", "kind"),
    [
        (f"{IPHONE} Version/18.5 {LAST}", "Safari on iPhone", DeviceKind.PHONE),
        (f"{IPHONE} CriOS/137.0 {LAST}", "Chrome on iPhone", DeviceKind.PHONE),
        (f"{IPHONE} FxiOS/137.0 {LAST}", "Firefox on iPhone", DeviceKind.PHONE),
        (f"{IPHONE} EdgiOS/137.0 Version/18.0 {LAST}", "Edge on iPhone", DeviceKind.PHONE),
        (f"{IPHONE} Mobile/15E148", "Unknown browser on iPhone", DeviceKind.PHONE),
        (
            f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 {LAST}",
            "Safari on iPad",
            DeviceKind.TABLET,
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605.1",
            "Safari on macOS",
            DeviceKind.COMPUTER,
        ),
        (f"{ANDROID} Mobile Safari/537.36", "Chrome on Android", DeviceKind.PHONE),
        (f"{ANDROID} Safari/537.36", "Chrome on Android", DeviceKind.TABLET),
        (f"{ANDROID} Mobile Safari/537.36 EdgA/137.0", "Edge on Android", DeviceKind.PHONE),
        (
            "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
            "Firefox on Android",
            DeviceKind.PHONE,
        ),
        (
            "Mozilla/5.0 (Android 14; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0",
            "Firefox on Android",
            DeviceKind.TABLET,
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/137.0 Safari/537.36 Edg/137",
            "Edge on Windows",
            DeviceKind.COMPUTER,
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Ubuntu",
            DeviceKind.COMPUTER,
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Chrome/137.0.0.0 Safari/537.36",
            "Chrome on ChromeOS",
            DeviceKind.COMPUTER,
        ),
        (
            f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} HeadlessChrome/137.0.0.0 Safari/537.36",
            "Chrome on Linux",
            DeviceKind.COMPUTER,
        ),
        ("curl/8.5.0", "curl", DeviceKind.PROGRAM),
        ("python-httpx/0.28.1", "python-httpx", DeviceKind.PROGRAM),
        ("Python/3.11 websockets/15.0", "Python", DeviceKind.PROGRAM),
        ("", "Unknown browser", DeviceKind.COMPUTER),
        ("Mozilla/5.0", "Unknown browser", DeviceKind.COMPUTER),
        ("<script>alert(1)</script>", "Unknown browser", DeviceKind.COMPUTER),
        ("x" * 256 + "/1", "Unknown browser", DeviceKind.COMPUTER),
        ("\udce4" * 256, "Unknown browser", DeviceKind.COMPUTER),
    ],
)
def test_a_user_agent_is_told_in_words(user_agent: str, words: str, kind: DeviceKind) -> None:
    described = describe(user_agent)
    assert described.label(ENGLISH) == words
    assert described.kind is kind


def test_the_words_are_those_of_the_reader() -> None:
    german = LANGUAGES["de"]
    assert describe(f"{IPHONE} Version/18.5 {LAST}").label(german) == "Safari auf iPhone"
    assert describe("").label(german) == "Unbekannter Browser"
