"""The session engine: everything Curfew promises, without a web framework.

Nothing under this package imports Tornado, so the promises can be tested and reused without it.
"""

VERSION = "0.1.0"
"""The same as in pyproject.toml, which a test holds."""
