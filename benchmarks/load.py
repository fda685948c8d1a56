"""HTTP load: `wrk`, or where it is missing a slower generator of our own, for the smoke."""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from benchmarks.processes import cpu_seconds
from benchmarks.running import NotMeasurable, Served

CONNECTIONS: Final = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """What the load asks for, again and again.

    Attributes:
        heads: header lines that differ from request to request, such as cookies.
        method: of all requests.
        bodies: each is sent with all heads before the next one is.
    """

    heads: Sequence[Mapping[str, str]]
    method: str = "GET"
    bodies: Sequence[str] = ("",)


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one program.

    Attributes:
        per_second: requests that were answered.
        cpu_us: CPU time of the program's processes for each.
    """

    per_second: float
    cpu_us: float


def speeds(taken: Sequence[Sample]) -> list[float]:
    """Return the requests per second of each round."""
    return [each.per_second for each in taken]


def costs(taken: Sequence[Sample]) -> list[float]:
    """Return the CPU time per request of each round, in us."""
    return [each.cpu_us for each in taken]


def ask(served: Served, asked: Asked, seconds: float) -> Sample:
    """Ask a program as fast as it answers, on 32 connections.

    Raises:
        NotMeasurable: an answer was no 2xx.
    """
    requests = [
        request(served.port, served.path, head, method=asked.method, body=body)
        for body in asked.bodies
        for head in asked.heads
    ]
    before = cpu_seconds(served.pids)
    send = _by_wrk if shutil.which("wrk") else _by_ourselves
    count, taken = send(served.port, requests, seconds)
    used = cpu_seconds(served.pids) - before
    return Sample(count / taken, used / count * 1e6)


def request(
    port: int, path: str, head: Mapping[str, str], *, method: str = "GET", body: str = ""
) -> str:
    """Return a request as it is sent."""
    lines = {"Host": f"127.0.0.1:{port}", **head}
    if body:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    named = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{named}\r\n{body}"


def _by_wrk(port: int, requests: Sequence[str], seconds: float) -> tuple[int, float]:
    with tempfile.TemporaryDirectory(prefix="curfew-wrk-") as folder:
        # JSON's strings are Lua's, as long as there is nothing beside ASCII in them.
        listed = ",\n".join(json.dumps(each) for each in requests)
        script = Path(folder) / "requests.lua"
        script.write_text(
            f"local requests, n = {{{listed}}}, 0\n"
            "request = function() n = n % #requests + 1; return requests[n] end\n"
            "done = function(s) print(string.format('counted %d %d', s.requests, s.duration)) end",
            encoding="ascii",
        )
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
        done = subprocess.run(
            [*command, "-s", script, f"http://127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            check=False,
        )
    counted = re.search(r"counted (\d+) (\d+)", done.stdout)
    if counted is None or counted[1] == "0" or "Non-2xx" in done.stdout:
        raise NotMeasurable(f"wrk says:\n{done.stdout}{done.stderr}")
    return int(counted[1]), int(counted[2]) / 1e6


def _by_ourselves(port: int, requests: Sequence[str], seconds: float) -> tuple[int, float]:
    return asyncio.run(_ask_by_ourselves(port, requests, seconds))


async def _ask_by_ourselves(
    port: int, requests: Sequence[str], seconds: float
) -> tuple[int, float]:
    texts, began = cycle(each.encode() for each in requests), time.perf_counter()

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while not count or time.perf_counter() < began + seconds:
            writer.write(next(texts))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            if length is None or not head.startswith(b"HTTP/1.1 2"):
                raise NotMeasurable(f"The answer is {head!r}.")
            await reader.readexactly(int(length[1]))
            count += 1
        writer.close()
        return count

    count = sum(await asyncio.gather(*(one() for _ in range(CONNECTIONS))))
    return count, time.perf_counter() - began
