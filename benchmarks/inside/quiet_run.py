"""`run.py` without the access log, which no setting turns off. Everything else is logged."""

import logging
import sys

from run import main

logging.getLogger("curfew.access").setLevel(logging.WARNING)
sys.exit(main())
