"""The pure core: rules and values of the engine. No await, clock, randomness or I/O lives here.

Nothing in this package imports anything but the standard library and itself.
"""
