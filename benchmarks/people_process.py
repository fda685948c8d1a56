"""Carries out what `benchmarks.people` asks for: one line of JSON in, one line out.

It uses Curfew's services as Curfew's commands do, with the settings of the server's environment.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis

from benchmarks.people import COOKIE
from handlers.http.cookie import SessionCookie
from server.core.reasons import Reason
from server.core.session import Device
from server.core.token import csrf_token
from server.services import Services, open_services
from server.sessions.verdicts import LiveSession
from server.store.names import ShardNames
from settings import load_settings

AT_ONCE: Final = 32
DEVICE: Final = Device(
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "127.0.0.1"
)
COPY: Final = """
local value, lives = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
for number = ARGV[3], ARGV[4] do
  local sid = string.sub(ARGV[5], 1, -9) .. string.format('%08d', number)
  redis.call('SET', ARGV[1] .. sid, value, 'PX', lives)
  redis.call('ZADD', ARGV[2] .. number, ARGV[6], sid)
  redis.call('PEXPIRE', ARGV[2] .. number, lives)
end
"""
"""Copies a record and its index entry. A copy does not open, but takes the same place."""
COPIED_AT_ONCE: Final = 2_000


class Work:
    """What can be asked for.

    Args:
        services: Curfew's.
        cookie: writes cookies as the server does.
    """

    def __init__(self, services: Services, cookie: SessionCookie) -> None:
        self._services = services
        self._cookie = cookie
        self._made = 0

    async def sign_in(self, count: int, sessions_each: int) -> list[tuple[str, str, str]]:
        """Create sessions; return the id, the cookie and the CSRF token of each."""
        places = asyncio.Semaphore(AT_ONCE)
        users = [f"person{self._made + number // sessions_each}" for number in range(count)]
        self._made += count

        async def one(user: str) -> tuple[str, str, str]:
            async with places:
                epochs = await self._services.sessions.epochs(user)
                live = await self._services.sessions.sign_in(user, epochs, DEVICE, None)
            assert isinstance(live, LiveSession)  # noqa: S101 nobody ends sessions meanwhile
            session = live.session
            return session.sid, self._cookie.encode(str(live.token)), csrf_token(session.seed)

        return await asyncio.gather(*map(one, users))

    async def load(self, sids: Sequence[str]) -> list[float]:
        """Load sessions one after another; return how long each took."""
        taken = []
        for sid in sids:
            began = time.perf_counter()
            await self._services.sessions.current(sid)
            taken.append(time.perf_counter() - began)
        return taken

    async def fill(self, url: str, sid: str, count: int) -> None:
        """Fill a store with copies of a session."""
        names, expires_at = ShardNames.of_session(sid), f"{time.time() + 1800:.3f}"
        async with Redis.from_url(url) as client:
            for first in range(0, count, COPIED_AT_ONCE):
                last = min(count, first + COPIED_AT_ONCE) - 1
                args = [names.session(""), names.index("person"), first, last, sid, expires_at]
                await client.eval(COPY, 1, names.session(sid), *map(str, args))

    async def end_everything(self) -> float:
        """End all sessions; return when this began."""
        began = time.perf_counter()
        await self._services.terminations.everything(Reason.ADMIN)
        return began


async def main() -> None:
    """Do what is asked for until nobody asks any more."""
    logging.basicConfig(level=logging.ERROR)  # a busy store is no news here
    settings = load_settings()
    loop = asyncio.get_running_loop()
    async with open_services(settings, serves=False) as services:
        keys = services.keyring.derive("session cookie")
        work = Work(services, SessionCookie(COOKIE, keys, timedelta(days=1), secure=True))
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            name, *arguments = json.loads(line)
            done: Any = await getattr(work, name)(*arguments)
            print(json.dumps(done), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
