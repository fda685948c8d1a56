"""Plain operating-system processes: signals, locks, restarts and forks, without asyncio.

The supervisor and the guard of the embedded store are built from these parts. They hold no
knowledge of sessions and import nothing else of Curfew.
"""
