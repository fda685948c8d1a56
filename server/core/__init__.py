"""The pure core: the engine's rules and values. No await, clock, randomness or I/O here.

This package imports only the standard library and itself.
"""
