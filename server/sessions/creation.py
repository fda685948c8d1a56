"""Creates session records and writes them to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.durations import whole_milliseconds
from server.core.errors import VisitorsFull
from server.core.reasons import Reason
from server.core.session import Device, Json, Session
from server.core.token import SEED_BYTES, issue_token, make_sid
from server.sessions.observing import SessionObserver
from server.sessions.verdicts import LiveSession
from server.store.contract import Created, Epochs, NoRoom, SessionStore, eviction_id

SID_RANDOM_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class SignInInterrupted:
    """All sessions of the user were ended during this sign-in."""


class SessionCreation:
    """Creates sessions, each with a new id and a first token.

    Args:
        store: the session store.
        context: this node's id, clocks, randomness, counters and audit trail.

    Attributes:
        observer: is told of each session; None if nobody is.
    """

    def __init__(self, store: SessionStore, context: NodeContext) -> None:
        self._store = store
        self._context = context
        self.observer: SessionObserver | None = None

    def new_session(
        self, shard: int, epochs: Epochs, device: Device, data: Mapping[str, Json]
    ) -> Session:
        """Return the record of a new anonymous session. Nothing is written."""
        now = whole_milliseconds(self._context.now())
        return Session(
            sid=make_sid(shard, self._context.random(SID_RANDOM_BYTES)),
            user=None,
            seed=self._context.random(SEED_BYTES),
            created_at=now,
            authenticated_at=None,
            last_active_at=now,
            current_since=now,
            epoch=epochs.shard,
            device=device,
            data=data,
        )

    async def write(self, session: Session, epochs: Epochs) -> LiveSession | SignInInterrupted:
        """Write a new session to the store.

        Args:
            session: the record.
            epochs: the epochs that were read before the credentials were checked.

        Raises:
            StoreUnavailable: the session may exist, but nobody has its token.
            VisitorsFull: it has no user, and there is no room for another one of these.
        """
        if self.observer is not None:
            await self.observer.about_to_begin(session)
        operation = self._context.new_id()
        created = await self._store.create(
            session, operation=operation, user_epoch=epochs.user, initiator=self._context.node
        )
        if self.observer is not None:
            await self._tell(self.observer, session, is_begun=isinstance(created, Created))
        if isinstance(created, NoRoom):
            raise VisitorsFull(created.wait)
        if not isinstance(created, Created):
            return SignInInterrupted()
        self._record(session, operation, created.evicted)
        token = issue_token(session.sid, session.seed, session.generation)
        return LiveSession(created.stored, token, session.generation)

    async def _tell(self, observer: SessionObserver, session: Session, *, is_begun: bool) -> None:
        if is_begun:
            observer.begun(session)
        else:
            await observer.not_begun(session)

    def _record(self, session: Session, operation: str, evicted: Sequence[str]) -> None:
        if session.user is None:
            return
        self._context.record(AuditEvent.SESSION_CREATED, user=session.user, sid=session.sid)
        for sid in evicted:
            self._context.counts.ended(Reason.SESSION_LIMIT)
            self._context.record(
                AuditEvent.SESSION_ENDED,
                user=session.user,
                sid=sid,
                reason=Reason.SESSION_LIMIT.value,
                end=eviction_id(operation),
            )
