"""Programs that root starts, and that may do no more than any other user's."""

WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Put it before a command: its user may neither read nor write what a mode forbids."""
