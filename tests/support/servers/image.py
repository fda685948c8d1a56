"""What the Containerfile says, read without building it."""

import json
import re
from typing import Final

from tests.support.servers.server import ROOT

CONTAINERFILE: Final = ROOT / "examples" / "deploy" / "container" / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the image's last stage, with continued lines joined."""
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    return [
        (name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines[last:])
    ]


def instruction(name: str) -> str:
    """Return the argument of the only instruction of this name."""
    (found,) = [rest for each, rest in instructions() if each == name]
    return found


def entrypoint() -> list[str]:
    """Return the words that start the server."""
    words: list[str] = json.loads(instruction("ENTRYPOINT"))
    return words


def health_check() -> list[str]:
    """Return the words that ask whether it lives."""
    words: list[str] = json.loads(instruction("HEALTHCHECK").partition(" CMD ")[2])
    return words


def variables() -> dict[str, str]:
    """Return what the image sets in the environment."""
    return dict(re.findall(r"(\w+)=(\S+)", instruction("ENV")))
