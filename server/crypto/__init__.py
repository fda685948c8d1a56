"""Keys, sealing and passwords: everything in the engine that handles a secret.

Only PyNaCl and the standard library do cryptography here. Nothing in this package knows of
Tornado, Redis or sessions; it imports `server.core` and nothing else of ours.
"""
