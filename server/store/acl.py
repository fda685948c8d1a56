"""What Curfew may do in a store: the rules that operators give to its user.

The list has every command that the program sends, and the tests run under it, so a missing command
fails there. KEYS, CONFIG and FLUSHALL are not allowed. Scripts are loaded and then run by their
hash: whoever has the user's password can load another script, which can only do what is listed.
"""

import hashlib
from typing import Final

USER: Final = "curfew"
OWNER: Final = "owner"
"""Of an embedded store only."""
KEYS: Final = "curfew:*"
COMMANDS: Final = (
    *("get", "set", "mget", "del", "exists", "pexpire", "pttl", "scan"),
    *("hset", "hdel", "hgetall", "zadd", "zrem", "zrange"),
    *("xadd", "xread", "xinfo|stream", "evalsha", "script|load"),
    *("time", "info", "waitaof", "hello", "client|setname"),
)
WITH_REPLICAS: Final = ("wait", "script|exists")
IN_CLUSTER: Final = ("cluster|nodes",)


def acl_rules(password: str, *, replicas: int, in_cluster: bool = False) -> list[str]:
    """Return the rules that follow the user's name in ACL SETUSER.

    Args:
        password: of the user.
        replicas: how many replicas an end waits for.
        in_cluster: whether the user is for the nodes of a cluster.
    """
    commands = (
        *COMMANDS,
        *(WITH_REPLICAS if replicas else ()),
        *(IN_CLUSTER if in_cluster else ()),
    )
    allowed = [f"+{name}" for name in commands]
    return ["reset", "on", f">{password}", f"~{KEYS}", "resetchannels", "-@all", *allowed]


def acl_file(password: str, *, in_cluster: bool = False) -> str:
    """Return the ACL file of a store that Curfew, or a test, starts itself."""
    return f"user {USER} {' '.join(acl_rules(password, replicas=1, in_cluster=in_cluster))}\n"


def embedded_acl_file(password: str, owner_password: str) -> str:
    """Return the ACL file of the embedded store.

    Whoever does not log in may ask whether it is there, and nothing else. So nobody who can send
    commands over Curfew's connection comes to more rights by logging in as `default`.

    Args:
        password: of Curfew's user.
        owner_password: of the user who may do everything; only its hash is in the file.
    """
    digest = hashlib.sha256(owner_password.encode()).hexdigest()
    return (
        "user default on nopass resetkeys resetchannels -@all +ping\n"
        f"user {OWNER} on #{digest} allkeys allchannels +@all\n"
        f"{acl_file(password)}"
    )


def acl_command(password: str, *, replicas: int, in_cluster: bool = False) -> str:
    """Return the command that creates the user, as one line.

    Args:
        password: of the user.
        replicas: how many replicas an end waits for.
        in_cluster: whether it is for the nodes of a cluster.
    """
    rules = acl_rules(password, replicas=replicas, in_cluster=in_cluster)
    return " ".join(["ACL SETUSER", USER, *rules])
