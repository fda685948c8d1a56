"""aiohttp, bare or with aiohttp-session in Redis. Usage: … PORT STORE_PORT bare|session."""

import sys

import aiohttp_session
from aiohttp import web
from aiohttp_session.redis_storage import RedisStorage
from redis.asyncio import Redis


async def bare(_request: web.Request) -> web.Response:
    """`GET /` without a session."""
    return web.json_response({"user": "alice"})


async def with_session(request: web.Request) -> web.Response:
    """`GET /`: the first request signs in."""
    session = await aiohttp_session.get_session(request)
    if "user" not in session:
        session["user"] = "alice"
    return web.json_response({"user": session["user"]})


async def application(store_port: int, kind: str) -> web.Application:
    """Return the application."""
    made = web.Application()
    if kind == "session":
        storage = RedisStorage(Redis(port=store_port), max_age=3600)
        aiohttp_session.setup(made, storage)
    made.router.add_get("/", with_session if kind == "session" else bare)
    return made


port, store_port, kind = sys.argv[1:]
web.run_app(
    application(int(store_port), kind),
    host="127.0.0.1",
    port=int(port),
    access_log=None,
    print=None,
)
