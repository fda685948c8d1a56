"""`python -m huddle`."""

import sys

from huddle import application

if __name__ == "__main__":
    sys.exit(application.main())
