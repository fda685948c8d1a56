"""Errors around second factors, as `handlers.http.problems` has the others."""

from handlers.http.problems import Problem
from server.core.factors import MAX_PASSKEYS, PASSKEY_NAME_CHARACTERS, Method
from server.core.session import Json


def second_factor_owed(methods: tuple[Method, ...], challenge: str) -> Problem:
    """Return the problem of a right password where the account needs a second factor, too.

    Args:
        methods: how the second factor can be proved.
        challenge: what the client must send with it.
    """
    names: list[Json] = [method.value for method in methods]
    return Problem(
        401,
        "second-factor-required",
        "A second factor is needed",
        "POST `challenge` and a `code` to /api/login/second-factor, or use a passkey.",
        {"methods": names, "challenge": challenge},
    )


def second_factor_missing(methods: tuple[Method, ...]) -> Problem:
    """Return the problem of a signed-in person who proves the password again without a code."""
    names: list[Json] = [method.value for method in methods]
    return Problem(
        403,
        "second-factor-required",
        "A second factor is needed",
        "Send a `code` with the password, or use a passkey.",
        {"methods": names},
    )


WRONG_SECOND_FACTOR = Problem(
    401,
    "wrong-second-factor",
    "Not signed in",
    "The code is wrong, too old, or was used before. Try the next one.",
)
CHALLENGE_EXPIRED = Problem(
    401,
    "challenge-expired",
    "Not signed in",
    "This took too long, or the account was changed meanwhile. Begin with the password again.",
)
PASSKEY_REFUSED = Problem(
    401,
    "passkey-refused",
    "Not signed in",
    "This passkey opens no account here, or the answer was too old.",
)
WRONG_CODE = Problem(
    403, "wrong-code", "Wrong code", "The code is wrong, too old, or was used before."
)
WRONG_PASSKEY = Problem(
    403,
    "wrong-passkey",
    "Wrong passkey",
    "This is no passkey of your account, or the answer was too old.",
)
PASSKEYS_UNAVAILABLE = Problem(
    409,
    "passkeys-unavailable",
    "No passkeys at this address",
    "Browsers take passkeys for host names only. Use this server by its name, such as localhost.",
)
FACTOR_NOT_FOUND = Problem(
    404, "factor-not-found", "No such second factor", "Your account has no such second factor."
)
NO_SECOND_FACTOR = Problem(
    409,
    "no-second-factor",
    "There is no second factor",
    "Recovery codes stand in for an app or a passkey. Set one of them up first.",
)
SETUP_EXPIRED = Problem(
    409, "setup-expired", "Nothing was set up", "This took too long. Begin again."
)
BAD_PASSKEY = Problem(
    400, "bad-passkey", "Nothing was set up", "The browser's answer is no passkey for this server."
)
BAD_PASSKEY_NAME = Problem(
    400,
    "bad-passkey-name",
    "Nothing was set up",
    f"A passkey's name has 1 to {PASSKEY_NAME_CHARACTERS} visible characters.",
)
FACTOR_EXISTS = Problem(
    409, "factor-exists", "Nothing was set up", "This is set up already. Remove it first."
)
TOO_MANY_PASSKEYS = Problem(
    409, "too-many-passkeys", "Nothing was set up", f"An account has at most {MAX_PASSKEYS}."
)
