"""SessionManager: the life of sessions, as handlers ask for it.

What is expected comes back as a value: `LiveSession`, `NoSession` or `TokenRefused`.
`StoreUnavailable` passes through: unknown is not ended (P5).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

from server.core import policy
from server.core.audit import AuditEvent, Record
from server.core.changes import merge, with_data
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import NoSession, Reason
from server.core.session import (
    Device,
    Json,
    Rules,
    Session,
)
from server.core.token import SEED_BYTES, Token, issue_token, make_sid
from server.sessions.verdicts import LiveSession, TokenRefused, Verdicts
from server.store.contract import (
    Created,
    Epochs,
    ListedSession,
    SessionStore,
    Stored,
    eviction_id,
)

SID_RANDOM_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class SignInInterrupted:
    """All sessions of the user were ended while this sign-in was under way."""


class SessionManager:
    """The life of sessions, from creation to the last write. Ends with a receipt: `Terminations`.

    Args:
        store: where sessions are.
        rules: the durations in force.
        now: the store's clock, in Unix seconds.
        random: cryptographically strong random bytes, as many as asked for.
        node: this node's id.
        ended: told of every end that has no receipt.
        record: told what is worth looking into.
    """

    def __init__(
        self,
        store: SessionStore,
        rules: Rules,
        now: Callable[[], float],
        random: Callable[[int], bytes],
        node: str,
        ended: Callable[[Reason], object],
        record: Record,
    ) -> None:
        self._store = store
        self._now = now
        self._random = random
        self._node = node
        self._ended = ended
        self._record = record
        self._verdicts = Verdicts(store, rules, now, self._new_id, node, ended, record)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.rules = rules

    async def check(
        self, token: Token, *, may_rotate: bool = True, is_activity: bool = True
    ) -> LiveSession | NoSession | TokenRefused:
        """Judge a presented token by the policy, and carry the verdict out.

        Args:
            token: from a cookie whose signature was right.
            may_rotate: whether the reply can carry a new cookie.
            is_activity: whether a person is behind it.

        Raises:
            StoreUnavailable: nothing is known; neither sign out nor let in.
            WriteConflict: the verdict could not be written in a bounded number of tries.
        """
        found = await self._verdicts.apply(
            token.sid,
            lambda session: policy.evaluate(
                session,
                token,
                self._now(),
                self.rules,
                may_rotate=may_rotate,
                is_activity=is_activity,
            ),
        )
        return (
            replace(found, presented=token.generation) if isinstance(found, LiveSession) else found
        )

    async def current(self, sid: str) -> Session | NoSession:
        """The session without a token, for those who hold its socket; ended first if past time."""
        found = await self._verdicts.apply(
            sid, lambda session: policy.current(session, self._now(), self.rules)
        )
        return found.session if isinstance(found, LiveSession) else _no_session(found)

    async def touch(self, sid: str) -> Session | NoSession:
        """Record that a person did something on an open socket."""
        found = await self._verdicts.apply(
            sid, lambda session: policy.touch(session, self._now(), self.rules)
        )
        return found.session if isinstance(found, LiveSession) else _no_session(found)

    async def rotate(self, live: LiveSession) -> LiveSession | NoSession:
        """Hand out the next token on request; to a previous token, as ever, none."""

        def judge(session: Session) -> Accept:
            if live.presented < session.generation:
                return Accept(session)
            return policy.rotate(session, self._now(), self.rules)

        return await self._accepted(live, judge)

    async def elevate(
        self, live: LiveSession, *, two_factors: bool = False
    ) -> LiveSession | NoSession:
        """Record that the person was just proved; the token changes at once, without grace.

        Not under a token that another change of privilege has overtaken meanwhile: somebody with
        an old copy and the former password must not overtake the owner.
        """
        return await self._changed_at_once(live, partial(policy.elevate, two_factors=two_factors))

    async def renew(self, live: LiveSession, *, two_factors: bool) -> LiveSession | NoSession:
        """Change the token as `elevate` does, when nothing was proved: no window is opened."""
        return await self._changed_at_once(live, partial(policy.renew, two_factors=two_factors))

    async def write(
        self, live: LiveSession, changes: Mapping[str, Json]
    ) -> LiveSession | NoSession:
        """Merge top-level keys into the session's data; None removes a key.

        Raises:
            DataRefused: too large, or not JSON; nothing was written.
            WriteConflict: other writers kept winning; nothing was written.
        """
        async with self._turn(live.session.sid):
            return await self._accepted(
                live, lambda session: with_data(session, merge(session.data, changes))
            )

    async def epochs(self, user: str) -> Epochs:
        """What `sign_in` must be given; read before the credentials are checked."""
        return await self._store.epochs(self._store.shard_of(user), user)

    async def sign_in(
        self,
        user: str,
        epochs: Epochs,
        device: Device,
        previous: LiveSession | None,
        *,
        two_factors: bool = False,
    ) -> LiveSession | SignInInterrupted:
        """Make a new session for a user whose credentials were right; never keeps an id.

        Args:
            user: canonical name.
            epochs: read before the credentials were checked.
            device: what the browser says of itself.
            previous: the session of this browser, which ends as `superseded`. An anonymous one's
                data is carried over.
            two_factors: whether the credentials were two factors, or a passkey.
        """
        carried = await self._data_to_carry_over(previous)
        now = self._now()
        session = replace(
            self._new_session(self._store.shard_of(user), epochs, device, carried),
            user=user,
            authenticated_at=now,
            two_factors=two_factors,
        )
        created = await self._create(session, epochs)
        if isinstance(created, LiveSession) and previous is not None:
            await self._verdicts.end(previous.session, Reason.SUPERSEDED)
        return created

    async def _data_to_carry_over(self, previous: LiveSession | None) -> Mapping[str, Json]:
        """An anonymous visitor's data as it is now: the password may have taken a while."""
        if previous is None or previous.session.user is not None:
            return {}
        found = await self._store.load(previous.session.sid)
        return found.session.data if isinstance(found, Stored) else {}

    async def begin_anonymous(
        self, device: Device, data: Mapping[str, Json]
    ) -> LiveSession | SignInInterrupted:
        """Make a session for a visitor who has something to keep.

        Raises:
            DataRefused: too large, or not JSON; nothing was made.
        """
        shard = int.from_bytes(self._random(2)) % self._store.shards
        epochs = await self._store.epochs(shard, None)
        empty = self._new_session(shard, epochs, device, {})
        return await self._create(with_data(empty, merge({}, data)).session, epochs)

    async def sessions_of(self, user: str) -> Sequence[ListedSession]:
        """The user's live sessions, the most recently used first."""
        listed = await self._store.list_user(user)
        return sorted(listed, key=lambda each: each.session.last_active_at, reverse=True)

    async def count_by_one_factor(self, user: str) -> None:
        """Let none of the user's sessions count as proved by two: the account has no second one."""
        for listed in await self._store.list_user(user):
            await self._verdicts.apply(listed.session.sid, policy.by_one_factor)

    async def users(self) -> Sequence[str]:
        """Everybody who may have a live session. Looks through the whole store: for operators."""
        return await self._store.users()

    def _new_session(
        self, shard: int, epochs: Epochs, device: Device, data: Mapping[str, Json]
    ) -> Session:
        now = self._now()
        return Session(
            sid=make_sid(shard, self._random(SID_RANDOM_BYTES)),
            user=None,
            seed=self._random(SEED_BYTES),
            created_at=now,
            authenticated_at=None,
            last_active_at=now,
            current_since=now,
            epoch=epochs.shard,
            device=device,
            data=data,
        )

    async def _create(self, session: Session, epochs: Epochs) -> LiveSession | SignInInterrupted:
        operation = self._new_id()
        created = await self._store.create(
            session, operation=operation, user_epoch=epochs.user, initiator=self._node
        )
        if isinstance(created, Created):
            self._tell_created(session, operation, created.evicted)
            token = issue_token(session.sid, session.seed, session.generation)
            return LiveSession(created.stored, token, session.generation)
        return SignInInterrupted()

    def _tell_created(self, session: Session, operation: str, evicted: Sequence[str]) -> None:
        if session.user is None:
            return
        self._record(AuditEvent.SESSION_CREATED, user=session.user, sid=session.sid)
        for sid in evicted:
            self._ended(Reason.SESSION_LIMIT)
            self._record(
                AuditEvent.SESSION_ENDED,
                user=session.user,
                sid=sid,
                reason=Reason.SESSION_LIMIT.value,
                end=eviction_id(operation),
            )

    async def _changed_at_once(
        self, live: LiveSession, change: Callable[[Session, float], Accept]
    ) -> LiveSession | NoSession:
        def judge(session: Session) -> Verdict:
            if live.presented < session.refused_below:
                return Refuse(Refusal.OVERTAKEN)
            return change(session, self._now())

        return await self._accepted(live, judge)

    async def _accepted(
        self, live: LiveSession, change: Callable[[Session], Verdict]
    ) -> LiveSession | NoSession:
        """Change the session of a request that was accepted, perhaps long ago."""

        def judge(session: Session) -> Verdict:
            verdict = policy.current(session, self._now(), self.rules)
            return verdict if isinstance(verdict, End) else change(session)

        found = await self._verdicts.apply(live.session.sid, judge, live.stored)
        if isinstance(found, LiveSession):
            handed = found.token.generation if found.token else 0
            return replace(found, presented=max(live.presented, handed))
        return _no_session(found)

    def _turn(self, sid: str) -> asyncio.Lock:
        return self._turns.setdefault(sid, asyncio.Lock())

    def _new_id(self) -> str:
        return self._random(16).hex()


def _no_session(found: NoSession | TokenRefused) -> NoSession:
    return found if isinstance(found, NoSession) else NoSession()
