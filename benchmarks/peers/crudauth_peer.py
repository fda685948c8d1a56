"""crudauth in FastAPI, with sessions in Redis. Usage: crudauth_peer.py PORT STORE_PORT.

Its users are in SQLite in memory, as it has to ask a database for the user of each request.
"""

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from crudauth import CRUDAuth, Principal, SessionTransport
from crudauth.models import AuthUserMixin
from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    """All tables."""


class User(Base, AuthUserMixin):
    """Who may sign in."""

    __tablename__ = "users"


port, store_port = sys.argv[1:]
engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
new_database_session = async_sessionmaker(engine, expire_on_commit=False)


async def database_session() -> AsyncIterator[AsyncSession]:
    """Yield the database session of a request."""
    async with new_database_session() as opened:
        yield opened


sessions = SessionTransport(max_sessions_per_user=100)
auth = CRUDAuth(
    session=database_session,
    user_model=User,
    SECRET_KEY=secrets.token_hex(32),
    redis_url=f"redis://127.0.0.1:{store_port}",
    transports=[sessions],
)


@asynccontextmanager
async def life(_application: FastAPI) -> AsyncIterator[None]:
    """Make the only user."""
    await auth.initialize()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with new_database_session() as opened:
        opened.add(User(id=1, username="alice", email="alice@example.com", hashed_password=""))
        await opened.commit()
    yield
    await auth.shutdown()


application = FastAPI(lifespan=life)


@application.get("/")
async def resource(
    request: Request,
    response: Response,
    me: Principal | None = Depends(auth.current_user(optional=True)),  # noqa: B008, FAST002 crudauth's way
) -> dict[str, str]:
    """`GET /`: the first request signs in."""
    if me is None:
        await sign_in(request, response)
        return {"user": "alice"}
    return {"user": me.user.username}


async def sign_in(request: Request, response: Response) -> None:
    """Begin alice's session, as `/login` does after it has checked the password."""
    async with new_database_session() as opened:
        alice = await opened.get(User, 1)
        await sessions.complete_login(request, response, alice, {})


uvicorn.run(application, port=int(port), log_level="error", loop="uvloop", http="httptools")
