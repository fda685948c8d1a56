"""Becomes a command that has a listening socket, as systemd starts it: `... FD COMMAND ...`.

The process id must be the command's own, so that the one who passes the socket cannot set it.
"""

import os
import sys

if __name__ == "__main__":
    os.dup2(int(sys.argv[1]), 3)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the test's own command
