"""`store acl`: what the user of a store of one's own must be allowed."""

from server.store.acl import acl_command
from settings import Settings


def print_acl(settings: Settings) -> None:
    """Print the command that makes the user; the password is for whoever types it to choose."""
    print(acl_command("PASSWORD", replicas=settings.termination_replicas))
