"""The HTTP front: bytes of a connection below, Tornado's `Application` above."""
