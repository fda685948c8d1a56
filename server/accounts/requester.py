"""Who asks for something: a browser, with or without a live session, or a signed-in person."""

from dataclasses import dataclass, field

from server.core.addresses import network_of
from server.core.hash_queue import Applicant, Departure, Urgency
from server.core.session import Device
from server.sessions.verdicts import LiveSession


@dataclass(frozen=True, slots=True)
class Requester:
    """Whoever sends a request.

    Attributes:
        device: the browser and its address.
        live: its live session; None without one.
        gone: when the client leaves; None if it cannot.
    """

    device: Device
    live: LiveSession | None = None
    gone: Departure | None = field(default=None, compare=False, repr=False)

    def applicant(self, urgency: Urgency = Urgency.PROOF) -> Applicant:
        """Return this client as one that waits for a password hash."""
        return Applicant(network_of(self.device.ip), urgency, self.gone)

    def concerning(self, user: str = "") -> dict[str, str]:
        """Return whose account and which session an audit event of this request is about.

        Args:
            user: canonical name of the account, where it is not the session's.
        """
        session = self.live.session if self.live else None
        return {
            "user": user or (session.user if session and session.user else ""),
            "sid": session.sid if session else "",
        }


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a live session who acts on the own account.

    Attributes:
        device: the browser and its address.
        live: the session that is served.
        path: of the request, for the audit trail.
        gone: when the client leaves; None if it cannot.
    """

    device: Device
    live: LiveSession
    path: str = field(default="")
    gone: Departure | None = field(default=None, compare=False, repr=False)

    @property
    def applicant(self) -> Applicant:
        """This client as one that waits for a password hash."""
        return Applicant(network_of(self.device.ip), Urgency.PROOF, self.gone)

    @property
    def user(self) -> str:
        """The canonical name; empty for an anonymous visitor."""
        return self.live.session.user or ""

    @property
    def sid(self) -> str:
        """The id of the session."""
        return self.live.session.sid

    def concerning(self, user: str = "") -> dict[str, str]:
        """Return whose account and which session an audit event of this request is about."""
        return {"user": user or self.user, "sid": self.sid}
