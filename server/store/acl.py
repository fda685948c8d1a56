"""What Curfew may do in a store: the one source of the rule that people give to theirs.

Everything that the program asks of a store is in this list, and the tests run under it, so what is
missing fails there. There is no KEYS, no CONFIG and no FLUSHALL. Scripts are loaded and then run by
their hash: who has this user's password can load another text, and do by it only what is listed.
"""

from typing import Final

USER: Final = "curfew"
KEYS: Final = "curfew:*"
COMMANDS: Final = (
    *("get", "set", "mget", "del", "exists", "pexpire", "pttl", "scan"),
    *("hset", "hdel", "hgetall", "zadd", "zrem", "zrange", "zremrangebyscore"),
    *("xadd", "xread", "xinfo|stream", "evalsha", "script|load"),
    *("time", "info", "waitaof", "hello", "client|setname"),
)
WITH_REPLICAS: Final = ("wait", "script|exists")


def acl_rules(password: str, *, replicas: int) -> list[str]:
    """The rules of the user, behind its name.

    Args:
        password: of the user.
        replicas: how many replicas an end waits for.
    """
    commands = (*COMMANDS, *(WITH_REPLICAS if replicas else ()))
    allowed = [f"+{name}" for name in commands]
    return ["reset", "on", f">{password}", f"~{KEYS}", "resetchannels", "-@all", *allowed]


def acl_file(password: str) -> str:
    """The same for a store that is ours to start, as the text of its file of users."""
    return f"user {USER} {' '.join(acl_rules(password, replicas=1))}\n"


def acl_command(password: str, *, replicas: int) -> str:
    """What to tell the store, as one line."""
    return " ".join(["ACL SETUSER", USER, *acl_rules(password, replicas=replicas)])
