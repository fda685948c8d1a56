"""The account page and what its forms do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.api.account import OwnSessions
from handlers.api.activity import activity_line
from handlers.http.devices import DeviceKind, describe
from handlers.http.problems import WRONG_PASSWORD, Problem, ProblemRaised, bad_request
from handlers.pages.base import PageHandler
from handlers.pages.confirmation import ConfirmedForm
from handlers.pages.receipts import told
from server.core.activity import ActivityEntry
from server.core.errors import StoreUnavailable
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.store.contract import ListedSession

QUESTIONS = {"others": "confirm.end_others", "all": "confirm.end_all"}


@dataclass(frozen=True, slots=True)
class Card:
    """One session on the account page.

    Attributes:
        id: the session's.
        current: it is the one that asks.
        device: browser and device in words.
        kind: which picture stands for the device.
        ip: where its last sign-in came from.
        created_at: Unix seconds.
        last_active_at: Unix seconds.
        sockets: how many tabs are open.
    """

    id: str
    current: bool
    device: str
    kind: DeviceKind
    ip: str
    created_at: float
    last_active_at: float
    sockets: int


class AccountPage(OwnSessions, PageHandler):
    """`/account`"""

    async def get(self, *_: str) -> None:
        await self.show()

    async def show(self, *, error: str | None = None, notice: list[str] | None = None) -> None:
        """The page, with what just happened.

        Args:
            error: why nothing was done.
            notice: what was done, and further sentences on it.
        """
        self.render("account.html", error=error, notice=notice or [], **await self.cards())

    async def cards(self) -> dict[str, Any]:
        """What the cards of the page show, by the name that their templates have for it."""
        listed = await self.services.sessions.sessions_of(self.user)
        cards = [self._card(each) for each in listed]
        return {
            "sessions": sorted(cards, key=lambda card: not card.current),
            "activity": [activity_line(each, self.language) for each in await self._activity()],
        }

    async def _activity(self) -> Sequence[ActivityEntry]:
        """What happened lately; nothing where just that cannot be read."""
        try:
            return await self.services.activity.of(self.user)
        except StoreUnavailable:
            return ()

    def device_in_words(self, listed: ListedSession) -> str:
        """Browser and device of a session."""
        return describe(listed.session.device.user_agent).in_words(self.language)

    def _card(self, listed: ListedSession) -> Card:
        session = listed.session
        return Card(
            id=session.sid,
            current=session.sid == self.session.sid,
            device=self.device_in_words(listed),
            kind=describe(session.device.user_agent).kind,
            ip=session.device.ip,
            created_at=session.created_at,
            last_active_at=session.last_active_at,
            sockets=listed.sockets,
        )


class AccountForm(ConfirmedForm, AccountPage):
    """Base of what the forms of `/account` are sent to."""

    async def show_refusal(self, problem: Problem) -> None:
        await self.show(error=self.told(problem))

    async def show_receipt(self, receipt: Receipt, reason: Reason) -> None:
        """The page with what was ended; the login page with the reason if this session was."""
        if self.live is None:
            self.see_other(f"/login?reason={reason}")
        else:
            await self.show(notice=self.receipt_in_words(receipt))

    def receipt_in_words(self, receipt: Receipt) -> list[str]:
        """What is told of an end."""
        return told(self.language, receipt, self.application.configuration.node_lease)


class EndOnePage(AccountForm):
    """`POST /account/sessions/{id}/end`"""

    async def question(self, *arguments: str) -> str:
        listed = await self.own_session(arguments[0])
        return self.text(
            "confirm.end_one", device=self.device_in_words(listed), address=listed.session.device.ip
        )

    async def act(self, *arguments: str) -> None:
        await self.show_receipt(await self.end_one(arguments[0]), Reason.LOGOUT)


class EndManyPage(AccountForm):
    """`POST /account/sessions/end`"""

    carried = ("scope",)

    async def question(self, *_: str) -> str:
        question = QUESTIONS.get(self.field("scope"))
        if question is None:
            raise ProblemRaised(bad_request("`scope` is `others` or `all`."))
        return self.text(question)

    async def act(self, *_: str) -> None:
        await self.show_receipt(await self.end_scope(self.field("scope")), Reason.TERMINATED)


class PasswordPage(AccountForm):
    """`POST /account/password`: the form brings the password that a stale session needs."""

    password_field = "current_password"  # noqa: S105 - a field's name

    async def ask(self, *_: str, refused: Problem | None = None) -> None:
        """The form again: its new password is not for carrying around.

        Where a code is missing, the question that asks for it comes first.
        """
        if refused and refused.slug == "second-factor-required":
            self.prepare_refusal(refused)
            await self.show_confirmation(
                "/reauthenticate", {"next": "/account"}, about=self.told(refused)
            )
            return
        raise ProblemRaised(refused or WRONG_PASSWORD)

    async def act(self, *_: str) -> None:
        receipt = await self.change_password(
            self.field("current_password"),
            self.field("new_password"),
            end_others=self.field("end_other_sessions") == "on",
        )
        ended = self.receipt_in_words(receipt) if receipt and receipt.sessions else []
        await self.show(notice=[self.text("password.changed"), *ended])
