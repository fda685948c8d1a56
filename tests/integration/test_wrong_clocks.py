"""Processes whose wall clocks are wrong: sessions live and end by the store's."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.clients.client import Client, frame
from tests.support.clients.sockets import end_of
from tests.support.engine.keys import KEY, text_of
from tests.support.servers.server import CurfewServer

IDLE_SECONDS = 2.0
HOUR = 3600.0


def set_to(clocks: tuple[Path, Path], *seconds: float) -> None:
    """Make the servers' clocks wrong by so much, from now on."""
    for clock, skew in zip(clocks, seconds, strict=True):
        fresh = clock.with_suffix(".new")
        fresh.write_text(str(skew), "ascii")
        fresh.replace(clock)


@pytest.mark.proves("A98")
async def test_wall_clocks_that_differ_end_nothing_early_and_keep_nothing_late(
    store_url: str, tmp_path: Path
) -> None:
    """They are minutes apart, and then set back and forward by an hour while all of it runs."""
    clocks = tmp_path / "ahead", tmp_path / "behind"
    set_to(clocks, 300, -300)
    shared = {
        "script": Path(__file__).with_name("skewed_run.py"),
        "store_url": store_url,
        "secret_keys": text_of(KEY),
        "idle_timeout": f"{IDLE_SECONDS:.0f}s",
    }
    with (
        CurfewServer(**shared, skew=str(clocks[0])) as ahead,  # type: ignore[arg-type]  # all are texts
        CurfewServer(**shared, skew=str(clocks[1])) as behind,  # type: ignore[arg-type]  # likewise
    ):
        async with Client(ahead.url) as ann, Client(behind.url) as there:
            await ann.sign_up("ann")
            there.cookie = ann.cookie
            async with ann.open_socket() as here, there.open_socket() as other:
                for socket in (here, other):
                    hello = await frame(socket, "hello")
                    assert abs(hello["now"] - time.time()) < 1
                began = time.monotonic()
                while time.monotonic() < began + 1.5 * IDLE_SECONDS:
                    for client in (ann, there):
                        assert (await client.request("GET", "/api/session")).status_code == 200
                        await asyncio.sleep(0.1)  # a person reads
                    if time.monotonic() > began + IDLE_SECONDS / 2:
                        set_to(clocks, 300 - HOUR, -300 + HOUR)
                latest = time.monotonic()
                for end in await asyncio.gather(end_of(here), end_of(other)):
                    assert end.reason == "idle_timeout"
                    assert 0.7 * IDLE_SECONDS < time.monotonic() - latest < IDLE_SECONDS + 1.5
            for client in (ann, there):
                assert (await client.request("GET", "/api/session")).status_code == 401
            there.cookie = (await ann.sign_in("ann")).cookie
            assert (await there.request("GET", "/api/session")).status_code == 200
