"""Starlette by uvicorn, bare or with starsessions in Redis. Usage: … PORT STORE_PORT bare|session.

uvicorn runs as it does at its fastest: on uvloop, with httptools, without a log.
"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.stores.redis import RedisStore


async def bare(_request: Request) -> JSONResponse:
    """`GET /` without a session."""
    return JSONResponse({"user": "alice"})


async def with_session(request: Request) -> JSONResponse:
    """`GET /`: the first request signs in."""
    if "user" not in request.session:
        request.session["user"] = "alice"
    return JSONResponse({"user": request.session["user"]})


def application(store_port: str, kind: str) -> Starlette:
    """Return the application."""
    if kind == "bare":
        return Starlette(routes=[Route("/", bare)])
    sessions = Middleware(
        SessionMiddleware,
        store=RedisStore(f"redis://127.0.0.1:{store_port}"),
        rolling=True,
        lifetime=3600,
        cookie_https_only=False,
    )
    return Starlette(
        routes=[Route("/", with_session)],
        middleware=[sessions, Middleware(SessionAutoloadMiddleware)],
    )


port, store_port, kind = sys.argv[1:]
uvicorn.run(
    application(store_port, kind),
    port=int(port),
    log_level="error",
    loop="uvloop",
    http="httptools",
)
