"""What all server-rendered pages share. They work without JavaScript and say what happened."""

import json
import math
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Final

from tornado.escape import url_escape
from tornado.template import BaseLoader
from tornado.web import Finish, HTTPError

from handlers.http.application import TEMPLATES
from handlers.http.base import BaseHandler
from handlers.http.origins import FOR_PEOPLE
from handlers.http.problems import Problem, ProblemRaised, bad_request
from handlers.languages.texts import Language, negotiate_among, own_names
from handlers.pages.errors import ErrorPage, page_words
from handlers.pages.look import COOKIE, Look
from handlers.pages.next_path import (
    ENTRANCES,
    HOME,
    SECRETS,
    own_path,
    path_of_page,
    path_with_query,
    with_next,
)
from handlers.pages.template_loader import Layers, OwnThenOurs
from handlers.pages.typed_again import TypedAgain
from server.core.credentials import (
    ADDRESS_MAX_BYTES,
    PASSWORD_MAX_BYTES,
    PASSWORD_MIN_CHARACTERS,
    USERNAME_CHARACTERS,
)
from server.core.factors import MAX_PASSKEYS, PASSKEY_NAME_CHARACTERS
from server.core.session import owes_second_factor
from server.core.typed_text import trimmed

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
LIMITS: Final = {
    "characters": PASSWORD_MIN_CHARACTERS,
    "bytes": PASSWORD_MAX_BYTES,
    "least": USERNAME_CHARACTERS.start,
    "most": USERNAME_CHARACTERS.stop - 1,
    "address_most": ADDRESS_MAX_BYTES,
    "name_most": PASSKEY_NAME_CHARACTERS,
    "passkeys": MAX_PASSKEYS,
}
"""The numbers that sentences about names, passwords and passkeys may use."""
SECURITY: Final = "/account/security"
"""The page that sets up a second factor."""
SCRIPT_TEXTS: Final = ("ago", "connection", "ended", "expiring", "news", "notes", "reason")
"""The sections of the language files that `page.js` and its imports use, on all pages."""


class PageHandler(BaseHandler):
    """Base of all pages: HTML, redirects to the login page, errors as pages.

    Attributes:
        socket: the address of the socket that the page opens; empty for `/ws`.
        texts_for_scripts: sections of the application's language files that its scripts use.
    """

    destinations = FOR_PEOPLE
    socket: ClassVar[str] = ""
    texts_for_scripts: ClassVar[Sequence[str]] = ()

    @cached_property
    def nonce(self) -> str:
        """The nonce of this answer's content security policy."""
        return secrets.token_urlsafe(16)

    @cached_property
    def language(self) -> Language:
        """The language of the page: the one that was chosen here, or that the browser asks for."""
        languages = self.application.additions.languages
        accepted = self.request.headers.get("Accept-Language", "")
        return languages.get(self.look.language) or negotiate_among(languages, accepted)

    @cached_property
    def look(self) -> Look:
        """The language and the colours that were chosen in this browser, if any."""
        is_chosen = COOKIE in self.request.headers.get("Cookie", "")
        return Look.read(self.get_cookie(COOKIE, "") or "") if is_chosen else Look()

    def text(self, key: str, **values: object) -> str:
        """Return a text in the page's language; see `Language.text`."""
        return self.language.text(key, **values)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Vary", "Cookie, Accept-Language")
        self.set_header("Content-Language", self.language.code)
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(nonce=self.nonce))

    def get_template_namespace(self) -> dict[str, Any]:
        """Return what every template can use."""
        signed_in = self.live and self.live.session.user
        return super().get_template_namespace() | {
            "session": self.live.session if self.live and signed_in else None,
            "owes_second_factor": self.owes_second_factor,
            "administers": False,  # only the account page asks the store
            "csrf_token": self.csrf_token,
            "nonce": self.nonce,
            "socket": self.socket,
            "brand": self.application.additions.brand,
            "next": self._next_to_show,
            "with_next": with_next,
            "base_path": self.application.base_path.path,
            "signup_open": self.application.configuration.signup,
            "url_escape": url_escape,
            "iso": iso,
            "ago": self.ago,
            "idle_timeout": self.duration(self.rules.idle_timeout),
            "language": self.language.code,
            "languages": own_names(self.application.additions.languages),
            "theme": self.look.theme,
            "look_here": "" if self.changes_something else self._page_again,
            "other_try": self._other_try,
            "typed_again": TypedAgain(self),
            "password_help": self.application.configuration.password_help,
            "text": self.text,
            "around": self.language.around,
            "script_texts": self._script_texts,
            "password_min": PASSWORD_MIN_CHARACTERS,
        }

    def create_template_loader(self, template_path: str) -> BaseLoader:
        """Return what finds templates; ours take the place of those that an application lacks."""
        ours = super().create_template_loader(TEMPLATES)
        folders = [str(each) for each in self.application.additions.templates]
        if folders and template_path != TEMPLATES:
            ours = Layers(folders, TEMPLATES)
        is_own = template_path not in {TEMPLATES, self.application.settings["template_path"]}
        return OwnThenOurs(template_path, ours) if is_own else ours

    @property
    def owes_second_factor(self) -> bool:
        """Whether the session is served almost nothing until a second factor proves it."""
        return self.live is not None and owes_second_factor(self.live.session, self.rules)

    def presented_csrf_token(self) -> str:
        """Return the CSRF token of the form's field, or of the header."""
        return self.get_body_argument("csrf_token", super().presented_csrf_token())

    def field(self, name: str) -> str:
        """Return a form field exactly as it was sent; empty if it is missing.

        Raises:
            ProblemRaised: it is given twice, so nobody knows which value is meant.
        """
        # Tornado's own getters replace control characters by spaces.
        values = self.request.body_arguments.get(name, [])
        if len(values) > 1:
            raise ProblemRaised(bad_request(f"The field `{name}` is given twice."))
        return self.decode_argument(values[0], name) if values else ""

    def typed(self, name: str) -> str:
        """Return a name that a person typed into a form, without the blanks around it."""
        return trimmed(self.field(name))

    def next_path(self, given: str) -> str:
        """Return where to go afterwards: the given path of our own, or the account page."""
        return own_path(self.application.base_path.within(given))

    @property
    def next(self) -> str:
        """Where the page that asked for this one leads on to; empty if it did not say."""
        given = self.get_argument("next", "")
        return self.next_path(given) if given else ""

    @property
    def return_path(self) -> str:
        """Where a person comes back to who is interrupted here; empty if that is unknown.

        That is this page, or the page that a form was on.
        """
        if not self.changes_something:
            return path_with_query(self.request.path, self.request.query)
        return path_of_page(self.request.headers.get("Referer", ""), self.application.origins)

    def onward(self, path: str) -> str:
        """Return where a signed-in person goes on to who wants to go to a path.

        Who owes a second factor is led there over the page where it is set up.
        """
        is_deep = self.owes_second_factor and path not in ENTRANCES
        return with_next(SECURITY, path) if is_deep else path

    def see_other(self, path: str) -> None:
        """Redirect after a form. With 303, reloading the page does not send the form again."""
        self.redirect(path, status=303)

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Return the page. Its links that begin with one slash are below the base path."""
        page, base_path = super().render_string(template_name, **kwargs), self.application.base_path
        return base_path.locate_links(page) if base_path.path else page

    @property
    def is_under_https(self) -> bool:
        """Whether browsers see this page over HTTPS, ours or a proxy's."""
        return f"https://{self.request.host.lower()}" in self.application.origins

    def on_unauthenticated(self) -> None:
        reason = self.no_session.word if self.no_session.reason else ""
        self.redirect(with_next("/login", self.return_path, reason=reason or ""), status=303)
        raise Finish

    def on_second_factor_owed(self) -> None:
        self.redirect(with_next(SECURITY, self._deep_link), status=303)
        raise Finish

    def on_stale_authentication(self) -> None:
        self.redirect(with_next("/reauthenticate", self.return_path or HOME), status=303)
        raise Finish

    def write_problem(self, problem: Problem) -> None:
        self.live = None  # the session may be unchecked, so an error page shows nothing of it
        words = page_words(self.language, problem, LIMITS)
        self.finish(ErrorPage(self).render(problem.status, *words))

    def sentence_for(self, problem: Problem) -> str:
        """Return the sentence that a page shows for a problem."""
        return page_words(self.language, problem, LIMITS).sentence

    def ago(self, moment: float) -> str:
        """Return how long ago a moment was, in words.

        Args:
            moment: Unix seconds.
        """
        seconds = max(0.0, self.now() - moment)
        for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if number := int(seconds // length):
                return self.text(f"ago.{unit}", count=number)
        return self.text("ago.now")

    def duration(self, length: timedelta) -> str:
        """Return a length of time in words, in the largest unit that divides it."""
        seconds = math.ceil(length.total_seconds())
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds % size == 0:
                return self.text(f"duration.{unit}", count=seconds // size)
        return self.text("duration.seconds", count=seconds)

    @property
    def _next_to_show(self) -> str:
        """As `next`; empty if it cannot be read, because an error page must not fail again."""
        try:
            return self.next
        except HTTPError:
            return ""

    @property
    def _page_again(self) -> str:
        """This page with its query; where it leads on to is checked."""
        path, query = self.request.path, self.request.query
        return own_path(
            with_next(path_with_query(path, query, {"next", *SECRETS}), self._next_to_show)
        )

    @property
    def _other_try(self) -> str:
        """Where somebody tries once more what failed; empty for the address of this request.

        After a form it is a page that has the form, because forms are not sent to themselves.
        """
        if not self.changes_something:
            return ""
        path, next_path = self.request.path, self._next_to_show
        referer = self.request.headers.get("Referer", "")
        return (
            with_next(path, next_path)
            if next_path
            else path_of_page(referer, self.application.origins)
        )

    @property
    def _deep_link(self) -> str:
        """This page, if its query says more than which page it is."""
        return "" if self.changes_something or not self.request.query else self.return_path

    def _script_texts(self) -> str:
        """Return what `texts.js` reads from a data block, without anything that could end it."""
        texts = self.language.sections(*SCRIPT_TEXTS, *self.texts_for_scripts)
        return json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")


def iso(moment: float) -> str:
    """Return a moment (Unix seconds) as ISO 8601 with its offset."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
