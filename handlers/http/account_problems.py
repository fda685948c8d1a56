"""Errors around accounts and signing in, as `handlers.http.problems` has the others."""

from typing import Final

from handlers.http.problems import Problem

NO_ACCOUNT_MADE: Final = "No account was made"


def name_taken(detail: str) -> Problem:
    """Return the problem of a user name that somebody has."""
    return Problem(409, "name-taken", NO_ACCOUNT_MADE, detail)


def bad_username(detail: str, case: str) -> Problem:
    """Return the problem of a user name that breaks a rule; `case` says which."""
    return Problem(400, "bad-username", NO_ACCOUNT_MADE, detail, case=case)


def bad_password(title: str, detail: str, case: str) -> Problem:
    """Return the problem of a new password that breaks a rule; `case` says which."""
    return Problem(400, "bad-password", title, detail, case=case)


WRONG_CREDENTIALS = Problem(
    401, "wrong-credentials", "Not signed in", "The user name or the password is wrong."
)
WRONG_PASSWORD = Problem(403, "wrong-password", "Wrong password", "The password is wrong.")
SIGN_IN_INTERRUPTED = Problem(
    409,
    "sign-in-interrupted",
    "Not signed in",
    "All your sessions were ended while you signed in. Try again.",
)
SIGNUP_CLOSED = Problem(
    403, "signup-closed", "Sign-up is closed", "Ask whoever runs this server for an account."
)
LAST_ADMINISTRATOR = Problem(
    409,
    "last-administrator",
    "Nobody else is an administrator",
    "Make somebody else an administrator first.",
)
RENAME_UNFINISHED = Problem(
    409,
    "rename-unfinished",
    "The account is being renamed",
    "It was interrupted on its way to another name. Give it that name again first.",
)
USER_NOT_FOUND = Problem(404, "user-not-found", "No such user", "There is no such account.")
