"""What all server-rendered pages share. They work without JavaScript and say what happened."""

import json
import math
import re
import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from tornado.escape import url_escape
from tornado.web import Finish

from handlers.http.base import BaseHandler
from handlers.http.origins import FOR_PEOPLE
from handlers.http.problems import Problem, ProblemRaised, bad_request
from handlers.languages.texts import Language, negotiate
from server.core.credentials import (
    PASSWORD_MAX_BYTES,
    PASSWORD_MIN_CHARACTERS,
    USERNAME_CHARACTERS,
)
from server.core.factors import MAX_PASSKEYS, PASSKEY_NAME_CHARACTERS
from server.core.session import owes_second_factor

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
    "name_most": PASSKEY_NAME_CHARACTERS,
    "passkeys": MAX_PASSKEYS,
}
"""The numbers that sentences about names, passwords and passkeys may use."""
SCRIPT_TEXTS: Final = ("ago", "connection", "ended", "expiring", "news", "notes", "reason")
"""The sections of the language files that `page.js` and its imports use, on all pages."""
OWN_PATH: Final = re.compile(r"/(?!/)[!-\[\]-~]{0,2047}")
"""One slash, then visible ASCII without the backslash: browsers read a backslash as another slash,
and drop tabs and line ends."""


class PageHandler(BaseHandler):
    """Base of all pages: HTML, redirects to the login page, errors as pages."""

    destinations = FOR_PEOPLE

    @cached_property
    def nonce(self) -> str:
        """The nonce of this answer's content security policy."""
        return secrets.token_urlsafe(16)

    @cached_property
    def language(self) -> Language:
        """The language of the page, as the browser asks for it."""
        return negotiate(self.request.headers.get("Accept-Language", ""))

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
            "csrf_token": self.csrf_token,
            "nonce": self.nonce,
            "signup_open": self.application.configuration.signup,
            "url_escape": url_escape,
            "iso": iso,
            "ago": self.ago,
            "idle_timeout": self.duration(self.rules.idle_timeout),
            "language": self.language.code,
            "text": self.text,
            "around": self.language.around,
            "script_texts": self._script_texts,
            "password_min": PASSWORD_MIN_CHARACTERS,
        }

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

    def next_path(self, given: str) -> str:
        """Return where to go afterwards: the given path of our own, or the account page."""
        return given if OWN_PATH.fullmatch(given) else "/account"

    def see_other(self, path: str) -> None:
        """Redirect after a form. With 303, reloading the page does not send the form again."""
        self.redirect(path, status=303)

    @property
    def is_under_https(self) -> bool:
        """Whether browsers see this page over HTTPS, ours or a proxy's."""
        return f"https://{self.request.host.lower()}" in self.application.origins

    def on_unauthenticated(self) -> None:
        query = {"next": self.request.path} if self.request.method in {"GET", "HEAD"} else {}
        if self.no_session.reason:
            query["reason"] = self.no_session.word
        self.redirect(f"/login?{urlencode(query)}" if query else "/login", status=303)
        raise Finish

    def on_second_factor_owed(self) -> None:
        self.redirect("/account/security", status=303)
        raise Finish

    def on_stale_authentication(self) -> None:
        self.redirect("/reauthenticate?next=/account", status=303)
        raise Finish

    def write_problem(self, problem: Problem) -> None:
        self.live = None  # the session may be unchecked, so an error page shows nothing of it
        heading = self.text(f"problem.{self._slug(problem)}.heading")
        self.finish(
            self.render_string(
                "error.html",
                status=problem.status,
                heading=heading,
                detail=self.sentence_for(problem),
            )
        )

    def sentence_for(self, problem: Problem) -> str:
        """Return the sentence that a page shows for a problem."""
        key = f"problem.{self._slug(problem)}.{problem.case}"
        return self.text(key, **LIMITS, count=problem.count, **problem.extra)

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
        for unit, size in (("hours", 3_600), ("minutes", 60)):
            if seconds % size == 0:
                return self.text(f"duration.{unit}", count=seconds // size)
        return self.text("duration.seconds", count=seconds)

    def _slug(self, problem: Problem) -> str:
        """Return the slug, or `other`: no language has words for Tornado's own errors."""
        known = f"problem.{problem.slug}.heading" in self.language.texts
        return problem.slug if known else "other"

    def _script_texts(self) -> str:
        """Return what `texts.js` reads from a data block, without anything that could end it."""
        texts = self.language.sections(*SCRIPT_TEXTS)
        return json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")


def iso(moment: float) -> str:
    """Return a moment (Unix seconds) as ISO 8601 with its offset."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
