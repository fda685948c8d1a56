"""A reference for the session store: the sessions and their contents in a few dictionaries.

It uses the policy, which is tested elsewhere. It knows nothing of scripts, revisions on the wire,
retries or caches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from server.core import policy
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import Reason
from server.core.session import Json, Rules, Session, deadlines
from server.core.token import Token
from server.sessions.verdicts import LiveSession
from server.store.contract import Epochs

Change = Callable[[Session], Verdict]


@dataclass
class Reference:
    """The sessions as they should be.

    Attributes:
        rules: the durations and bounds in force.
        now: the clock.
        records: every session that was ever created, as it was last written.
        revisions: how often each session was written.
        ended: why each ended session ended.
        ends_of: how often all sessions of a user were ended; the key "" means everybody.
    """

    rules: Rules
    now: float
    records: dict[str, Session] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    ended: dict[str, Reason] = field(default_factory=dict)
    ends_of: dict[str, int] = field(default_factory=dict)

    def epochs(self, user: str) -> tuple[int, int]:
        """Return two numbers that change when all earlier sessions of the user are ended."""
        return self.ends_of.get(user, 0), self.ends_of.get("", 0)

    def of(self, user: str) -> list[str]:
        """Return a user's sessions that have not ended, in the order in which they expire."""
        own = [each for sid, each in self.records.items() if sid not in self.ended]
        by_expiry = sorted(
            (deadlines(each, self.rules).expires_at, each.sid) for each in own if each.user == user
        )
        return [sid for _, sid in by_expiry]

    def timeout(self, sid: str) -> Reason | None:
        """Return the timeout that a session has reached."""
        return deadlines(self.records[sid], self.rules).timeout_at(self.now)

    def begin(self, session: Session) -> None:
        """Begin a session, and end the least recently used ones over the limit."""
        if session.user is not None:
            for sid in self.of(session.user)[: -(self.rules.max_sessions_per_user - 1) or None]:
                self.end(sid, Reason.SESSION_LIMIT)
        self.records[session.sid] = session
        self.revisions[session.sid] = 1

    def end(self, sid: str, reason: Reason) -> None:
        """End a session, unless it has ended before."""
        self.ended.setdefault(sid, reason)

    def end_all(self, user: str, reason: Reason, keep: str | None) -> None:
        """End all of a user's sessions, except one to keep."""
        for sid in self.of(user):
            if sid != keep:
                self.end(sid, reason)
        self.ends_of[user] = self.ends_of.get(user, 0) + 1

    def end_everything(self, reason: Reason) -> None:
        """End all sessions of everybody."""
        for sid in self.records:
            self.end(sid, reason)
        self.ends_of[""] = self.ends_of.get("", 0) + 1

    def judge(self, token: Token, *, may_rotate: bool) -> Reason | Verdict:
        """Judge a request with a token; return the reason of the session's end, or the verdict."""
        return self._apply(
            token.sid,
            lambda session: policy.evaluate(
                session, token, self.now, self.rules, may_rotate=may_rotate
            ),
        )

    def touch(self, sid: str) -> Reason | Verdict:
        """Judge activity on a socket."""
        return self._apply(sid, lambda session: policy.touch(session, self.now, self.rules))

    def change(self, live: LiveSession, change: Change) -> Reason | Verdict:
        """Change a session for a request that was accepted some time ago.

        If the record that the request has makes the change unnecessary, nothing is written. Any
        other change is made to the newest record, but not after its end or its deadline.
        """
        sid = live.session.sid
        seen = change(live.session)
        if seen == Accept(live.session) and not deadlines(live.session, self.rules).timeout_at(
            self.now
        ):
            return seen
        if sid not in self.ended and (timeout := self.timeout(sid)):
            self.end(sid, timeout)
        return self._apply(sid, change)

    def _apply(self, sid: str, judge: Callable[[Session], Verdict]) -> Reason | Verdict:
        if sid in self.ended:
            return self.ended[sid]
        verdict = judge(self.records[sid])
        if isinstance(verdict, End):
            self.end(sid, verdict.reason)
            return verdict.reason
        if isinstance(verdict, Accept) and verdict.changed:
            self.records[sid] = verdict.session
            self.revisions[sid] += 1
        return verdict


@dataclass(frozen=True)
class Request:
    """A request that was accepted.

    Attributes:
        live: the manager's latest answer.
        presented: the number of the token that it came with, or was given.
    """

    live: LiveSession
    presented: int

    @property
    def sid(self) -> str:
        """The id of the session."""
        return self.live.session.sid


@dataclass(frozen=True)
class SignIn:
    """A sign-in whose credentials are being checked."""

    user: str
    epochs: Epochs
    began: tuple[int, int]


def rotation(reference: Reference, presented: int) -> Change:
    """Rotate on request: only a request with the current token gets a new number."""

    def change(session: Session) -> Accept:
        if presented < session.generation:
            return Accept(session)
        return policy.rotate(session, reference.now, reference.rules)

    return change


def elevation(reference: Reference, presented: int) -> Change:
    """Record that the password was proved, unless the token has been replaced meanwhile."""

    def change(session: Session) -> Verdict:
        if presented < session.refused_below:
            return Refuse(Refusal.OVERTAKEN)
        return policy.elevate(session, reference.now)

    return change


def writing(changes: Mapping[str, Json]) -> Change:
    """Merge keys into the data. None removes a key."""

    def change(session: Session) -> Accept:
        merged = {k: v for k, v in {**session.data, **changes}.items() if v is not None}
        return Accept(replace(session, data=merged), changed=repr(merged) != repr(session.data))

    return change
