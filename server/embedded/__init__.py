"""The embedded Valkey: where it is, how it is started, and the guard process that owns it."""
