"""The command `curfew`: serves, acts on a server as `run.py` does, or writes a new application."""

import sys

from curfew import new


def main() -> int:
    """Run the command line, and return the exit status."""
    if sys.argv[1:2] == ["new"]:
        return new.main(sys.argv[2:])
    from run import main as run_main  # noqa: PLC0415 - it handles signals, which an import should not

    return run_main()


if __name__ == "__main__":
    sys.exit(main())
