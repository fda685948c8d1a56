"""Cryptography: keys, sealing, signing, passwords, second factors and certificates.

Sealing and password hashing use PyNaCl, app codes pyotp, passkeys `webauthn`, and certificates
`cryptography`. This package imports only `server.core` of our own code.
"""
