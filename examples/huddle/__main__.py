"""`python -m examples.huddle`."""

import sys

from examples.huddle import application

if __name__ == "__main__":
    sys.exit(application.main())
