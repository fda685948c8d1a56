"""The session manager: what handlers and sockets do with sessions.

Expected outcomes are values: `LiveSession`, `NoSession` or `TokenRefused`. `StoreUnavailable` is
not caught: a session of which nothing is known has not ended (P5).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from server.core import policy
from server.core.addresses import network_of
from server.core.changes import merge, with_data
from server.core.context import NodeContext
from server.core.errors import DataRefused
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import NoSession, Reason
from server.core.session import Device, Json, Rules, Session
from server.core.token import Token
from server.sessions.choosing import Choice, TokenChooser
from server.sessions.creation import SessionCreation, SignInInterrupted
from server.sessions.observing import SessionObserver
from server.sessions.verdicts import LiveSession, TokenRefused, Verdicts
from server.sessions.visitor_room import VisitorRoom
from server.store.contract import Epochs, ListedSession, SessionStore, Stored, Unreadable


class SessionManager:
    """Creates, judges, changes and lists sessions. `Terminations` ends them with a receipt.

    Args:
        store: the session store.
        rules: the durations in force.
        context: this node's id, clocks, randomness, counters and audit trail.
    """

    def __init__(self, store: SessionStore, rules: Rules, context: NodeContext) -> None:
        self._store = store
        self._context = context
        self._verdicts = Verdicts(store, rules, context)
        self._creation = SessionCreation(store, context)
        self._chooser = TokenChooser(store, rules, context)
        self._visitor_room = VisitorRoom(context.monotonic)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.rules = rules

    def observe(self, observer: SessionObserver) -> None:
        """Tell an observer of the sessions that begin here, and of their new tokens."""
        self._creation.observer = self._verdicts.observer = observer

    async def choose(self, tokens: Sequence[Token]) -> Choice:
        """Return which of several tokens counts that one browser presents; see `TokenChooser`."""
        return await self._chooser.choose(tokens)

    async def replace(self, others: Sequence[Session], by: LiveSession) -> LiveSession:
        """End other sessions of a browser as superseded, as its sign-in would have done.

        Args:
            others: sessions of which the browser presented a good token.
            by: its session. The data of anonymous ones moves here, unless it has those keys.

        Raises:
            WriteConflict: other writers kept winning; some may have ended.
        """
        for other in others:
            if other.user is None:
                by = await self._take_over(other.data, by)
            await self._verdicts.end(other, Reason.SUPERSEDED)
        return by

    async def check(
        self, token: Token, *, may_rotate: bool = True, is_activity: bool = True
    ) -> LiveSession | NoSession | TokenRefused:
        """Judge a presented token by the policy, and carry out the verdict.

        Args:
            token: the token of a cookie whose signature was right.
            may_rotate: whether the reply can carry a new cookie.
            is_activity: whether a person is behind the request.

        Raises:
            StoreUnavailable: nothing is known; neither sign out nor let in.
            WriteConflict: the verdict could not be written in a bounded number of tries.
        """
        return await self._verdicts.apply(
            token.sid,
            lambda session: policy.evaluate(
                session,
                token,
                self._context.now(),
                self.rules,
                may_rotate=may_rotate,
                is_activity=is_activity,
            ),
            presented=token.generation,
        )

    async def current(self, sid: str) -> Session | NoSession:
        """Return a session without a token, for an open socket. End it first if it has expired.

        Raises:
            StoreUnavailable: nothing is known of the session.
            WriteConflict: other writers kept winning, so the session is live.
        """
        found = await self._verdicts.apply(
            sid, lambda session: policy.current(session, self._context.now(), self.rules)
        )
        return found.session if isinstance(found, LiveSession) else _no_session(found)

    async def is_unreadable(self, sid: str) -> bool:
        """Return whether there is a record of this session that does not open here."""
        return isinstance(await self._store.load(sid), Unreadable)

    async def touch(self, sid: str) -> Session | NoSession:
        """Record that a person did something on an open socket, and return the session.

        Raises:
            StoreUnavailable: nothing is known of the session.
            WriteConflict: other writers kept winning; nothing was written.
        """
        found = await self._verdicts.apply(
            sid, lambda session: policy.touch(session, self._context.now(), self.rules)
        )
        return found.session if isinstance(found, LiveSession) else _no_session(found)

    async def rotate(self, live: LiveSession) -> LiveSession | NoSession:
        """Issue the next token on request; none to a request with a previous token."""

        def judge(session: Session) -> Accept:
            if live.presented < session.generation:
                return Accept(session)
            return policy.rotate(session, self._context.now(), self.rules)

        return await self._change(live, judge)

    async def elevate(
        self, live: LiveSession, *, two_factors: bool = False
    ) -> LiveSession | NoSession:
        """Record that the person was just proved. The token changes at once, without grace.

        A token that another change of privilege has replaced meanwhile is refused: somebody with
        an old copy and the former password must not replace the owner's token.

        Args:
            live: the session of the request.
            two_factors: whether the person was proved by two factors.
        """
        return await self._change_token(live, partial(policy.elevate, two_factors=two_factors))

    async def renew(self, live: LiveSession, *, two_factors: bool) -> LiveSession | NoSession:
        """Change the token as `elevate` does, without recording that the person was proved."""
        return await self._change_token(live, partial(policy.renew, two_factors=two_factors))

    async def write(
        self, live: LiveSession, changes: Mapping[str, Json]
    ) -> LiveSession | NoSession:
        """Merge top-level keys into the session's data. None removes a key.

        Raises:
            DataRefused: too large, or not JSON; nothing was written.
            WriteConflict: other writers kept winning; nothing was written.
            VisitorsFull: the session has no user, and there is no room; nothing was written.
        """
        visitor = live.session.user is None
        room = self._visitor_room.of(live.session.device) if visitor else nullcontext()
        async with self._turn(live.session.sid):
            with room:
                return await self._change(
                    live, lambda session: with_data(session, merge(session.data, changes))
                )

    async def epochs(self, user: str) -> Epochs:
        """Return what `sign_in` needs. Read it before the credentials are checked."""
        return await self._store.epochs(self._store.shard_of(user), user)

    async def sign_in(
        self,
        user: str,
        epochs: Epochs,
        device: Device,
        previous: LiveSession | None,
        *,
        two_factors: bool = False,
        remember: bool | None = None,
        spelling: str = "",
    ) -> LiveSession | SignInInterrupted:
        """Create a session for a user whose credentials were right. Its id is always new.

        Args:
            user: the canonical user name.
            epochs: what `epochs` returned before the credentials were checked.
            device: what the browser says of itself.
            previous: the session of this browser. It ends as `superseded`; the data of an
                anonymous one moves to the new session.
            two_factors: whether the credentials were two factors, or a passkey.
            remember: what was chosen for the cookie; see `Session`.
            spelling: of the user's name; see `Session`.
        """
        carried = await self._data_to_carry_over(previous)
        new = self._creation.new_session(self._store.shard_of(user), epochs, device, carried)
        session = replace(
            new,
            user=user,
            authenticated_at=new.created_at,
            two_factors=two_factors,
            remember=remember,
            spelling=spelling,
        )
        created = await self._creation.write(session, epochs)
        if isinstance(created, LiveSession) and previous is not None:
            await self._verdicts.end(previous.session, Reason.SUPERSEDED)
        return created

    async def _data_to_carry_over(self, previous: LiveSession | None) -> Mapping[str, Json]:
        """Return an anonymous visitor's data as it is now: checking the password took time."""
        if previous is None or previous.session.user is not None:
            return {}
        found = await self._store.load(previous.session.sid)
        return found.session.data if isinstance(found, Stored) else {}

    async def _take_over(self, data: Mapping[str, Json], live: LiveSession) -> LiveSession:
        new = {key: value for key, value in data.items() if key not in live.session.data}
        try:
            found = await self.write(live, new) if new else live
        except DataRefused:  # both together are too large for one session
            return live
        return replace(found, token=live.token) if isinstance(found, LiveSession) else live

    async def begin_anonymous(
        self, device: Device, data: Mapping[str, Json]
    ) -> LiveSession | SignInInterrupted:
        """Create a session for a visitor who has data to store.

        Raises:
            DataRefused: too large, or not JSON; nothing was created.
            VisitorsFull: visitors keep as much as they may; nothing was created.
        """
        # All of one network are in one shard, so that one script can count what they keep.
        shard = self._store.shard_of(network_of(device.ip))
        with self._visitor_room.of(device):
            epochs = await self._store.epochs(shard, None)
            empty = self._creation.new_session(shard, epochs, device, {})
            return await self._creation.write(with_data(empty, merge({}, data)).session, epochs)

    async def sessions_of(self, user: str) -> Sequence[ListedSession]:
        """Return the user's live sessions, the most recently used first."""
        listed = await self._store.list_user(user)
        return sorted(listed, key=lambda each: each.session.last_active_at, reverse=True)

    async def count_by_one_factor(self, user: str) -> None:
        """Record that none of the user's sessions is proved by two factors any more."""
        for listed in await self._store.list_user(user):
            await self._verdicts.apply(listed.session.sid, policy.by_one_factor)

    async def users(self) -> Sequence[str]:
        """Return all users who may have a live session. Scans the whole store: for operators."""
        return await self._store.users()

    async def _change_token(
        self, live: LiveSession, change: Callable[[Session, float], Accept]
    ) -> LiveSession | NoSession:
        def judge(session: Session) -> Verdict:
            if live.presented < session.refused_below:
                return Refuse(Refusal.OVERTAKEN)
            return change(session, self._context.now())

        return await self._change(live, judge)

    async def _change(
        self, live: LiveSession, change: Callable[[Session], Verdict]
    ) -> LiveSession | NoSession:
        """Change the session of a request that was accepted, perhaps some time ago."""

        def judge(session: Session) -> Verdict:
            verdict = policy.current(session, self._context.now(), self.rules)
            return verdict if isinstance(verdict, End) else change(session)

        found = await self._verdicts.apply(live.session.sid, judge, live.stored)
        if isinstance(found, LiveSession):
            issued = found.token.generation if found.token else 0
            return replace(found, presented=max(live.presented, issued))
        return _no_session(found)

    def _turn(self, sid: str) -> asyncio.Lock:
        return self._turns.setdefault(sid, asyncio.Lock())


def _no_session(found: NoSession | TokenRefused) -> NoSession:
    return found if isinstance(found, NoSession) else NoSession()
